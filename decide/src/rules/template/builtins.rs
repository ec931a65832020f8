//! Go's own template functions (package text/template of Go 1.22). Pure.

use std::cmp::Ordering;

use super::format::printf;
use super::value::Value;

/// Their names.
pub const NAMES: [&str; 17] = [
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "urlquery", "eq", "ne", "lt",
    "le", "gt", "ge",
];

/// Calls one; `None` when there is none of that name.
pub fn call(name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let yes = |b: Result<bool, String>| b.map(Value::Bool);
    let result = match name {
        "not" => one(args).map(|v| Value::Bool(!v.truth())),
        "len" => one(args).and_then(length).map(|n| Value::Int(n as i64)),
        "index" => index(args),
        "slice" => slice(args),
        "print" => Ok(Value::Text(print(args))),
        "println" => Ok(Value::Text(args.iter().map(Value::print).collect::<Vec<_>>().join(" ") + "\n")),
        "printf" => match args.split_first() {
            Some((Value::Text(format), rest)) => Ok(Value::Text(printf(format, rest))),
            _ => Err("the first argument is the form, a text such as \"%.2f\"".to_owned()),
        },
        "html" => Ok(Value::Text(html(&print(args)))),
        "urlquery" => Ok(Value::Text(url_query(&print(args)))),
        "eq" => yes(equal(args)),
        "ne" => yes(two(args).and_then(|(a, b)| same(a, b)).map(|s| !s)),
        "lt" => yes(order(args).map(Ordering::is_lt)),
        "le" => yes(at_most(args)),
        "gt" => yes(order(args).map(Ordering::is_gt)),
        "ge" => yes(two(args).and_then(|(a, b)| at_most(&[b.clone(), a.clone()]))),
        _ => return None,
    };
    Some(result)
}

/// The only argument.
pub fn one(args: &[Value]) -> Result<&Value, String> {
    match args {
        [value] => Ok(value),
        _ => Err(format!("takes one argument, not {}", args.len())),
    }
}

/// Both arguments.
pub fn two(args: &[Value]) -> Result<(&Value, &Value), String> {
    match args {
        [a, b] => Ok((a, b)),
        _ => Err(format!("takes two arguments, not {}", args.len())),
    }
}

fn length(value: &Value) -> Result<usize, String> {
    match value {
        Value::Text(t) => Ok(t.len()),
        Value::List(l) => Ok(l.len()),
        Value::Labels(l) => Ok(l.len()),
        Value::Map(m) => Ok(m.len()),
        other => Err(format!("{} has no length", other.kind())),
    }
}

fn index(args: &[Value]) -> Result<Value, String> {
    let Some((first, keys)) = args.split_first() else { return Err("takes at least one argument".to_owned()) };
    keys.iter().try_fold(first.clone(), |value, key| match (&value, key) {
        (Value::List(list), Value::Int(i)) => usize::try_from(*i)
            .ok()
            .and_then(|i| list.get(i))
            .cloned()
            .ok_or_else(|| format!("there is no item {i} in a list of {}", list.len())),
        (Value::Labels(_) | Value::Map(_), Value::Text(name)) => value.field(name),
        (Value::Text(t), Value::Int(i)) => usize::try_from(*i)
            .ok()
            .and_then(|i| t.as_bytes().get(i))
            .map(|b| Value::Int(i64::from(*b)))
            .ok_or_else(|| format!("there is no byte {i} in a text of {}", t.len())),
        (value, key) => Err(format!("{} cannot be indexed by {}", value.kind(), key.kind())),
    })
}

fn slice(args: &[Value]) -> Result<Value, String> {
    let bound = |i: usize, default: usize| match args.get(i) {
        None => Ok(default),
        Some(Value::Int(n)) => usize::try_from(*n).map_err(|_| format!("{n} is not a place")),
        Some(other) => Err(format!("{} is not a place", other.kind())),
    };
    let outside = || "the places are outside".to_owned();
    match args.first() {
        Some(Value::Text(t)) => {
            let part = t.get(bound(1, 0)?..bound(2, t.len())?);
            part.map(|p| Value::Text(p.to_owned())).ok_or_else(outside)
        }
        Some(Value::List(l)) => {
            let part = l.get(bound(1, 0)?..bound(2, l.len())?);
            part.map(|p| Value::List(p.to_vec())).ok_or_else(outside)
        }
        other => Err(format!("{} cannot be cut", other.map_or("nothing", Value::kind))),
    }
}

/// Go's `Sprint`: a space between operands when neither is a text.
fn print(args: &[Value]) -> String {
    let mut out = String::new();
    for (i, value) in args.iter().enumerate() {
        let text = |v: &Value| matches!(v, Value::Text(_));
        if i > 0 && !text(value) && !text(&args[i - 1]) {
            out.push(' ');
        }
        out.push_str(&value.print());
    }
    out
}

fn equal(args: &[Value]) -> Result<bool, String> {
    match args {
        [first, others @ ..] if !others.is_empty() => {
            for other in others {
                if same(first, other)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err("takes at least two arguments".to_owned()),
    }
}

fn same(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => Ok(a.number()? == b.number()?),
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        _ => Err(incomparable(a, b)),
    }
}

/// `Equal` stands for not-a-number too, so that it is neither less nor greater; [`at_most`] asks for itself.
fn order(args: &[Value]) -> Result<Ordering, String> {
    let (a, b) = two(args)?;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            Ok(a.number()?.partial_cmp(&b.number()?).unwrap_or(Ordering::Equal))
        }
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        _ => Err(incomparable(a, b)),
    }
}

fn at_most(args: &[Value]) -> Result<bool, String> {
    Ok(order(args)?.is_lt() || two(args).and_then(|(a, b)| same(a, b))?)
}

fn incomparable(a: &Value, b: &Value) -> String {
    format!("{} cannot be compared with {}", a.kind(), b.kind())
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Go's `url.QueryEscape`.
pub fn url_query(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b' ' => "+".to_owned(),
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}
