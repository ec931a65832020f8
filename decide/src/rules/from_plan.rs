//! The plan's own thresholds as ordinary rules, in PromQL that people could have written (ALR-06, 07, 09, 13-15, 29). Pure.
//!
//! | alert | fires when | severity from |
//! | --- | --- | --- |
//! | `ServiceDown`, `DatabaseDown`, `HostDown` | a check's last run failed in all its attempts | `down` |
//! | `ServiceSlow` | it passed but was slow | `slow` |
//! | `CheckBlind` | a check has said nothing for three of its intervals | `blind` |
//! | `CertificateExpiresSoon` | a certificate ends within the time; one rule per time, the most urgent first | `certificate` |
//! | `ScrapeDown` | a metrics endpoint cannot be read | `scrape_down` |
//! | `HostCpuHigh`, `HostMemoryHigh`, `HostDiskFull` | a host's use is above a bound, strictly | `cpu`, `memory`, `disk` |
//!
//! Checks with the same settings share a rule, so that 1,000 checks cost a few queries and not 1,000. A check that runs
//! less often than PromQL looks back (5 minutes) is read with `last_over_time`. None of these alerts ends without a result
//! that says so ([`Rule::evidence`]), and those of a service are explained by what it depends on ([`Rule::explainable`]).

use indexmap::IndexMap;
use kernel::Duration;
use plan_model::{CheckKind, Plan};

use super::query::Query;
use super::template::Template;
use super::{Origin, Rule, RuleGroup, RuleKind};
use crate::words::{RuleWords, fill, rule_words};
use select::{Chosen, Members};

mod hosts;
mod http;
mod select;

/// How far PromQL looks back for the newest sample; what comes less often needs `last_over_time`.
const LOOKBACK: Duration = Duration::from_mins(5);
/// A metrics endpoint must fail for so long: one lost scrape is none.
const SCRAPE_HOLD: Duration = Duration::from_mins(1);
/// Who is meant: the service, and the check where it has a name of its own.
const WHO: &str = "{{ $names.service }}{{ if ne $labels.check \"check\" }} · {{ $names.check }}{{ end }}";

/// Names of the groups made here.
pub const GROUPS: [&str; 5] = ["plan-checks", "plan-certificates", "plan-scrapes", "plan-hosts", "plan-http"];

/// The rule groups that follow from a plan; groups without rules are left out.
pub fn rules_from_plan(plan: &Plan) -> Vec<RuleGroup> {
    let words = rule_words(plan.language);
    let make = Maker { plan, words };
    let [checks, certificates, scrapes, hosts, http] = GROUPS;
    let groups = [
        (checks, make.down().into_iter().chain(make.slow()).chain(make.blind()).collect()),
        (certificates, make.certificates()),
        (scrapes, make.scrapes()),
        (hosts, hosts::rules(&make)),
        (http, http::rules(&make)),
    ];
    let group = |(name, rules): (&str, Vec<Rule>)| RuleGroup {
        system: plan.system.clone(),
        name: name.to_owned(),
        origin: Origin::Plan,
        interval: plan.evaluate_every(),
        limit: 0,
        query_offset: Duration::ZERO,
        rules,
    };
    groups.into_iter().filter(|(_, rules)| !rules.is_empty()).map(group).collect()
}

struct Maker<'p> {
    plan: &'p Plan,
    words: &'static RuleWords,
}

/// What goes into one rule.
struct Draft<'a> {
    name: &'a str,
    /// The side of the comparison that the series stand on.
    seen: String,
    /// The whole expression.
    expr: String,
    hold: Duration,
    severity: &'a str,
    summary: String,
    description: String,
    value: &'a str,
    runbook: Option<&'a str>,
    explainable: bool,
}

impl Draft<'_> {
    /// The rule; `None` when the expression were none, which the tests rule out.
    fn rule(self) -> Option<Rule> {
        let text = |name: &str, text: &str| {
            Some((name.to_owned(), Template::parse(text).unwrap_or_else(|_| Template::literal(text))))
        };
        let annotations = [
            text("summary", &self.summary),
            text("description", &self.description),
            text("value", self.value),
            self.runbook.map(|r| (String::from("runbook"), Template::literal(r))),
        ];
        Some(Rule {
            name: self.name.to_owned(),
            kind: RuleKind::Alert { hold: self.hold, keep_firing_for: Duration::ZERO },
            query: Query::parse(&self.expr).ok()?,
            labels: vec![("severity".to_owned(), Template::literal(self.severity))],
            annotations: annotations.into_iter().flatten().collect(),
            evidence: Some(Query::parse(&self.seen).ok()?),
            explainable: self.explainable,
        })
    }
}

/// What checks must share to share a rule.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shared {
    name: &'static str,
    severity: String,
    hold: Duration,
    window: Option<Duration>,
    runbook: Option<String>,
    bound: Option<Duration>,
}

