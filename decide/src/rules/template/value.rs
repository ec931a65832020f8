//! Values inside templates. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::Histogram;

use super::format::float;
use super::{histogram, time};

/// Why a function has no value: for people, and in Go's words where these are others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// For people.
    pub message: String,
    /// In Go's words.
    pub go: Option<String>,
}

impl Wrong {
    /// Both.
    pub fn new(message: impl Into<String>, go: impl Into<String>) -> Self {
        Self { message: message.into(), go: Some(go.into()) }
    }
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self { message, go: None }
    }
}

impl From<&str> for Wrong {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// A point in time, milliseconds since the epoch.
    Time(i64),
    /// A span of time in nanoseconds.
    Duration(i64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
    /// Labels; one that is not there is `""`.
    Labels(Labels),
    /// One sample of a query's answer: `.Labels` and `.Value`.
    Sample(Labels, f64),
    /// Several values.
    List(Vec<Self>),
    /// Values by name, from `args`.
    Map(BTreeMap<String, Self>),
    /// What `.` is at the beginning: fields in order.
    Root(Vec<(&'static str, Self)>),
}

impl Value {
    /// Whether `if` takes it for true: not empty, not zero.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(b) => *b,
            Self::Int(n) => *n != 0,
            Self::Float(f) => *f != 0.0,
            Self::Text(t) => !t.is_empty(),
            Self::Labels(l) => !l.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Map(m) => !m.is_empty(),
            Self::Duration(d) => *d != 0,
            Self::Sample(..) | Self::Root(_) | Self::Time(_) | Self::Histogram(_) => true,
        }
    }

    /// What it is, for errors.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Time(_) => "a point in time",
            Self::Duration(_) => "a span of time",
            Self::Histogram(_) => "a histogram",
            Self::Labels(_) => "labels",
            Self::Sample(..) => "a sample",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Root(_) => "the template's data",
        }
    }

    /// Go's name of its type.
    pub fn go_type(&self) -> String {
        let name = match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Time(_) => "*time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Histogram(_) => "*histogram.FloatHistogram",
            Self::Labels(_) => "map[string]string",
            Self::Sample(..) => "*template.sample",
            Self::List(_) => "template.queryResult",
            Self::Map(_) => "map[string]interface {}",
            Self::Root(fields) => {
                let field = |(name, value): &(&str, Self)| match *name {
                    "Value" => "Value interface {}".to_owned(),
                    name => format!("{name} {}", value.go_type()),
                };
                return format!("struct {{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join("; "));
            }
        };
        name.to_owned()
    }

    /// A field or a key.
    pub fn field(&self, name: &str) -> Result<Self, Wrong> {
        let go = || format!("can't evaluate field {name} in type {}", self.go_type());
        match (self, name) {
            (Self::Labels(labels), _) => Ok(Self::Text(labels.get(name).unwrap_or_default().to_owned())),
            (Self::Map(map), _) => Ok(map.get(name).cloned().unwrap_or(Self::Nil)),
            (Self::Sample(labels, _), "Labels") => Ok(Self::Labels(labels.clone())),
            (Self::Sample(_, value), "Value") => Ok(Self::Float(*value)),
            (Self::Time(_) | Self::Duration(_), _) => time::method(self, name, &[]),
            (Self::Histogram(h), "Count") => Ok(Self::Float(h.count)),
            (Self::Histogram(h), "Sum") => Ok(Self::Float(h.sum)),
            (Self::Root(all), _) => match all.iter().find(|(n, _)| *n == name) {
                Some((_, value)) => Ok(value.clone()),
                None => {
                    let message =
                        format!("there is no `.{name}`; there are .Labels, .Value, .ExternalLabels, .ExternalURL");
                    Err(Wrong::new(message, go()))
                }
            },
            (Self::Sample(..), _) => Err(Wrong::new(format!("a sample has .Labels and .Value, no `.{name}`"), go())),
            _ => Err(Wrong::new(format!("{} has no `.{name}`", self.kind()), go())),
        }
    }

    /// As a number, also from a text that is one; of a span of time its seconds.
    pub fn number(&self) -> Result<f64, Wrong> {
        match self {
            Self::Int(n) => Ok(*n as f64),
            Self::Float(f) => Ok(*f),
            Self::Duration(ns) => Ok(*ns as f64 / 1e9),
            Self::Text(t) => read_number(t).ok_or_else(|| {
                let go = format!("strconv.ParseFloat: parsing {t:?}: invalid syntax");
                Wrong::new(format!("`{t}` is not a number"), go)
            }),
            other => {
                let go = format!("can't convert {} to float", other.go_type());
                Err(Wrong::new(format!("{} is not a number", other.kind()), go))
            }
        }
    }

    /// As a text.
    pub fn text(&self) -> Result<&str, Wrong> {
        match self {
            Self::Text(t) => Ok(t),
            other => {
                let go = format!("wrong type for value; expected string; got {}", other.go_type());
                Err(Wrong::new(format!("{} is not a text", other.kind()), go))
            }
        }
    }

    /// As Go's templates print it.
    pub fn print(&self) -> String {
        match self {
            Self::Nil => "<no value>".to_owned(),
            other => other.format(),
        }
    }

    /// As Go's `fmt` prints it.
    pub fn format(&self) -> String {
        match self {
            Self::Nil => "<nil>".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Float(f) => float(*f, 'g', None),
            Self::Text(t) => t.clone(),
            Self::Time(ms) => time::text(*ms),
            Self::Duration(ns) => time::duration_text(*ns),
            Self::Histogram(h) => histogram::text(h),
            Self::Labels(labels) => print_map(labels.iter().map(|(n, v)| (n, v.to_owned()))),
            Self::Sample(labels, value) => {
                format!("{{{} {}}}", Self::Labels(labels.clone()).format(), float(*value, 'g', None))
            }
            Self::List(list) => format!("[{}]", list.iter().map(Self::format).collect::<Vec<_>>().join(" ")),
            Self::Map(map) => print_map(map.iter().map(|(n, v)| (n.as_str(), v.format()))),
            Self::Root(fields) => {
                format!("{{{}}}", fields.iter().map(|(_, v)| v.format()).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

/// A number as Go's `strconv.ParseFloat` reads it; spaces around it are let pass.
fn read_number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.to_ascii_lowercase().trim_start_matches(['+', '-']) {
        "inf" | "infinity" => Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ => text.parse().ok(),
    }
}

fn print_map<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    format!("map[{}]", pairs.map(|(n, v)| format!("{n}:{v}")).collect::<Vec<_>>().join(" "))
}
