//! Rules: when they were evaluated, with what result, and why their alerts fire. I/O: series.

use std::collections::BTreeMap;

use askama::Template;
use kernel::html::escape;
use kernel::{Labels, Timestamp};
use web_prometheus::Api;
use web_prometheus::views::{ActiveAlert, AlertState, Rule, RuleGroup, RuleHealth};

use crate::limits::{ALERTS, EXPLAINED_RULES};
use crate::text::{Common, Rules};
use crate::why::{Condition, Shown, conditions};
use crate::{Body, Site, explore, explore_link};

/// An alert as it is shown; texts are text, the rest safe HTML.
struct Alert {
    state: &'static str,
    state_word: &'static str,
    labels: String,
    since: Option<String>,
    value: String,
    why: Vec<Shown>,
    lingers: bool,
    annotations: Vec<(String, String)>,
}

/// A rule as it is shown.
struct Row {
    name: String,
    alerting: bool,
    state: &'static str,
    state_word: &'static str,
    expression: String,
    link: String,
    labels: Option<String>,
    hold: Option<String>,
    keep: Option<String>,
    last: Option<String>,
    took: String,
    error: Option<String>,
    alerts: String,
}

struct Group {
    name: String,
    file: String,
    interval: String,
    last: Option<String>,
    took: String,
    limit: u64,
    missed: Option<String>,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct Page {
    c: &'static Common,
    t: &'static Rules,
    icons: String,
    groups: Vec<Group>,
    any: bool,
    states: [(&'static str, &'static str, bool); 5],
    text: String,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct Alerts<'a> {
    t: &'static Rules,
    icons: String,
    alerts: &'a [Alert],
    more: usize,
}

/// Comparisons by expression and time.
type Explained = BTreeMap<(String, i64), Vec<Condition>>;

/// `GET /rules`
pub async fn page(site: &Site, api: &Api, query: &str) -> Body {
    let (mut state, mut text) = (String::new(), String::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "state" => state = value.into_owned(),
            "text" => text = value.trim().to_owned(),
            _ => {}
        }
    }
    let all = api.rules();
    let (c, t) = (&site.text().common, &site.text().rules);
    let explained = explained(api, all.iter().flat_map(|g| &g.rules)).await;
    let any = !all.is_empty();
    let wanted = text.to_lowercase();
    let passes = |r: &&Rule| {
        let has = |part: &str| part.to_lowercase().contains(&wanted);
        (state.is_empty() || state_of(r).2 == state) && (wanted.is_empty() || has(&r.name) || has(&r.query))
    };
    let group = |g: &RuleGroup| Group {
        rows: g.rules.iter().filter(passes).map(|r| row(site, r, &explained)).collect(),
        name: g.name.clone(),
        file: g.file.clone(),
        interval: span(g.interval),
        last: g.last_evaluation.map(|at| site.ago(at)),
        took: site.took(g.evaluation_time),
        limit: g.limit,
        missed: (g.missed > 0).then(|| site.count(g.missed)),
    };
    let groups = all.iter().map(group).filter(|g| !g.rows.is_empty()).collect();
    let choice = |name, label| (name, label, state == name);
    let states = [
        choice("", c.all),
        choice("firing", t.firing),
        choice("pending", t.pending),
        choice("inactive", t.inactive),
        choice("failed", t.failed),
    ];
    site.body(c.rules, &Page { c, t, icons: (site.asset)("icons.svg"), groups, any, states, text })
}

/// The alerts of one rule, with why, for a page that shows the rule itself; safe HTML.
pub struct Reasons(Explained);

impl Reasons {
    /// Of the rules with alerts.
    pub async fn of<'r>(api: &Api, rules: impl Iterator<Item = &'r Rule>) -> Self {
        Self(explained(api, rules).await)
    }

    /// A rule's alerts as HTML; nothing when it has none.
    pub fn alerts(&self, site: &Site, rule: &Rule) -> String {
        alerts_html(site, rule, &self.0)
    }
}

fn alerts_html(site: &Site, rule: &Rule, explained: &Explained) -> String {
    let (alerts, more) = alerts(site, rule, explained);
    if alerts.is_empty() {
        return String::new();
    }
    let part = Alerts { t: &site.text().rules, icons: (site.asset)("icons.svg"), alerts: &alerts, more };
    part.render().unwrap_or_else(|e| escape(&e.to_string()))
}

