//! Work on the CPU pool: few at once, long work behind short work, stopped when nobody waits any more or when it takes too long.
//! I/O: threads.
//!
//! Whatever begins waits for one of some permits, and gives it back after a [`SLICE`]: what has not ended by then is long, and long work
//! goes on in a [`Lane`] of its own, in which few run at once and take turns. So a short query finds a permit and a processor, whatever
//! else is asked.

mod lane;
mod share;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use decide_promql::Control;
use parking_lot::Mutex;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{ApiError, ErrorKind};
use crate::limits::{FREE_POINTS, HELD_POINTS, LONG_WAITING, PATIENCE, SLICE, WRITES_OF_ONE};
use lane::Lane;
use observe_receive::writer::SenderName;
use share::Shares;

/// Counts what goes on at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    permits: Arc<Semaphore>,
    small: Arc<Semaphore>,
    long: Arc<Lane>,
    shares: Arc<Shares>,
    counts: Arc<Counts>,
}

/// What has been counted at a gate since it was made.
#[derive(Debug, Default)]
pub struct Counts {
    begun: AtomicU64,
    small: AtomicU64,
    long: AtomicU64,
    refused: AtomicU64,
    cancelled: AtomicU64,
    /// Queries refused because all together hold too much.
    crowded: AtomicU64,
    /// Points that queries and answers hold now.
    held: AtomicU64,
}

impl Counts {
    /// Names, meanings and values, for whoever tells them; all but the last only grow.
    pub fn all(&self) -> [(&'static str, &'static str, u64); 7] {
        [
            ("farero_queries_total", "Queries that were begun.", self.begun.load(Relaxed)),
            (
                "farero_queries_small_total",
                "Queries answered at once, since they read little.",
                self.small.load(Relaxed),
            ),
            ("farero_queries_long_total", "Queries that became long.", self.long.load(Relaxed)),
            ("farero_queries_refused_total", "Queries refused beside too many long ones.", self.refused.load(Relaxed)),
            (
                "farero_queries_cancelled_total",
                "Queries that nobody waited for any more.",
                self.cancelled.load(Relaxed),
            ),
            (
                "farero_queries_crowded_total",
                "Queries that ended because all together held too many points.",
                self.crowded.load(Relaxed),
            ),
            (
                "farero_queries_held_points",
                "Points of 8 bytes that queries and answers on their way hold in memory.",
                self.held.load(Relaxed),
            ),
        ]
    }
}

/// Tells the work to stop once the request is dropped or has run out of time.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// An answer on its way: counted as held until it is sent or nobody wants it any more.
struct Sent {
    body: Vec<u8>,
    points: u64,
    counts: Arc<Counts>,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.counts.held.fetch_sub(self.points, Relaxed);
    }
}

/// What work is told, and asks.
pub(crate) struct Turn {
    /// How long it waited for its turn.
    pub(crate) waited: Duration,
    cancelled: Arc<AtomicBool>,
    gate: Gate,
    pace: Mutex<Pace>,
    held: AtomicU64,
}

struct Pace {
    /// Held while the work is short.
    permit: Option<OwnedSemaphorePermit>,
    began: Instant,
    /// When its slice began.
    since: Instant,
    is_long: bool,
    refused: bool,
}

impl Turn {
    /// An answer that counts as held for as long as it waits to be sent: slow readers take their time.
    pub(crate) fn sent(&self, body: Vec<u8>) -> Bytes {
        let (points, counts) = ((body.len() / size_of::<f64>()) as u64, self.gate.counts.clone());
        counts.held.fetch_add(points, Relaxed);
        Bytes::from_owner(Sent { body, points, counts })
    }

    /// Takes note that so many points are not held any more.
    pub(crate) fn lets_go(&self, points: u64) {
        self.held.fetch_sub(points, Relaxed);
        self.gate.counts.held.fetch_sub(points, Relaxed);
    }

    /// Whether the work was refused a place among the long ones.
    pub(crate) fn was_refused(&self) -> bool {
        self.pace.lock().refused
    }

    /// Goes on among the long ones; where there is no room it keeps its permit, though not for ever.
    fn becomes_long(&self, pace: &mut Pace) -> bool {
        if !self.gate.long.joins(LONG_WAITING) {
            pace.refused = pace.began.elapsed() > PATIENCE;
            self.gate.counts.refused.fetch_add(u64::from(pace.refused), Relaxed);
            return !pace.refused;
        }
        self.gate.counts.long.fetch_add(1, Relaxed);
        pace.is_long = true;
        pace.permit = None;
        self.gate.long.enter(&self.cancelled)
    }
}

