//! Which group of an aggregation a series belongs to, without making new label sets for each of them. Pure.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use kernel::Labels;

use super::aggregate::group_labels;
use super::line::is_metadata;
use crate::syntax::ast::Grouping;

/// The groups found so far, by number.
pub(super) struct Groups<'g> {
    grouping: &'g Grouping,
    /// The named labels, sorted.
    named: Vec<&'g str>,
    hasher: RandomState,
    /// Groups by the hash of their labels; nearly always one of each.
    places: HashMap<u64, Vec<usize>>,
    labels: Vec<Labels>,
}

impl<'g> Groups<'g> {
    pub(super) fn new(grouping: &'g Grouping) -> Self {
        let mut named: Vec<&str> = grouping.labels.iter().map(String::as_str).collect();
        named.sort_unstable();
        named.dedup();
        Self { grouping, named, hasher: RandomState::new(), places: HashMap::new(), labels: Vec::new() }
    }

    /// Whether a label of a series tells groups apart.
    fn counts(&self, name: &str) -> bool {
        let named = self.named.binary_search(&name).is_ok();
        if self.grouping.without { !named && !is_metadata(name) } else { named }
    }

    /// The number of the group of a series; groups are numbered as they are found.
    pub(super) fn of(&mut self, labels: &Labels) -> usize {
        if !self.grouping.without && self.named.is_empty() {
            if self.labels.is_empty() {
                self.labels.push(Labels::default());
            }
            return 0;
        }
        let mut state = self.hasher.build_hasher();
        for (name, value) in labels.iter().filter(|(n, _)| self.counts(n)) {
            state.write(name.as_bytes());
            state.write_u8(0xff);
            state.write(value.as_bytes());
            state.write_u8(0xff);
        }
        let hash = state.finish();
        let same = |place: &&usize| {
            let wanted = labels.iter().filter(|(n, _)| self.counts(n));
            self.labels[**place].iter().eq(wanted)
        };
        if let Some(place) = self.places.get(&hash).and_then(|all| all.iter().find(same)) {
            return *place;
        }
        self.labels.push(group_labels(labels, self.grouping));
        let place = self.labels.len() - 1;
        self.places.entry(hash).or_default().push(place);
        place
    }

    /// The labels of all groups, by number.
    pub(super) fn into_labels(self) -> Vec<Labels> {
        self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(grouping: &Grouping, series: &[&str]) -> (Vec<usize>, Vec<String>) {
        let mut groups = Groups::new(grouping);
        let labels = series.iter().map(|s| crate::notation::labels(s).unwrap().0);
        let numbers = labels.map(|l| groups.of(&l)).collect();
        (numbers, groups.into_labels().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn groups_are_numbered_as_they_are_found() {
        let series = [r#"m{a="1",b="1"}"#, r#"m{a="2",b="1"}"#, r#"n{a="1",b="2"}"#, "m"];
        let by = |without, labels: &[&str]| {
            let labels = labels.iter().map(ToString::to_string).collect();
            numbers(&Grouping { without, labels }, &series)
        };
        assert_eq!(by(false, &[]), (vec![0, 0, 0, 0], vec!["{}".to_owned()]));
        assert_eq!(by(false, &["a"]).0, [0, 1, 0, 2]);
        assert_eq!(by(true, &["b"]).0, [0, 1, 0, 2]);
        assert_eq!(by(false, &["__name__"]), (vec![0, 0, 1, 0], vec!["m".to_owned(), "n".to_owned()]));
    }
}
