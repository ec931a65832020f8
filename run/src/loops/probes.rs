//! The loop that asks: every check at its time, none of them twice at once, all of them evenly spread. I/O.
//!
//! One task holds the agenda and sleeps until the next check is due; each run is a task of its own. Results go to the
//! collecting loop. A run that is still going when the next is due is left out and counted.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kernel::Timestamp;
use kernel::probe::CheckId;
use observe::probe::Prepared;
use tokio::time::{Instant, sleep_until};

use crate::agenda::{Agenda, first_run, next_on_grid, spread};
use crate::core::{Core, Vital};

/// Checks in flight at once: each holds a socket and some memory; 10,000 checks at 10 s that all hang for 10 s would
/// otherwise hold 10,000.
pub const MOST_IN_FLIGHT: usize = 4_000;

/// The loop looks at the agenda at least this often, so that a clock that was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// A check that is asked.
#[derive(Debug)]
pub struct Job {
    /// Which check.
    pub id: CheckId,
    /// Ready to be asked.
    pub prepared: Prepared,
    /// How often.
    pub every: Duration,
    /// How often while watched intensively.
    pub intensive: Duration,
    /// A run is going.
    pub running: AtomicBool,
}

/// The jobs with their times.
struct Planned {
    jobs: Vec<Arc<Job>>,
    agenda: Agenda,
    /// The interval each job was last put in with: an intensive one is told by it.
    intervals: Vec<Duration>,
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut changed = core.changed();
    let in_flight = Arc::new(AtomicUsize::new(0));
    let mut planned = plan(&core, None);
    loop {
        let now = core.clock.now();
        core.note_turn(Vital::Probes);
        while let Some((place, due_at)) = planned.agenda.take_due(now) {
            start(&core, &planned.jobs[place], due_at, &in_flight);
            planned.agenda.put(place, following(&planned.jobs[place], planned.intervals[place], due_at, now));
        }
        let next = planned.agenda.next_due().unwrap_or(now + LONGEST_SLEEP);
        let wait = next.since(core.clock.now()).min(LONGEST_SLEEP);
        tokio::select! {
            () = sleep_until(Instant::now() + wait) => {}
            _ = changed.changed() => planned = plan(&core, Some(&planned)),
        }
    }
}

/// The next time on the job's grid; beats that were missed (the machine slept) are not made up for.
fn following(job: &Job, every: Duration, due_at: Timestamp, now: Timestamp) -> Timestamp {
    let seed = spread(&job.id.to_string());
    let next = next_on_grid(due_at, every, seed);
    if next > now { next } else { next_on_grid(now, every, seed) }
}

/// The agenda of all systems' checks. Jobs that stay keep their time; new ones run soon.
fn plan(core: &Core, before: Option<&Planned>) -> Planned {
    let now = core.clock.now();
    let intensive = core.intensive();
    let known: HashMap<&CheckId, Duration> =
        before.iter().flat_map(|b| b.jobs.iter().zip(&b.intervals).map(|(j, every)| (&j.id, *every))).collect();
    let mut planned = Planned { jobs: Vec::new(), agenda: Agenda::default(), intervals: Vec::new() };
    for system in core.systems().values() {
        for job in &system.jobs {
            let every = if intensive.covers(&job.id) { job.intensive } else { job.every };
            let seed = spread(&job.id.to_string());
            let at = match known.get(&job.id) {
                Some(same) if *same == every => next_on_grid(now, every, seed),
                _ => first_run(now, every, seed),
            };
            planned.agenda.put(planned.jobs.len(), at);
            planned.jobs.push(job.clone());
            planned.intervals.push(every);
        }
    }
    planned
}

fn start(core: &Arc<Core>, job: &Arc<Job>, due_at: Timestamp, in_flight: &Arc<AtomicUsize>) {
    if in_flight.load(Ordering::Relaxed) >= MOST_IN_FLIGHT {
        core.counters.skipped_full.add_one();
        return;
    }
    if job.running.swap(true, Ordering::AcqRel) {
        core.counters.skipped_running.add_one();
        return;
    }
    in_flight.fetch_add(1, Ordering::Relaxed);
    let (core, job, in_flight) = (core.clone(), job.clone(), in_flight.clone());
    tokio::spawn(async move {
        core.counters.note_lateness(u64::try_from(core.clock.now().since(due_at).as_millis()).unwrap_or(u64::MAX));
        let result = job.prepared.perform(due_at, &*core.clock).await;
        job.running.store(false, Ordering::Release);
        in_flight.fetch_sub(1, Ordering::Relaxed);
        core.hand_in(result).await;
    });
}
