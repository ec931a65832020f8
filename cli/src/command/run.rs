//! `farero run`: the program as it works every day. I/O.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Run;
use crate::command::check;

pub(crate) fn run(arguments: Run) -> Result<ExitCode> {
    // Errors in plans are shown in full before anything starts.
    let Some(plans) = check::check_to_run(&arguments.plans, arguments.environment.as_deref())? else {
        return Ok(ExitCode::from(crate::exit::NO));
    };
    let config = run::Config {
        plans: arguments.plans,
        data: arguments.data,
        state: arguments.state.map(kernel::secret::Secret::new),
        listen: arguments.listen,
        public_url: arguments.public_url,
        environment: arguments.environment,
        given: Vec::new(),
        open_metrics: arguments.open_metrics,
    };
    runtime()?.block_on(async {
        let farero = run::Farero::start_checked(config, plans, Arc::new(run::SystemClock)).await?;
        println!("Farero: http://{}", farero.address());
        print_setup_link(&farero);
        until_ended(&farero).await?;
        farero.stop().await;
        Ok(ExitCode::from(crate::exit::OK))
    })
}

pub(crate) fn print_setup_link(farero: &run::Farero) {
    if let Some(link) = farero.setup_link() {
        println!("Create the administrator (this link works once): {link}");
    }
}

/// Waits for an end by Ctrl-C or SIGTERM; SIGHUP reads the plans again.
pub(crate) async fn until_ended(farero: &run::Farero) -> Result<()> {
    let mut end = signal(SignalKind::terminate()).context("signals cannot be received")?;
    let mut again = signal(SignalKind::hangup()).context("signals cannot be received")?;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = end.recv() => return Ok(()),
            _ = again.recv() => farero.reload(),
        }
    }
}

/// Threads for work that waits for a disk or counts long. The loops need ten at most; the rest is for pages. Each costs
/// memory of its own, and one that had no work for ten seconds ends.
const BLOCKING_THREADS: usize = 48;

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("farero")
        .build()
        .context("the runtime cannot be made")
}
