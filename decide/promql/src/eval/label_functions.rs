//! `label_replace` and `label_join`. Pure.

use kernel::Labels;
use kernel::labels::METRIC_NAME;
use regex::Regex;

use super::EvalError;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::Merged;
use crate::syntax::ast::{Call, Expr, Text};
use crate::syntax::span::Span;

/// Bytes of a label that a function makes: functions within functions may double it each time.
const LABEL_BYTES: usize = 64 << 10;
/// Bytes that may be made before they are counted.
const MADE_BYTES: usize = 1 << 20;

fn checked_name<'t>(text: &'t Text, what: &str, span: Span) -> Result<&'t str> {
    if text.bytes.is_none() && !text.value.is_empty() {
        return Ok(&text.value);
    }
    Err(EvalError::invalid(span, format!("invalid {what}: {}", text.value)))
}

impl Engine<'_> {
    pub(super) fn label_replace_lines(&self, c: &Call, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let [_, target, replacement, source, pattern] = &c.args[..] else {
            return Err(EvalError::invalid(span, "label_replace needs five arguments"));
        };
        let to = checked_name(self.string(target)?, "destination label name in label_replace()", target.span)?;
        let (replacement, source) = (&self.string(replacement)?.value, &self.string(source)?.value);
        let compiled;
        let regex: &Regex = match &c.regex {
            Some(regex) => regex,
            None => {
                let pattern_text = &self.string(pattern)?.value;
                compiled = kernel::re2::anchored(pattern_text).map_err(|_| {
                    let message = format!("invalid regular expression in label_replace(): {pattern_text}");
                    EvalError::invalid(pattern.span, message)
                })?;
                &compiled
            }
        };
        let replaced = |labels: &Labels| {
            let source = labels.get(source).unwrap_or_default();
            let found = regex.captures(source)?;
            // What is put in for each `$` is at most the whole source.
            if replacement.matches('$').count().saturating_mul(source.len()) > MADE_BYTES {
                return Some(None);
            }
            let mut value = String::new();
            found.expand(replacement, &mut value);
            Some((value.len() <= LABEL_BYTES).then(|| labels.with(to, &value)))
        };
        self.relabelled(&c.args[0], to, span, grid, &replaced, sink)
    }

    pub(super) fn label_join_lines(&self, c: &Call, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let [_, target, separator, sources @ ..] = &c.args[..] else {
            return Err(EvalError::invalid(span, "label_join needs a label and a separator"));
        };
        let to = checked_name(self.string(target)?, "destination label name in label_join()", target.span)?;
        let separator = &self.string(separator)?.value;
        let sources: Vec<&str> = sources
            .iter()
            .map(|s| checked_name(self.string(s)?, "source label name in label_join()", s.span))
            .collect::<Result<_>>()?;
        let joined = |labels: &Labels| {
            let values: Vec<&str> = sources.iter().map(|s| labels.get(s).unwrap_or_default()).collect();
            let bytes = values.iter().map(|v| v.len() + separator.len()).sum::<usize>();
            Some((bytes <= LABEL_BYTES).then(|| labels.with(to, &values.join(separator))))
        };
        self.relabelled(&c.args[0], to, span, grid, &joined, sink)
    }

    /// Series with new labels, where there are any; inside, `None` says that one would be too long. A name that was set on purpose is not
    /// dropped.
    fn relabelled(
        &self,
        expr: &Expr,
        target: &str,
        span: Span,
        grid: Grid,
        relabel: &dyn Fn(&Labels) -> Option<Option<Labels>>,
        sink: Sink<'_>,
    ) -> Result<()> {
        let mut merged = Merged::default();
        self.lines(expr, grid, &mut |mut line| {
            self.hold_line(&line)?;
            if let Some(labels) = relabel(&line.labels) {
                let (what, limit) = ("would make a label too long", LABEL_BYTES as u64);
                let labels = labels.ok_or(EvalError::Limit { what, limit, advice: "take less of other labels" })?;
                self.hold(labels.get(target).unwrap_or_default().len() / size_of::<f64>())?;
                line.labels = labels;
                line.drop_name &= target != METRIC_NAME;
            }
            merged.add(line, span)
        })?;
        merged.into_lines().try_for_each(sink)
    }
}
