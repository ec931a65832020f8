//! Units of values: which there are. How they are written is the pages' matter. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use plan_syntax::suggest::{listing, nearest};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The unit of a value: a word of the list, `suffix: …` or `prefix: …` for any other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// One of [`WORDS`].
    Known(&'static str),
    /// This text behind the number.
    Suffix(String),
    /// This text before the number.
    Prefix(String),
}

/// All units with what they mean.
pub const WORDS: [(&str, &str); 40] = [
    ("none", "a plain number, with separators"),
    ("short", "a plain number, shortened: 12.3 K, 4.5 Mil"),
    ("percent", "0 to 100"),
    ("ratio", "0 to 1, shown as percent"),
    ("seconds", "a length of time"),
    ("milliseconds", "a length of time"),
    ("microseconds", "a length of time"),
    ("nanoseconds", "a length of time"),
    ("minutes", "a length of time"),
    ("hours", "a length of time"),
    ("days", "a length of time"),
    ("timestamp", "seconds since 1970, shown as a date"),
    ("timestamp_ms", "milliseconds since 1970, shown as a date"),
    ("bytes", "binary: KiB, MiB"),
    ("decimal_bytes", "decimal: kB, MB"),
    ("bits", "decimal: kb, Mb"),
    ("kibibytes", "binary, counted in KiB"),
    ("mebibytes", "binary, counted in MiB"),
    ("gibibytes", "binary, counted in GiB"),
    ("bytes_per_second", "binary"),
    ("decimal_bytes_per_second", "decimal"),
    ("bits_per_second", "decimal"),
    ("packets_per_second", "p/s"),
    ("per_second", "so many a second"),
    ("per_minute", "so many a minute"),
    ("per_hour", "so many an hour"),
    ("requests_per_second", "req/s"),
    ("requests_per_minute", "req/min"),
    ("operations_per_second", "ops/s"),
    ("reads_per_second", "rd/s"),
    ("writes_per_second", "wr/s"),
    ("hertz", "Hz"),
    ("celsius", "°C"),
    ("volts", "V"),
    ("amperes", "A"),
    ("watts", "W"),
    ("usd", "US dollars"),
    ("eur", "euros"),
    ("pen", "soles"),
    ("yes_no", "0 is no, anything else yes"),
];

impl Unit {
    /// A plain number.
    pub const NONE: Self = Self::Known("none");

    /// A unit of the list; a plain number when there is none of that name.
    pub fn known(word: &str) -> Self {
        WORDS.iter().find(|(w, _)| *w == word).map_or(Self::NONE, |(w, _)| Self::Known(w))
    }

    /// Its word.
    pub fn as_text(&self) -> Cow<'static, str> {
        match self {
            Self::Known(word) => Cow::Borrowed(word),
            Self::Suffix(text) => Cow::Owned(format!("suffix: {text}")),
            Self::Prefix(text) => Cow::Owned(format!("prefix: {text}")),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_text())
    }
}

impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        for (word, of) in [("suffix:", Self::Suffix as fn(String) -> Self), ("prefix:", Self::Prefix)] {
            if let Some(rest) = text.strip_prefix(word) {
                return Ok(of(rest.trim().to_owned()));
            }
        }
        if let Some((word, _)) = WORDS.iter().find(|(w, _)| *w == text) {
            return Ok(Self::Known(word));
        }
        let words = || WORDS.iter().map(|(w, _)| *w);
        let hint = match nearest(text, words()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("write {}, or `suffix: …`", listing(words(), WORDS.len(), "or")),
        };
        Err(format!("`{text}` is not a unit: {hint}"))
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.as_text())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Unit {
    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = WORDS.iter().map(|(w, _)| *w).collect();
        json_schema!({
            "type": "string",
            "format": "unit",
            "examples": words,
            "description": "A unit: one of the examples, or `suffix: …` or `prefix: …` for any other."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_words_or_any_text_around_the_number() {
        assert_eq!("bytes".parse(), Ok(Unit::Known("bytes")));
        assert_eq!("suffix: req".parse(), Ok(Unit::Suffix("req".into())));
        assert_eq!("prefix:S/".parse::<Unit>().unwrap().to_string(), "prefix: S/");
        assert!("seconts".parse::<Unit>().unwrap_err().contains("did you mean seconds?"));
        assert!("qqq".parse::<Unit>().unwrap_err().contains("suffix"));
    }
}
