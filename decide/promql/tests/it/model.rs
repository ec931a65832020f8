//! A second evaluator: slow, and written from the language's documentation alone. Each time of a query is answered by itself, each series is
//! a list of samples that is walked from its start. It knows no columns, windows or groups, so it shares no mistake with the engine.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/basics/>, `operators`, `functions`

use std::collections::{BTreeMap, BTreeSet};

use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::is_stale;

/// A series and its samples.
pub(crate) type Data = Vec<(Labels, Vec<(i64, f64)>)>;
/// What a part gives at one time: labels with the name they came with, whether the name is to be dropped, the value.
type Vector = Vec<(Labels, bool, f64)>;
/// The language refuses to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;
type Answer = Result<Vector, Refused>;

/// A selector: the metric, an optional condition, how far back.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) name: &'static str,
    /// Only series whose label `i` is this one.
    pub(crate) i: Option<&'static str>,
    pub(crate) offset_s: i64,
    pub(crate) at: Option<&'static str>,
}

/// An expression whose value is a vector.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Select(Selector),
    OverRange(&'static str, Selector, i64),
    OverSubquery(&'static str, Box<Part>, i64, i64),
    Map(&'static str, Box<Part>),
    Fold(&'static str, &'static str, Box<Part>),
    WithNumber(Box<Part>, &'static str, bool, i32),
    Pair(Box<Part>, &'static str, bool, &'static str, Box<Part>),
    Set(Box<Part>, &'static str, &'static str, Box<Part>),
}

/// The times of a query, and how far back an instant selector looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) lookback: i64,
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(i) = self.i {
            write!(f, "{{i=\"{i}\"}}")?;
        }
        Ok(())
    }
}

impl Selector {
    fn shift(&self) -> String {
        let at = self.at.map(|at| format!(" @ {at}")).unwrap_or_default();
        if self.offset_s == 0 { at } else { format!("{at} offset {}s", self.offset_s) }
    }

    /// The time that is meant.
    fn time(&self, t: i64, times: Times) -> i64 {
        let t = match self.at {
            Some("start()") => times.start,
            Some("end()") => times.end,
            Some(seconds) => seconds.parse::<i64>().unwrap() * 1000,
            None => t,
        };
        t - self.offset_s * 1000
    }

    fn matches(&self, labels: &Labels) -> bool {
        labels.name() == self.name && self.i.is_none_or(|i| labels.get("i") == Some(i))
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |is_bool: bool| if is_bool { "bool " } else { "" };
        match self {
            Self::Select(s) => write!(f, "{s}{}", s.shift()),
            Self::OverRange(function, s, range) => write!(f, "{function}({s}[{range}s]{})", s.shift()),
            Self::OverSubquery(function, part, range, step) => write!(f, "{function}(({part})[{range}s:{step}s])"),
            Self::Map(function, part) => write!(f, "{function}({part})"),
            Self::Fold(op, grouping, part) => write!(f, "{op} {grouping} ({part})"),
            Self::WithNumber(part, op, is_bool, n) => write!(f, "(({part}) {op} {}{n})", word(*is_bool)),
            Self::Pair(l, op, is_bool, matching, r) => write!(f, "(({l}) {op} {}{matching} ({r}))", word(*is_bool)),
            Self::Set(l, op, matching, r) => write!(f, "(({l}) {op} {matching} ({r}))"),
        }
    }
}

impl Part {
    /// Whether its values are free of rounding, so that comparing them is not a matter of luck.
    pub(crate) fn is_exact(&self) -> bool {
        match self {
            Self::Select(_) => true,
            Self::OverRange(function, ..) => !matches!(*function, "rate" | "avg_over_time"),
            Self::OverSubquery(function, part, ..) => *function != "avg_over_time" && part.is_exact(),
            Self::Map(_, part) => part.is_exact(),
            Self::Fold(op, _, part) => *op != "avg" && part.is_exact(),
            Self::WithNumber(part, op, ..) => *op != "/" && part.is_exact(),
            Self::Pair(l, op, _, _, r) => *op != "/" && l.is_exact() && r.is_exact(),
            Self::Set(l, _, _, r) => l.is_exact() && r.is_exact(),
        }
    }

    /// The value at one time.
    fn at(&self, t: i64, times: Times, data: &Data) -> Answer {
        match self {
            Self::Select(s) => Ok(selected(s, s.time(t, times), times.lookback, data)),
            Self::OverRange(function, s, range) => {
                let (end, mut out) = (s.time(t, times), Vector::new());
                for (labels, samples) in data.iter().filter(|(labels, _)| s.matches(labels)) {
                    let within = |(at, v): &&(i64, f64)| *at > end - range * 1000 && *at <= end && !is_stale(*v);
                    let window: Vec<(i64, f64)> = samples.iter().filter(within).copied().collect();
                    if let Some(v) = over_window(function, &window, *range, end) {
                        out.push((labels.clone(), *function != "last_over_time", v));
                    }
                }
                Ok(out)
            }
            Self::OverSubquery(function, part, range, step) => {
                part.over_subquery(function, (range * 1000, step * 1000), t, times, data)
            }
            Self::Map(function, part) => {
                let map = |v: f64| match *function {
                    "abs" => v.abs(),
                    "sgn" if v == 0.0 || v.is_nan() => v,
                    "sgn" => v.signum(),
                    "-" => -v,
                    other => panic!("{other} is not defined here"),
                };
                Ok(part.at(t, times, data)?.into_iter().map(|(labels, _, v)| (labels, true, map(v))).collect())
            }
            Self::Fold(op, grouping, part) => folded(op, grouping, part.at(t, times, data)?),
            Self::WithNumber(part, op, is_bool, n) => {
                let mut out = Vector::new();
                for (labels, drop, v) in part.at(t, times, data)? {
                    if let Some(value) = operated(op, *is_bool, v, f64::from(*n)) {
                        out.push((labels, drop || *is_bool || !is_comparison(op), value));
                    }
                }
                Ok(out)
            }
            Self::Pair(l, op, is_bool, matching, r) => {
                paired(op, *is_bool, matching, (l.at(t, times, data)?, r.at(t, times, data)?))
            }
            Self::Set(l, op, matching, r) => {
                let (left, right) = (l.at(t, times, data)?, r.at(t, times, data)?);
                let keys =
                    |v: &Vector| v.iter().map(|(labels, ..)| key(labels, matching)).collect::<BTreeSet<Labels>>();
                let (in_left, in_right) = (keys(&left), keys(&right));
                let has = |(labels, ..): &(Labels, bool, f64)| in_right.contains(&key(labels, matching));
                Ok(match *op {
                    "and" => left.into_iter().filter(has).collect(),
                    "unless" => left.into_iter().filter(|one| !has(one)).collect(),
                    _ => {
                        let new = |(labels, ..): &(Labels, bool, f64)| !in_left.contains(&key(labels, matching));
                        left.into_iter().chain(right.into_iter().filter(new)).collect()
                    }
                })
            }
        }
    }

    /// A function over the part's own values, at multiples of the step.
    fn over_subquery(&self, function: &str, (range, step): (i64, i64), t: i64, times: Times, data: &Data) -> Answer {
        let mut series: BTreeMap<Labels, Vec<(i64, f64)>> = BTreeMap::new();
        let mut at = (t - range).div_euclid(step) * step + step;
        while at <= t {
            for (labels, drop, v) in self.at(at, times, data)? {
                let labels = if drop { labels.without(|n| n == METRIC_NAME) } else { labels };
                let known = series.entry(labels).or_default();
                if known.last().is_some_and(|(before, _)| *before == at) {
                    return Err(Refused);
                }
                known.push((at, v));
            }
            at += step;
        }
        let of = |(labels, window): (Labels, Vec<(i64, f64)>)| {
            let v = over_window(function, &window, range / 1000, t)?;
            Some((labels, function != "last_over_time", v))
        };
        Ok(series.into_iter().filter_map(of).collect())
    }

    /// What the query answers at one time: names dropped, and no label set twice.
    pub(crate) fn answer(&self, t: i64, times: Times, data: &Data) -> Result<BTreeMap<Labels, f64>, Refused> {
        let mut out = BTreeMap::new();
        for (labels, drop, v) in self.at(t, times, data)? {
            let labels = if drop { labels.without(|n| n == METRIC_NAME) } else { labels };
            if out.insert(labels, v).is_some() {
                return Err(Refused);
            }
        }
        Ok(out)
    }
}

fn selected(s: &Selector, t: i64, lookback: i64, data: &Data) -> Vector {
    let newest = |samples: &[(i64, f64)]| samples.iter().rfind(|(at, _)| *at <= t).copied();
    let found = data.iter().filter(|(labels, _)| s.matches(labels)).filter_map(|(labels, samples)| {
        let (at, v) = newest(samples)?;
        (at > t - lookback && !is_stale(v)).then(|| (labels.clone(), false, v))
    });
    found.collect()
}

/// The sum; of negative zeros alone it is zero, since it begins there.
fn total(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, v| sum + v)
}