/// What becomes of a check in a kind of rule.
enum Place {
    /// It goes into the rule of those that share this.
    In(Shared),
    /// It has no rule; its series must not be taken by others.
    Out,
    /// It has no such series, or none that could fire.
    Apart,
}

impl Maker<'_> {
    /// Checks by what they share.
    fn shared(
        &self,
        place: impl Fn(&str, &CheckKind, &plan_model::effective::CheckSettings) -> Place,
    ) -> Vec<(Shared, Chosen)> {
        let (mut sets, mut all) = (IndexMap::<Shared, Members>::new(), Members::default());
        for (component, name, check) in self.plan.checks() {
            let (Some(settings), Some(kind)) = (self.plan.effective(component, name), check.kinds().into_iter().next())
            else {
                continue;
            };
            match place(component, &kind, &settings) {
                Place::In(key) => {
                    all.add(component, name);
                    sets.entry(key).or_default().add(component, name);
                }
                Place::Out => all.add(component, name),
                Place::Apart => {}
            }
        }
        select::choose(self.plan, &sets, &all)
    }

    fn down(&self) -> Vec<Rule> {
        let shared = self.shared(|component, kind, settings| {
            let name = match kind {
                kind if kind.is_database() => "DatabaseDown",
                _ if self.plan.hosts.contains_key(component) => "HostDown",
                _ => "ServiceDown",
            };
            let Some(severity) = settings.down_severity.clone() else { return Place::Out };
            Place::In(Shared {
                name,
                severity,
                hold: settings.hold,
                window: window(settings),
                runbook: settings.runbook.clone(),
                bound: None,
            })
        });
        let rule = |(key, chosen): (Shared, Chosen)| {
            let seen = over(&chosen.of("probe_success"), key.window);
            let summary = match key.name {
                "DatabaseDown" => self.words.database_down,
                "HostDown" => self.words.host_down,
                _ => self.words.service_down,
            };
            Draft {
                name: key.name,
                expr: format!("{seen} == 0"),
                seen,
                hold: key.hold,
                severity: &key.severity,
                summary: fill(summary, &[WHO]),
                description: fill(self.words.down_why, &["{{ $labels.kind }}"]),
                value: self.words.down_value,
                runbook: key.runbook.as_deref(),
                explainable: true,
            }
            .rule()
        };
        shared.into_iter().filter_map(rule).collect()
    }

    fn slow(&self) -> Vec<Rule> {
        let shared = self.shared(|_, kind, settings| {
            // A host's own check measures; it answers nobody and is never slow.
            if matches!(kind, CheckKind::Host(_)) {
                return Place::Apart;
            }
            let Some(severity) = settings.slow_severity.clone() else { return Place::Out };
            Place::In(Shared {
                name: "ServiceSlow",
                severity,
                hold: settings.hold,
                window: window(settings),
                runbook: settings.runbook.clone(),
                bound: settings.slow,
            })
        });
        let rule = |(key, chosen): (Shared, Chosen)| {
            let slow = over(&chosen.of("probe_slow"), key.window);
            let bound = key.bound.map(|b| b.humanize(self.plan.language));
            Draft {
                name: key.name,
                expr: format!("{} and {slow} == 1", over(&chosen.of("probe_duration_seconds"), key.window)),
                // What went from slow to down has not become fast.
                seen: format!("{} == 1", over(&chosen.of("probe_success"), key.window)),
                hold: key.hold,
                severity: &key.severity,
                summary: fill(self.words.service_slow, &[WHO]),
                description: bound.map_or(self.words.slow_why.to_owned(), |b| fill(self.words.slow_why_bound, &[&b])),
                value: "{{ $value | durationInWords }}",
                runbook: key.runbook.as_deref(),
                explainable: true,
            }
            .rule()
        };
        shared.into_iter().filter_map(rule).collect()
    }

    fn blind(&self) -> Vec<Rule> {
        let shared = self.shared(|component, _, settings| {
            let Some(severity) = self.plan.alert_policy(component).blind else { return Place::Out };
            Place::In(Shared {
                name: "CheckBlind",
                severity,
                hold: settings.hold,
                window: Some(up_to_minute(Duration::from_millis(3 * settings.every.as_millis()))),
                runbook: None,
                bound: None,
            })
        });
        let rule = |(key, chosen): (Shared, Chosen)| {
            let series = chosen.of("probe_success");
            let window = key.window?;
            let before = Duration::from_millis(4 * window.as_millis());
            Draft {
                name: key.name,
                expr: format!("present_over_time({series}[{before}]) unless present_over_time({series}[{window}])"),
                seen: format!("present_over_time({series}[{window}])"),
                hold: key.hold,
                severity: &key.severity,
                summary: fill(self.words.check_blind, &[WHO]),
                description: fill(self.words.blind_why, &[&window.humanize(self.plan.language)]),
                value: self.words.blind_value,
                runbook: None,
                explainable: false,
            }
            .rule()
        };
        shared.into_iter().filter_map(rule).collect()
    }

    fn certificates(&self) -> Vec<Rule> {
        let mut times: Vec<(Duration, String)> = Vec::new();
        for (component, _) in self.plan.components() {
            times.extend(self.plan.alert_policy(component).certificate.into_iter().map(|c| (c.within, c.severity)));
        }
        times.sort();
        times.dedup();
        let rules = |(within, severity): (Duration, String)| {
            let shared = self.shared(|component, kind, settings| {
                let alerts = self.plan.alert_policy(component).certificate;
                let wanted = alerts.iter().any(|c| c.within == within && c.severity == severity);
                if !may_have_certificate(kind) {
                    return Place::Apart;
                }
                if !wanted {
                    return Place::Out;
                }
                Place::In(Shared {
                    name: "CertificateExpiresSoon",
                    severity: severity.clone(),
                    hold: Duration::ZERO,
                    window: window(settings),
                    runbook: settings.runbook.clone(),
                    bound: Some(within),
                })
            });
            let rule = |(key, chosen): (Shared, Chosen)| self.certificate(&key, &chosen, within);
            shared.into_iter().filter_map(rule).collect::<Vec<_>>()
        };
        times.into_iter().flat_map(rules).collect()
    }

    fn certificate(&self, key: &Shared, chosen: &Chosen, within: Duration) -> Option<Rule> {
        let seen = over(&chosen.of("probe_ssl_earliest_cert_expiry"), key.window);
        let seconds = within.as_millis() / 1_000;
        let seconds =
            if seconds.is_multiple_of(86_400) { format!("86400 * {}", seconds / 86_400) } else { seconds.to_string() };
        Draft {
            name: key.name,
            expr: format!("{seen} - time() < {seconds}"),
            seen,
            hold: key.hold,
            severity: &key.severity,
            summary: fill(self.words.certificate, &[WHO, &within.humanize(self.plan.language)]),
            description: self.words.certificate_why.to_owned(),
            value: "{{ $value | durationInWords }}",
            // The service's runbook is about its failure; a certificate has its own, or none.
            runbook: None,
            explainable: false,
        }
        .rule()
    }

    fn scrapes(&self) -> Vec<Rule> {
        let (mut sets, mut all) = (IndexMap::<Shared, Members>::new(), Members::default());
        for (name, component) in self.plan.components().filter(|(_, c)| c.metrics.is_some()) {
            all.add(name, "");
            let policy = self.plan.alert_policy(name);
            let Some(severity) = policy.scrape_down else { continue };
            let every =
                component.metrics.as_ref().map(|m| self.plan.scrape_settings(&m.scrape()).0).unwrap_or_default();
            let hold = policy.hold.unwrap_or_default().max(SCRAPE_HOLD);
            let window =
                (every > Duration::from_mins(2)).then(|| up_to_minute(Duration::from_millis(2 * every.as_millis())));
            let key = Shared { name: "ScrapeDown", severity, hold, window, runbook: None, bound: None };
            sets.entry(key).or_default().add(name, "");
        }
        let rule = |(key, chosen): (Shared, Chosen)| {
            let seen = over(&chosen.of("up"), key.window);
            Draft {
                name: key.name,
                expr: format!("{seen} == 0"),
                seen,
                hold: key.hold,
                severity: &key.severity,
                summary: fill(self.words.scrape_down, &["{{ $names.service }}"]),
                description: self.words.scrape_why.to_owned(),
                value: self.words.down_value,
                runbook: None,
                explainable: true,
            }
            .rule()
        };
        select::choose(self.plan, &sets, &all).into_iter().filter_map(rule).collect()
    }
}

