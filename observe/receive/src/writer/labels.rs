//! Labels as they come from outside: verified, and made into the kernel's. Pure.

use std::fmt::Write;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use kernel::Labels;
use kernel::labels::METRIC_NAME;

use super::Refusal;
use crate::limits::{Limits, Reason, SYSTEM};

/// A label as it stands on the wire: nothing is known of it yet.
pub(crate) type RawLabel<'a> = (&'a [u8], &'a [u8]);

/// Strings that are the same are kept once, within one request.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    known: HashTable<Arc<str>>,
    hasher: foldhash::fast::RandomState,
}

impl Interner {
    pub(crate) fn get(&mut self, text: &str) -> Arc<str> {
        let Self { known, hasher } = self;
        let entry = known.entry(hasher.hash_one(text), |k| **k == *text, |k| hasher.hash_one(&**k));
        entry.or_insert_with(|| Arc::from(text)).get().clone()
    }
}

/// The labels of a series, verified as Prometheus's receiver does, and within the limits.
///
/// # Errors
/// Why the series is refused.
pub(crate) fn series_labels(
    raw: &mut Vec<RawLabel<'_>>,
    limits: &Limits,
    interner: &mut Interner,
) -> Result<Labels, Refusal> {
    raw.sort_by(|a, b| a.0.cmp(b.0));
    let valid = raw.iter().all(|(name, value)| {
        !name.is_empty()
            && std::str::from_utf8(name).is_ok()
            && std::str::from_utf8(value).is_ok()
            && !(*name == METRIC_NAME.as_bytes() && value.is_empty())
    });
    let refuse = |reason, text| Err(Refusal { reason, text });
    if !valid || !raw.iter().any(|(name, _)| *name == METRIC_NAME.as_bytes()) {
        return refuse(Reason::InvalidLabels, format!("invalid metric name or labels, got {}", raw_text(raw)));
    }
    if let Some([(name, _), _]) = raw.array_windows().find(|[a, b]| a.0 == b.0) {
        let name = String::from_utf8_lossy(name);
        let text = format!("invalid labels for series, labels {}, duplicated label {name}", raw_text(raw));
        return refuse(Reason::InvalidLabels, text);
    }
    within(raw, limits)?;
    let missing = system_of(raw, limits)?;
    let mut share = |bytes: &[u8]| std::str::from_utf8(bytes).map_or_else(|_| Arc::from(""), |text| interner.get(text));
    let mut pairs: Vec<_> = raw.iter().map(|(name, value)| (share(name), share(value))).collect();
    if let Some(system) = missing {
        pairs.push((share(SYSTEM.as_bytes()), share(system.as_bytes())));
    }
    Ok(Labels::from_shared(pairs))
}

/// The system that a series without one gets; `None` where it has one already, or need not have any.
///
/// # Errors
/// It is of a system for which its sender may not write, or of none where it could be of several.
fn system_of<'l>(raw: &[RawLabel<'_>], limits: &'l Limits) -> Result<Option<&'l str>, Refusal> {
    let Some(systems) = &limits.systems else { return Ok(None) };
    let named = raw.iter().find(|(name, _)| *name == SYSTEM.as_bytes()).map(|(_, value)| *value);
    let refuse = |text| Err(Refusal { reason: Reason::System, text });
    match (named.filter(|value| !value.is_empty()), systems.as_slice()) {
        (Some(value), all) if all.iter().any(|s| s.as_bytes() == value) => Ok(None),
        (Some(_), _) => refuse(format!(
            "series of this system may not be written with these rights: {}; use a token whose owner may run there",
            raw_text(raw)
        )),
        (None, [only]) => Ok(Some(only)),
        (None, []) => refuse("there is no system that may be written for with these rights".to_owned()),
        (None, _) => refuse(format!(
            "the label {SYSTEM} is missing, and these rights are for several systems: {}; add it, or use a token for one",
            raw_text(raw)
        )),
    }
}