impl Control for Turn {
    fn goes_on(&self) -> bool {
        if self.cancelled.load(Relaxed) {
            return false;
        }
        let mut pace = self.pace.lock();
        if pace.refused || pace.since.elapsed() < SLICE {
            return !pace.refused;
        }
        let goes_on = if pace.is_long { self.gate.long.rotate(&self.cancelled) } else { self.becomes_long(&mut pace) };
        pace.since = Instant::now();
        goes_on
    }

    fn holds(&self, points: u64) -> bool {
        let own = self.held.fetch_add(points, Relaxed) + points;
        let all = self.gate.counts.held.fetch_add(points, Relaxed) + points;
        // Who holds little does not pay for those who hold much.
        let has_room = own <= FREE_POINTS || all <= HELD_POINTS;
        self.gate.counts.crowded.fetch_add(u64::from(!has_room), Relaxed);
        has_room
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.gate.counts.held.fetch_sub(self.held.load(Relaxed), Relaxed);
        if self.pace.get_mut().is_long {
            self.gate.long.leave();
        }
        if self.cancelled.load(Relaxed) {
            self.gate.counts.cancelled.fetch_add(1, Relaxed);
        }
    }
}

impl Gate {
    /// That lets through so many at once.
    pub fn new(at_once: usize) -> Self {
        Self::of(Arc::new(Semaphore::new(at_once.max(1))))
    }

    /// That counts with one that is there already.
    pub fn of(permits: Arc<Semaphore>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            permits,
            // One thread goes on serving connections, should the disk be slow.
            small: Arc::new(Semaphore::new((processors - 1).max(1))),
            // One processor stays for short work.
            long: Arc::new(Lane::new((processors - 1).max(1))),
            shares: Arc::default(),
            counts: Arc::default(),
        }
    }

    /// Waits until somebody has fewer than [`WRITES_OF_ONE`] messages at work, and counts one more of them until the answer is dropped.
    ///
    /// # Errors
    /// It takes longer than that.
    pub(crate) async fn share(&self, who: &SenderName, timeout: Duration) -> Result<OwnedSemaphorePermit, ApiError> {
        let own = self.shares.of(who);
        match tokio::time::timeout(timeout, own.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            // Nobody closes it.
            Ok(Err(_)) => Err(ApiError::new(ErrorKind::Canceled, "the messages of this sender are not taken any more")),
            Err(_) => Err(ApiError::new(
                ErrorKind::Timeout,
                format!("{WRITES_OF_ONE} messages of this sender are worked on already: send fewer at once"),
            )),
        }
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Does small work at once, in the thread that serves the connection; `None` when others do so already, or when the work says that
    /// it is not small. Handing it to another thread and back would cost more than it does.
    pub(crate) fn small<T>(&self, work: impl FnOnce(&AtomicBool) -> Option<T>) -> Option<T> {
        if Handle::try_current().ok()?.runtime_flavor() != RuntimeFlavor::MultiThread {
            return None;
        }
        let _permit = self.small.try_acquire().ok()?;
        let done = work(&AtomicBool::new(false))?;
        self.counts.small.fetch_add(1, Relaxed);
        Some(done)
    }

    /// Runs something on the CPU pool once it is its turn; `None`: it took too long, and was told to stop.
    pub async fn timed<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&dyn Control) -> T + Send + 'static,
    ) -> Option<T> {
        self.run(limit, move |turn| Ok(work(turn))).await.ok()
    }

    /// Runs something once it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl FnOnce(&Turn) -> Result<T, ApiError> + Send + 'static,
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
        let _stop = StopOnDrop(cancelled.clone());
        let gate = self.clone();
        let run = tokio::task::spawn_blocking(move || {
            gate.counts.begun.fetch_add(1, Relaxed);
            let began = Instant::now();
            // The permit is held until the work ends or is long: a dropped request does not make room before that.
            let pace = Mutex::new(Pace { permit: Some(permit), began, since: began, is_long: false, refused: false });
            let turn = Turn { waited, cancelled, gate, pace, held: AtomicU64::new(0) };
            match work(&turn) {
                Err(_) if turn.was_refused() => Err(too_many()),
                done => done,
            }
        });
        match tokio::time::timeout(timeout.saturating_sub(waited), run).await {
            Ok(Ok(done)) => done,
            Ok(Err(broken)) => Err(ApiError::internal(format!("unexpected error: {broken}"))),
            Err(_) => Err(timed_out("expression evaluation")),
        }
    }
}

/// Refuses what would be one long query too many.
fn too_many() -> ApiError {
    ApiError::new(
        ErrorKind::Timeout,
        format!("{LONG_WAITING} long queries are going on already: narrow this one, or ask again later"),
    )
}

#[cfg(test)]
mod tests;
