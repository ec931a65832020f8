//! What an HTTP answer must be, compiled once, and all reasons why it is not. Pure.

use http::HeaderName;
use plan_model::check::net::{HttpExpect, StatusRange};
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::exchange::Answer;
use crate::probe::PrepareError;

/// A pattern may compile to at most this many bytes: a plan must not be able to use up the memory.
const REGEX_LIMIT_BYTES: usize = 1 << 20;

/// Of a value found instead of the expected one at most this many bytes are shown.
const SHOWN_VALUE_BYTES: usize = 200;

/// What an answer must be.
#[derive(Debug)]
pub(super) struct Expectation {
    status: Vec<StatusRange>,
    contains: Option<String>,
    not_contains: Option<String>,
    regex: Option<Regex>,
    json: Vec<(JsonPath, Value)>,
    headers: Vec<(HeaderName, Regex)>,
}

/// All reasons why an answer is not accepted.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Failures {
    pub(super) reasons: Vec<String>,
    /// Whether a pattern on body or headers is among them: blackbox_exporter's `probe_failed_due_to_regex`.
    pub(super) by_pattern: bool,
}

impl Expectation {
    /// Compiles the patterns and paths.
    pub(super) fn prepare(expect: &HttpExpect) -> Result<Self, PrepareError> {
        let mut json = Vec::with_capacity(expect.json.len());
        for (path, value) in &expect.json {
            let bad = |e| PrepareError::unusable("http.expect.json", format!("`{path}` is no JSON path: {e}"));
            json.push((JsonPath::parse(path).map_err(bad)?, value.clone()));
        }
        let mut headers = Vec::with_capacity(expect.headers.len());
        for (name, pattern) in &expect.headers {
            let bad =
                |e| PrepareError::unusable("http.expect.headers", format!("`{name}` is no name of a header: {e}"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(bad)?;
            headers.push((name, compile("http.expect.headers", pattern)?));
        }
        Ok(Self {
            status: expect.status.clone(),
            contains: expect.contains.clone(),
            not_contains: expect.not_contains.clone(),
            regex: expect.regex.as_deref().map(|p| compile("http.expect.regex", p)).transpose()?,
            json,
            headers,
        })
    }

    /// Whether more than the evidence has to be kept of the body.
    pub(super) const fn needs_body(&self) -> bool {
        self.contains.is_some() || self.not_contains.is_some() || self.regex.is_some() || !self.json.is_empty()
    }

    /// All reasons why the answer is not accepted; none when it is.
    pub(super) fn judge(&self, answer: &Answer) -> Failures {
        let mut failures = Failures::default();
        if let Some(reason) = self.judge_status(answer.status().as_u16()) {
            failures.reasons.push(reason);
        }
        let by_status = failures.reasons.len();
        self.judge_headers(answer, &mut failures.reasons);
        if self.needs_body() {
            self.judge_text(&String::from_utf8_lossy(answer.body()), &mut failures.reasons);
        }
        failures.by_pattern = failures.reasons.len() > by_status;
        self.judge_json(answer.body(), &mut failures.reasons);
        if answer.is_cut() && failures.reasons.len() > by_status && self.needs_body() {
            failures.reasons.push("the body was longer than what is read of it".to_owned());
        }
        failures
    }

    fn judge_status(&self, status: u16) -> Option<String> {
        if self.status.is_empty() {
            return (status >= 400).then(|| format!("status {status}"));
        }
        let wanted = || {
            let words = self.status.iter().map(|s| match s {
                StatusRange::Code(code) => code.to_string(),
                StatusRange::Class(class) => class.clone(),
            });
            words.collect::<Vec<_>>().join(" or ")
        };
        (!self.status.iter().any(|s| s.accepts(status))).then(|| format!("status {status} instead of {}", wanted()))
    }

    fn judge_headers(&self, answer: &Answer, reasons: &mut Vec<String>) {
        for (name, pattern) in &self.headers {
            let mut values = answer.headers().get_all(name).iter().peekable();
            if values.peek().is_none() {
                reasons.push(format!("the header {name} is missing"));
            } else if !values.any(|v| pattern.is_match(&String::from_utf8_lossy(v.as_bytes()))) {
                reasons.push(format!("the header {name} does not match `{pattern}`"));
            }
        }
    }

    fn judge_text(&self, body: &str, reasons: &mut Vec<String>) {
        if let Some(text) = self.contains.as_deref().filter(|t| !body.contains(t)) {
            reasons.push(format!("the body does not hold `{text}`"));
        }
        if let Some(text) = self.not_contains.as_deref().filter(|t| body.contains(t)) {
            reasons.push(format!("the body holds `{text}`"));
        }
        if let Some(regex) = self.regex.as_ref().filter(|r| !r.is_match(body)) {
            reasons.push(format!("the body does not match `{regex}`"));
        }
    }

    fn judge_json(&self, body: &[u8], reasons: &mut Vec<String>) {
        if self.json.is_empty() {
            return;
        }
        let json: Value = match serde_json::from_slice(body) {
            Ok(json) => json,
            Err(e) => return reasons.push(format!("the body is not JSON: {e}")),
        };
        for (path, expected) in &self.json {
            let found = path.query(&json).all();
            if found.is_empty() {
                reasons.push(format!("{path} is not in the body"));
            } else if let Some(other) = found.into_iter().find(|value| !is_same(value, expected)) {
                reasons.push(format!("{path} is {} instead of {expected}", shown(other)));
            }
        }
    }
}

/// Equal, numbers by their value: 1 and 1.0 are the same.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        _ => a == b,
    }
}

fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > SHOWN_VALUE_BYTES {
        let end = (0..=SHOWN_VALUE_BYTES).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn compile(setting: &'static str, pattern: &str) -> Result<Regex, PrepareError> {
    let compiled = RegexBuilder::new(pattern).size_limit(REGEX_LIMIT_BYTES).build();
    compiled.map_err(|e| PrepareError::unusable(setting, e))
}