/// Evaluates the comparisons of rules with alerts, at the time of their last evaluation.
async fn explained<'r>(api: &Api, rules: impl Iterator<Item = &'r Rule>) -> Explained {
    let burning = rules.filter(|r| r.alerting.as_ref().is_some_and(|a| !a.alerts.is_empty()));
    let asked: Vec<(String, i64)> =
        burning.filter_map(|r| Some((r.query.clone(), r.last_evaluation?.as_millis()))).take(EXPLAINED_RULES).collect();
    if asked.is_empty() {
        return Explained::new();
    }
    let work = api.work(move |asking| {
        let mut found = Explained::new();
        for (text, at) in asked {
            if let Ok(expr) = decide_promql::parse(&text) {
                let of = conditions(asking, &expr, at);
                found.insert((text, at), of);
            }
        }
        Ok(found)
    });
    // The alerts are shown without their reasons when these take too long.
    work.await.unwrap_or_default()
}

/// Its class, its place among the words, and its name in addresses.
fn state_of(rule: &Rule) -> (&'static str, usize, &'static str) {
    let of = |state: AlertState| rule.alerting.iter().flat_map(|a| &a.alerts).any(|a| a.state == state);
    match rule.health {
        RuleHealth::Failed => ("down", 0, "failed"),
        _ if of(AlertState::Firing) => ("down", 1, "firing"),
        _ if of(AlertState::Pending) => ("slow", 2, "pending"),
        RuleHealth::Unknown => ("blind", 3, "unknown"),
        RuleHealth::Ok if rule.alerting.is_some() => ("up", 4, "inactive"),
        RuleHealth::Ok => ("up", 5, "ok"),
    }
}

fn row(site: &Site, rule: &Rule, explained: &Explained) -> Row {
    let t = &site.text().rules;
    let (state, place, _) = state_of(rule);
    let words = [t.failed, t.firing, t.pending, t.unknown, t.inactive, t.ok];
    let (hold, keep) = rule.alerting.as_ref().map(|a| (a.hold, a.keep_firing)).unwrap_or_default();
    let labels = Labels::new(rule.labels.iter());
    Row {
        name: rule.name.clone(),
        alerting: rule.alerting.is_some(),
        state,
        state_word: words.get(place).copied().unwrap_or_default(),
        expression: pretty(&rule.query),
        link: explore_link(&rule.query),
        labels: (!labels.is_empty()).then(|| explore::labels_html(&labels)),
        hold: (!hold.is_zero()).then(|| span(hold)),
        keep: (!keep.is_zero()).then(|| span(keep)),
        last: rule.last_evaluation.map(|at| site.ago(at)),
        took: site.took(rule.evaluation_time),
        error: rule.last_error.as_ref().map(|e| site.said(e).into_owned()),
        alerts: alerts_html(site, rule, explained),
    }
}

/// An expression in several lines where it is long; one that cannot be read stays as it is.
pub fn pretty(text: &str) -> String {
    decide_promql::parse(text).map_or_else(|_| text.to_owned(), |expr| decide_promql::pretty(&expr))
}

fn alerts(site: &Site, rule: &Rule, explained: &Explained) -> (Vec<Alert>, usize) {
    let Some(alerting) = &rule.alerting else { return (Vec::new(), 0) };
    let at = rule.last_evaluation.map_or(0, Timestamp::as_millis);
    let found = explained.get(&(rule.query.clone(), at)).map(Vec::as_slice).unwrap_or_default();
    let mut all: Vec<&ActiveAlert> = alerting.alerts.iter().collect();
    all.sort_by(|a, b| b.state.cmp(&a.state).then_with(|| a.labels.cmp(&b.labels)));
    let shown = all.iter().take(ALERTS).map(|a| alert(site, a, found));
    (shown.collect(), all.len().saturating_sub(ALERTS))
}

fn alert(site: &Site, alert: &ActiveAlert, conditions: &[Condition]) -> Alert {
    let t = &site.text().rules;
    let (state, state_word) = match alert.state {
        AlertState::Firing => ("down", t.firing),
        AlertState::Pending => ("slow", t.pending),
        AlertState::Inactive => ("up", t.inactive),
    };
    let labels = alert.labels.without(|n| n == "alertname");
    Alert {
        state,
        state_word,
        labels: explore::labels_html(&labels),
        since: alert.active_at.map(|at| site.ago(at)),
        value: decide_promql::format_number(alert.value),
        why: conditions.iter().filter_map(|c| c.of(site, &alert.labels)).collect(),
        lingers: alert.keep_firing_since.is_some(),
        annotations: alert.annotations.iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
    }
}

/// `90s` as `1m30s`.
fn span(length: std::time::Duration) -> String {
    let mut rest = length.as_millis();
    let mut out = String::new();
    for (name, ms) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= ms {
            out.push_str(&format!("{}{name}", rest / ms));
            rest %= ms;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        let of = |ms: u64| span(std::time::Duration::from_millis(ms));
        assert_eq!(
            (of(90_000), of(0), of(86_400_000), of(500)),
            ("1m30s".into(), "0s".into(), "1d".into(), "500ms".into())
        );
    }
}