/// The newest value of series; further back than PromQL looks by itself where a window is given.
fn over(series: &str, window: Option<Duration>) -> String {
    window.map_or_else(|| series.to_owned(), |w| format!("last_over_time({series}[{w}])"))
}

/// How far back the last result of a check can be on a usual day, where that is further than PromQL looks.
fn window(settings: &plan_model::effective::CheckSettings) -> Option<Duration> {
    let longest = settings.detection().as_millis() + settings.every.as_millis();
    let longest = Duration::from_millis(longest);
    (longest > LOOKBACK).then(|| up_to_minute(longest))
}

fn up_to_minute(d: Duration) -> Duration {
    Duration::from_mins(d.as_millis().div_ceil(60_000))
}

/// Whether a check may see a certificate: it speaks TLS, or may do so by a reference that is not known here.
fn may_have_certificate(kind: &CheckKind) -> bool {
    match kind {
        CheckKind::Http(c) => !c.url.written().starts_with("http://"),
        CheckKind::Websocket(c) => !c.url.written().starts_with("ws://"),
        CheckKind::Smtp(c) => c.starttls,
        CheckKind::Grpc(c) => c.use_tls,
        CheckKind::Tls(_) | CheckKind::Postgres(_) | CheckKind::Mysql(_) | CheckKind::Redis(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