fn within(raw: &[RawLabel<'_>], limits: &Limits) -> Result<(), Refusal> {
    if raw.len() > limits.labels {
        let text =
            format!("{} labels are over the limit of {} labels a series: {}", raw.len(), limits.labels, raw_text(raw));
        return Err(Refusal { reason: Reason::Labels, text });
    }
    for (name, value) in raw {
        let too_long =
            [("name", name.len(), limits.label_name_bytes), ("value", value.len(), limits.label_value_bytes)];
        if let Some((what, bytes, limit)) = too_long.into_iter().find(|(_, bytes, limit)| bytes > limit) {
            let start = String::from_utf8_lossy(name.get(..64).unwrap_or(name)).into_owned();
            let text = format!(
                "the {what} of label {start:?} has {bytes} bytes, over the limit of {limit}: shorten or drop it"
            );
            return Err(Refusal { reason: Reason::LabelLength, text });
        }
    }
    Ok(())
}

/// The labels of an exemplar: any, but text; an exemplar whose labels are no text is left out.
pub(crate) fn exemplar_labels(raw: &[RawLabel<'_>], interner: &mut Interner) -> Option<Labels> {
    let mut pairs = Vec::with_capacity(raw.len());
    for (name, value) in raw {
        pairs.push((interner.get(std::str::from_utf8(name).ok()?), interner.get(std::str::from_utf8(value).ok()?)));
    }
    Some(Labels::from_shared(pairs))
}

/// Labels as Prometheus writes them in messages: `{__name__="up", job="a"}`.
pub(crate) fn labels_text(labels: &Labels) -> String {
    text(labels.iter())
}

pub(super) fn raw_text(raw: &[RawLabel<'_>]) -> String {
    let lossy: Vec<_> = raw.iter().map(|(n, v)| (String::from_utf8_lossy(n), String::from_utf8_lossy(v))).collect();
    text(lossy.iter().map(|(n, v)| (&**n, &**v)))
}

fn text<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in labels.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        let plain = |(i, b): (usize, u8)| b == b'_' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit());
        if !name.is_empty() && name.bytes().enumerate().all(plain) {
            out.push_str(name)
        } else {
            quote(name, &mut out)
        }
        out.push('=');
        quote(value, &mut out);
    }
    out.push('}');
    out
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[(&'static str, &'static str)], limits: &Limits) -> Result<String, String> {
        let mut raw: Vec<RawLabel<'_>> = raw.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let read = series_labels(&mut raw, limits, &mut Interner::default());
        read.map(|labels| labels_text(&labels)).map_err(|refusal| refusal.text)
    }

    #[test]
    fn sec_12_series_are_of_the_systems_that_their_sender_may_write_for() {
        let of = |systems: &[&str]| Limits {
            systems: Some(systems.iter().map(|s| (*s).to_owned()).collect()),
            ..Limits::default()
        };
        let up = [("__name__", "up")];
        let own = [("__name__", "up"), ("system", "a")];
        let empty = [("__name__", "up"), ("system", "")];
        let expect = Ok(r#"{__name__="up", system="a"}"#.to_owned());
        assert_eq!(read(&up, &of(&["a"])), expect);
        assert_eq!(read(&empty, &of(&["a"])), expect);
        assert_eq!(read(&own, &of(&["b", "a"])), expect);
        assert_eq!(read(&own, &Limits::default()), expect);
        for (raw, systems, said) in [
            (&own[..], &["b"][..], "may not be written with these rights"),
            (&own, &[], "may not be written"),
            (&up, &[], "no system that may be written for"),
            (&up, &["a", "b"], "the label system is missing"),
        ] {
            let error = read(raw, &of(systems)).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn labels_are_verified_as_prometheus_does() {
        let limits = Limits { labels: 3, label_name_bytes: 8, label_value_bytes: 4, ..Limits::default() };
        for (raw, expect) in [
            (&[("a", "1"), ("__name__", "up")][..], Ok(r#"{__name__="up", a="1"}"#)),
            (&[("__name__", "up"), ("b", "")], Ok(r#"{__name__="up"}"#)),
            (&[("__name__", "up"), ("é.b", "\"\n")], Ok("{__name__=\"up\", \"é.b\"=\"\\\"\\n\"}")),
            (&[("a", "1")], Err(r#"invalid metric name or labels, got {a="1"}"#)),
            (&[("__name__", "")], Err(r#"invalid metric name or labels, got {__name__=""}"#)),
            (&[("__name__", "up"), ("", "x")], Err(r#"invalid metric name or labels, got {""="x", __name__="up"}"#)),
            (
                &[("b", "1"), ("__name__", "up"), ("b", "1")],
                Err(r#"invalid labels for series, labels {__name__="up", b="1", b="1"}, duplicated label b"#),
            ),
            (
                &[("__name__", "up"), ("a", "12345")],
                Err("the value of label \"a\" has 5 bytes, over the limit of 4: shorten or drop it"),
            ),
            (
                &[("__name__", "up"), ("a", "1"), ("b", "1"), ("c", "1")],
                Err("4 labels are over the limit of 3 labels a series: {__name__=\"up\", a=\"1\", b=\"1\", c=\"1\"}"),
            ),
        ] {
            assert_eq!(read(raw, &limits), expect.map(String::from).map_err(String::from));
        }
        let mut bytes: Vec<RawLabel<'_>> = vec![(b"__name__", b"up"), (b"a", b"\xff")];
        assert!(series_labels(&mut bytes, &limits, &mut Interner::default()).is_err());
    }
}