fn over_window(function: &str, window: &[(i64, f64)], range_s: i64, end: i64) -> Option<f64> {
    let values: Vec<f64> = window.iter().map(|(_, v)| *v).collect();
    let last = *values.last()?;
    let pick = |better: fn(f64, f64) -> bool| {
        values.iter().copied().fold(values[0], |best, v| if best.is_nan() || better(v, best) { v } else { best })
    };
    Some(match function {
        "sum_over_time" => total(&values),
        "avg_over_time" => total(&values) / values.len() as f64,
        "count_over_time" => values.len() as f64,
        "last_over_time" => last,
        "max_over_time" => pick(|v, best| v > best),
        "min_over_time" => pick(|v, best| v < best),
        "present_over_time" => 1.0,
        "changes" => values.windows(2).filter(|p| p[0] != p[1] && !(p[0].is_nan() && p[1].is_nan())).count() as f64,
        "rate" => return rate(window, range_s, end),
        other => panic!("{other} is not defined here"),
    })
}

/// The increase between the first and the last sample, stretched to the bounds of the range, but not to before zero.
fn rate(window: &[(i64, f64)], range_s: i64, end: i64) -> Option<f64> {
    let (first, last) = (window.first()?, window.last()?);
    if window.len() < 2 {
        return None;
    }
    let fell: f64 = window.windows(2).filter(|p| p[1].1 < p[0].1).map(|p| p[0].1).sum();
    let total = last.1 - first.1 + fell;
    let (sampled, seconds) = ((last.0 - first.0) as f64 / 1000.0, range_s as f64);
    let gap = sampled / (window.len() - 1) as f64;
    let near = |distance: f64| if distance >= gap * 1.1 { gap / 2.0 } else { distance };
    let mut before = near((first.0 - (end - range_s * 1000)) as f64 / 1000.0);
    if total > 0.0 && first.1 >= 0.0 {
        before = before.min(sampled * (first.1 / total));
    }
    Some(total * ((sampled + before + near((end - last.0) as f64 / 1000.0)) / sampled) / seconds)
}

