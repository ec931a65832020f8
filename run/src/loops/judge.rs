//! The loop that judges what is not asked: heartbeats from their calls, composites from other results. I/O by the state.

use std::sync::Arc;
use std::time::Duration;

use decide::health::{decide_composite, decide_heartbeat, members};
use kernel::Timestamp;
use kernel::probe::{CheckId, Evidence, Outcome, ProbeResult};
use kernel::secret::Secret;
use plan_model::check::{CompositeCheck, HeartbeatCheck};
use tokio::time::sleep;

use crate::core::Core;
use crate::system::System;

/// Calls looked at for a verdict: the last finish and its start are always among them.
pub const PINGS_SEEN: usize = 20;

/// The loop never sleeps longer, so that new plans are seen.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A check that is judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Which check.
    pub id: CheckId,
    /// How often a result is written; verdicts that change are written at once.
    pub every: Duration,
    /// The secret part of a heartbeat's URL, where the plan names one.
    pub token: Option<Secret>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Heartbeat(Box<HeartbeatCheck>),
    Composite(CompositeCheck),
}

impl Judged {
    /// A heartbeat.
    pub fn heartbeat(id: CheckId, check: HeartbeatCheck, token: Option<Secret>, every: Duration) -> Self {
        Self { id, every, token, what: What::Heartbeat(Box::new(check)) }
    }

    /// A composite.
    pub fn composite(id: CheckId, check: CompositeCheck, every: Duration) -> Self {
        Self { id, every, token: None, what: What::Composite(check) }
    }

    /// Whether calls come in for it.
    pub const fn is_heartbeat(&self) -> bool {
        matches!(self.what, What::Heartbeat(_))
    }
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut written: std::collections::HashMap<CheckId, (Timestamp, Outcome)> = std::collections::HashMap::new();
    loop {
        let mut pause = LONGEST_SLEEP;
        for system in core.systems().values() {
            for judged in &system.judged {
                let now = core.now();
                let (turn, of, one) = (core.clone(), system.clone(), judged.clone());
                let Ok(Some(result)) = tokio::task::spawn_blocking(move || judge(&turn, &of, &one, now)).await else {
                    continue;
                };
                pause = pause.min(judged.every);
                let due = written.get(&judged.id).is_none_or(|(at, outcome)| {
                    *outcome != result.outcome || now.since(*at) + Duration::from_millis(500) >= judged.every
                });
                if due {
                    written.insert(judged.id.clone(), (now, result.outcome));
                    core.hand_in(result).await;
                }
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = core.judge_bell.notified() => {}
        }
    }
}

fn judge(core: &Core, system: &System, judged: &Judged, now: Timestamp) -> Option<ProbeResult> {
    let (outcome, evidence) = match &judged.what {
        What::Heartbeat(check) => {
            let pings = core.state.pings(&judged.id, PINGS_SEEN).ok()?;
            let since = core.live.started_at();
            let verdict = decide_heartbeat(check, &pings, since, &system.zone, now);
            let last = pings.first().and_then(|p| p.body.clone());
            let error = error_of(verdict.outcome, &verdict.why);
            // What is no error says why it is well or slow.
            let status = error.is_none().then_some(verdict.why);
            (verdict.outcome, Evidence { status, error, body: last, ..Evidence::default() })
        }
        What::Composite(check) => {
            let of: Vec<(CheckId, Option<Outcome>)> = members(&system.plan, check)
                .into_iter()
                .map(|id| {
                    let outcome = core.live.check(&id, |_, state| state.last.as_ref().map(|r| r.outcome)).flatten();
                    (id, outcome)
                })
                .collect();
            let verdict = decide_composite(check, &of);
            (verdict.outcome, verdict.evidence)
        }
    };
    Some(ProbeResult {
        check: judged.id.clone(),
        due_at: now,
        started_at: now,
        duration: kernel::Duration::ZERO,
        outcome,
        attempts: 1,
        phases: Vec::new(),
        readings: Vec::new(),
        evidence,
    })
}

fn error_of(outcome: Outcome, why: &str) -> Option<String> {
    (!outcome.is_success()).then(|| why.to_owned())
}
