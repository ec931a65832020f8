//! Rows and columns: the answers of several queries, joined by their labels. Pure.

use std::cmp::Ordering;
use std::fmt::Write as _;

use decide_promql::Value;
use indexmap::IndexMap;
use kernel::Labels;
use kernel::html::escape;
use kernel::labels::METRIC_NAME;
use kernel::series::Point;
use plan_model::dashboard::panel::Column;

use super::value::Measure;
use super::{Answers, Canvas, MOST_COLUMNS, MOST_ROWS};

/// What stands in a table before it is drawn.
struct Grid {
    /// Names of labels, then of values.
    labels: Vec<String>,
    values: Vec<String>,
    rows: Vec<(Labels, Vec<Option<f64>>)>,
}

impl Grid {
    fn new(answers: &Answers) -> Self {
        let several = answers.parts.len() > 1;
        let mut rows: IndexMap<Labels, Vec<Option<f64>>> = IndexMap::new();
        let mut names: IndexMap<String, ()> = IndexMap::new();
        let count = answers.parts.len();
        for (number, part) in answers.parts.iter().enumerate() {
            for (labels, value) in last(&part.value) {
                let key = if several { labels.without(|n| n == METRIC_NAME) } else { labels };
                for (name, _) in key.iter() {
                    names.insert(name.to_owned(), ());
                }
                rows.entry(key).or_insert_with(|| vec![None; count])[number] = Some(value);
            }
        }
        let letter = |i: usize| char::from(b'A' + u8::try_from(i % 26).unwrap_or(0));
        let values = match several {
            true => (0..count).map(|i| format!("Value {}", letter(i))).collect(),
            false => vec!["Value".to_owned(); count],
        };
        Self { labels: names.into_keys().collect(), values, rows: rows.into_iter().collect() }
    }
}

/// The newest values.
fn last(value: &Value) -> Vec<(Labels, f64)> {
    let number = |point: &Point| match point {
        Point::Float(v) => *v,
        Point::Histogram(h) => h.count,
    };
    match value {
        Value::Scalar(sample) => vec![(Labels::default(), sample.value)],
        Value::Vector(all) => all.iter().map(|s| (s.labels.clone(), number(&s.value))).collect(),
        Value::Matrix(all) => all.iter().filter_map(|s| Some((s.labels.clone(), s.samples.last()?.value))).collect(),
        _ => Vec::new(),
    }
}

/// A column as drawn: a label, or the number of a value.
enum Source {
    Label(String),
    Value(usize),
}

impl Canvas<'_> {
    pub(super) fn table(&self, answers: &Answers) -> String {
        let mut grid = Grid::new(answers);
        if grid.rows.is_empty() {
            return self.empty();
        }
        let columns = self.columns(&grid, answers);
        self.sort(&mut grid, &columns);
        let mut out = String::from("<div class=\"panel-table\" tabindex=\"0\"><table><thead><tr>");
        for (heading, source, _) in &columns {
            let class = if matches!(source, Source::Value(_)) { " class=\"num\"" } else { "" };
            let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(heading));
        }
        out.push_str("</tr></thead><tbody>");
        for (labels, values) in grid.rows.iter().take(MOST_ROWS) {
            out.push_str("<tr>");
            for (_, source, spec) in &columns {
                match source {
                    Source::Label(name) => {
                        let text = labels.get(name).unwrap_or_default();
                        let mapped = self.panel.values.iter().find(|m| m.is.as_deref() == Some(text));
                        let shown = mapped.and_then(|m| m.text.as_deref()).unwrap_or(text);
                        let _ = write!(out, "<td>{}</td>", escape(shown));
                    }
                    Source::Value(number) => {
                        let mut measure = Measure::of(self.panel);
                        if let Some(spec) = spec {
                            measure.unit = spec.unit.clone().unwrap_or(measure.unit);
                            measure.decimals = spec.decimals.or(measure.decimals);
                            if !spec.thresholds.is_empty() {
                                measure.thresholds = &spec.thresholds;
                            }
                        }
                        let shown = self.shown(values.get(*number).copied().flatten(), &measure);
                        let _ = write!(out, "<td class=\"num{}\">{}</td>", shown.tone(), self.html(&shown));
                    }
                }
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
        out.push_str(&self.cut(MOST_ROWS.min(grid.rows.len()), grid.rows.len()));
        out
    }

    /// Heading, source and settings of each column: those that the plan names first, in its order.
    fn columns(&self, grid: &Grid, answers: &Answers) -> Vec<(String, Source, Option<&Column>)> {
        let mut all: Vec<(String, Source)> = Vec::new();
        all.extend(grid.labels.iter().map(|l| (l.clone(), Source::Label(l.clone()))));
        all.extend(grid.values.iter().enumerate().map(|(i, v)| (v.clone(), Source::Value(i))));
        let order = |name: &str| self.panel.columns.get_index_of(name).unwrap_or(usize::MAX);
        all.sort_by_key(|(name, _)| order(name));
        all.into_iter()
            .filter(|(name, _)| !self.panel.columns.get(name).is_some_and(|c| c.hidden))
            .take(MOST_COLUMNS)
            .map(|(name, source)| {
                let spec = self.panel.columns.get(&name);
                let own = match &source {
                    Source::Value(i) => {
                        answers.parts.get(*i).and_then(|p| p.legend.clone()).filter(|l| !l.contains("{{"))
                    }
                    Source::Label(_) => None,
                };
                let usual = if matches!(source, Source::Value(_)) && name == "Value" {
                    self.words().value.to_owned()
                } else {
                    name
                };
                (spec.and_then(|c| c.label.clone()).or(own).unwrap_or(usual), source, spec)
            })
            .collect()
    }

    fn sort(&self, grid: &mut Grid, columns: &[(String, Source, Option<&Column>)]) {
        let Some(sort) = &self.panel.sort else { return };
        let by_heading = columns.iter().find(|(heading, _, _)| *heading == sort.by).map(|(_, source, _)| source);
        let value = match by_heading {
            Some(Source::Value(i)) => Some(*i),
            Some(Source::Label(_)) => None,
            None => grid.values.iter().position(|v| *v == sort.by),
        };
        let label = match by_heading {
            Some(Source::Label(name)) => name.as_str(),
            _ => sort.by.as_str(),
        };
        let number = |row: &(Labels, Vec<Option<f64>>), i: usize| {
            row.1.get(i).copied().flatten().filter(|v| !v.is_nan()).unwrap_or(f64::NEG_INFINITY)
        };
        let order = |a: &(Labels, Vec<Option<f64>>), b: &(Labels, Vec<Option<f64>>)| -> Ordering {
            match value {
                Some(i) => number(a, i).total_cmp(&number(b, i)),
                None => a.0.get(label).cmp(&b.0.get(label)),
            }
        };
        grid.rows.sort_by(|a, b| if sort.descending { order(b, a) } else { order(a, b) });
    }
}
