//! Which rules of a group read what others of it write. Pure.
//!
//! Prometheus's rule: a selector without a name may select anything, and nobody knows when `ALERTS` is written; with one of these
//! in a group nothing is certain, and all its rules run in order.

use std::collections::HashSet;

use decide_promql::Expr;
use decide_promql::ast::{ExprKind, Selector};
use kernel::series::MatchOp;

use super::group::Rule;
use crate::rules::evaluate::{ALERTS, ALERTS_FOR_STATE};

/// What is known of the rules of a group, by their places in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// Of each rule, the rules before it that it may read.
    reads: Vec<Vec<usize>>,
    /// Of each rule, whether it neither reads another one nor is read.
    independent: Vec<bool>,
}

impl Dependencies {
    /// Of a group's rules.
    pub fn of(rules: &[Rule]) -> Self {
        let inputs: Vec<Inputs> = rules.iter().map(|r| Inputs::of(r.query.expr())).collect();
        let uncertain = inputs.iter().any(|i| i.anything || i.meta);
        let may_read = |reader: usize, writer: usize| {
            let (from, to): (&Inputs, &Rule) = (&inputs[reader], &rules[writer]);
            from.anything || if to.is_alert() { from.meta } else { from.names.contains(to.name.as_str()) }
        };
        let reads: Vec<Vec<usize>> =
            (0..rules.len()).map(|at| (0..at).filter(|before| may_read(at, *before)).collect()).collect();
        let touches = |a: usize, b: usize| inputs[a].names.contains(rules[b].name.as_str());
        let independent = (0..rules.len())
            .map(|at| !uncertain && (0..rules.len()).all(|other| !touches(at, other) && !touches(other, at)))
            .collect();
        Self { reads, independent }
    }

    /// The rules before one that it may read.
    pub fn read_by(&self, rule: usize) -> &[usize] {
        self.reads.get(rule).map_or(&[], Vec::as_slice)
    }

    /// Whether a rule may run beside the others.
    pub fn is_independent(&self, rule: usize) -> bool {
        self.independent.get(rule).copied().unwrap_or(false)
    }
}

/// What an expression reads.
#[derive(Default)]
struct Inputs<'e> {
    names: HashSet<&'e str>,
    /// It has a selector that may select anything.
    anything: bool,
    /// It reads the series of alerts.
    meta: bool,
}

impl<'e> Inputs<'e> {
    fn of(expr: &'e Expr) -> Self {
        let mut out = Self::default();
        expr.walk(&mut |expr| match &expr.kind {
            ExprKind::Selector(s) => out.add(s),
            ExprKind::Range(r) => out.add(&r.selector),
            // It may join any series that says something about others.
            ExprKind::Call(c) if c.function.name == "info" => out.anything = true,
            _ => {}
        });
        out
    }

    fn add(&mut self, selector: &'e Selector) {
        let by_name = |m: &&kernel::series::Matcher| &*m.name == "__name__" && m.op == MatchOp::Equal;
        match selector.matchers.iter().find(by_name) {
            Some(name) => {
                self.meta |= matches!(&*name.value, ALERTS | ALERTS_FOR_STATE);
                self.names.insert(&name.value);
            }
            None => self.anything = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::prometheus::{Defaults, Group, load_groups, read_rule_file};
    use kernel::Duration;

    fn group(text: &str) -> Group {
        let file = read_rule_file(text, false).unwrap();
        let defaults = Defaults { interval: Duration::from_mins(1) };
        load_groups("f", &file, defaults).unwrap().remove(0)
    }

    fn of(expressions: &[&str]) -> (Vec<Vec<usize>>, Vec<bool>) {
        let rules: Vec<String> = expressions
            .iter()
            .enumerate()
            .map(|(i, e)| format!("  - {{record: 'r{i}', expr: '{e}'}}\n"))
            .chain(["  - {alert: A, expr: up == 0}\n".to_owned()])
            .collect();
        let group = group(&format!("groups:\n- name: g\n  rules:\n{}", rules.concat()));
        let all = 0..=expressions.len();
        let reads = all.clone().map(|i| group.dependencies.read_by(i).to_vec()).collect();
        (reads, all.map(|i| group.dependencies.is_independent(i)).collect())
    }

    #[test]
    fn met_14_rules_that_read_others_wait_for_them() {
        let (reads, independent) = of(&["sum(a)", "r0 / 2", "rate(b[5m])"]);
        assert_eq!(reads, [vec![], vec![0], vec![], vec![]]);
        assert_eq!(independent, [false, false, true, true]);
    }

    #[test]
    fn met_14_with_a_selector_of_anything_all_run_in_order() {
        assert_eq!(of(&["sum(a)", "{job=\"x\"}"]).1, [false; 3]);
        assert_eq!(of(&["sum(a)", "count(ALERTS)"]).1, [false; 3]);
        assert_eq!(of(&["a", "r2", "b"]).1, [true, false, false, true], "it reads what the next turn's rule writes");
    }
}
