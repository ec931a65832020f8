//! The alerts of one rule: what the expression gives in, what is active and what is to be told out. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/>

use std::collections::BTreeMap;
use std::time::Duration as StdDuration;

use kernel::{Duration, Labels, Timestamp};

/// A resolved alert is kept, and told again and again, for so long: an Alertmanager that was away must hear of the end.
pub const RESOLVED_RETENTION: StdDuration = StdDuration::from_secs(15 * 60);

/// An active alert is told to be over, should no word of it come, after so many of the longer of interval and resend delay: two
/// evaluations or sendings may fail.
pub const VALID_FOR: u32 = 4;

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It fired and is over.
    Inactive,
    /// The condition holds, but not yet for long enough.
    Pending,
    /// It fires.
    Firing,
}

impl Standing {
    /// Prometheus's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveAlert {
    /// All its labels, `alertname` among them.
    pub labels: Labels,
    /// Its texts.
    pub annotations: Labels,
    /// Where it stands.
    pub state: Standing,
    /// The value at the last evaluation at which the condition held; of a histogram 0.
    pub value: f64,
    /// Since when the condition holds.
    pub active_at: Timestamp,
    /// When it began to fire.
    pub fired_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// When it was last told.
    pub last_sent_at: Option<Timestamp>,
    /// Until when it is true, should no further word of it come.
    pub valid_until: Option<Timestamp>,
    /// Since when it only fires on because of `keep_firing_for`.
    pub keep_firing_since: Option<Timestamp>,
}

impl ActiveAlert {
    /// An alert that has just become active.
    pub fn new(labels: Labels, annotations: Labels, value: f64, now: Timestamp) -> Self {
        Self {
            labels,
            annotations,
            state: Standing::Pending,
            value,
            active_at: now,
            fired_at: None,
            resolved_at: None,
            last_sent_at: None,
            valid_until: None,
            keep_firing_since: None,
        }
    }

    fn needs_sending(&self, now: Timestamp, resend_delay: StdDuration) -> bool {
        let resolved_since = self.resolved_at.is_some_and(|at| self.last_sent_at.is_none_or(|sent| at > sent));
        self.state != Standing::Pending
            && (resolved_since || self.last_sent_at.is_none_or(|sent| sent + resend_delay < now))
    }
}

/// What an Alertmanager is to hear of one alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The alert's labels.
    pub labels: Labels,
    /// Its texts.
    pub annotations: Labels,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it was over, or until when this is true.
    pub ends_at: Timestamp,
    /// The rule's expression.
    pub expression: String,
}

/// The alerts of a rule, by their labels.
pub type Alerts = BTreeMap<Labels, ActiveAlert>;

/// What one evaluation does to a rule's alerts: `held` are those for which the condition holds now. Says how many are pending or
/// firing.
pub fn step(alerts: &mut Alerts, held: Alerts, now: Timestamp, hold: Duration, keep_firing_for: Duration) -> usize {
    for alert in alerts.values_mut() {
        if !held.contains_key(&alert.labels) {
            clear(alert, now, keep_firing_for);
        }
    }
    let gone = |alert: &ActiveAlert| match (alert.state, alert.resolved_at) {
        (Standing::Pending, _) => !held.contains_key(&alert.labels),
        (Standing::Inactive, Some(at)) => now.since(at) > RESOLVED_RETENTION && !held.contains_key(&alert.labels),
        _ => false,
    };
    alerts.retain(|_, alert| !gone(alert));
    for (labels, new) in held {
        match alerts.get_mut(&labels).filter(|a| a.state != Standing::Inactive) {
            Some(known) => {
                known.value = new.value;
                known.annotations = new.annotations;
                known.keep_firing_since = None;
            }
            // What was over and begins again is another alert.
            None => {
                alerts.insert(labels, new);
            }
        }
    }
    let mut active = 0;
    for alert in alerts.values_mut().filter(|a| a.state != Standing::Inactive) {
        active += 1;
        if alert.state == Standing::Pending && now.as_millis() - alert.active_at.as_millis() >= hold.as_millis() as i64
        {
            alert.state = Standing::Firing;
            alert.fired_at = Some(now);
        }
    }
    active
}

/// An alert whose condition holds no longer; one that is pending is taken out afterwards.
fn clear(alert: &mut ActiveAlert, now: Timestamp, keep_firing_for: Duration) {
    if alert.state != Standing::Firing {
        return;
    }
    if keep_firing_for > Duration::ZERO {
        let since = *alert.keep_firing_since.get_or_insert(now);
        if now.since(since) < keep_firing_for.std() {
            return;
        }
    }
    alert.state = Standing::Inactive;
    alert.resolved_at = Some(now);
}

/// The alerts that are to be told now; they are marked as told.
pub fn due_notices(
    alerts: &mut Alerts,
    expression: &str,
    now: Timestamp,
    resend_delay: StdDuration,
    interval: StdDuration,
) -> Vec<Notice> {
    let mut out = Vec::new();
    for alert in alerts.values_mut().filter(|a| a.needs_sending(now, resend_delay)) {
        let until = now + interval.max(resend_delay) * VALID_FOR;
        alert.last_sent_at = Some(now);
        alert.valid_until = Some(until);
        out.push(Notice {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            starts_at: alert.fired_at.unwrap_or(alert.active_at),
            ends_at: alert.resolved_at.unwrap_or(until),
            expression: expression.to_owned(),
        });
    }
    out
}

#[cfg(test)]
mod tests;
