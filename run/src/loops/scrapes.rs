//! The loop that tells the scraper which metrics endpoints the plans have (MET-01). I/O: starts the scraper.
//!
//! The scraper is the one that `farero metrics` has, with a job for each endpoint. It has a thread of its own, so nothing is started
//! before a plan names an endpoint.

use std::sync::Arc;
use std::time::Duration;

use kernel::series::SeriesWriter;
use observe_scrape::config::Config;
use observe_scrape::manager::{Manager, Options};
use parking_lot::{Mutex, MutexGuard};
use web_prometheus::views::{TargetMetadata, Targets};

use crate::core::Core;
use crate::metrics::targets;

/// When the system gives no threads, it is asked again after this.
const RETRY: Duration = Duration::from_secs(5);

/// What scrapes the endpoints of all plans.
#[derive(Debug, Default)]
pub struct Scraper(Mutex<Option<Manager>>);

impl Scraper {
    fn manager(&self) -> MutexGuard<'_, Option<Manager>> {
        self.0.lock()
    }

    /// Names, meanings and values of what scraping counts; empty while nothing is scraped.
    pub fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.manager().as_ref().map(|m| m.counters().all()).unwrap_or_default()
    }

    /// Ends scraping, and returns when all that was scraped is durable. Waits for the disk: not for async threads.
    pub fn stop(&self) {
        if let Some(manager) = self.manager().take() {
            manager.stop();
        }
    }
}

impl web::Scraped for Scraper {
    fn targets(&self) -> Targets {
        self.manager().as_ref().map(targets::targets).unwrap_or_default()
    }

    fn metadata(&self) -> Vec<TargetMetadata> {
        self.manager().as_ref().map(targets::metadata).unwrap_or_default()
    }
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut changed = core.changed();
    loop {
        changed.mark_unchanged();
        let turn = core.clone();
        let told = tokio::task::spawn_blocking(move || tell(&turn)).await;
        if matches!(told, Ok(true)) {
            // The sender lives as long as the core.
            let _ = changed.changed().await;
        } else {
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Tells the scraper which jobs there are now; whether it could be told.
fn tell(core: &Core) -> bool {
    let jobs = core.systems().values().flat_map(|s| s.scrapes.clone()).collect::<Vec<_>>();
    let mut manager = core.scraper.manager();
    if manager.is_none() && jobs.is_empty() {
        return true;
    }
    let config = Config::of_jobs(jobs);
    if let Some(manager) = &*manager {
        manager.reload(config);
        return true;
    }
    // What targets say of when their counters began makes rates right from the first scrape on.
    let options = Options { start_times: true, ..Options::default() };
    let writer = core.series.clone() as Arc<dyn SeriesWriter>;
    match Manager::start(config, options, writer, core.clock.clone()) {
        Ok(started) => *manager = Some(started),
        Err(error) => tracing::error!(%error, "the metrics endpoints of the plans are not read; it is tried again"),
    }
    manager.is_some()
}
