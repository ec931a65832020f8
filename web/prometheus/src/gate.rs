//! Work on the CPU pool: few at once, stopped when nobody waits any more or when it takes too long. I/O: threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::error::{ApiError, ErrorKind};

/// Counts what goes on at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    permits: Arc<Semaphore>,
}

/// Tells the work to stop once the request is dropped or has run out of time.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What work is told.
pub(crate) struct Turn {
    /// Becomes true when nobody waits any more.
    pub(crate) cancelled: Arc<AtomicBool>,
    /// How long it waited for its turn.
    pub(crate) waited: Duration,
}

impl Gate {
    /// That lets through so many at once.
    pub fn new(at_once: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// That counts with one that is there already.
    pub const fn of(permits: Arc<Semaphore>) -> Self {
        Self { permits }
    }

    /// Runs something once it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl FnOnce(Turn) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let timed_out = |place: &str| ApiError::new(ErrorKind::Timeout, format!("query timed out in {place}"));
        let began = Instant::now();
        let permit = match tokio::time::timeout(timeout, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(ApiError::new(ErrorKind::Canceled, "query was canceled in query queue")),
            Err(_) => return Err(timed_out("query queue")),
        };
        let waited = began.elapsed();
        let cancelled = Arc::new(AtomicBool::new(false));
        let (_stop, turn) = (StopOnDrop(cancelled.clone()), Turn { cancelled, waited });
        let run = tokio::task::spawn_blocking(move || {
            // Held until the work really ends: a dropped request does not make room for another one before that.
            let _permit = permit;
            work(turn)
        });
        match tokio::time::timeout(timeout.saturating_sub(waited), run).await {
            Ok(Ok(done)) => done,
            Ok(Err(broken)) => Err(ApiError::internal(format!("unexpected error: {broken}"))),
            Err(_) => Err(timed_out("expression evaluation")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_told_when_nobody_waits_any_more() {
        let gate = Gate::new(1);
        let (tell, told) = std::sync::mpsc::channel();
        let late = gate.run(Duration::from_millis(20), move |turn| {
            while !turn.cancelled.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = tell.send(());
            Ok(())
        });
        assert_eq!(late.await.unwrap_err().message(), "query timed out in expression evaluation");
        told.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(gate.run(Duration::from_secs(5), |_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn what_waits_for_its_turn_too_long_is_refused() {
        let gate = Gate::of(Arc::new(Semaphore::new(0)));
        let late = gate.run(Duration::from_millis(10), |_| Ok(()));
        assert_eq!(late.await.unwrap_err().message(), "query timed out in query queue");
    }
}
