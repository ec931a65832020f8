//! Values inside templates. Pure.

use std::collections::BTreeMap;

use kernel::Labels;

use super::format::float;

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
    /// Labels; one that is not there is `""`.
    Labels(Labels),
    /// One sample of a query's answer: `.Labels` and `.Value`.
    Sample(Labels, f64),
    /// Several values.
    List(Vec<Self>),
    /// Values by name, from `args`.
    Map(BTreeMap<String, Self>),
    /// What `.` is at the beginning.
    Root(BTreeMap<&'static str, Self>),
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
            Self::Sample(..) | Self::Root(_) => true,
        }
    }

    /// What it is, for errors.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Labels(_) => "labels",
            Self::Sample(..) => "a sample",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Root(_) => "the template's data",
        }
    }

    /// A field or a key.
    pub fn field(&self, name: &str) -> Result<Self, String> {
        match (self, name) {
            (Self::Labels(labels), _) => Ok(Self::Text(labels.get(name).unwrap_or_default().to_owned())),
            (Self::Map(map), _) => Ok(map.get(name).cloned().unwrap_or(Self::Nil)),
            (Self::Sample(labels, _), "Labels") => Ok(Self::Labels(labels.clone())),
            (Self::Sample(_, value), "Value") => Ok(Self::Float(*value)),
            (Self::Root(all), _) if all.contains_key(name) => Ok(all.get(name).cloned().unwrap_or(Self::Nil)),
            (Self::Root(_), _) => {
                Err(format!("there is no `.{name}`; there are .Labels, .Value, .ExternalLabels, .ExternalURL"))
            }
            (Self::Sample(..), _) => Err(format!("a sample has .Labels and .Value, no `.{name}`")),
            _ => Err(format!("{} has no `.{name}`", self.kind())),
        }
    }

    /// As a number, also from a text that is one.
    pub fn number(&self) -> Result<f64, String> {
        match self {
            Self::Int(n) => Ok(*n as f64),
            Self::Float(f) => Ok(*f),
            Self::Text(t) => t.trim().parse().map_err(|_| format!("`{t}` is not a number")),
            other => Err(format!("{} is not a number", other.kind())),
        }
    }

    /// As a text.
    pub fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(t) => Ok(t),
            other => Err(format!("{} is not a text", other.kind())),
        }
    }

    /// As Go prints it.
    pub fn print(&self) -> String {
        match self {
            Self::Nil => "<no value>".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Float(f) => float(*f, 'g', None),
            Self::Text(t) => t.clone(),
            Self::Labels(labels) => print_map(labels.iter().map(|(n, v)| (n, v.to_owned()))),
            Self::Sample(labels, value) => {
                format!("{{{} {}}}", Self::Labels(labels.clone()).print(), float(*value, 'g', None))
            }
            Self::List(list) => format!("[{}]", list.iter().map(Self::print).collect::<Vec<_>>().join(" ")),
            Self::Map(map) => print_map(map.iter().map(|(n, v)| (n.as_str(), v.print()))),
            Self::Root(map) => print_map(map.iter().map(|(n, v)| (*n, v.print()))),
        }
    }
}

fn print_map<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    format!("map[{}]", pairs.map(|(n, v)| format!("{n}:{v}")).collect::<Vec<_>>().join(" "))
}
