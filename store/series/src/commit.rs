//! Group commit: batches of many callers become durable with one `fdatasync`. I/O.
//!
//! There is no thread for it. The first caller that finds nobody committing leads: it waits until the last commit is
//! [`crate::limits::COMMIT_INTERVAL`] old, takes everything that waits by then, commits, and wakes the others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::series::{Appended, Batch, SeriesError};
use parking_lot::{Condvar, Mutex};

use crate::limits::QUEUED_SAMPLES;

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
    last: Option<Instant>,
}

/// Callers that wait for a commit.
#[derive(Default)]
pub(crate) struct Committer {
    queue: Mutex<Queue>,
    done: Condvar,
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
        loop {
            if let Some(outcome) = ticket.outcome.lock().take() {
                return outcome;
            }
            if queue.committing {
                self.done.wait(&mut queue);
                continue;
            }
            queue.committing = true;
            let pause = queue.last.map_or(Duration::ZERO, |last| interval.saturating_sub(last.elapsed()));
            if !pause.is_zero() {
                parking_lot::MutexGuard::unlocked(&mut queue, || std::thread::sleep(pause));
            }
            queue.last = Some(Instant::now());
            let (batches, tickets): (Vec<_>, Vec<_>) = std::mem::take(&mut queue.waiting).into_iter().unzip();
            queue.samples = 0;
            let outcomes = parking_lot::MutexGuard::unlocked(&mut queue, || commit(&batches));
            for (ticket, outcome) in tickets.iter().zip(outcomes) {
                *ticket.outcome.lock() = Some(outcome);
            }
            queue.committing = false;
            self.done.notify_all();
        }
    }
}
