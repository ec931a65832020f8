//! The tree back to text: a canonical form that parses to the same tree. Pure.

use std::fmt::{self, Write as _};

use kernel::labels::METRIC_NAME;
use kernel::series::{MatchOp, Matcher};

use super::ast::{
    Aggregate, At, Binary, Call, Duration, DurationKind, Expr, ExprKind, Extend, Group, Matching, Number, Selector,
    Shift, Sign, Subquery, Text,
};
use super::literal::{format_number, quote};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(n) => n.fmt(f),
            ExprKind::String(s) => s.fmt(f),
            ExprKind::Selector(s) => write!(f, "{}{}{}", Plain(s), ExtendWord(s.extend), s.shift),
            ExprKind::Range(r) => {
                let s = &r.selector;
                write!(f, "{}[{}]{}{}", Plain(s), Whole(&r.range), ExtendWord(s.extend), s.shift)
            }
            ExprKind::Subquery(s) => {
                write!(f, "{}{}", s.expr, SubqueryEnd(s))
            }
            ExprKind::Unary(sign, e) => write!(f, "{sign}{e}"),
            ExprKind::Binary(b) => b.fmt(f),
            ExprKind::Aggregate(a) => a.fmt(f),
            ExprKind::Call(c) => c.fmt(f),
            ExprKind::Paren(e) => write!(f, "({e})"),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.duration.then(|| duration_text(self.value)).flatten() {
            Some(text) => f.write_str(&text),
            None => f.write_str(&format_number(self.value)),
        }
    }
}

/// Seconds as a duration literal, if they are whole milliseconds.
fn duration_text(seconds: f64) -> Option<String> {
    let ms = (seconds * 1000.0).round();
    if ms / 1000.0 != seconds || ms.abs() > 9.2e15 {
        return None;
    }
    let mut out = String::new();
    if ms < 0.0 {
        out.push('-');
    }
    let mut rest = ms.abs() as u64;
    if rest == 0 {
        return Some("0s".to_owned());
    }
    // Years and weeks only where they divide the whole, as Prometheus prints them.
    for (unit, size, exact) in [
        ("y", 31_536_000_000, true),
        ("w", 604_800_000, true),
        ("d", 86_400_000, false),
        ("h", 3_600_000, false),
        ("m", 60_000, false),
        ("s", 1000, false),
        ("ms", 1, false),
    ] {
        if (exact && !rest.is_multiple_of(size)) || rest < size {
            continue;
        }
        let _ = write!(out, "{}{unit}", rest / size);
        rest %= size;
    }
    Some(out)
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote(self.bytes.as_deref().unwrap_or(self.value.as_bytes())))
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Plus { "+" } else { "-" })
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            None => {}
            Some(At::Start) => f.write_str(" @ start()")?,
            Some(At::End) => f.write_str(" @ end()")?,
            Some(At::Time(ms)) => {
                let sign = if ms < 0 { "-" } else { "" };
                let ms = ms.unsigned_abs();
                write!(f, " @ {sign}{}.{:03}", ms / 1000, ms % 1000)?;
            }
        }
        match &self.offset {
            Some(d) => write!(f, " offset {}", Whole(d)),
            None => Ok(()),
        }
    }
}

/// What stands behind the expression of a subquery.
pub(super) struct SubqueryEnd<'a>(pub(super) &'a Subquery);

impl fmt::Display for SubqueryEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:", Whole(&self.0.range))?;
        if let Some(step) = &self.0.step {
            Whole(step).fmt(f)?;
        }
        write!(f, "]{}", self.0.shift)
    }
}

/// A whole range, step or offset: numbers in it are durations too (`[90]` is `[1m30s]`).
struct Whole<'a>(&'a Duration);

