//! Prometheus's template functions (template/template.go of Prometheus 3). Pure.
//!
//! `now` is the time of the evaluation; `parseDurationTime`, which others of its family have, is taken everywhere. `tmpl`, which Prometheus has for its pages only, `toJson`, `durationInWords` (seconds as
//! people say them in the plan's language), `trimSpace` and `join` are for the plan's templates.

use std::collections::BTreeMap;

use kernel::Duration;
use kernel::series::Point;
use regex::RegexBuilder;

use super::builtins::{one, two, url_query};
use super::value::{Value, Wrong};
use super::{Flavour, Scope, humanize};

/// Prometheus's.
const NAMES: [&str; 30] = [
    "query",
    "first",
    "label",
    "value",
    "strvalue",
    "args",
    "reReplaceAll",
    "safeHtml",
    "match",
    "title",
    "toUpper",
    "toLower",
    "graphLink",
    "tableLink",
    "sortByLabel",
    "stripPort",
    "stripDomain",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "toTime",
    "toDuration",
    "now",
    "pathPrefix",
    "externalURL",
    "parseDuration",
    "parseDurationTime",
    "urlQueryEscape",
];

/// The plan's own.
const OF_PLANS: [&str; 5] = ["tmpl", "toJson", "durationInWords", "trimSpace", "join"];

/// The names of all functions.
pub fn names(flavour: Flavour) -> impl Iterator<Item = &'static str> {
    let own = if flavour == Flavour::Plan { OF_PLANS.as_slice() } else { &[] };
    NAMES.iter().chain(own).copied()
}

/// Regular expressions of templates may compile to at most this many bytes.
const REGEX_SIZE_LIMIT: usize = 1 << 20;

/// Calls one.
pub fn call(name: &str, args: &[Value], scope: &Scope<'_>) -> Result<Value, Wrong> {
    let number = |f: fn(f64) -> String| one(args)?.number().map(f).map(Value::Text);
    let text = |f: &dyn Fn(&str) -> String| one(args).and_then(Value::text).map(|t| Value::Text(f(t)));
    match name {
        "query" => query(one(args)?.text()?, scope),
        "first" => first(one(args)?),
        "label" => two(args).and_then(|(name, sample)| label(name.text()?, sample)),
        "value" => sample(one(args)?).map(|(_, v)| Value::Float(v)),
        "strvalue" => label("__value__", one(args)?),
        "args" => Ok(Value::Map(args.iter().enumerate().map(|(i, v)| (format!("arg{i}"), v.clone())).collect())),
        "sortByLabel" => two(args).and_then(|(name, list)| sort_by_label(name.text()?, list)),
        "reReplaceAll" => replace_all(args),
        "match" => two(args).and_then(|(p, t)| Ok(Value::Bool(pattern(p.text()?)?.is_match(t.text()?)))),
        "safeHtml" => text(&str::to_owned),
        "title" => text(&title),
        "toUpper" => text(&str::to_uppercase),
        "toLower" => text(&str::to_lowercase),
        "trimSpace" => text(&|t| t.trim().to_owned()),
        "join" => two(args).and_then(|(separator, list)| join(separator.text()?, list)),
        "stripPort" => text(&strip_port),
        "stripDomain" => text(&strip_domain),
        "graphLink" => text(&|t| format!("/graph?g0.expr={}&g0.tab=0", url_query(t))),
        "tableLink" => text(&|t| format!("/graph?g0.expr={}&g0.tab=1", url_query(t))),
        "humanize" => number(humanize::metric),
        "humanize1024" => number(humanize::binary),
        "humanizeDuration" => number(humanize::duration),
        "humanizePercentage" => number(humanize::percentage),
        "humanizeTimestamp" => {
            let seconds = one(args)?.number()?;
            humanize::timestamp(seconds).map(Value::Text).ok_or_else(|| no_time(seconds))
        }
        "toTime" => time(one(args)?.number()?),
        "toDuration" => Ok(Value::Duration((one(args)?.number()? * 1e9) as i64)),
        "durationInWords" => one(args)?.number().map(|v| Value::Text(in_words(v, scope.language))),
        "now" => Ok(Value::Float(scope.now_seconds)),
        "externalURL" => Ok(Value::Text(scope.external_url.to_owned())),
        "pathPrefix" => Ok(Value::Text(path_of(scope.external_url).to_owned())),
        "parseDuration" => duration(one(args)?.text()?).map(|d| Value::Float(d.as_secs_f64())),
        "parseDurationTime" => {
            let of = duration(one(args)?.text()?)?;
            Ok(Value::Duration(i64::try_from(of.std().as_nanos()).unwrap_or(i64::MAX)))
        }
        "urlQueryEscape" => text(&url_query),
        "toJson" => Ok(Value::Text(json(one(args)?).to_string())),
        _ => Err("there is no such function".into()),
    }
}

/// Seconds since the epoch as a time, to the millisecond.
fn time(seconds: f64) -> Result<Value, Wrong> {
    humanize::milliseconds(seconds).map(Value::Time).ok_or_else(|| no_time(seconds))
}

fn no_time(seconds: f64) -> Wrong {
    let number = super::format::float(seconds, 'g', None);
    let go = match seconds.is_finite() {
        true => format!("{number} cannot be represented as a nanoseconds timestamp since it overflows int64"),
        false => "value is NaN or Inf".to_owned(),
    };
    Wrong::new(format!("{number} is no point in time"), go)
}

fn duration(text: &str) -> Result<Duration, Wrong> {
    let parsed: Result<Duration, _> = text.parse();
    match (parsed, crate::rules::prometheus::duration::parse(text)) {
        (Ok(duration), _) => Ok(duration),
        (Err(error), go) => Err(Wrong { message: error.to_string(), go: go.err() }),
    }
}

