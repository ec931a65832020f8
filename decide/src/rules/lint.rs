//! What a careful reviewer says of rules when they are loaded (ALR-26). Nothing is changed: what was declared stays. Pure.
//!
//! | code | said when |
//! | --- | --- |
//! | `rate-as-fraction` | a rate per second is compared with a fraction; the corrected ratio is offered |
//! | `ratio-as-percent` | a share of 0 to 1 is printed with `%` after it |
//! | `unknown-severity` | an alert names no severity, or none that the plan or the common ranks know |
//! | `nobody-hears` | the severity of an alert has no channel |
//! | `hold-below-interval` | `for` is shorter than the time between two samples |
//! | `no-such-metric` | nothing in the plan produces the metric |

use std::collections::BTreeSet;

use plan_model::{Deliver, Plan};
use plan_syntax::{Diagnostic, Level, Node, Sources, Span, suggest, within};

use super::file::{RuleNodes, RulesRead};
use super::{Rule, RuleGroup, RuleKind};
use crate::severity::{Found, severity_of};

mod data;
mod ratio;

/// Says what there is to say about the rules of a plan's files.
pub fn lint(read: &RulesRead, plan: &Plan, sources: &Sources) -> Vec<Diagnostic> {
    let (mut out, mut missing) = (Vec::new(), BTreeSet::new());
    for group in &read.groups {
        for (i, rule) in group.rules.iter().enumerate() {
            let Some(nodes) = read.places.of(group, i) else { continue };
            let mut one =
                Lint { plan, sources, group, rule, nodes, all: &read.groups, missing: &mut missing, out: &mut out };
            if matches!(rule.kind, RuleKind::Alert { .. }) {
                one.severity();
                ratio::lint(&mut one);
            }
            data::lint(&mut one);
        }
    }
    out
}

/// One rule under review.
struct Lint<'a> {
    plan: &'a Plan,
    sources: &'a Sources,
    group: &'a RuleGroup,
    rule: &'a Rule,
    nodes: &'a RuleNodes,
    all: &'a [RuleGroup],
    /// Metrics of which was said already that nothing produces them.
    missing: &'a mut BTreeSet<String>,
    out: &'a mut Vec<Diagnostic>,
}

impl Lint<'_> {
    fn say(&mut self, level: Level, code: &'static str, span: Span, en: String, es: String) -> &mut Diagnostic {
        self.out.push(Diagnostic::new(level, code, self.sources.place(span), en).es(es, None));
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    /// The place of a part of the rule's expression.
    fn in_expr(&self, span: decide_promql::Span) -> Span {
        let range = span.range();
        within(self.sources, &self.nodes.expr, range.start, range.end)
    }

    fn in_text(&self, node: &Node, from: usize, to: usize) -> Span {
        within(self.sources, node, from, to)
    }

    fn severity(&mut self) {
        let written = self.rule.labels.iter().find(|(name, _)| name == "severity").map(|(_, t)| t.source().to_owned());
        let span = self.nodes.severity.unwrap_or(self.nodes.name);
        let word = written.clone().unwrap_or_default();
        if word.contains("{{") {
            return;
        }
        let Some(meant) = severity_of(self.plan, &word) else { return };
        let (name, silent) = (meant.name.to_owned(), meant.severity.channels.is_empty());
        let informs = meant.severity.deliver == Deliver::Info;
        if meant.found == Found::StandIn {
            let known: Vec<&str> = self.plan.severities.keys().map(String::as_str).collect();
            let near = suggest::nearest(&word, known.iter().copied()).map(|n| format!("did you mean `{n}`?"));
            let listed = suggest::listing(known, 8, "or");
            let (en, es) = match written {
                None => (
                    format!("this alert has no severity; it is delivered like `{name}`"),
                    format!("esta alerta no tiene severidad; se entrega como `{name}`"),
                ),
                Some(_) => (
                    format!("the plan has no severity `{word}`; this alert is delivered like `{name}`"),
                    format!("el plan no tiene la severidad `{word}`; esta alerta se entrega como `{name}`"),
                ),
            };
            let said = self.say(Level::Warning, "unknown-severity", span, en, es);
            said.expected = Some(format!("the label `severity`: {listed}"));
            said.help = near;
        } else if silent && !informs {
            let en = format!("nobody hears of this alert: severity `{name}` has no channels");
            let es = format!("nadie se entera de esta alerta: la severidad `{name}` no tiene canales");
            let said = self.say(Level::Warning, "nobody-hears", span, en, es);
            said.help = Some(format!(
                "give `severities.{name}.channels` a channel, or `deliver: info` if it is only to be shown"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
