//! What the rules of a group have in common is done once in an evaluation: series selected by several, and expressions or
//! aggregations that several ask. Pure.
//!
//! All rules of a group ask at one time, and what they write is stored when all are done; so what one read is what the next would
//! read. What a group itself writes is never shared: there the order counts.

mod cache;
mod fresh;
mod given;

use std::collections::{HashMap, HashSet};

use decide_promql::Expr;
use decide_promql::ast::{ExprKind, Selector};
use kernel::series::{MatchOp, Matcher};

use super::group::Rule;
use crate::rules::evaluate::{ALERTS, ALERTS_FOR_STATE};
use crate::rules::query::Query;

pub use cache::{Caching, MAX_CACHED_SAMPLES};
pub(in crate::rules) use fresh::{Fresh, WithFresh};
pub(super) use given::{Given, Known};

/// What the rules of a group have in common.
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    /// Keys of selectors that stand at least twice.
    selectors: HashSet<u64>,
    /// Expressions that stand at least twice.
    expressions: Vec<Query>,
    /// Of each rule, its expression with those put in for which there is a name; `None` where there is none.
    rewritten: Vec<Option<Rewritten>>,
}

/// An expression that stands on the answers of others.
#[derive(Clone, Debug)]
struct Rewritten {
    query: Query,
    /// The numbers of the others, each once.
    numbers: Vec<usize>,
}

/// How much work was shared in an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedWork {
    /// Selections that reached the store.
    pub reads: u64,
    /// Selections that were answered from what was read before.
    pub reused: u64,
    /// Selections that were too large to be kept for others.
    pub too_large: u64,
    /// Expressions that were answered from what was evaluated before.
    pub expressions_reused: u64,
}

impl Sharing {
    /// Of a group's rules.
    pub fn of(rules: &[Rule]) -> Self {
        let written: HashSet<&str> = rules.iter().filter(|r| !r.is_alert()).map(|r| r.name.as_str()).collect();
        let mut counts: HashMap<String, (usize, &Expr)> = HashMap::new();
        for rule in rules.iter().filter(|r| may_share(r)) {
            candidates(rule.query.expr(), true, &mut |expr| {
                counts.entry(expr.to_string()).or_insert((0, expr)).0 += 1;
            });
        }
        let repeated = |(text, (count, expr)): (String, (usize, &Expr))| {
            (count > 1 && reads_none_of(expr, &written)).then(|| (text, Query::from_expr(expr.clone())))
        };
        let mut found: Vec<(String, Query)> = counts.into_iter().filter_map(repeated).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        // Parts of others that are evaluated once themselves are asked by nobody: their selectors must not count as read twice.
        let used: HashSet<usize> = rewritten(rules, &found).iter().flatten().flat_map(|r| r.numbers.clone()).collect();
        let mut number = 0..;
        found.retain(|_| number.next().is_some_and(|n| used.contains(&n)));
        let mut out = Self { rewritten: rewritten(rules, &found), ..Self::default() };
        out.expressions = found.into_iter().map(|(_, query)| query).collect();
        out.count_selectors(rules);
        out
    }

    /// Selectors that are read at least twice although shared expressions are evaluated once.
    fn count_selectors(&mut self, rules: &[Rule]) {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        let own = rules.iter().enumerate().map(|(at, rule)| self.query(at, rule).0);
        for query in own.chain(&self.expressions) {
            query.expr().walk(&mut |expr| {
                let selector = match &expr.kind {
                    ExprKind::Selector(s) => s,
                    ExprKind::Range(r) => &r.selector,
                    _ => return,
                };
                *counts.entry(cache::key(&selector.matchers)).or_default() += 1;
            });
        }
        self.selectors = counts.into_iter().filter(|(_, count)| *count > 1).map(|(key, _)| key).collect();
    }

    /// What a rule asks: its expression, with names for what is evaluated once, and the numbers of these.
    pub(super) fn query<'q>(&'q self, at: usize, rule: &'q Rule) -> (&'q Query, &'q [usize]) {
        let other = self.rewritten.get(at).and_then(Option::as_ref);
        other.map_or((&rule.query, &[]), |other| (&other.query, &other.numbers))
    }

    /// The expressions that are evaluated once.
    pub(super) fn expressions(&self) -> &[Query] {
        &self.expressions
    }

    pub(super) fn is_read_twice(&self, key: u64) -> bool {
        self.selectors.contains(&key)
    }
}

