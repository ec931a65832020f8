//! The task of one rule group: evaluated at each time of its grid, written, told. I/O by the stores.

use std::sync::Arc;
use std::time::{Duration as StdDuration, Instant};

use decide::rules::prometheus::schedule::{Schedule, Slot};
use decide::rules::prometheus::{Environment, Group, GroupState, Notice, evaluate_group, restore_for_state};
use kernel::{Labels, Timestamp};
use tokio::sync::watch;

use super::write::Recorder;
use super::{Board, Shared, Shown, api};

/// A group's evaluations before `for` is restored: with the first one there may be too little data yet.
const BEFORE_RESTORE: u64 = 2;

/// Series of a group that is gone end after so many of its intervals: a group of another name may give them by then.
const BEFORE_END: u32 = 2;

/// What a group's task works with.
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) group: Arc<Group>,
    pub(super) board: Arc<Board>,
    /// Whether `for` is to be restored.
    pub(super) restore: bool,
}

/// What goes from evaluation to evaluation.
struct Memory {
    state: GroupState,
    recorder: Recorder,
}

impl Work {
    /// Evaluates until it is stopped; gives back what it remembers.
    pub(super) async fn run(self, state: GroupState, mut stopping: watch::Receiver<bool>) -> GroupState {
        let this = Arc::new(self);
        let mut memory = Memory { state, recorder: Recorder::default() };
        let clock = this.shared.clock.clone();
        let mut slot = Schedule::of(&this.group).at_or_before(clock.now()).next();
        let mut evaluations = 0;
        loop {
            let wait = slot.time().since(clock.now());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // An error means that nobody can stop it any more, which is an end too.
                _ = stopping.wait_for(|stop| *stop) => return memory.state,
            }
            memory = match this.clone().turn(memory, slot).await {
                Some(memory) => memory,
                None => return GroupState::new(&this.group, true),
            };
            evaluations += 1;
            if this.restore && evaluations == BEFORE_RESTORE {
                this.restore(&mut memory.state);
            }
            let wait = slot.next().time().since(clock.now());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stopping.wait_for(|stop| *stop) => return memory.state,
            }
            let (next, missed) = slot.after(clock.now());
            slot = next;
            let shown = this.board.shown.read().clone();
            shown.counters.missed.add(missed);
            shown.counters.iterations.add(missed);
        }
    }

    /// One evaluation on a thread for work; `None` when it broke off, which is told and nothing else: alerts begin anew.
    async fn turn(self: Arc<Self>, mut memory: Memory, slot: Slot) -> Option<Memory> {
        let key = self.group.key();
        let permit = self.shared.permits.acquire().await.ok()?;
        let work = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let notices = work.evaluate(&mut memory, slot.time());
            (memory, notices)
        });
        let done = done.await;
        drop(permit);
        match done {
            Ok((memory, notices)) => {
                self.shared.notifier.push(notices);
                Some(memory)
            }
            Err(error) => {
                tracing::error!(group = key, %error, "the evaluation of a rule group broke off");
                None
            }
        }
    }

    fn evaluate(&self, memory: &mut Memory, at: Timestamp) -> Vec<Notice> {
        let settings = self.shared.settings.read().clone();
        let began = Instant::now();
        let environment = Environment {
            reader: &*self.shared.reader,
            limits: &settings.limits,
            lookback: settings.lookback,
            subquery_step: settings.interval,
            query_offset: settings.query_offset,
            resend_delay: settings.resend_delay,
            external_labels: &settings.external_labels,
            external_url: &settings.external_url,
            clock: &*self.shared.clock,
            elapsed: &|| began.elapsed(),
        };
        let mut turn = evaluate_group(&self.group, &mut memory.state, at, &environment);
        let key = self.group.key();
        match memory.recorder.write(&store_name(&self.group), &turn, &*self.shared.writer) {
            Ok(refused) => memory.state.settle(&turn, &refused),
            Err(error) => {
                tracing::error!(group = key, %error, "what rules gave could not be written");
                memory.state.unwritten(&turn, &error.to_string());
            }
        }
        memory.recorder.tidy(&turn);
        memory.state.evaluation_time = began.elapsed();
        let notices = turn.rules.iter_mut().flat_map(|rule| std::mem::take(&mut rule.notices)).collect();
        let counters = self.board.shown.read().counters.clone();
        counters.iterations.add_one();
        counters.evaluations.add(turn.rules.len() as u64);
        counters.failures.add(memory.state.rules.iter().filter(|r| r.last_error.is_some()).count() as u64);
        counters.reads.add(turn.shared.reads);
        counters.reused.add(turn.shared.reused);
        counters.too_large.add(turn.shared.too_large);
        counters.expressions_reused.add(turn.shared.expressions_reused);
        for (rule, state) in self.group.rules.iter().zip(&memory.state.rules) {
            if let Some(error) = &state.last_error {
                tracing::warn!(group = key, rule = rule.name, error, "evaluating a rule failed");
            }
        }
        let view = api::group(&self.group, &memory.state);
        *self.board.shown.write() = Arc::new(Shown { view, counters, samples: turn.samples() });
        notices
    }

    fn restore(&self, state: &mut GroupState) {
        let settings = self.shared.settings.read().clone();
        let now = self.shared.clock.now();
        for error in restore_for_state(&self.group, state, now, &*self.shared.reader, settings.tolerances) {
            tracing::error!(
                group = self.group.key(),
                error,
                "how long an alert was pending is not known: it begins anew"
            );
        }
    }
}

/// The name of a rule group's series in the store.
fn store_name(group: &Group) -> String {
    format!("rules/{}", group.key())
}

/// Ends the series of a group that is gone, those that no other group has given since.
pub(super) async fn end_series(shared: Arc<Shared>, group: Arc<Group>, state: GroupState) {
    let series: Vec<Labels> = state.into_series();
    if series.is_empty() {
        return;
    }
    let offset = group.query_offset.unwrap_or(shared.settings.read().query_offset);
    let gone_at = shared.clock.now() - offset.std();
    tokio::time::sleep(group.interval.std().saturating_mul(BEFORE_END)).await;
    let done = tokio::task::spawn_blocking(move || {
        let still: Vec<Labels> = series.into_iter().filter(|s| !is_given(&shared, s, gone_at)).collect();
        let name = store_name(&group);
        Recorder::default().end(&name, still, gone_at.as_millis(), &*shared.writer)
    });
    match done.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "series of rules that are gone were not ended"),
        Err(error) => tracing::error!(%error, "ending the series of rules that are gone broke off"),
    }
}

/// Whether a series has samples after a time.
fn is_given(shared: &Shared, series: &Labels, after: Timestamp) -> bool {
    let matchers = series.iter().map(|(name, value)| kernel::series::Matcher::equal(name, value)).collect();
    let (start, end) = (after + StdDuration::from_millis(1), shared.clock.now());
    let select = kernel::series::Select { matchers, start_ms: start.as_millis(), end_ms: end.as_millis() };
    let found = shared.reader.select(&select);
    found.is_ok_and(|found| found.iter().any(|s| s.labels == *series))
}
