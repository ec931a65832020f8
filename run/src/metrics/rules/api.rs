//! Rule groups and alerts as Prometheus's API shows them. Pure.

use std::collections::BTreeMap;

use decide::rules::prometheus::{ActiveAlert, Group, GroupState, Health, Rule, RuleState, Standing};
use web_prometheus::views;

/// A group with what is known of it now.
pub(super) fn group(group: &Group, state: &GroupState) -> views::RuleGroup {
    views::RuleGroup {
        name: group.name.clone(),
        file: group.file.clone(),
        interval: group.interval.std(),
        limit: group.limit as u64,
        evaluation_time: state.evaluation_time,
        last_evaluation: state.last_evaluation,
        // Counted apart; filled in where it is shown.
        missed: 0,
        rules: group.rules.iter().zip(&state.rules).map(|(r, s)| rule(r, s)).collect(),
    }
}

fn rule(rule: &Rule, state: &RuleState) -> views::Rule {
    let texts = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<BTreeMap<String, String>>();
    let (hold, keep_firing) = rule.holds();
    let alerts = || state.alerts.values().filter_map(alert).collect();
    views::Rule {
        name: rule.name.clone(),
        query: rule.expression.clone(),
        labels: texts(&rule.labels),
        health: match state.health {
            Health::Unknown => views::RuleHealth::Unknown,
            Health::Good => views::RuleHealth::Ok,
            Health::Bad => views::RuleHealth::Failed,
        },
        last_error: state.last_error.clone(),
        evaluation_time: state.evaluation_time,
        last_evaluation: state.last_evaluation,
        alerting: rule.is_alert().then(|| views::Alerting {
            hold: hold.std(),
            keep_firing: keep_firing.std(),
            annotations: texts(&rule.annotations),
            alerts: alerts(),
        }),
    }
}

/// An alert that is pending or firing; those that are over are kept for Alertmanagers, and not shown.
fn alert(alert: &ActiveAlert) -> Option<views::ActiveAlert> {
    let state = match alert.state {
        Standing::Inactive => return None,
        Standing::Pending => views::AlertState::Pending,
        Standing::Firing => views::AlertState::Firing,
    };
    Some(views::ActiveAlert {
        labels: alert.labels.clone(),
        annotations: alert.annotations.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        state,
        active_at: Some(alert.active_at),
        keep_firing_since: alert.keep_firing_since,
        value: alert.value,
    })
}