impl fmt::Display for Whole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            DurationKind::Literal(n) => Number { duration: true, ..*n }.fmt(f),
            DurationKind::Signed(Sign::Plus, d) => Whole(d).fmt(f),
            DurationKind::Signed(sign, d) => write!(f, "{sign}{}", Whole(d)),
            _ => self.0.fmt(f),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DurationKind::Literal(n) => n.fmt(f),
            DurationKind::Step => f.write_str("step()"),
            DurationKind::Range => f.write_str("range()"),
            // As in Prometheus, a plus says nothing.
            DurationKind::Signed(Sign::Plus, d) => d.fmt(f),
            DurationKind::Signed(sign, d) => write!(f, "{sign}{d}"),
            DurationKind::Binary(op, a, b) => write!(f, "{a} {} {b}", op.symbol()),
            DurationKind::Min(a, b) => write!(f, "min_of({a}, {b})"),
            DurationKind::Max(a, b) => write!(f, "max_of({a}, {b})"),
            DurationKind::Paren(d) => write!(f, "({d})"),
        }
    }
}

struct ExtendWord(Option<Extend>);

impl fmt::Display for ExtendWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "",
            Some(Extend::Anchored) => " anchored",
            Some(Extend::Smoothed) => " smoothed",
        })
    }
}

/// A selector without its modifiers.
struct Plain<'a>(&'a Selector);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0;
        let is_name = |m: &&Matcher| &*m.name == METRIC_NAME;
        // Before the braces stands the only condition on the name.
        let bare =
            s.name.as_deref().filter(|name| is_metric_name(name) && s.matchers.iter().filter(is_name).count() == 1);
        f.write_str(bare.unwrap_or_default())?;
        let written = s.matchers.iter().filter(|m| bare.is_none() || !is_name(m));
        let mut inside: Vec<String> = written.map(matcher_text).collect();
        inside.sort();
        if inside.is_empty() && bare.is_some() {
            return Ok(());
        }
        write!(f, "{{{}}}", inside.join(","))
    }
}

fn matcher_text(m: &Matcher) -> String {
    let op = match m.op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Regex => "=~",
        MatchOp::NotRegex => "!~",
    };
    format!("{}{op}{}", label_text(&m.name), quote(m.value.as_bytes()))
}

fn is_label_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(word)
}

fn is_metric_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b':';
    super::token::may_name_metric(name)
        && !name.is_empty()
        && !name.as_bytes()[0].is_ascii_digit()
        && name.bytes().all(word)
}

fn label_text(name: &str) -> String {
    if is_label_name(name) { name.to_owned() } else { quote(name.as_bytes()) }
}

fn label_list(labels: &[String]) -> String {
    labels.iter().map(|l| label_text(l)).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, binary_head(self), self.right)
    }
}

/// The operator with its modifiers.
pub(super) fn binary_head(b: &Binary) -> String {
    format!("{}{}{}", b.op.symbol(), if b.bool_modifier { " bool" } else { "" }, b.matching)
}

/// An aggregation up to its opening parenthesis.
pub(super) fn aggregate_head(a: &Aggregate) -> String {
    let (name, labels) = (a.op.name(), label_list(&a.grouping.labels));
    if a.grouping.without {
        format!("{name} without ({labels}) ")
    } else if !labels.is_empty() {
        format!("{name} by ({labels}) ")
    } else {
        name.to_owned()
    }
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.labels.as_deref().unwrap_or_default();
        if self.on || !labels.is_empty() || self.group != Group::None {
            write!(f, " {} ({})", if self.on { "on" } else { "ignoring" }, label_list(labels))?;
        }
        match self.group {
            Group::None => {}
            Group::Left => write!(f, " group_left ({})", label_list(&self.include))?,
            Group::Right => write!(f, " group_right ({})", label_list(&self.include))?,
        }
        match (self.fill_left, self.fill_right) {
            (Some(l), Some(r)) if l == r => return write!(f, " fill ({})", format_number(l)),
            _ => {}
        }
        if let Some(v) = self.fill_left {
            write!(f, " fill_left ({})", format_number(v))?;
        }
        if let Some(v) = self.fill_right {
            write!(f, " fill_right ({})", format_number(v))?;
        }
        Ok(())
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&aggregate_head(self))?;
        match &self.param {
            Some(param) => write!(f, "({param}, {})", self.expr),
            None => write!(f, "({})", self.expr),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name)?;
        for (i, arg) in self.args.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            arg.fmt(f)?;
        }
        f.write_str(")")
    }
}
