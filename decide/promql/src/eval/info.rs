//! `info`: labels of info metrics added to other series. Pure.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::{MatchOp, Matcher, Point};

use super::EvalError;
use super::engine::{Engine, Grid, Reference, Result, Sink};
use super::line::{Line, Merged, is_absent};
use super::matching::braced;
use super::windows::{NONE, PerColumn, newest};
use crate::functions::Kind;
use crate::syntax::ast::{Call, Expr, ExprKind, RangeSelector, Selector, Shift, ValueType};
use crate::syntax::span::Span;

/// The labels by which a series finds its info metric.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// The info metric that is meant when none is named.
const TARGET_INFO: &str = "target_info";

impl Engine<'_> {
    pub(super) fn info_lines(&self, c: &Call, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let matchers: &[Matcher] = match c.args.get(1).map(|a| &a.unwrapped().kind) {
            Some(ExprKind::Selector(s)) => &s.matchers,
            _ => &[],
        };
        let (names, data): (Vec<_>, Vec<_>) = matchers.iter().cloned().partition(|m| &*m.name == METRIC_NAME);
        let names = info_names(names, span)?;
        let base = self.collect(&c.args[0], grid)?;
        let is_info = |line: &Line| names.iter().all(|m| m.matches(line.labels.name()));
        let when = self.common_reference(&c.args[0])?.map_or(grid, |reference| reference.of(grid));
        let infos = self.info_series(&names, &data, base.iter().filter(|l| !is_info(l)), span, when)?;
        // Of two that count at a time when anything is there, none can be chosen, whether it is wanted or not.
        for step in (0..grid.steps).filter(|s| base.iter().any(|line| line.has(*s))) {
            infos.values().try_for_each(|all| newest_per_name(at_step(all, step), span).map(|_| ()))?;
        }
        let mut merged = Merged::default();
        for line in base {
            // An info series stays as it is.
            if is_info(&line) {
                merged.add(line, span)?;
                continue;
            }
            for enriched in enriched(&line, &infos, &data, span)? {
                merged.add(enriched, span)?;
            }
        }
        merged.into_lines().filter(|l| !l.is_empty()).try_for_each(sink)
    }

    /// The info series that may belong to the base series, by their identifying labels; their values are the times of
    /// their samples, so that of two the newer one counts.
    fn info_series<'l>(
        &self,
        names: &[Matcher],
        data: &[Matcher],
        base: impl Iterator<Item = &'l Line>,
        span: Span,
        grid: Grid,
    ) -> Result<HashMap<Labels, Vec<Line>>> {
        let mut infos: HashMap<Labels, Vec<Line>> = HashMap::new();
        // What the series have of the identifying labels, apart by which of them they have: what one lacks its info series lacks too.
        let mut wanted: HashMap<[bool; 2], [HashSet<&str>; 2]> = HashMap::new();
        for line in base {
            let own = IDENTIFYING.map(|name| line.labels.get(name));
            let all = wanted.entry(own.map(|value| value.is_some())).or_default();
            all.iter_mut().zip(own).for_each(|(all, value)| all.extend(value));
        }
        wanted.remove(&[false; 2]);
        if wanted.is_empty() {
            return Ok(infos);
        }
        let matchers: Vec<Matcher> = names.iter().chain(data).cloned().collect();
        let mut indexes = PerColumn::default();
        let lookback = self.lookback_at(grid.start);
        self.visit(&matchers, (grid.start - lookback + 1, grid.last()), &mut |s| {
            let own = IDENTIFYING.map(|name| s.labels.get(name));
            let known =
                |all: &[HashSet<&str>; 2]| all.iter().zip(own).all(|(all, v)| v.is_none_or(|v| all.contains(v)));
            if !wanted.get(&own.map(|value| value.is_some())).is_some_and(known) {
                return Ok(());
            }
            self.hold(super::line::weight(&s.labels, grid.steps))?;
            let at = indexes.get(&s.timestamps, |times| newest(times, grid, lookback));
            let mut line = Line::absent(s.labels.clone(), false, grid.steps);
            for (step, i) in at.iter().enumerate().filter(|(_, i)| **i != NONE) {
                match s.values.get(*i as usize).filter(|p| !p.is_stale()) {
                    None => {}
                    Some(Point::Float(_)) => line.values[step] = s.timestamps[*i as usize] as f64,
                    Some(Point::Histogram(_)) => {
                        let found = braced(&s.labels);
                        let message = format!("this should be an info metric, with float samples: {found}");
                        return Err(EvalError::invalid(span, message));
                    }
                }
            }
            infos.entry(identity(&s.labels)).or_default().push(line);
            Ok(())
        })?;
        Ok(infos)
    }
}

/// Whether two refer to the same times, whatever the time of the query.
fn is_same(a: Reference, b: Reference) -> bool {
    match (a.at_ms, b.at_ms) {
        (None, None) => a.offset_ms == b.offset_ms,
        (Some(x), Some(y)) => x - a.offset_ms == y - b.offset_ms,
        _ => false,
    }
}

/// What the selectors of an expression refer to.
#[derive(Default)]
struct References {
    all: Vec<Reference>,
    /// A vector that comes from no selector refers to the time of the query itself.
    any_free: bool,
}

