//! From matchers to series in memory. Pure.

use kernel::series::{MatchOp, Matcher};

use crate::registry::{Registry, SeriesId};

/// Sorted lists of numbers: what an index answers.
pub(crate) trait Lists {
    /// Numbers of the series whose label is there and does (or does not) match, ascending.
    fn with_value(&self, matcher: &Matcher, wanted: bool) -> Vec<u32>;
    /// How many series there are; their numbers begin at 0.
    fn count(&self) -> u32;
    /// As many series as have this label with this value, or somewhat more.
    fn at_most(&self, name: &str, value: &str) -> u64;
}

/// As many series as can match, where equality says so.
pub(crate) fn at_most(index: &impl Lists, matchers: &[Matcher]) -> Option<u64> {
    let equal = matchers.iter().filter(|m| m.op == MatchOp::Equal && !m.value.is_empty());
    equal.map(|m| index.at_most(&m.name, &m.value)).min()
}

/// The series that fulfil all matchers, ascending.
pub(crate) fn matching(index: &impl Lists, matchers: &[Matcher]) -> Vec<u32> {
    // A matcher that a missing label fulfils cannot find series, only take away those it refuses.
    let (mut finding, refusing): (Vec<_>, Vec<_>) = matchers.iter().partition(|m| !m.matches(""));
    // Equality finds few and costs little: it goes first, and what finds nothing ends the search.
    finding.sort_by_key(|m| m.op != MatchOp::Equal);
    let mut found: Option<Vec<u32>> = None;
    for matcher in finding {
        if found.as_ref().is_some_and(Vec::is_empty) {
            return Vec::new();
        }
        let ids = index.with_value(matcher, true);
        found = Some(match found {
            None => ids,
            Some(before) => intersect(&before, &ids),
        });
    }
    let mut found = found.unwrap_or_else(|| (0..index.count()).collect());
    for matcher in refusing {
        if found.is_empty() {
            break;
        }
        let refused = index.with_value(matcher, false);
        if !refused.is_empty() {
            found = without(&found, &refused);
        }
    }
    found
}

impl Lists for Registry {
    fn with_value(&self, matcher: &Matcher, wanted: bool) -> Vec<SeriesId> {
        if wanted && matcher.op == MatchOp::Equal {
            return self.pair(&matcher.name, &matcher.value).map_or_else(Vec::new, |p| self.postings(p).to_vec());
        }
        let lists = self.pairs_of(&matcher.name).iter().filter(|p| matcher.matches(self.texts(**p).1) == wanted);
        union(lists.map(|p| self.postings(*p)))
    }

    fn count(&self) -> u32 {
        self.series_count() as u32
    }

    fn at_most(&self, name: &str, value: &str) -> u64 {
        self.pair(name, value).map_or(0, |p| self.postings(p).len() as u64)
    }
}

/// All numbers of some sorted lists, ascending.
pub(crate) fn union<'a>(lists: impl Iterator<Item = &'a [u32]>) -> Vec<u32> {
    let mut all: Vec<u32> = lists.flatten().copied().collect();
    if !all.is_sorted() {
        all.sort_unstable();
    }
    all
}

fn without(all: &[u32], refused: &[u32]) -> Vec<u32> {
    if all.len() * 16 < refused.len() {
        return all.iter().filter(|id| refused.binary_search(id).is_err()).copied().collect();
    }
    let mut rest = refused.iter().peekable();
    let keep = |id: &&u32| {
        while rest.next_if(|other| other < id).is_some() {}
        rest.peek() != Some(id)
    };
    all.iter().filter(keep).copied().collect()
}

fn intersect(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if few.len() * 16 < many.len() {
        return few.iter().filter(|id| many.binary_search(id).is_ok()).copied().collect();
    }
    let mut rest = many.iter().peekable();
    few.iter()
        .filter(|id| {
            while rest.next_if(|other| other < id).is_some() {}
            rest.peek() == Some(id)
        })
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Place;
    use kernel::Labels;
    use proptest::prelude::*;

    fn label() -> impl Strategy<Value = String> {
        proptest::sample::select(vec!["", "a", "b", "ab", "abc"]).prop_map(str::to_owned)
    }

    fn matcher() -> impl Strategy<Value = Matcher> {
        let op = proptest::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
        let name = proptest::sample::select(vec!["x", "y", "z", "gone"]);
        let value = proptest::sample::select(vec!["", "a", "a|b", "a.*", ".+", ".*", "abc"]);
        (name, op, value).prop_map(|(n, o, v)| Matcher::new(n, o, v).unwrap())
    }

    proptest! {
        #[test]
        fn finds_what_trying_each_series_finds(
            sets in proptest::collection::btree_set((label(), label(), label()), 0..40),
            matchers in proptest::collection::vec(matcher(), 0..4), forget in 0u32..7,
        ) {
            let series: Vec<Labels> = sets
                .iter()
                .map(|(x, y, z)| Labels::metric("m", [("x", x), ("y", y), ("z", z)]))
                .collect();
            let mut registry = Registry::default();
            for (i, labels) in (0u32..).zip(&series) {
                registry.insert(labels, Place { group: i / 7, column: i % 7 });
            }
            let wanted: Vec<Labels> = series.iter().filter(|l| matchers.iter().all(|m| m.matches_labels(l))).cloned().collect();
            let found: Vec<Labels> = matching(&registry, &matchers).iter().map(|id| registry.labels(*id)).collect();
            prop_assert_eq!(&found, &wanted);
            prop_assert!(at_most(&registry, &matchers).is_none_or(|most| most >= found.len() as u64));
            let (fewer, _) = registry.without(|group| group != forget);
            let found: Vec<Labels> = matching(&fewer, &matchers).iter().map(|id| fewer.labels(*id)).collect();
            let kept = |l: &&Labels| series.iter().position(|s| s == *l).unwrap() as u32 / 7 != forget;
            prop_assert_eq!(found, wanted.iter().filter(kept).cloned().collect::<Vec<_>>());
        }
    }
}
