//! Label sets: what tells one series from another. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Name of the label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A label set: names unique, sorted by name; an empty value is the same as no label (Prometheus's data model).
///
/// Cloning is cheap (one reference count).
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// The set of the given pairs: sorted, empty values left out, of a repeated name the last one counts.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::from_shared(pairs.into_iter().map(|(n, v)| (Arc::from(n.as_ref()), Arc::from(v.as_ref()))).collect())
    }

    /// As [`Labels::new`], from strings that are shared already.
    pub fn from_shared(mut pairs: Vec<(Arc<str>, Arc<str>)>) -> Self {
        // What was a label set before is in order already.
        if pairs.is_sorted_by(|a, b| a.0 < b.0) && pairs.iter().all(|(_, v)| !v.is_empty()) {
            return Self(pairs.into());
        }
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let mut out: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            match out.last_mut() {
                Some(last) if last.0 == pair.0 => *last = pair,
                _ => out.push(pair),
            }
        }
        out.retain(|(_, v)| !v.is_empty());
        Self(out.into())
    }

    /// A metric's name and its other labels.
    pub fn metric<N: AsRef<str>, V: AsRef<str>>(name: &str, pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut all = vec![(Arc::from(METRIC_NAME), Arc::from(name))];
        all.extend(pairs.into_iter().map(|(n, v)| (Arc::from(n.as_ref()), Arc::from(v.as_ref()))));
        Self::from_shared(all)
    }

    /// The value of a label; `None` when it is not there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok().map(|i| self.0[i].1.as_ref())
    }

    /// The metric's name, `""` when there is none.
    pub fn name(&self) -> &str {
        // Nearly always the first label: names in small letters sort behind it.
        match self.0.first() {
            Some((n, value)) if &**n == METRIC_NAME => value,
            _ => self.get(METRIC_NAME).unwrap_or_default(),
        }
    }

    /// All pairs by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))
    }

    /// All pairs as shared strings.
    pub fn pairs(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0
    }

    /// How many labels, the name included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same set with one label set (an empty value takes it out).
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut pairs = self.0.to_vec();
        pairs.push((Arc::from(name), Arc::from(value)));
        Self::from_shared(pairs)
    }

    /// The same set without the labels that `drop` names.
    #[must_use]
    pub fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(n, _)| !drop(n)).cloned().collect())
    }

    /// A hash that stays the same between runs and versions: FNV-1a, 64 bits, over name 0xFF value 0xFF.
    ///
    /// Alerts are known by it (their *fingerprint*), also on disk.
    pub fn fingerprint(&self) -> u64 {
        let all = self.0.iter();
        crate::hash::fnv1a(all.flat_map(|(n, v)| n.bytes().chain([0xff]).chain(v.bytes()).chain([0xff])))
    }
}

impl fmt::Display for Labels {
    /// As in PromQL: `up{job="postgres"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let mut rest = self.iter().filter(|(n, _)| *n != METRIC_NAME).peekable();
        if rest.peek().is_none() && !self.name().is_empty() {
            return Ok(());
        }
        f.write_str("{")?;
        for (i, (name, value)) in rest.enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::new(std::collections::BTreeMap::<String, String>::deserialize(d)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_drops_empty_and_keeps_the_last() {
        let labels = Labels::new([("b", "1"), ("a", "x"), ("b", "2"), ("c", "")]);
        assert_eq!(labels.to_string(), r#"{a="x", b="2"}"#);
        assert_eq!(labels.get("b"), Some("2"));
        assert_eq!(labels.get("c"), None);
    }

    #[test]
    fn fingerprint_is_stable() {
        assert_eq!(Labels::metric("up", [("job", "postgres")]).fingerprint(), 0x67e3_714e_ffc5_1c19);
        assert_ne!(Labels::new([("a", "bc")]).fingerprint(), Labels::new([("ab", "c")]).fingerprint());
    }
}
