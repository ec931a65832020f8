//! Group commit: batches of many callers become durable with one `fdatasync`. I/O.
//!
//! There is no thread for it. The first caller that finds nobody committing leads: it takes everything that waits, commits, and wakes
//! the others; what comes meanwhile is the next commit. Only a commit of few samples waits for more callers, until the last one is
//! [`crate::limits::COMMIT_INTERVAL`] old, but no longer than until as many have come as shared the last one: senders that write one after
//! the other answer do not wait for anybody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::series::{Appended, Batch, SeriesError};
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::limits::{COMMIT_GAP, COMMIT_SAMPLES, QUEUED_SAMPLES};

/// What became of one call.
pub(crate) type Outcome = Result<Appended, SeriesError>;

#[derive(Default)]
struct Ticket {
    outcome: Mutex<Option<Outcome>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Batch, Arc<Ticket>)>,
    samples: usize,
    committing: bool,
    /// When the last commit began.
    last: Option<Instant>,
    /// Callers that shared the last commit.
    shared: usize,
}

/// Callers that wait for a commit.
#[derive(Default)]
pub(crate) struct Committer {
    queue: Mutex<Queue>,
    done: Condvar,
    came: Condvar,
}

impl Committer {
    /// Has the batch committed, with those of other callers; `commit` gives one outcome per batch.
    pub(crate) fn submit(
        &self,
        batch: &Batch,
        interval: Duration,
        commit: impl Fn(&[Batch]) -> Vec<Outcome>,
    ) -> Outcome {
        let ticket = Arc::new(Ticket::default());
        let mut queue = self.queue.lock();
        if queue.samples > 0 && queue.samples + batch.len() > QUEUED_SAMPLES {
            return Err(SeriesError::Limit {
                what: "samples waiting to be written",
                limit: QUEUED_SAMPLES as u64,
                advice: "the disk is too slow: see how long writing takes, or hand over less at once",
            });
        }
        queue.samples += batch.len();
        queue.waiting.push((batch.clone(), ticket.clone()));
        self.came.notify_all();
        loop {
            if let Some(outcome) = ticket.outcome.lock().take() {
                return outcome;
            }
            if queue.committing {
                self.done.wait(&mut queue);
                continue;
            }
            queue.committing = true;
            self.gather(&mut queue, interval);
            queue.last = Some(Instant::now());
            let (batches, tickets): (Vec<_>, Vec<_>) = std::mem::take(&mut queue.waiting).into_iter().unzip();
            queue.samples = 0;
            queue.shared = batches.len();
            let outcomes = MutexGuard::unlocked(&mut queue, || commit(&batches));
            for (ticket, outcome) in tickets.iter().zip(outcomes) {
                *ticket.outcome.lock() = Some(outcome);
            }
            queue.committing = false;
            self.done.notify_all();
        }
    }

    /// Waits for others that may share the commit, where it is not worth its sync yet.
    fn gather(&self, queue: &mut MutexGuard<'_, Queue>, interval: Duration) {
        let Some(last) = queue.last else { return };
        let until = last + interval;
        while queue.samples < COMMIT_SAMPLES && Instant::now() < until {
            // Once the others are there, only the shortest gap is left to wait for.
            let all = queue.waiting.len() >= queue.shared;
            let until = if all { until.min(last + COMMIT_GAP) } else { until };
            if self.came.wait_until(queue, until).timed_out() {
                return;
            }
        }
    }
}
