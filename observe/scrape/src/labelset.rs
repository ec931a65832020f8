//! A label set that is being changed. Pure.

use std::borrow::Cow;

use kernel::Labels;

/// Labels under construction: few, so a list is searched. An empty value is no label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelBuilder(Vec<(String, String)>);

impl LabelBuilder {
    /// Starts with what is there.
    pub fn new(labels: &Labels) -> Self {
        Self(labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
    }

    /// Starts with labels as they were read; of a name that comes twice the last one counts.
    pub(crate) fn from_pairs(pairs: &[(Cow<'_, str>, Cow<'_, str>)]) -> Self {
        let mut out = Self(Vec::with_capacity(pairs.len() + 4));
        for (name, value) in pairs {
            out.set(name, value);
        }
        out
    }

    /// A label's value, `""` when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// Sets a label; an empty value takes it out.
    pub fn set(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.remove(name);
            return;
        }
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, v)) => value.clone_into(v),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Takes a label out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }

    /// Keeps the labels that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(n, _)| keep(n));
    }

    /// All pairs, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The finished set.
    pub fn labels(&self) -> Labels {
        Labels::new(self.iter())
    }
}