/// The labels that tell groups apart: `by (…)`, `without (…)`, or none.
fn group_of(labels: &Labels, grouping: &str) -> Labels {
    let named = |n: &str| {
        grouping.contains(&format!("({n})"))
            || grouping.contains(&format!("({n},"))
            || grouping.contains(&format!(", {n})"))
    };
    if grouping.starts_with("by") {
        labels.without(|n| !named(n))
    } else if grouping.starts_with("without") {
        labels.without(|n| n == METRIC_NAME || named(n))
    } else {
        Labels::default()
    }
}

fn folded(op: &str, grouping: &str, all: Vector) -> Answer {
    let mut groups: BTreeMap<Labels, (bool, Vec<f64>)> = BTreeMap::new();
    for (labels, drop, v) in all {
        let group = groups.entry(group_of(&labels, grouping)).or_default();
        group.0 |= drop;
        group.1.push(v);
    }
    let value = |values: &[f64]| match op {
        "sum" => total(values),
        "avg" => total(values) / values.len() as f64,
        "count" => values.len() as f64,
        "group" => 1.0,
        "max" => values.iter().copied().fold(f64::NAN, f64::max),
        "min" => values.iter().copied().fold(f64::NAN, f64::min),
        other => panic!("{other} is not defined here"),
    };
    Ok(groups.into_iter().map(|(labels, (drop, values))| (labels, drop, value(&values))).collect())
}

fn is_comparison(op: &str) -> bool {
    matches!(op, "==" | "!=" | "<" | ">" | "<=" | ">=")
}

fn operated(op: &str, is_bool: bool, l: f64, r: f64) -> Option<f64> {
    let holds = match op {
        "+" => return Some(l + r),
        "-" => return Some(l - r),
        "*" => return Some(l * r),
        "/" => return Some(l / r),
        "==" => l == r,
        "!=" => l != r,
        "<" => l < r,
        ">" => l > r,
        "<=" => l <= r,
        ">=" => l >= r,
        other => panic!("{other} is not defined here"),
    };
    if is_bool { Some(f64::from(u8::from(holds))) } else { holds.then_some(l) }
}

/// The labels by which series find each other: `on (…)`, `ignoring (…)`, or all but the name.
fn key(labels: &Labels, matching: &str) -> Labels {
    let named = |n: &str| matching.contains(&format!("({n})"));
    if matching.starts_with("on") {
        labels.without(|n| !named(n))
    } else {
        labels.without(|n| n == METRIC_NAME || named(n))
    }
}

fn paired(op: &str, is_bool: bool, matching: &str, (left, right): (Vector, Vector)) -> Answer {
    if left.is_empty() || right.is_empty() {
        // Nothing can match, so nothing can match twice.
        return Ok(Vector::new());
    }
    let many = matching.contains("group_left");
    let mut ones: BTreeMap<Labels, f64> = BTreeMap::new();
    for (labels, _, v) in &right {
        if ones.insert(key(labels, matching), *v).is_some() {
            return Err(Refused);
        }
    }
    let (mut out, mut used, mut made) = (Vector::new(), BTreeSet::new(), BTreeSet::new());
    for (labels, drop, l) in left {
        let key = key(&labels, matching);
        let Some(r) = ones.get(&key) else { continue };
        let drops = !is_comparison(op) || is_bool;
        let kept = match (many, matching.starts_with("on")) {
            (true, _) => labels.clone(),
            (false, true) => labels.without(|n| !matching.contains(&format!("({n})"))),
            (false, false) => labels.without(|n| matching.contains(&format!("({n})"))),
        };
        // Of two series that are the same but for a name that goes anyway, one is too many.
        let name_goes = drops || !many && matching.starts_with("on");
        let result = if name_goes { kept.without(|n| n == METRIC_NAME) } else { kept.clone() };
        if (!many && !used.insert(key)) || (many && !made.insert(result)) {
            return Err(Refused);
        }
        // 3.x finds two matches also where a comparison keeps neither.
        let Some(v) = operated(op, is_bool, l, *r) else { continue };
        out.push((kept, drop || name_goes, v));
    }
    Ok(out)
}
