//! Between scraping and appending: one batch that fills while the other is written. I/O.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::series::{Batch, SeriesError, SeriesWriter};
use parking_lot::{Condvar, Mutex};

use super::Counters;
use super::counters::count;

/// So many samples may wait for the disk: 12 bytes each; half a minute of the largest installation that is measured.
const MOST_WAITING: usize = 4_000_000;

/// The first rows of a batch wait for others: a commit costs half a millisecond of CPU whatever is in it, more than scraping a
/// target of a thousand series. They wait a fifth of the shortest interval, and at most one second: so much of what was
/// scraped may be missing after a power cut, and from answers.
const LINGER_PARTS: u32 = 5;
const SHORTEST_LINGER: Duration = Duration::from_millis(50);
const LONGEST_LINGER: Duration = Duration::from_secs(1);

/// So many samples wait for no others: a commit costs next to nothing of what they cost.
const ENOUGH: usize = 100_000;

/// After the disk refused, it is tried again after this.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Default)]
struct State {
    batch: Batch,
    writing: usize,
    closed: bool,
    /// Counts the times that the store did not know a series: readers that saw fewer ask again.
    epoch: u64,
    linger: Duration,
}

/// Rows that wait to be appended.
pub(super) struct Queue {
    state: Mutex<State>,
    bell: Condvar,
    counters: Arc<Counters>,
}

impl Queue {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self { state: Mutex::default(), bell: Condvar::new(), counters }
    }

    /// Adds to the batch that fills.
    pub(super) fn put(&self, fill: impl FnOnce(&mut Batch)) {
        let mut state = self.state.lock();
        let was_empty = state.batch.is_empty();
        fill(&mut state.batch);
        if (was_empty && !state.batch.is_empty()) || state.batch.len() >= ENOUGH {
            self.bell.notify_one();
        }
    }

    /// Sets how long rows wait for others, by the shortest interval at which something is scraped.
    pub(super) fn set_shortest_interval(&self, interval: Duration) {
        self.state.lock().linger = (interval / LINGER_PARTS).clamp(SHORTEST_LINGER, LONGEST_LINGER);
    }

    /// Whether the store does not keep up.
    pub(super) fn is_full(&self) -> bool {
        let state = self.state.lock();
        state.batch.len() + state.writing > MOST_WAITING
    }

    pub(super) fn epoch(&self) -> u64 {
        self.state.lock().epoch
    }

    /// Nothing more comes: what waits is written, then [`Queue::append_all`] returns.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.bell.notify_one();
    }

    /// Appends until the queue is closed and empty. Runs on a thread of its own.
    pub(super) fn append_all(&self, writer: &dyn SeriesWriter) {
        let mut batch = Batch::default();
        loop {
            {
                let mut state = self.state.lock();
                state.writing = 0;
                while state.batch.is_empty() && !state.closed {
                    self.bell.wait(&mut state);
                }
                if state.batch.is_empty() {
                    return;
                }
                let until = Instant::now() + state.linger;
                while !state.closed && state.batch.len() < ENOUGH {
                    if self.bell.wait_until(&mut state, until).timed_out() {
                        break;
                    }
                }
                std::mem::swap(&mut state.batch, &mut batch);
                state.writing = batch.len();
            }
            self.append(writer, &batch);
            batch.clear();
        }
    }

    fn append(&self, writer: &dyn SeriesWriter, batch: &Batch) {
        loop {
            match writer.append(batch) {
                Ok(done) => {
                    count(&self.counters.samples, done.samples);
                    count(&self.counters.out_of_order, done.out_of_order);
                    if done.unknown > 0 {
                        count(&self.counters.unknown, done.unknown);
                        self.state.lock().epoch += 1;
                    }
                    return;
                }
                Err(error @ SeriesError::Limit { .. }) => {
                    count(&self.counters.lost, batch.len() as u64);
                    tracing::error!(%error, samples = batch.len(), "scraped samples were refused and are lost");
                    return;
                }
                Err(error) => {
                    count(&self.counters.append_failures, 1);
                    tracing::error!(%error, samples = batch.len(), "scraped samples cannot be written: trying again");
                    if self.state.lock().closed {
                        count(&self.counters.lost, batch.len() as u64);
                        return;
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
    }
}
