//! Test files of rules as they are written. Pure.

use kernel::{Duration, Timestamp};
use plan_syntax::{Map, Node};

use super::super::prometheus::yaml::{Decoder, Document};

/// How often groups are evaluated where a file does not say it.
const EVALUATION_INTERVAL: Duration = Duration::from_mins(1);

/// A test file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestFile {
    /// Rule files, relative to the test file; may be globs.
    pub rule_files: Vec<String>,
    /// How often groups are evaluated.
    pub evaluation_interval: Duration,
    /// Groups by name in the order of their evaluation; those that are not named come first.
    pub group_eval_order: Vec<String>,
    /// Whether numbers may differ in their last bit.
    pub fuzzy_compare: bool,
    /// The tests.
    pub tests: Vec<TestGroup>,
}

/// Series and what is expected of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestGroup {
    /// Its name, may be empty.
    pub name: String,
    /// The distance of the series' samples.
    pub interval: Duration,
    /// When it begins.
    pub start: Timestamp,
    /// The series.
    pub input: Vec<InputSeries>,
    /// What alerts fire when.
    pub alerts: Vec<AlertTest>,
    /// What expressions give when.
    pub expressions: Vec<ExprTest>,
    /// Labels of the server, for templates.
    pub external_labels: Vec<(String, String)>,
    /// Address of the server, for templates.
    pub external_url: String,
}

/// A series in the notation of [`decide_promql::notation`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputSeries {
    /// Name and labels.
    pub series: String,
    /// Values.
    pub values: String,
}

/// The alerts of one rule that fire at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertTest {
    /// When, after the start.
    pub eval_time: Duration,
    /// Of which group's rules; `""` for those of all groups.
    pub groupname: String,
    /// Of which rules.
    pub alertname: String,
    /// All of them.
    pub expected: Vec<ExpectedAlert>,
}

/// An alert that fires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedAlert {
    /// Its labels without `alertname`.
    pub labels: Vec<(String, String)>,
    /// Its annotations.
    pub annotations: Vec<(String, String)>,
}

/// What an expression gives at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExprTest {
    /// PromQL.
    pub expr: String,
    /// When, after the start.
    pub eval_time: Duration,
    /// All samples.
    pub expected: Vec<ExpectedSample>,
}

/// A sample that is given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedSample {
    /// Its series, in the notation.
    pub labels: String,
    /// Its number.
    pub value: f64,
    /// Its histogram in the notation; `""` for a number.
    pub histogram: String,
}

/// Reads a test file; `lenient` takes keys that are not known.
///
/// # Errors
/// What is wrong with it, in the words of Go's YAML package.
pub fn read_test_file(text: &str, lenient: bool) -> Result<TestFile, String> {
    let document = Document::read(text);
    if let Some(broken) = document.broken {
        return Err(broken);
    }
    let mut reader = Reader { decoder: document.decoder(!lenient), problem: None };
    let mut file = document.root.as_ref().map(|root| reader.file(root)).unwrap_or_default();
    if let Some(problem) = reader.decoder.finish().or(reader.problem) {
        return Err(problem);
    }
    if file.evaluation_interval == Duration::ZERO {
        file.evaluation_interval = EVALUATION_INTERVAL;
    }
    Ok(file)
}

