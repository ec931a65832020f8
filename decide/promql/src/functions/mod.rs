//! The functions of PromQL: names, types, and the code of each family. Pure.

pub(crate) mod dates;
pub(crate) mod histogram;
pub(crate) mod kahan;
pub(crate) mod math;
pub(crate) mod native;
pub(crate) mod native_quantile;
pub(crate) mod over_time;
pub(crate) mod quantile;
pub(crate) mod rates;
pub(crate) mod regression;
mod table;
pub(crate) mod window;

use kernel::series::Histogram;
use regex::Regex;

use crate::syntax::ast::{Expr, ExprKind, ValueType};
use window::Window;

/// A function: its name, its types and what it does.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The kind of value it gives.
    pub returns: ValueType,
    pub(crate) params: &'static [ValueType],
    /// How many of the last parameters may be left out.
    pub(crate) optional: usize,
    /// Whether the last parameter may be repeated.
    pub(crate) repeats: bool,
    pub(crate) kind: Kind,
}

/// What a function does, by the family that evaluates it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// One value to one value.
    Map(fn(f64) -> f64),
    /// One value and scalars to one value; `None` leaves the point out.
    MapWith(fn(f64, &[f64]) -> Option<f64>),
    /// The samples of a range and scalars to one value.
    Window {
        /// What it does with numbers.
        function: fn(&Window<'_>, &[f64]) -> Option<f64>,
        /// What it does where there are histograms.
        mixed: Mixed,
        keeps_name: bool,
    },
    /// `rate`, `increase`, `delta`.
    Rate(rates::Rate),
    /// A part of a date.
    Date(fn(dates::Date) -> f64),
    Absent,
    AbsentOverTime,
    Timestamp,
    StartTimestamp,
    Time,
    Pi,
    MinOf,
    MaxOf,
    QueryStart,
    QueryEnd,
    QueryStep,
    QueryRange,
    Scalar,
    Vector,
    Sort {
        descending: bool,
    },
    SortByLabel {
        descending: bool,
    },
    LabelReplace,
    LabelJoin,
    HistogramQuantile,
    HistogramQuantiles,
    HistogramFraction,
    /// One native histogram to one value; numbers are left out.
    Native(fn(&Histogram) -> f64),
    Info,
}

/// What a function over a range does with histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mixed {
    /// Leaves them out, and says so where there are numbers too.
    Ignore,
    /// Treats every sample alike.
    Count,
    Present,
    First,
    Last,
    TimeOfFirst,
    TimeOfLast,
    Sum,
    Average,
    Resets,
    Changes,
    InstantRate,
    InstantDelta,
}

impl Function {
    /// How it is called, for people: `round(instant vector[, scalar])`.
    pub fn signature(&self) -> String {
        let mut out = format!("{}(", self.name);
        let least = self.arity().0;
        for (i, param) in self.params.iter().enumerate() {
            out.push_str(if i >= least { "[" } else { "" });
            out.push_str(if i > 0 { ", " } else { "" });
            out.push_str(param.describe());
        }
        out.push_str(if self.repeats { ", …" } else { "" });
        out.push_str(&"]".repeat(self.optional));
        out.push(')');
        out
    }

    /// How many arguments at least and at most (`None`: any number).
    pub(crate) fn arity(&self) -> (usize, Option<usize>) {
        let least = self.params.len() - self.optional;
        (least, (!self.repeats).then_some(self.params.len()))
    }

    /// The type of an argument.
    pub(crate) fn param(&self, index: usize) -> ValueType {
        self.params.get(index).or(self.params.last()).copied().unwrap_or(ValueType::Scalar)
    }
}

/// All functions, by name.
pub fn all() -> &'static [Function] {
    table::FUNCTIONS
}

/// A function by its exact name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    table::FUNCTIONS.iter().find(|f| f.name == name)
}

/// The name most like a wrong one, for a hint.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    table::FUNCTIONS
        .iter()
        .map(|f| (distance(&lower, f.name), f.name))
        .filter(|(d, _)| *d <= 1 + lower.len() / 5)
        .min_by_key(|(d, _)| *d)
        .map(|(_, n)| n)
}

/// Levenshtein's distance between two short names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The anchored regular expression of `label_replace`, when it is one.
pub(crate) fn compiled_regex(function: &Function, args: &[Expr]) -> Option<Regex> {
    if !matches!(function.kind, Kind::LabelReplace) {
        return None;
    }
    match &args.get(4)?.unwrapped().kind {
        ExprKind::String(text) => kernel::re2::anchored(&text.value).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        for pair in all().windows(2) {
            assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn signatures() {
        let of = |name: &str| find(name).unwrap().signature();
        assert_eq!(of("rate"), "rate(range vector)");
        assert_eq!(of("round"), "round(instant vector[, scalar])");
        assert_eq!(of("pi"), "pi()");
    }

    #[test]
    fn hints() {
        assert_eq!(nearest("RATE"), Some("rate"));
        assert_eq!(nearest("histogram_quantil"), Some("histogram_quantile"));
        assert_eq!(nearest("nothing_like_it"), None);
    }
}
