//! Rules, their alerts, and where alerts are sent. I/O: HTTP.

use std::collections::HashSet;
use std::fmt::Write as _;

use kernel::Labels;
use kernel::series::Matcher;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::answer::{Answer, Api, success};
use crate::error::ApiError;
use crate::params::Params;
use crate::selectors::selectors;
use crate::views::{AlertState, Alerting, Rule, RuleGroup, go_time};

/// `GET /api/v1/alerts`
pub(crate) async fn alerts(api: Api) -> Answer {
    success(&json!({ "alerts": api.alerts() }))
}

/// `GET /api/v1/alertmanagers`
pub(crate) async fn alertmanagers(api: Api) -> Answer {
    success(&api.alertmanagers())
}

/// Which rules are wanted.
struct Wanted<'p> {
    names: HashSet<&'p str>,
    groups: HashSet<&'p str>,
    files: HashSet<&'p str>,
    labels: Vec<Vec<Matcher>>,
    alerting: bool,
    recording: bool,
    with_alerts: bool,
}

impl<'p> Wanted<'p> {
    fn read(params: &'p Params) -> Result<Self, ApiError> {
        let kind = params.of_address("type").to_lowercase();
        if !matches!(kind.as_str(), "" | "alert" | "record") {
            return Err(ApiError::parameter("type", format!("not supported value {kind:?}")));
        }
        let exclude = params.of_address("exclude_alerts").to_lowercase();
        let exclude = if exclude.is_empty() { Ok(false) } else { kernel::flag::parse_bool(&exclude) };
        let exclude = exclude
            .map_err(|e| ApiError::parameter("exclude_alerts", format!("error converting exclude_alerts: {e}")))?;
        Ok(Self {
            names: params.all("rule_name[]").collect(),
            groups: params.all("rule_group[]").collect(),
            files: params.all("file[]").collect(),
            labels: selectors(params)?,
            alerting: kind != "record",
            recording: kind != "alert",
            with_alerts: !exclude,
        })
    }

    fn takes_group(&self, group: &RuleGroup) -> bool {
        let within = |set: &HashSet<&str>, name: &str| set.is_empty() || set.contains(name);
        within(&self.groups, &group.name) && within(&self.files, &group.file)
    }

    fn takes(&self, rule: &Rule) -> bool {
        let of_kind = if rule.alerting.is_some() { self.alerting } else { self.recording };
        // Labels may be templates: what is in them is not known before an alert fires, so they match nothing.
        let labels = || Labels::new(rule.labels.iter().filter(|(_, v)| !v.contains("{{")));
        let by_labels = || {
            let labels = labels();
            self.labels.iter().any(|matchers| matchers.iter().all(|m| m.matches_labels(&labels)))
        };
        of_kind
            && (self.names.is_empty() || self.names.contains(rule.name.as_str()))
            && (self.labels.is_empty() || by_labels())
    }
}

/// Which part of a long list is wanted.
struct Page<'p> {
    limit: Option<usize>,
    from: &'p str,
}

impl<'p> Page<'p> {
    fn read(params: &'p Params) -> Result<Self, ApiError> {
        let (limit, from) = (params.of_address("group_limit"), params.of_address("group_next_token"));
        if limit.is_empty() {
            if from.is_empty() {
                return Ok(Self { limit: None, from });
            }
            let why = "group_limit needs to be present in order to paginate over the groups";
            return Err(ApiError::parameter("group_next_token", why));
        }
        let number = limit.parse::<i32>().map_err(|_| {
            let why = format!("strconv.ParseInt: parsing {limit:?}: invalid syntax");
            ApiError::parameter("group_limit", format!("group_limit needs to be a valid number: {why}"))
        })?;
        match usize::try_from(number) {
            Ok(limit) if limit > 0 => Ok(Self { limit: Some(limit), from }),
            _ => Err(ApiError::parameter("group_limit", "group_limit needs to be greater than 0")),
        }
    }
}

/// What stands for a group in the address of the next page.
fn token(group: &RuleGroup) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(format!("{};{}", group.file, group.name)) {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// `GET /api/v1/rules`
pub(crate) async fn rules(api: Api, params: Params) -> Answer {
    params.whole()?;
    let (wanted, page) = (Wanted::read(&params)?, Page::read(&params)?);
    let groups = api.rules();
    let mut rest = groups.as_slice();
    if !page.from.is_empty() {
        let at = groups.iter().position(|g| token(g) == page.from).ok_or_else(|| {
            let why = format!("invalid group_next_token '{}'. were rule groups changed?", page.from);
            ApiError::parameter("group_next_token", why)
        })?;
        rest = &groups[at..];
    }
    let (mut out, mut next) = (Vec::new(), None);
    for group in rest.iter().filter(|g| wanted.takes_group(g)) {
        let rules: Vec<Value> =
            group.rules.iter().filter(|r| wanted.takes(r)).map(|r| rule(r, wanted.with_alerts)).collect();
        if rules.is_empty() {
            continue;
        }
        if page.limit.is_some_and(|limit| out.len() == limit) {
            next = Some(token(group));
            break;
        }
        out.push(json!({
            "name": group.name,
            "file": group.file,
            "rules": rules,
            "interval": seconds(group.interval),
            "limit": group.limit,
            "evaluationTime": seconds(group.evaluation_time),
            "lastEvaluation": go_time(group.last_evaluation),
        }));
    }
    let mut data = json!({ "groups": out });
    if let Some(next) = next {
        data["groupNextToken"] = json!(next);
    }
    success(&data)
}

fn seconds(length: std::time::Duration) -> Value {
    if length.subsec_nanos() == 0 { json!(length.as_secs()) } else { json!(length.as_secs_f64()) }
}

fn rule(rule: &Rule, with_alerts: bool) -> Value {
    let mut out = match &rule.alerting {
        Some(alerting) => alerting_rule(rule, alerting, with_alerts),
        None => json!({ "name": rule.name, "query": rule.query, "labels": rule.labels }),
    };
    out["health"] = json!(rule.health);
    if let Some(error) = &rule.last_error {
        out["lastError"] = json!(error);
    }
    out["evaluationTime"] = seconds(rule.evaluation_time);
    out["lastEvaluation"] = json!(go_time(rule.last_evaluation));
    out["type"] = json!(if rule.alerting.is_some() { "alerting" } else { "recording" });
    out
}

fn alerting_rule(rule: &Rule, alerting: &Alerting, with_alerts: bool) -> Value {
    let state = alerting.alerts.iter().map(|a| a.state).max().unwrap_or(AlertState::Inactive);
    json!({
        "state": state,
        "name": rule.name,
        "query": rule.query,
        "duration": seconds(alerting.hold),
        "keepFiringFor": seconds(alerting.keep_firing),
        "labels": rule.labels,
        "annotations": alerting.annotations,
        "alerts": if with_alerts { json!(alerting.alerts) } else { Value::Null },
    })
}
