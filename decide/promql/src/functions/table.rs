//! The table of all functions: adding one is adding a line. Pure.

use super::rates::Rate;
use super::{Function, Kind, Mixed, dates, math, native, over_time, rates, regression};
use crate::syntax::ast::ValueType::{self, Matrix, Scalar, String, Vector};
use kernel::series::Histogram;

const fn function(name: &'static str, params: &'static [ValueType], returns: ValueType, kind: Kind) -> Function {
    Function { name, returns, params, optional: 0, repeats: false, kind }
}

const fn optional(mut f: Function, optional: usize) -> Function {
    f.optional = optional;
    f
}

const fn repeats(mut f: Function, optional: usize) -> Function {
    f.repeats = true;
    f.optional = optional;
    f
}

const fn map(name: &'static str, f: fn(f64) -> f64) -> Function {
    function(name, &[Vector], Vector, Kind::Map(f))
}

const fn date(name: &'static str, f: fn(dates::Date) -> f64) -> Function {
    optional(function(name, &[Vector], Vector, Kind::Date(f)), 1)
}

type OfWindow = fn(&super::Window<'_>, &[f64]) -> Option<f64>;

/// A function over a range that leaves histograms out.
const fn range(name: &'static str, f: OfWindow) -> Function {
    range_with(name, &[Matrix], f)
}

const fn range_with(name: &'static str, params: &'static [ValueType], function: OfWindow) -> Function {
    function_(name, params, Kind::Window { function, mixed: Mixed::Ignore, keeps_name: false })
}

/// A function over a range with a meaning for histograms.
const fn mixed(name: &'static str, function: OfWindow, mixed: Mixed) -> Function {
    let keeps_name = matches!(mixed, Mixed::First | Mixed::Last);
    function_(name, &[Matrix], Kind::Window { function, mixed, keeps_name })
}

const fn function_(name: &'static str, params: &'static [ValueType], kind: Kind) -> Function {
    function(name, params, Vector, kind)
}

const fn native(name: &'static str, f: fn(&Histogram) -> f64) -> Function {
    function(name, &[Vector], Vector, Kind::Native(f))
}

/// Sorted by name.
pub(super) static FUNCTIONS: &[Function] = &[
    map("abs", f64::abs),
    function("absent", &[Vector], Vector, Kind::Absent),
    function("absent_over_time", &[Matrix], Vector, Kind::AbsentOverTime),
    map("acos", f64::acos),
    map("acosh", f64::acosh),
    map("asin", f64::asin),
    map("asinh", f64::asinh),
    map("atan", f64::atan),
    map("atanh", f64::atanh),
    mixed("avg_over_time", over_time::avg, Mixed::Average),
    map("ceil", f64::ceil),
    mixed("changes", rates::changes, Mixed::Changes),
    function("clamp", &[Vector, Scalar, Scalar], Vector, Kind::MapWith(math::clamp)),
    function("clamp_max", &[Vector, Scalar], Vector, Kind::MapWith(math::clamp_max)),
    function("clamp_min", &[Vector, Scalar], Vector, Kind::MapWith(math::clamp_min)),
    map("cos", f64::cos),
    map("cosh", f64::cosh),
    mixed("count_over_time", over_time::count, Mixed::Count),
    date("day_of_month", |d| d.day as f64),
    date("day_of_week", |d| d.weekday as f64),
    date("day_of_year", |d| d.day_of_year as f64),
    date("days_in_month", |d| d.days_in_month as f64),
    map("deg", f64::to_degrees),
    function("delta", &[Matrix], Vector, Kind::Rate(Rate::Delta)),
    range("deriv", regression::deriv),
    range_with("double_exponential_smoothing", &[Matrix, Scalar, Scalar], regression::double_exponential_smoothing),
    function("end", &[], Scalar, Kind::QueryEnd),
    map("exp", f64::exp),
    mixed("first_over_time", over_time::first, Mixed::First),
    map("floor", f64::floor),
    native("histogram_avg", native::average),
    native("histogram_count", native::count),
    function("histogram_fraction", &[Scalar, Scalar, Vector], Vector, Kind::HistogramFraction),
    function("histogram_quantile", &[Scalar, Vector], Vector, Kind::HistogramQuantile),
    repeats(function("histogram_quantiles", &[Vector, String, Scalar], Vector, Kind::HistogramQuantiles), 0),
    native("histogram_stddev", native::deviation),
    native("histogram_stdvar", native::variance),
    native("histogram_sum", native::sum),
    date("hour", |d| d.hour as f64),
    mixed("idelta", rates::idelta, Mixed::InstantDelta),
    function("increase", &[Matrix], Vector, Kind::Rate(Rate::Increase)),
    optional(function("info", &[Vector, Vector], Vector, Kind::Info), 1),
    optional(range_with("integral", &[Matrix, Scalar], over_time::integral), 1),
    mixed("irate", rates::irate, Mixed::InstantRate),
    repeats(function("label_join", &[Vector, String, String, String], Vector, Kind::LabelJoin), 1),
    function("label_replace", &[Vector, String, String, String, String], Vector, Kind::LabelReplace),
    mixed("last_over_time", over_time::last, Mixed::Last),
    map("ln", f64::ln),
    map("log10", f64::log10),
    map("log2", f64::log2),
    range("mad_over_time", over_time::mad),
    function("max_of", &[Scalar, Scalar], Scalar, Kind::MaxOf),
    range("max_over_time", over_time::max),
    function("min_of", &[Scalar, Scalar], Scalar, Kind::MinOf),
    range("min_over_time", over_time::min),
    date("minute", |d| d.minute as f64),
    date("month", |d| d.month as f64),
    function("pi", &[], Scalar, Kind::Pi),
    range_with("predict_linear", &[Matrix, Scalar], regression::predict_linear),
    mixed("present_over_time", over_time::present, Mixed::Present),
    range_with("quantile_over_time", &[Scalar, Matrix], over_time::quantile),
    map("rad", f64::to_radians),
    function("range", &[], Scalar, Kind::QueryRange),
    function("rate", &[Matrix], Vector, Kind::Rate(Rate::PerSecond)),
    mixed("resets", rates::resets, Mixed::Resets),
    optional(function("round", &[Vector, Scalar], Vector, Kind::MapWith(math::round)), 1),
    function("scalar", &[Vector], Scalar, Kind::Scalar),
    map("sgn", math::sgn),
    map("sin", f64::sin),
    map("sinh", f64::sinh),
    function("sort", &[Vector], Vector, Kind::Sort { descending: false }),
    repeats(function("sort_by_label", &[Vector, String], Vector, Kind::SortByLabel { descending: false }), 1),
    repeats(function("sort_by_label_desc", &[Vector, String], Vector, Kind::SortByLabel { descending: true }), 1),
    function("sort_desc", &[Vector], Vector, Kind::Sort { descending: true }),
    map("sqrt", f64::sqrt),
    function("start", &[], Scalar, Kind::QueryStart),
    function("start_timestamp", &[Vector], Vector, Kind::StartTimestamp),
    range("stddev_over_time", over_time::stddev),
    range("stdvar_over_time", over_time::stdvar),
    function("step", &[], Scalar, Kind::QueryStep),
    mixed("sum_over_time", over_time::sum, Mixed::Sum),
    map("tan", f64::tan),
    map("tanh", f64::tanh),
    function("time", &[], Scalar, Kind::Time),
    function("timestamp", &[Vector], Vector, Kind::Timestamp),
    mixed("ts_of_first_over_time", over_time::ts_of_first, Mixed::TimeOfFirst),
    mixed("ts_of_last_over_time", over_time::ts_of_last, Mixed::TimeOfLast),
    range("ts_of_max_over_time", over_time::ts_of_max),
    range("ts_of_min_over_time", over_time::ts_of_min),
    function("vector", &[Scalar], Vector, Kind::Vector),
    date("year", |d| d.year as f64),
];
