//! `farero metrics`: the metrics engine without a plan, as a stand-in for Prometheus. I/O: sockets, series on disk.
//!
//! It listens, keeps what is sent, and answers queries, to programs and on pages. What is read from where follows from the same pieces as in a Farero with a
//! plan; here they meet without people, checks or a database.

mod alertmanagers;
mod ask;
mod backend;
mod config;
mod configure;
mod front;
mod known;
pub mod notify;
mod own;
mod redact;
pub mod rules;
mod senders;
pub(crate) mod targets;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use anyhow::{Context, Result};
use kernel::Clock;
use store_series::{SeriesStore, UPKEEP_EVERY};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use ask::{FolderAnswer, ask_folder};
use backend::Engine;
pub use config::MetricsConfig;
use front::Front;

use crate::{GRACE, folder};

/// A running engine. Dropping it ends it hard; [`Metrics::stop`] lets requests finish.
pub struct Metrics {
    address: SocketAddr,
    grpc_address: Option<SocketAddr>,
    front: Arc<Front>,
    engine: Arc<Engine>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Metrics {
    /// Opens the store, puts the configuration to use, and listens.
    ///
    /// # Errors
    /// The address is taken, the folder cannot be used, or the configuration has errors.
    pub async fn start(mut config: MetricsConfig, clock: Arc<dyn Clock>) -> Result<Self> {
        let name = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        config.machine = config.machine.or_else(name);
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {} (--listen)", config.listen))?;
        let address = listener.local_addr()?;
        let grpc = match config.otlp_grpc {
            Some(at) => {
                let listener = TcpListener::bind(at).await;
                Some(listener.with_context(|| format!("cannot listen on {at} (--otlp-grpc)"))?)
            }
            None => None,
        };
        let grpc_address = grpc.as_ref().map(TcpListener::local_addr).transpose()?;
        let front = Arc::new(Front::open(config.web_config.clone(), clock.now())?);
        let cors = config.cors.as_deref().map(|origins| regex::Regex::new(&format!("^(?:{origins})$"))).transpose();
        let cors = cors.context("--cors-origin is no regular expression")?;
        let opening = tokio::task::spawn_blocking(move || open(config, clock));
        let engine = Arc::new(opening.await??);
        engine.configure().await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(engine.notifier.clone().run());
        tasks.spawn(upkeep(engine.clone()));
        let (stop, stopping) = watch::channel(false);
        let until_stopped = |mut stopping: watch::Receiver<bool>| async move {
            // An error means that the sender is gone, which is an end too.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        if let Some(grpc) = grpc {
            let router = front.before(web_prometheus::grpc_router(engine.clone()));
            tasks.spawn(web::serve(vec![front.door(grpc)], router, until_stopped(stopping.clone()), GRACE));
        }
        let pages = web_explore::alone::router(engine.clone(), web::assets::url);
        let router = web_prometheus::router(engine.clone(), cors).merge(pages);
        let router = router.route("/assets/{bundle}/{*path}", axum::routing::get(web::assets::serve));
        let router = front.before(router);
        tasks.spawn(web::serve(vec![front.door(listener)], router, until_stopped(stopping), GRACE));
        Ok(Self { address, grpc_address, front, engine, stop, tasks })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where OTLP over gRPC is taken on an address of its own.
    pub const fn grpc_address(&self) -> Option<SocketAddr> {
        self.grpc_address
    }

    /// Whether TLS is spoken.
    pub fn is_tls(&self) -> bool {
        self.front.is_tls()
    }

    /// Ends once somebody asks for it over HTTP.
    pub fn quitting(&self) -> Arc<Notify> {
        self.engine.quitting.clone()
    }

    /// Reads the configuration again.
    pub async fn reload(&self) {
        if let Err(error) = self.front.reload(self.engine.clock.now()) {
            let error = format!("{error:#}");
            tracing::error!(error, "the file for the address was not read again: the old one stays in use");
        }
        if let Err(error) = self.engine.configure().await {
            let error = format!("{error:#}");
            tracing::error!(error, "the configuration was not read again: the old one stays in use");
        }
    }

    /// Ends: running requests may finish, the store writes what it holds.
    pub async fn stop(mut self) {
        // A send fails only when the server has ended already.
        let _ = self.stop.send(true);
        tokio::time::sleep(GRACE).await;
        self.engine.rules.stop().await;
        self.tasks.shutdown().await;
        let engine = self.engine.clone();
        let written = tokio::task::spawn_blocking(move || {
            // Waits until everything that was scraped is durable.
            drop(engine.scraping.write().unwrap_or_else(PoisonError::into_inner).take());
            engine.store.cut()
        });
        match written.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "what is in memory was not made a block; the log still holds it"),
            Err(error) => tracing::error!(%error, "the end broke off; the log holds what was acknowledged"),
        }
    }
}

fn open(mut config: MetricsConfig, clock: Arc<dyn Clock>) -> Result<Engine> {
    // What is wrong with the file is told when it is put to use.
    if let Some(Ok(file)) = config.config.as_deref().map(observe_scrape::config::Config::load) {
        config.take_storage(&file.storage);
    }
    folder::make_private(&config.data).with_context(|| format!("{} cannot be made", config.data.display()))?;
    let (store, report) = SeriesStore::open(&config.data.join("series"), config.store_options())?;
    tracing::info!(?report, "series opened");
    Ok(Engine::new(config, Arc::new(store), clock))
}

/// Seals, cuts, joins and deletes what is due, until the process ends.
async fn upkeep(engine: Arc<Engine>) {
    let mut beat = tokio::time::interval(UPKEEP_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let turn = engine.clone();
        let done = tokio::task::spawn_blocking(move || turn.store.maintain(turn.clock.now()));
        match done.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the store could not be kept up; the next turn tries again"),
            Err(error) => tracing::error!(%error, "the upkeep of the store broke off"),
        }
    }
}