/// The path of a URL, `""` where it has none.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Seconds as people say them, the past with a minus; what no duration can hold stays a number.
fn in_words(seconds: f64, language: kernel::Language) -> String {
    match std::time::Duration::try_from_secs_f64(seconds.abs()) {
        // Where a limit is 5 s, 5.2 s must not read as 5 s.
        Ok(span) if (1..60).contains(&span.as_secs()) => format!("{} s", crate::deliver::number(seconds)),
        Ok(span) => format!("{}{}", if seconds < 0.0 { "−" } else { "" }, Duration::from(span).humanize(language)),
        Err(_) => seconds.to_string(),
    }
}

fn query(text: &str, scope: &Scope<'_>) -> Result<Value, Wrong> {
    let answer = (scope.ask)(text)?;
    let sample = |(labels, value): (kernel::Labels, Point)| match value {
        Point::Float(v) => Value::Sample(labels, v),
        // As Prometheus has it: the number of a histogram's sample is 0.
        Point::Histogram(_) => Value::Sample(labels, 0.0),
    };
    Ok(Value::List(answer.into_iter().map(sample).collect()))
}

fn first(list: &Value) -> Result<Value, Wrong> {
    match list {
        Value::List(l) => l
            .first()
            .cloned()
            .ok_or_else(|| Wrong::new("the query's answer is empty", "first() called on vector with no elements")),
        other => Err(no_answer(other)),
    }
}

fn no_answer(value: &Value) -> Wrong {
    let go = format!("wrong type for value; expected template.queryResult; got {}", value.go_type());
    Wrong::new(format!("{} is not the answer of a query", value.kind()), go)
}

fn sample(value: &Value) -> Result<(&kernel::Labels, f64), Wrong> {
    match value {
        Value::Sample(labels, v) => Ok((labels, *v)),
        other => {
            let go = format!("wrong type for value; expected *template.sample; got {}", other.go_type());
            Err(Wrong::new(format!("{} is not a sample; take one with `first`", other.kind()), go))
        }
    }
}

fn label(name: &str, of: &Value) -> Result<Value, Wrong> {
    sample(of).map(|(labels, _)| Value::Text(labels.get(name).unwrap_or_default().to_owned()))
}

fn sort_by_label(name: &str, list: &Value) -> Result<Value, Wrong> {
    let Value::List(list) = list else { return Err(no_answer(list)) };
    let mut keyed = Vec::with_capacity(list.len());
    for item in list {
        keyed.push((label(name, item)?.print(), item.clone()));
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Value::List(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn pattern(text: &str) -> Result<regex::Regex, Wrong> {
    let built = RegexBuilder::new(text).size_limit(REGEX_SIZE_LIMIT).build();
    built.map_err(|e| format!("`{text}` is not a regular expression: {e}").into())
}

fn replace_all(args: &[Value]) -> Result<Value, Wrong> {
    let [find, put, text] = args else { return Err(format!("takes three arguments, not {}", args.len()).into()) };
    let replaced = pattern(find.text()?)?.replace_all(text.text()?, put.text()?).into_owned();
    Ok(Value::Text(replaced))
}

fn join(separator: &str, list: &Value) -> Result<Value, Wrong> {
    match list {
        Value::List(l) => Ok(Value::Text(l.iter().map(Value::print).collect::<Vec<_>>().join(separator))),
        other => Err(format!("{} is not a list", other.kind()).into()),
    }
}

/// Each word with a capital letter (Go's `strings.Title`).
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    let separates = |c: char| match c.is_ascii() {
        true => !(c.is_ascii_alphanumeric() || c == '_'),
        false => c.is_whitespace(),
    };
    for c in text.chars() {
        if inside {
            out.push(c)
        } else {
            out.extend(c.to_uppercase())
        }
        inside = !separates(c);
    }
    out
}

/// `host:port` without the port; `[::1]:80` is `::1`.
fn strip_port(text: &str) -> String {
    match split_port(text) {
        Some((host, _)) => host.to_owned(),
        None => text.to_owned(),
    }
}

fn split_port(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, port) = inner.split_once(']')?;
        return Some((host, port.strip_prefix(':')?));
    }
    let (host, port) = text.rsplit_once(':')?;
    (!host.contains(':')).then_some((host, port))
}

/// The first part of a host's name; addresses stay whole.
fn strip_domain(text: &str) -> String {
    let (host, port) = split_port(text).map_or((text, None), |(h, p)| (h, Some(p)));
    if host.parse::<core::net::IpAddr>().is_ok() {
        return text.to_owned();
    }
    let short = host.split('.').next().unwrap_or(host);
    port.map_or_else(|| short.to_owned(), |p| format!("{short}:{p}"))
}

fn json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => (*n).into(),
        Value::Float(f) => serde_json::Number::from_f64(*f).map_or(Json::Null, Json::Number),
        Value::Text(t) => Json::String(t.clone()),
        Value::Time(_) | Value::Duration(_) | Value::Histogram(_) => Json::String(value.format()),
        Value::Labels(l) => Json::Object(l.iter().map(|(n, v)| (n.to_owned(), Json::String(v.to_owned()))).collect()),
        Value::Sample(l, v) => {
            let parts: BTreeMap<&str, Json> =
                [("Labels", json(&Value::Labels(l.clone()))), ("Value", json(&Value::Float(*v)))].into();
            Json::Object(parts.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
        }
        Value::List(l) => Json::Array(l.iter().map(json).collect()),
        Value::Map(m) => Json::Object(m.iter().map(|(n, v)| (n.clone(), json(v))).collect()),
        Value::Root(m) => Json::Object(m.iter().map(|(n, v)| ((*n).to_owned(), json(v))).collect()),
    }
}
