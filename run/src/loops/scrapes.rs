//! The loop that reads metrics endpoints (MET-01). I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::secret::{Redactor, Resolver};
use kernel::{Labels, Timestamp};
use observe::probe::PrepareError;
use observe::scrape::{PreparedScrape, ScrapeLimits, prepare_scrape};
use parking_lot::Mutex;
use plan_model::Plan;
use plan_model::component::Scrape;
use tokio::time::{Instant, sleep_until};

use crate::agenda::{Agenda, first_run, next_on_grid, spread};
use crate::core::Core;
use crate::shapes::Shapes;

const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// A metrics endpoint ready to be read.
#[derive(Debug)]
pub struct ScrapeJob {
    /// Name in the store: system and component.
    pub source: String,
    every: Duration,
    prepared: PreparedScrape,
    base: Vec<(String, String)>,
    /// Takes out of labels what is a secret without doubt: a target may show its own settings in them.
    conceal: Redactor,
    running: AtomicBool,
}

impl ScrapeJob {
    /// Resolves what the endpoint refers to.
    ///
    /// # Errors
    /// A reference has no value, or the URL is none.
    pub fn prepare(
        plan: &Plan,
        component: &str,
        scrape: &Scrape,
        resolver: &dyn Resolver,
        redactor: &Redactor,
        conceal: &Redactor,
    ) -> Result<Self, PrepareError> {
        let (every, timeout) = plan.scrape_settings(scrape);
        let scrape = Scrape { every: Some(every), timeout: Some(timeout), ..scrape.clone() };
        let prepared = prepare_scrape(&scrape, ScrapeLimits::default(), resolver, redactor)?;
        let url = scrape.url.resolve(resolver)?;
        let instance = instance_of(url.expose());
        let job = scrape.job.clone().unwrap_or_else(|| component.to_owned());
        let pairs = [("system", plan.system.as_str()), ("service", component), ("job", &job), ("instance", &instance)];
        Ok(Self {
            source: format!("scrape {}/{component}", plan.system),
            every: every.std(),
            prepared,
            base: pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
            conceal: conceal.clone(),
            running: AtomicBool::new(false),
        })
    }

    /// A scraped series with the endpoint's own labels; where the target has one of them itself, the target's becomes
    /// `exported_…`, as with Prometheus.
    fn labels(&self, scraped: &Labels) -> Labels {
        let mut pairs: Vec<(String, String)> = scraped
            .iter()
            .map(|(name, value)| {
                let clash = self.base.iter().any(|(n, _)| n == name);
                let name = if clash { format!("exported_{name}") } else { name.to_owned() };
                (name, self.conceal.redact(value))
            })
            .collect();
        pairs.extend(self.base.iter().cloned());
        Labels::new(pairs)
    }

    fn own(&self, name: &str) -> Labels {
        Labels::metric(name, self.base.iter().map(|(n, v)| (n, v)))
    }
}

/// `host:port` of a URL, the label `instance`.
fn instance_of(url: &str) -> String {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = after.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit_once('@').map_or(host, |(_, host)| host).to_owned()
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut changed = core.changed();
    let shapes = Arc::new(Mutex::new(Shapes::default()));
    loop {
        let jobs: Vec<Arc<ScrapeJob>> = core.systems().values().flat_map(|s| s.scrapes.clone()).collect();
        end_gone(&core, &shapes, &jobs);
        let mut agenda = Agenda::default();
        for (place, job) in jobs.iter().enumerate() {
            agenda.put(place, first_run(core.now(), job.every, spread(&job.source)));
        }
        loop {
            let now = core.now();
            while let Some((place, due_at)) = agenda.take_due(now) {
                start(&core, &jobs[place], &shapes);
                let next = next_on_grid(due_at.max(now), jobs[place].every, spread(&jobs[place].source));
                agenda.put(place, next);
            }
            let wait = agenda.next_due().unwrap_or(now + LONGEST_SLEEP).since(core.now()).min(LONGEST_SLEEP);
            tokio::select! {
                () = sleep_until(Instant::now() + wait) => {}
                _ = changed.changed() => break,
            }
        }
    }
}

/// Series of endpoints that are no longer in a plan end.
fn end_gone(core: &Core, shapes: &Mutex<Shapes>, jobs: &[Arc<ScrapeJob>]) {
    let mut shapes = shapes.lock();
    let gone: Vec<String> =
        shapes.sources().filter(|s| !jobs.iter().any(|j| j.source == **s)).map(ToOwned::to_owned).collect();
    let rows: Vec<_> = gone.iter().filter_map(|s| shapes.end(s, core.now().as_millis())).collect();
    drop(shapes);
    core.append(&rows);
}

fn start(core: &Arc<Core>, job: &Arc<ScrapeJob>, shapes: &Arc<Mutex<Shapes>>) {
    if job.running.swap(true, Ordering::AcqRel) {
        core.counters.skipped_running.add_one();
        return;
    }
    let (core, job, shapes) = (core.clone(), job.clone(), shapes.clone());
    tokio::spawn(async move {
        let at = core.now();
        let result = job.prepared.perform(&*core.clock).await;
        core.counters.scrapes.add_one();
        let up = result.error.is_none();
        if let Some(error) = &result.error {
            core.counters.scrapes_failed.add_one();
            tracing::debug!(source = %job.source, reason = %error.reason, "a scrape failed");
        }
        let mut samples: Vec<(Labels, f64)> = result.samples.iter().map(|s| (job.labels(&s.labels), s.value)).collect();
        let count = samples.len() as f64;
        samples.push((job.own("up"), f64::from(u8::from(up))));
        samples.push((job.own("scrape_duration_seconds"), result.duration.as_secs_f64()));
        samples.push((job.own("scrape_samples_scraped"), count));
        store(&core, &job, &shapes, at, samples).await;
        job.running.store(false, Ordering::Release);
    });
}

async fn store(
    core: &Arc<Core>,
    job: &Arc<ScrapeJob>,
    shapes: &Arc<Mutex<Shapes>>,
    at: Timestamp,
    samples: Vec<(Labels, f64)>,
) {
    let (core, job, shapes) = (core.clone(), job.clone(), shapes.clone());
    let stored = tokio::task::spawn_blocking(move || {
        let row = shapes.lock().row(&*core.series, &job.source, at.as_millis(), &samples);
        match row {
            Ok(row) => core.append(&[row]),
            Err(error) => core.store_failed("a scrape", &error),
        }
    });
    if let Err(error) = stored.await {
        tracing::error!(%error, "storing a scrape broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_is_host_and_port() {
        assert_eq!(instance_of("http://u:p@127.0.0.1:9100/metrics?x=1"), "127.0.0.1:9100");
        assert_eq!(instance_of("https://app.example"), "app.example");
    }
}