struct Reader<'d> {
    decoder: Decoder<'d>,
    problem: Option<String>,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node) -> TestFile {
        const KEYS: [&str; 5] = ["rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"];
        let Some(map) = self.decoder.map(root, "main.unitTestFile", &KEYS) else { return TestFile::default() };
        TestFile {
            rule_files: self.decoder.strings(map, "rule_files"),
            evaluation_interval: self.decoder.duration(map, "evaluation_interval").unwrap_or_default(),
            group_eval_order: self.decoder.strings(map, "group_eval_order"),
            fuzzy_compare: self.decoder.boolean(map, "fuzzy_compare"),
            tests: self.each(map, "tests", "[]main.testGroup", Self::test),
        }
    }

    fn each<T>(&mut self, map: &Map, key: &str, what: &str, read: impl Fn(&mut Self, &Node) -> T) -> Vec<T> {
        let nodes: Vec<Node> = self.decoder.list(map, key, what).to_vec();
        nodes.iter().map(|node| read(self, node)).collect()
    }

    fn test(&mut self, node: &Node) -> TestGroup {
        const KEYS: [&str; 8] = [
            "interval",
            "input_series",
            "alert_rule_test",
            "promql_expr_test",
            "external_labels",
            "external_url",
            "name",
            "start_timestamp",
        ];
        let Some(map) = self.decoder.map(node, "main.testGroup", &KEYS) else { return TestGroup::default() };
        TestGroup {
            name: self.decoder.text(map, "name"),
            interval: self.decoder.duration(map, "interval").unwrap_or_default(),
            start: self.start(map),
            input: self.each(map, "input_series", "[]main.series", Self::series),
            alerts: self.each(map, "alert_rule_test", "[]main.alertTestCase", Self::alert_test),
            expressions: self.each(map, "promql_expr_test", "[]main.promqlTestCase", Self::expr_test),
            external_labels: self.decoder.texts(map, "external_labels"),
            external_url: self.decoder.text(map, "external_url"),
        }
    }

    /// Seconds since the epoch, or RFC 3339.
    fn start(&mut self, map: &Map) -> Timestamp {
        let text = self.decoder.text(map, "start_timestamp");
        let seconds = text.parse::<f64>().ok().filter(|s| s.is_finite() && s.abs() < 9e12);
        match seconds {
            Some(seconds) => Timestamp::from_millis((seconds * 1e3) as i64),
            None if text.is_empty() => Timestamp::default(),
            None => Timestamp::parse(&text).unwrap_or_else(|_| {
                self.problem.get_or_insert_with(|| format!("cannot parse {text:?} to a valid timestamp"));
                Timestamp::default()
            }),
        }
    }

    fn series(&mut self, node: &Node) -> InputSeries {
        let Some(map) = self.decoder.map(node, "main.series", &["series", "values"]) else {
            return InputSeries::default();
        };
        InputSeries { series: self.decoder.text(map, "series"), values: self.decoder.text(map, "values") }
    }

    fn alert_test(&mut self, node: &Node) -> AlertTest {
        const KEYS: [&str; 4] = ["eval_time", "groupname", "alertname", "exp_alerts"];
        let Some(map) = self.decoder.map(node, "main.alertTestCase", &KEYS) else { return AlertTest::default() };
        AlertTest {
            eval_time: self.decoder.duration(map, "eval_time").unwrap_or_default(),
            groupname: self.decoder.text(map, "groupname"),
            alertname: self.decoder.text(map, "alertname"),
            expected: self.each(map, "exp_alerts", "[]main.alert", Self::alert),
        }
    }

    fn alert(&mut self, node: &Node) -> ExpectedAlert {
        let Some(map) = self.decoder.map(node, "main.alert", &["exp_labels", "exp_annotations"]) else {
            return ExpectedAlert::default();
        };
        ExpectedAlert {
            labels: self.decoder.texts(map, "exp_labels"),
            annotations: self.decoder.texts(map, "exp_annotations"),
        }
    }

    fn expr_test(&mut self, node: &Node) -> ExprTest {
        const KEYS: [&str; 3] = ["expr", "eval_time", "exp_samples"];
        let Some(map) = self.decoder.map(node, "main.promqlTestCase", &KEYS) else { return ExprTest::default() };
        ExprTest {
            expr: self.decoder.text(map, "expr"),
            eval_time: self.decoder.duration(map, "eval_time").unwrap_or_default(),
            expected: self.each(map, "exp_samples", "[]main.sample", Self::sample),
        }
    }

    fn sample(&mut self, node: &Node) -> ExpectedSample {
        let Some(map) = self.decoder.map(node, "main.sample", &["labels", "value", "histogram"]) else {
            return ExpectedSample::default();
        };
        ExpectedSample {
            labels: self.decoder.text(map, "labels"),
            value: self.decoder.number(map, "value"),
            histogram: self.decoder.text(map, "histogram"),
        }
    }
}
