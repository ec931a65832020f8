//! `info`: labels of info metrics added to other series. Pure.

use std::collections::HashMap;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::Matcher;

use super::EvalError;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, Merged, is_absent};
use super::matching::braced;
use crate::syntax::ast::{Call, ExprKind, Selector, Shift};
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
        let names = if names.is_empty() { vec![Matcher::equal(METRIC_NAME, TARGET_INFO)] } else { names };
        let base = self.collect(&c.args[0], grid)?;
        let infos = self.info_series(&names, &data, &base, grid)?;
        let mut merged = Merged::default();
        for line in base {
            // An info series stays as it is.
            if names.iter().all(|m| m.matches(line.labels.name())) {
                merged.add(line, span)?;
                continue;
            }
            for enriched in enriched(&line, &infos, &data, span)? {
                merged.add(enriched, span)?;
            }
        }
        merged.into_lines().filter(|l| !l.is_empty()).try_for_each(sink)
    }

    /// The info series by their identifying labels.
    fn info_series(
        &self,
        names: &[Matcher],
        data: &[Matcher],
        base: &[Line],
        grid: Grid,
    ) -> Result<HashMap<Labels, Vec<Line>>> {
        let mut infos: HashMap<Labels, Vec<Line>> = HashMap::new();
        if base.is_empty() {
            return Ok(infos);
        }
        let matchers: Vec<Matcher> = names.iter().chain(data).cloned().collect();
        let selector = Selector { name: None, matchers, shift: Shift::default(), extend: None };
        // The times of the samples, so that of two info series the newer one counts.
        self.select_times(&selector, grid, &mut |line| {
            self.hold(grid.steps)?;
            infos.entry(identity(&line.labels)).or_default().push(line);
            Ok(())
        })?;
        Ok(infos)
    }
}

fn identity(labels: &Labels) -> Labels {
    labels.without(|n| !IDENTIFYING.contains(&n))
}

/// A series with the data labels of its info series, split where those change over time.
fn enriched(line: &Line, infos: &HashMap<Labels, Vec<Line>>, data: &[Matcher], span: Span) -> Result<Vec<Line>> {
    let key = identity(&line.labels);
    let candidates = infos.get(&key).map(Vec::as_slice).unwrap_or_default();
    let mut found: IndexMap<Labels, Line> = IndexMap::new();
    for (s, v) in line.values.iter().enumerate().filter(|(_, v)| !is_absent(**v)) {
        let present = candidates.iter().map(|i| (i, i.values[s])).filter(|(_, time)| !is_absent(*time));
        let Some(labels) = labels_at(line, present, data, span)? else { continue };
        let new =
            || Line { labels: labels.clone(), drop_name: line.drop_name, values: vec![ABSENT; line.values.len()] };
        found.entry(labels.clone()).or_insert_with(new).values[s] = *v;
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