impl Engine<'_> {
    /// What all selectors of an expression refer to: info series are looked up at that time, too. `None` where they differ.
    fn common_reference(&self, expr: &Expr) -> Result<Option<Reference>> {
        let mut found = References::default();
        self.find_references(expr, &mut Vec::new(), &mut found)?;
        let first = found.all.first().copied().filter(|_| !found.any_free);
        Ok(first.filter(|first| found.all.iter().all(|other| is_same(*first, *other))))
    }

    /// Whether there is a selector in an expression, with the subqueries around it.
    fn find_references<'e>(&self, expr: &'e Expr, around: &mut Vec<&'e Shift>, found: &mut References) -> Result<bool> {
        if !matches!(expr.value_type(), ValueType::Vector | ValueType::Matrix) {
            return Ok(false);
        }
        let children = match &expr.kind {
            ExprKind::Selector(Selector { shift, .. })
            | ExprKind::Range(RangeSelector { selector: Selector { shift, .. }, .. }) => {
                let mut reference = self.reference(shift)?;
                // What is fixed does not depend on what is around it.
                for shift in around.iter().rev() {
                    if reference.at_ms.is_none() {
                        let Reference { at_ms, offset_ms } = self.reference(shift)?;
                        reference = Reference { at_ms, offset_ms: reference.offset_ms + offset_ms };
                    }
                }
                found.all.push(reference);
                return Ok(true);
            }
            // The second argument of `info` is none of its series.
            ExprKind::Call(c) if matches!(c.function.kind, Kind::Info) => vec![&c.args[0]],
            _ => expr.children(),
        };
        let depth = around.len();
        around.extend(if let ExprKind::Subquery(s) = &expr.kind { Some(&s.shift) } else { None });
        let mut any = false;
        for child in children {
            any |= self.find_references(child, around, found)?;
        }
        around.truncate(depth);
        found.any_free |= !any;
        Ok(any)
    }
}

/// Which metrics are meant: `target_info` when nothing is said; all that are called `…_info` when it is only said which
/// ones are not meant.
fn info_names(mut names: Vec<Matcher>, span: Span) -> Result<Vec<Matcher>> {
    if names.is_empty() {
        return Ok(vec![Matcher::equal(METRIC_NAME, TARGET_INFO)]);
    }
    if names.iter().all(|m| matches!(m.op, MatchOp::NotEqual | MatchOp::NotRegex)) {
        let any = Matcher::new(METRIC_NAME, MatchOp::Regex, ".+_info");
        names.insert(0, any.map_err(|e| EvalError::invalid(span, e.to_string()))?);
    }
    Ok(names)
}

fn identity(labels: &Labels) -> Labels {
    labels.without(|n| !IDENTIFYING.contains(&n))
}

/// The info series that have a sample at a time, and when it was taken.
fn at_step(infos: &[Line], step: usize) -> impl Iterator<Item = (&Line, f64)> {
    infos.iter().map(move |info| (info, info.values[step])).filter(|(_, time)| !is_absent(*time))
}

/// A series with the data labels of its info series, split where those change over time.
fn enriched(line: &Line, infos: &HashMap<Labels, Vec<Line>>, data: &[Matcher], span: Span) -> Result<Vec<Line>> {
    let key = identity(&line.labels);
    let candidates = infos.get(&key).map(Vec::as_slice).unwrap_or_default();
    let mut found: IndexMap<Labels, Line> = IndexMap::new();
    for s in (0..line.values.len()).filter(|s| line.has(*s)) {
        let Some(labels) = labels_at(line, at_step(candidates, s), data, span)? else { continue };
        let new = || Line::absent(labels.clone(), line.drop_name, line.values.len());
        found.entry(labels.clone()).or_insert_with(new).set(s, line.point(s));
    }
    Ok(found.into_values().collect())
}

fn labels_at<'i>(
    line: &Line,
    infos: impl Iterator<Item = (&'i Line, f64)>,
    data: &[Matcher],
    span: Span,
) -> Result<Option<Labels>> {
    let newest = newest_per_name(infos, span)?;
    let wanted = |name: &str| data.is_empty() || data.iter().any(|m| &*m.name == name);
    let mut added: IndexMap<&str, &str> = IndexMap::new();
    for info in newest.values() {
        for (name, value) in info.labels.iter() {
            if name == METRIC_NAME || IDENTIFYING.contains(&name) || line.labels.get(name).is_some() || !wanted(name) {
                continue;
            }
            if added.insert(name, value).is_some_and(|before| before != value) {
                return Err(EvalError::invalid(span, format!("conflicting label: {name}")));
            }
        }
    }
    // Without an info series, a condition on its labels is not fulfilled.
    if newest.is_empty() && data.iter().any(|m| !m.matches("")) {
        return Ok(None);
    }
    Ok(Some(added.into_iter().fold(line.labels.clone(), |labels, (n, v)| labels.with(n, v))))
}

/// Of each info metric the series with the newest sample.
fn newest_per_name<'i>(
    infos: impl Iterator<Item = (&'i Line, f64)>,
    span: Span,
) -> Result<IndexMap<&'i str, &'i Line>> {
    let mut newest: IndexMap<&str, (&Line, f64)> = IndexMap::new();
    for (info, time) in infos {
        let name = info.labels.name();
        match newest.get(name) {
            Some((other, known)) if *known == time => {
                let (a, b) = (braced(&other.labels), braced(&info.labels));
                let message =
                    format!("found duplicate series for info metric: existing {a} @ {time}, new {b} @ {time}");
                return Err(EvalError::invalid(span, message));
            }
            Some((_, known)) if *known > time => {}
            _ => {
                newest.insert(name, (info, time));
            }
        }
    }
    Ok(newest.into_iter().map(|(name, (line, _))| (name, line)).collect())
}
