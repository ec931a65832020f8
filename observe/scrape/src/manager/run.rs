//! The loop: turns, discovery, new configurations, ends. I/O.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::counters::count;
use super::schedule::{Turns, aligned, first_turn, interval_ms};
use super::sync::Pool;
use super::work::{end_of_run, scrape};
use super::{Active, Command, Shared};
use crate::config::Config;
use crate::discovery::Found;

/// Without anything to do the loop looks around this often: clocks may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A clock that went back by more than this was set: turns are found anew, or nobody would be asked until it is that late
/// again.
const SET_BACK_MS: i64 = 1_000;

/// When stopping, scrapes under way have so long to come to their end.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// What comes at a time.
pub(super) enum Turn {
    Scrape(Arc<Active>),
    /// A target's series end, at the time that is named.
    End(Arc<Active>, i64),
}

/// What discovery brought for a job.
pub(super) struct Update {
    pub(super) job: String,
    pub(super) generation: u64,
    pub(super) index: usize,
    pub(super) found: Found,
}

/// Everything the loop knows.
pub(super) struct Runner {
    pub(super) shared: Arc<Shared>,
    pub(super) pools: HashMap<String, Pool>,
    pub(super) turns: Turns<Turn>,
    pub(super) updates: mpsc::UnboundedSender<Update>,
    pub(super) generation: u64,
    /// The last time that was seen.
    last_ms: i64,
}

/// Runs until it is told to stop.
pub(super) async fn run(shared: Arc<Shared>, config: Config, mut commands: mpsc::UnboundedReceiver<Command>) {
    let (updates, mut found) = mpsc::unbounded_channel();
    let last_ms = shared.clock.now().as_millis();
    let mut runner = Runner { shared, pools: HashMap::new(), turns: Turns::new(), updates, generation: 0, last_ms };
    runner.reload(&config);
    loop {
        let now = runner.shared.clock.now().as_millis();
        let wait = runner.turns.next_ms().map_or(LONGEST_SLEEP, |due| {
            Duration::from_millis(u64::try_from(due - now).unwrap_or(0)).min(LONGEST_SLEEP)
        });
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Reload(config)) => runner.reload(&config),
                Some(Command::Stop) | None => break,
            },
            Some(update) = found.recv() => {
                runner.update(update);
                while let Ok(update) = found.try_recv() {
                    runner.update(update);
                }
            }
            () = tokio::time::sleep(wait) => {}
        }
        runner.take_turns();
    }
    runner.wait_for_scrapes().await;
}

impl Runner {
    /// Begins everything that is due; all of it gets the same time.
    fn take_turns(&mut self) {
        let now = self.shared.clock.now().as_millis();
        let before = std::mem::replace(&mut self.last_ms, now);
        if now < before - SET_BACK_MS {
            self.find_turns_anew(before - now);
        }
        while let Some((due, turn)) = self.turns.due(now) {
            match turn {
                Turn::Scrape(active) if active.gone.load(Ordering::Acquire) => {}
                Turn::Scrape(active) => self.begin(active, due, now),
                Turn::End(active, t_ms) => {
                    // Who took its place goes on with the series.
                    let replaced = self.pools.get(&active.at_work.job.name).is_some_and(|p| p.has_group(&active.group));
                    if !replaced {
                        end_of_run(&active, &self.shared, t_ms);
                    }
                }
            }
        }
    }

    fn find_turns_anew(&mut self, back_ms: i64) {
        tracing::warn!(back_ms, "the clock was set back: the turns of all targets are found anew");
        for (due, turn) in self.turns.drain() {
            match turn {
                Turn::Scrape(active) => self.enlist(&active),
                end @ Turn::End(..) => self.turns.add(due - back_ms, end),
            }
        }
    }

    fn begin(&mut self, active: Arc<Active>, due: i64, now: i64) {
        let interval = interval_ms(active.target.interval);
        let late = (now - due) / interval;
        count(&self.shared.counters.missed, u64::try_from(late).unwrap_or(0));
        let t_ms = aligned(due + late * interval, now, active.target.interval);
        if self.shared.queue.is_full() {
            count(&self.shared.counters.held_back, 1);
            tracing::warn!(target = active.target.url, "the store does not keep up: this scrape is left out");
        } else if active.busy.swap(true, Ordering::AcqRel) {
            count(&self.shared.counters.missed, 1);
        } else {
            tokio::spawn(scrape(Arc::clone(&active), Arc::clone(&self.shared), t_ms));
        }
        self.turns.add(due + (late + 1) * interval, Turn::Scrape(active));
    }

    /// A target that is new on the list.
    pub(super) fn enlist(&mut self, active: &Arc<Active>) {
        let now = self.shared.clock.now().as_millis();
        let seed = self.shared.options.offset_seed;
        let due = first_turn(active.target.hash(), seed, active.target.interval, now);
        self.turns.add(due, Turn::Scrape(Arc::clone(active)));
    }

    /// A target that is off the list: its series end where its next scrape would have been, which is written once it is
    /// sure that nobody took its place: two intervals and a tenth later, as in Prometheus.
    pub(super) fn delist(&mut self, active: &Arc<Active>) {
        active.gone.store(true, Ordering::Release);
        if active.status.read().last_scrape.is_none() {
            return;
        }
        let (now, seed) = (self.shared.clock.now().as_millis(), self.shared.options.offset_seed);
        let interval = interval_ms(active.target.interval);
        let next = first_turn(active.target.hash(), seed, active.target.interval, now);
        self.turns.add(next + interval + interval / 10, Turn::End(Arc::clone(active), next));
    }

    async fn wait_for_scrapes(&self) {
        let until = tokio::time::Instant::now() + STOP_PATIENCE;
        let busy = || self.pools.values().flat_map(Pool::active).any(|a| a.busy.load(Ordering::Acquire));
        while busy() && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
