//! Values between Rust and a column: one set of kinds that both databases have. Pure.
//!
//! A truth is 0 or 1 in a column and a truth in a condition; a time is its milliseconds. PostgreSQL has no U+0000 in
//! texts, so there it is stored as U+FFFD.

use std::borrow::Cow;

use kernel::Timestamp;

/// A value as a column holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A truth; in a column it is 0 or 1.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
}

impl Value<'_> {
    /// What kind of value it is, for errors.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth",
            Self::Int(_) => "a whole number",
            Self::Real(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
        }
    }

    /// The same value, free of what it was borrowed from.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(n) => Value::Int(n),
            Self::Real(n) => Value::Real(n),
            Self::Text(t) => Value::Text(Cow::Owned(t.into_owned())),
            Self::Bytes(b) => Value::Bytes(Cow::Owned(b.into_owned())),
        }
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// What can be given to a statement.
pub trait Cell {
    /// As a column holds it.
    fn value(&self) -> Value<'_>;
}

/// What can be read from a column.
pub trait FromCell: Sized {
    /// What is asked for, for errors.
    const WANTED: &'static str;

    /// From the column's value; `None` when it is of another kind.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

/// The values of a statement, in the order of its `?1`, `?2`, ….
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::db::Cell::value(&$value)),*] };
}
pub(crate) use values;

macro_rules! cell {
    ($($type:ty: $self:ident => $value:expr;)*) => {
        $(impl Cell for $type { fn value(&$self) -> Value<'_> { $value } })*
    };
}

cell! {
    bool: self => Value::Bool(*self);
    i64: self => Value::Int(*self);
    i32: self => Value::Int(i64::from(*self));
    u32: self => Value::Int(i64::from(*self));
    u64: self => Value::Int(i64::try_from(*self).unwrap_or(i64::MAX));
    usize: self => Value::Int(i64::try_from(*self).unwrap_or(i64::MAX));
    f64: self => Value::Real(*self);
    str: self => Value::Text(Cow::Borrowed(self));
    String: self => Value::Text(Cow::Borrowed(self));
    [u8]: self => Value::Bytes(Cow::Borrowed(self));
    Vec<u8>: self => Value::Bytes(Cow::Borrowed(self));
    Timestamp: self => Value::Int(self.as_millis());
    Value<'_>: self => self.clone();
}

impl<const N: usize> Cell for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(Cow::Borrowed(self))
    }
}

impl<T: Cell + ?Sized> Cell for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Cell> Cell for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Cell::value)
    }
}

macro_rules! from_cell {
    ($($type:ty, $wanted:literal: $($pattern:pat => $value:expr),*;)*) => {
        $(impl FromCell for $type {
            const WANTED: &'static str = $wanted;
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value { $($pattern => $value,)* _ => None }
            }
        })*
    };
}

from_cell! {
    bool, "a truth": Value::Bool(b) => Some(b), Value::Int(n) => Some(n != 0);
    i64, "a whole number": Value::Int(n) => Some(n), Value::Bool(b) => Some(i64::from(b));
    u32, "a whole number from 0": Value::Int(n) => u32::try_from(n).ok();
    u64, "a whole number from 0": Value::Int(n) => u64::try_from(n).ok();
    f64, "a number": Value::Real(n) => Some(n), Value::Int(n) => Some(n as f64);
    String, "a text": Value::Text(t) => Some(t.into_owned());
    Vec<u8>, "bytes": Value::Bytes(b) => Some(b.into_owned());
    Timestamp, "a time": Value::Int(n) => Some(Timestamp::from_millis(n));
}

impl<const N: usize> FromCell for [u8; N] {
    const WANTED: &'static str = "bytes of one length";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.as_ref().try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}
