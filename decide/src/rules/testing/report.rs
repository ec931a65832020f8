//! What was expected and what was found, as promtool shows it. Pure.

use kernel::Labels;
use kernel::series::{BucketSpan, CounterReset, Histogram, Point};

use super::file::ExpectedSample;
use super::{Showing, Tested};
use crate::rules::template::format::float;

/// An alert as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    pub(super) labels: Labels,
    pub(super) annotations: Labels,
}

/// Labels as Go prints them: all in braces.
fn braces(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

impl Told {
    fn lines(&self) -> [String; 2] {
        [format!("Labels:{}", braces(&self.labels)), format!("Annotations:{}", braces(&self.annotations))]
    }
}

/// What is wrong with the alerts of a rule.
pub(super) fn compare_alerts(
    head: &str,
    mut expected: Vec<Told>,
    mut found: Vec<Told>,
    showing: Showing,
) -> Option<String> {
    expected.sort();
    found.sort();
    if expected == found {
        return None;
    }
    let indent = " ".repeat(12);
    if showing.diff {
        let lines = difference(&flat(&expected), &flat(&found));
        let shown: Vec<String> = lines.into_iter().map(|line| format!("\n{indent}{line}")).collect();
        return Some(format!("{head}        diff:{}", shown.concat()));
    }
    let (expected, found) = (list(&expected, &indent), list(&found, &indent));
    Some(format!("{head}        exp:{expected}, \n        got:{found}"))
}

/// Alerts with their numbers, each part on a line of its own.
fn list(all: &[Told], indent: &str) -> String {
    if all.is_empty() {
        return "[]".to_owned();
    }
    let item = |(number, told): (usize, &Told)| {
        let [labels, annotations] = told.lines();
        format!("\n{indent}{number}:\n{indent}  {labels}\n{indent}  {annotations}")
    };
    let items: Vec<String> = all.iter().enumerate().map(item).collect();
    format!("[{}\n{indent}]", items.join(","))
}

/// One line for each label and annotation.
fn flat(all: &[Told]) -> Vec<String> {
    let mut out = Vec::new();
    for (number, told) in all.iter().enumerate() {
        out.push(format!("{number}:"));
        for (what, pairs) in [("Labels", &told.labels), ("Annotations", &told.annotations)] {
            out.push(format!("  {what}:"));
            out.extend(pairs.iter().map(|(name, value)| format!("    {name}={value:?}")));
        }
    }
    out
}

/// Lines that stayed (two blanks), are missing (`- `) and are too much (`+ `).
fn difference(expected: &[String], found: &[String]) -> Vec<String> {
    // Longest common subsequence; alerts have few lines.
    let (n, m) = (expected.len(), found.len());
    let mut common = vec![vec![0usize; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            common[i][j] = match expected[i] == found[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < n || j < m {
        if i < n && j < m && expected[i] == found[j] {
            out.push(format!("  {}", expected[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < n && (j == m || common[i + 1][j] >= common[i][j + 1]) {
            out.push(format!("- {}", expected[i]));
            i += 1;
        } else {
            out.push(format!("+ {}", found[j]));
            j += 1;
        }
    }
    out
}

/// A sample as it is compared: histograms as texts.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    labels: Labels,
    value: f64,
    histogram: String,
}

impl Sample {
    pub(super) fn new(labels: Labels, value: &Point) -> Self {
        match value {
            Point::Float(v) => Self { labels, value: *v, histogram: String::new() },
            Point::Histogram(h) => Self { labels, value: 0.0, histogram: histogram_text(h) },
        }
    }

    /// What a test file expects.
    pub(super) fn expected(of: &ExpectedSample) -> Result<Self, String> {
        let wrong = |error: String| format!("labels {:?}: {error}", of.labels);
        let (labels, rest) = decide_promql::notation::labels(of.labels.trim()).map_err(|e| wrong(e.to_string()))?;
        if !rest.trim().is_empty() {
            return Err(wrong(format!("unexpected {rest:?} after the labels")));
        }
        if of.histogram.is_empty() {
            return Ok(Self { labels, value: of.value, histogram: String::new() });
        }
        let values = decide_promql::notation::values(&of.histogram).map_err(|e| wrong(e.to_string()))?;
        match values.as_slice() {
            [Some(Point::Histogram(h))] => Ok(Self { labels, value: of.value, histogram: histogram_text(h) }),
            [_] => Err(wrong(format!("expected histogram, got {}", of.histogram))),
            all => Err(wrong(format!("expected 1 value, got {}", all.len()))),
        }
    }

    fn is_same(&self, other: &Self, fuzzy: bool) -> bool {
        let near = |a: f64, b: f64| a == b || a.next_up() == b || a.next_down() == b;
        let value = if fuzzy { near(self.value, other.value) } else { self.value == other.value };
        value && (&self.labels, &self.histogram) == (&other.labels, &other.histogram)
    }

    fn text(&self) -> String {
        match self.histogram.as_str() {
            "" => format!("{} {}", braces(&self.labels), float(self.value, 'e', None).replace('e', "E")),
            histogram => format!("{} {histogram}", braces(&self.labels)),
        }
    }
}

/// What is wrong with the samples of an expression.
pub(super) fn compare_samples(
    head: &str,
    mut expected: Vec<Sample>,
    mut found: Vec<Sample>,
    fuzzy: bool,
) -> Option<String> {
    expected.sort_by(|a, b| a.labels.cmp(&b.labels));
    found.sort_by(|a, b| a.labels.cmp(&b.labels));
    let same = expected.len() == found.len() && expected.iter().zip(&found).all(|(a, b)| a.is_same(b, fuzzy));
    let text = |all: &[Sample]| match all {
        [] => "nil".to_owned(),
        all => all.iter().map(Sample::text).collect::<Vec<_>>().join(", "),
    };
    (!same).then(|| format!("{head}\n        exp: {}\n        got: {}", text(&expected), text(&found)))
}

/// A histogram in the notation of tests, without empty buckets at its ends.
fn histogram_text(h: &Histogram) -> String {
    let number = |v: f64| float(v, 'g', None);
    let mut parts = Vec::new();
    if h.schema != 0 {
        parts.push(format!("schema:{}", h.schema));
    }
    for (name, value) in
        [("count", h.count), ("sum", h.sum), ("z_bucket", h.zero_count), ("z_bucket_w", h.zero_threshold)]
    {
        if value != 0.0 {
            parts.push(format!("{name}:{}", number(value)));
        }
    }
    if h.has_custom_bounds() {
        let bounds: Vec<String> = h.custom_bounds.iter().map(|b| number(*b)).collect();
        parts.push(format!("custom_values:[{}]", bounds.join(" ")));
    }
    match h.reset {
        CounterReset::Unknown => {}
        CounterReset::Reset => parts.push("counter_reset_hint:reset".to_owned()),
        CounterReset::NotReset => parts.push("counter_reset_hint:not_reset".to_owned()),
        CounterReset::Gauge => parts.push("counter_reset_hint:gauge".to_owned()),
    }
    for (prefix, spans, buckets) in
        [("", &h.positive_spans, &h.positive_buckets), ("n_", &h.negative_spans, &h.negative_buckets)]
    {
        let Some((offset, counts)) = dense(spans, buckets) else { continue };
        if offset != 0 {
            parts.push(format!("{prefix}offset:{offset}"));
        }
        let counts: Vec<String> = counts.into_iter().map(number).collect();
        parts.push(format!("{prefix}buckets:[{}]", counts.join(" ")));
    }
    format!("{{{{{}}}}}", parts.join(" "))
}

/// Buckets in one span from the first to the last with observations; `None` where there is none.
fn dense(spans: &[BucketSpan], buckets: &[f64]) -> Option<(i64, Vec<f64>)> {
    let mut at = 0i64;
    let mut filled: Vec<(i64, f64)> = Vec::new();
    let mut counts = buckets.iter();
    for span in spans {
        at += i64::from(span.offset);
        for count in counts.by_ref().take(span.length as usize) {
            if *count != 0.0 {
                filled.push((at, *count));
            }
            at += 1;
        }
    }
    let (first, last) = (filled.first()?.0, filled.last()?.0);
    let mut out = vec![0.0; usize::try_from(last - first + 1).ok()?];
    for (index, count) in filled {
        out[usize::try_from(index - first).ok()?] = count;
    }
    Some((first, out))
}

/// Tests that were run, file by file, as JUnit's XML.
pub fn junit(files: &[(String, Vec<Tested>)]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (file, tests) in files {
        let failed = tests.iter().filter(|t| !t.failures.is_empty()).count();
        let head = format!("name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\"", escaped(file), tests.len());
        out.push_str(&format!("  <testsuite {head}>\n"));
        for test in tests {
            let name = escaped(&test.name);
            if test.failures.is_empty() {
                out.push_str(&format!("    <testcase name=\"{name}\"/>\n"));
                continue;
            }
            out.push_str(&format!("    <testcase name=\"{name}\">\n"));
            for failure in &test.failures {
                let message = escaped(failure.trim().lines().next().unwrap_or_default());
                out.push_str(&format!("      <failure message=\"{message}\">{}</failure>\n", escaped(failure)));
            }
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A text inside of XML; what XML cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
