//! Go's own template functions (package text/template of Go 1.22). Pure.

use std::cmp::Ordering;

use super::Flavour;
use super::format::printf;
use super::value::{Value, Wrong};

/// Their names.
pub const NAMES: [&str; 18] = [
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "eq", "ne",
    "lt", "le", "gt", "ge",
];

/// Calls one; `None` when there is none of that name.
pub fn call(name: &str, args: &[Value], flavour: Flavour) -> Option<Result<Value, Wrong>> {
    let yes = |b: Result<bool, Wrong>| b.map(Value::Bool);
    let strict = flavour == Flavour::Prometheus;
    let result = match name {
        "not" => one(args).map(|v| Value::Bool(!v.truth())),
        "len" => one(args).and_then(length).map(|n| Value::Int(n as i64)),
        "index" => index(args),
        "slice" => slice(args),
        "print" => Ok(Value::Text(print(args))),
        "println" => Ok(Value::Text(args.iter().map(Value::format).collect::<Vec<_>>().join(" ") + "\n")),
        "printf" => match args.split_first() {
            Some((Value::Text(format), rest)) => Ok(Value::Text(printf(format, rest))),
            _ => Err("the first argument is the form, a text such as \"%.2f\"".into()),
        },
        "html" => Ok(Value::Text(html(&print(args)))),
        "js" => Ok(Value::Text(js(&print(args)))),
        "urlquery" => Ok(Value::Text(url_query(&print(args)))),
        "eq" => yes(equal(args, strict)),
        "ne" => yes(two(args).and_then(|(a, b)| same(a, b, strict)).map(|s| !s)),
        "lt" => yes(order(args, strict).map(|o| o == Some(Ordering::Less))),
        "le" => yes(order(args, strict).map(|o| o.is_some_and(Ordering::is_le))),
        "gt" => yes(order(args, strict).map(|o| o == Some(Ordering::Greater))),
        "ge" => yes(order(args, strict).map(|o| o.is_some_and(Ordering::is_ge))),
        _ => return None,
    };
    Some(result)
}

/// The only argument.
pub fn one(args: &[Value]) -> Result<&Value, Wrong> {
    match args {
        [value] => Ok(value),
        _ => Err(format!("takes one argument, not {}", args.len()).into()),
    }
}

/// Both arguments.
pub fn two(args: &[Value]) -> Result<(&Value, &Value), Wrong> {
    match args {
        [a, b] => Ok((a, b)),
        _ => Err(format!("takes two arguments, not {}", args.len()).into()),
    }
}

fn length(value: &Value) -> Result<usize, Wrong> {
    match value {
        Value::Text(t) => Ok(t.len()),
        Value::List(l) => Ok(l.len()),
        Value::Labels(l) => Ok(l.len()),
        Value::Map(m) => Ok(m.len()),
        other => Err(Wrong::new(format!("{} has no length", other.kind()), format!("len of type {}", other.go_type()))),
    }
}

fn index(args: &[Value]) -> Result<Value, Wrong> {
    let Some((first, keys)) = args.split_first() else { return Err("takes at least one argument".into()) };
    keys.iter().try_fold(first.clone(), |value, key| match (&value, key) {
        (Value::List(list), Value::Int(i)) => {
            let found = usize::try_from(*i).ok().and_then(|i| list.get(i)).cloned();
            found.ok_or_else(|| out_of_range(*i, format!("there is no item {i} in a list of {}", list.len())))
        }
        (Value::Labels(_) | Value::Map(_), Value::Text(name)) => value.field(name),
        (Value::Text(t), Value::Int(i)) => {
            let found = usize::try_from(*i).ok().and_then(|i| t.as_bytes().get(i));
            let found = found.map(|b| Value::Int(i64::from(*b)));
            found.ok_or_else(|| out_of_range(*i, format!("there is no byte {i} in a text of {}", t.len())))
        }
        (Value::Labels(_) | Value::Map(_), key) => {
            let go = format!("value has type {}; should be string", key.go_type());
            Err(Wrong::new(format!("{} cannot be indexed by {}", value.kind(), key.kind()), go))
        }
        (value, key) => {
            let go = format!("can't index item of type {}", value.go_type());
            Err(Wrong::new(format!("{} cannot be indexed by {}", value.kind(), key.kind()), go))
        }
    })
}

fn out_of_range(index: i64, message: String) -> Wrong {
    Wrong::new(message, format!("index out of range: {index}"))
}

fn slice(args: &[Value]) -> Result<Value, Wrong> {
    let bound = |i: usize, default: usize| match args.get(i) {
        None => Ok(default),
        Some(Value::Int(n)) => usize::try_from(*n).map_err(|_| out_of_range(*n, format!("{n} is not a place"))),
        Some(other) => Err(Wrong::from(format!("{} is not a place", other.kind()))),
    };
    let outside = || Wrong::from("the places are outside");
    match args.first() {
        Some(Value::Text(t)) => {
            let part = t.get(bound(1, 0)?..bound(2, t.len())?);
            part.map(|p| Value::Text(p.to_owned())).ok_or_else(outside)
        }
        Some(Value::List(l)) => {
            let part = l.get(bound(1, 0)?..bound(2, l.len())?);
            part.map(|p| Value::List(p.to_vec())).ok_or_else(outside)
        }
        other => Err(format!("{} cannot be cut", other.map_or("nothing", Value::kind)).into()),
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
        out.push_str(&value.format());
    }
    out
}

fn equal(args: &[Value], strict: bool) -> Result<bool, Wrong> {
    match args {
        [first, others @ ..] if !others.is_empty() => {
            for other in others {
                if same(first, other, strict)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(Wrong::new("takes at least two arguments", "missing argument for comparison")),
    }
}

/// Whether two values are the same; `strict`: a whole number is no number with fraction, as in Go.
fn same(a: &Value, b: &Value, strict: bool) -> Result<bool, Wrong> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) if !strict => Ok(a.number()? == b.number()?),
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        _ => Err(incomparable(a, b)),
    }
}

/// `None` where not-a-number is compared.
fn order(args: &[Value], strict: bool) -> Result<Option<Ordering>, Wrong> {
    let (a, b) = two(args)?;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) if !strict => {
            Ok(a.number()?.partial_cmp(&b.number()?))
        }
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        _ => Err(incomparable(a, b)),
    }
}

fn incomparable(a: &Value, b: &Value) -> Wrong {
    let message = format!("{} cannot be compared with {}", a.kind(), b.kind());
    Wrong::new(message, "incompatible types for comparison")
}

/// As a text inside of a script's string.
fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", c as u32)),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out
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