/// Of each rule, its expression with names put in for those that were found at least twice.
fn rewritten(rules: &[Rule], found: &[(String, Query)]) -> Vec<Option<Rewritten>> {
    let numbers: HashMap<&str, usize> = found.iter().enumerate().map(|(i, (text, _))| (text.as_str(), i)).collect();
    let rewrite = |rule: &Rule| {
        let mut expr = rule.query.expr().clone();
        let changed = may_share(rule) && put_in(&mut expr, true, &numbers);
        changed.then(|| Rewritten { numbers: numbers_in(&expr), query: Query::from_expr(expr) })
    };
    rules.iter().map(rewrite).collect()
}

/// The numbers of the expressions that a rewritten one stands on, each once.
fn numbers_in(expr: &Expr) -> Vec<usize> {
    let mut out = Vec::new();
    expr.walk(&mut |expr| {
        if let ExprKind::Selector(s) = &expr.kind
            && let Some(number) = given::number_in(&s.matchers)
            && !out.contains(&number)
        {
            out.push(number);
        }
    });
    out
}

/// What asks for names of metrics inside of an expression, or joins series by itself, is left as it is.
fn may_share(rule: &Rule) -> bool {
    !rule.expression.contains("__name__") && !rule.expression.contains("info(")
}

/// Expressions that are worth sharing: a whole one, and aggregations, where they are asked at the time of the evaluation.
fn candidates<'e>(expr: &'e Expr, whole: bool, visit: &mut dyn FnMut(&'e Expr)) {
    let expr = expr.unwrapped();
    if is_candidate(expr, whole) {
        visit(expr);
    }
    if !matches!(expr.kind, ExprKind::Subquery(_)) {
        expr.children().into_iter().for_each(|child| candidates(child, false, visit));
    }
}

fn is_candidate(expr: &Expr, whole: bool) -> bool {
    match expr.kind {
        ExprKind::Aggregate(_) => true,
        ExprKind::Binary(_) | ExprKind::Call(_) => whole && expr.value_type() == decide_promql::ValueType::Vector,
        _ => false,
    }
}

/// Puts names in for what is evaluated once; the outermost count.
fn put_in(expr: &mut Expr, whole: bool, numbers: &HashMap<&str, usize>) -> bool {
    if let ExprKind::Paren(inner) = &mut expr.kind {
        return put_in(inner, whole, numbers);
    }
    if is_candidate(expr, whole)
        && let Some(number) = numbers.get(expr.to_string().as_str())
    {
        let name = given::name_of(*number);
        let matchers = vec![Matcher::equal(kernel::labels::METRIC_NAME, &name)];
        let (shift, extend) = (decide_promql::ast::Shift::default(), None);
        expr.kind = ExprKind::Selector(Selector { name: Some(name), matchers, shift, extend });
        return true;
    }
    match &mut expr.kind {
        ExprKind::Unary(_, inner) => put_in(inner, false, numbers),
        ExprKind::Binary(b) => put_in(&mut b.left, false, numbers) | put_in(&mut b.right, false, numbers),
        ExprKind::Aggregate(a) => {
            let param = a.param.as_mut().is_some_and(|p| put_in(p, false, numbers));
            put_in(&mut a.expr, false, numbers) | param
        }
        ExprKind::Call(c) => c.args.iter_mut().fold(false, |any, arg| put_in(arg, false, numbers) | any),
        _ => false,
    }
}

fn reads_none_of(expr: &Expr, written: &HashSet<&str>) -> bool {
    let mut none = true;
    expr.walk(&mut |expr| {
        let selector = match &expr.kind {
            ExprKind::Selector(s) => s,
            ExprKind::Range(r) => &r.selector,
            _ => return,
        };
        let name = selector.matchers.iter().find(|m| &*m.name == "__name__" && m.op == MatchOp::Equal);
        none &= name.is_some_and(|m| !written.contains(&*m.value) && !matches!(&*m.value, ALERTS | ALERTS_FOR_STATE));
    });
    none
}

#[cfg(test)]
mod tests;
