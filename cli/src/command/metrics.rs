//! `farero metrics`: the metrics engine without a plan. I/O.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use run::SystemClock;
use run::metrics::{Metrics, MetricsConfig};
use tokio::signal::unix::{SignalKind, signal};

use super::run::runtime;
use crate::arguments::metrics::Metrics as Arguments;
use crate::exit;

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    runtime()?.block_on(async {
        let engine = Metrics::start(config(arguments), Arc::new(SystemClock)).await?;
        let scheme = if engine.is_tls() { "https" } else { "http" };
        println!("Farero's metrics engine listens on {scheme}://{}", engine.address());
        let why = until_ended(&engine).await?;
        tracing::info!(why, "the metrics engine ends");
        engine.stop().await;
        Ok(ExitCode::from(exit::OK))
    })
}

/// Prometheus's name for taking start times from targets; its other features need no switch.
const START_TIMES: &str = "created-timestamp-zero-ingestion";

fn config(arguments: Arguments) -> MetricsConfig {
    MetricsConfig {
        otlp_grpc: arguments.otlp_grpc,
        web_config: arguments.web_config,
        start_times: arguments.always_on.features.iter().flat_map(|f| f.split(',')).any(|f| f == START_TIMES),
        config: arguments.config,
        retention: arguments.retention,
        retention_bytes: arguments.retention_size,
        rollups: arguments.retention_rollups,
        out_of_order_window: arguments.out_of_order_window,
        query_timeout: arguments.query_timeout,
        query_samples: arguments.query_max_samples,
        queries_at_once: arguments.query_max_concurrency,
        lookback: arguments.lookback_delta,
        admin: arguments.enable_admin_api,
        lifecycle: arguments.enable_lifecycle,
        external_url: arguments.external_url,
        receive: arguments.receive.limits(),
        cors: Some(arguments.cors_origin),
        ..MetricsConfig::new(arguments.listen, arguments.data)
    }
}

/// Waits for an end by Ctrl-C, SIGTERM or over HTTP, and says which; SIGHUP reads the configuration again.
async fn until_ended(engine: &Metrics) -> Result<&'static str> {
    let mut end = signal(SignalKind::terminate()).context("signals cannot be received")?;
    let mut again = signal(SignalKind::hangup()).context("signals cannot be received")?;
    let quitting = engine.quitting();
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok("Ctrl-C"),
            _ = end.recv() => return Ok("SIGTERM"),
            () = quitting.notified() => return Ok("/-/quit"),
            _ = again.recv() => engine.reload().await,
        }
    }
}
