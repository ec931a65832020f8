//! Scrapes all targets of a configuration, each in its turn, and hands rows to the write port. I/O.
//!
//! One thread waits on all sockets; scrapes that are due in the same step are started by one wake-up, and small bodies are
//! read where they arrive. What was read goes into one batch that another thread appends, so a commit never holds up
//! a scrape.

use std::sync::Arc;
use std::thread::JoinHandle;

use foldhash::quality::RandomState;
use kernel::series::SeriesWriter;
use kernel::{Clock, Labels};
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::relabel::RelabelStep;
use crate::target::target_relabel_steps;

mod active;
mod counters;
mod queue;
mod run;
mod schedule;
mod sync;
mod views;
mod work;

pub use counters::Counters;
pub use views::{DroppedTarget, Health, MetadataView, PoolView, TargetView};

use active::Active;
use queue::Queue;
use views::Views;
use work::Buffers;

/// How the manager works, beyond the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Moves the turns of targets, so that two servers with the same targets do not ask at the same time.
    pub offset_seed: u64,
    /// Take `_created` lines and created timestamps as start times, as Prometheus does with its feature for them. Without
    /// it `_created` lines are series of their own, as in Prometheus without it.
    pub start_times: bool,
    /// Under which name others reach this machine: stands for loopback addresses in `globalUrl`.
    pub external_host: String,
    /// Ask plain targets on this machine for packed bodies too.
    pub compress_loopback: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { offset_seed: 0, start_times: false, external_host: "localhost".to_owned(), compress_loopback: false }
    }
}

/// Why scraping could not begin.
#[derive(Debug, thiserror::Error)]
#[error("scraping cannot begin: {0}; it needs two threads and a few files")]
pub struct StartError(#[from] std::io::Error);

/// What all parts share.
pub(crate) struct Shared {
    options: Options,
    writer: Arc<dyn SeriesWriter>,
    clock: Arc<dyn Clock>,
    queue: Queue,
    counters: Arc<Counters>,
    views: RwLock<Views>,
    buffers: Mutex<Vec<Buffers>>,
    hashes: RandomState,
}

enum Command {
    Reload(Box<Config>),
    Stop,
}

/// Scrapes until it is stopped.
pub struct Manager {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Manager {
    /// Begins to scrape.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(
        config: Config,
        options: Options,
        writer: Arc<dyn SeriesWriter>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let counters = Arc::new(Counters::default());
        let shared = Arc::new(Shared {
            options,
            writer,
            clock,
            queue: Queue::new(Arc::clone(&counters)),
            counters,
            views: RwLock::default(),
            buffers: Mutex::default(),
            hashes: RandomState::default(),
        });
        let (commands, inbox) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let of_run = Arc::clone(&shared);
        let run = std::thread::Builder::new().name("scrape".to_owned()).spawn(move || {
            runtime.block_on(run::run(Arc::clone(&of_run), config, inbox));
            // Bodies that are being read may still bring rows; then the queue ends.
            drop(runtime);
            of_run.queue.close();
        })?;
        let of_append = Arc::clone(&shared);
        let append = std::thread::Builder::new()
            .name("scrape-append".to_owned())
            .spawn(move || of_append.queue.append_all(of_append.writer.as_ref()))?;
        Ok(Self { shared, commands, threads: vec![run, append] })
    }

    /// Goes on with another configuration; targets that stay the same are not interrupted.
    pub fn reload(&self, config: Config) {
        if self.commands.send(Command::Reload(Box::new(config))).is_err() {
            tracing::error!("scraping has ended: the new configuration is not used");
        }
    }

    /// Ends scraping, and returns when all that was scraped is durable. As in Prometheus, series are not marked as ended: they
    /// go on when the program comes back.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.commands.send(Command::Stop);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of scraping ended early");
            }
        }
    }

    /// What is counted.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// The jobs and their targets; of one job when it is named.
    pub fn pools(&self, job: Option<&str>) -> Vec<PoolView> {
        let options = &self.shared.options;
        self.shared.views.read().pools(job, &options.external_host)
    }

    /// What targets say of their metric families. `of` chooses targets by their labels, `metric` the family (all when empty).
    pub fn metadata(&self, of: &dyn Fn(&Labels) -> bool, metric: &str) -> Vec<MetadataView> {
        self.shared.views.read().metadata(of, metric)
    }

    /// How relabeling came to the labels of a job's target, rule by rule; `None` when there is no such job.
    pub fn relabel_steps(&self, job: &str, discovered: &Labels) -> Option<Vec<RelabelStep>> {
        let job = self.shared.views.read().job(job)?;
        Some(target_relabel_steps(&job, discovered))
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
