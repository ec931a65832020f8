//! From matchers to series in memory. Pure.

use hashbrown::HashMap;
use kernel::series::{MatchOp, Matcher};

use crate::registry::{Registry, SeriesId};

/// A list that is so many times longer than what was found already is not read: what was found is asked one by one.
const LONGER: u64 = 16;

/// Sorted lists of numbers: what an index answers.
pub(crate) trait Lists {
    /// Numbers of the series whose label is there and does (or does not) match, ascending.
    fn with_value(&self, matcher: &Matcher, wanted: bool) -> Vec<u32>;
    /// Takes away the series, of some in ascending order, that do not fulfil a matcher.
    fn retain(&self, found: &mut Vec<u32>, matcher: &Matcher);
    /// How many series there are; their numbers begin at 0.
    fn count(&self) -> u32;
    /// How many values a label has.
    fn values(&self, name: &str) -> usize;
    /// As many series as have this label with this value, or somewhat more.
    fn at_most(&self, name: &str, value: &str) -> u64;
}

/// Of so few series it is found out how many there are.
const COUNTED: u64 = 512;

/// As many series as can match, where equality says so.
pub(crate) fn at_most(index: &impl Lists, matchers: &[Matcher]) -> Option<u64> {
    let equal = matchers.iter().filter(|m| m.op == MatchOp::Equal && !m.value.is_empty());
    let most = equal.map(|m| index.at_most(&m.name, &m.value)).min()?;
    Some(if most <= COUNTED { matching(index, matchers).len() as u64 } else { most })
}

/// The series that fulfil all matchers, ascending.
pub(crate) fn matching(index: &impl Lists, matchers: &[Matcher]) -> Vec<u32> {
    // A matcher that a missing label fulfils cannot find series, only take away those it refuses.
    let (finding, refusing): (Vec<_>, Vec<_>) = matchers.iter().partition(|m| !m.matches(""));
    let (mut equal, mut others): (Vec<_>, Vec<_>) = finding.into_iter().partition(|m| m.op == MatchOp::Equal);
    // What finds least goes first. The more values a label has, the fewer series have one of them.
    equal.sort_by_cached_key(|m| index.at_most(&m.name, &m.value));
    others.sort_by_cached_key(|m| std::cmp::Reverse(index.values(&m.name)));
    let mut found: Option<Vec<u32>> = None;
    for matcher in equal.into_iter().chain(others).chain(refusing) {
        match &mut found {
            None if matcher.matches("") => {
                let mut all = (0..index.count()).collect();
                narrow(index, &mut all, matcher);
                found = Some(all);
            }
            None => found = Some(index.with_value(matcher, true)),
            Some(found) if found.is_empty() => break,
            Some(found) => narrow(index, found, matcher),
        }
    }
    found.unwrap_or_else(|| (0..index.count()).collect())
}

/// Takes away what does not fulfil the matcher, by lists or one by one, whichever costs less.
fn narrow(index: &impl Lists, found: &mut Vec<u32>, matcher: &Matcher) {
    let list = match matcher.op {
        MatchOp::Equal => index.at_most(&matcher.name, &matcher.value),
        // Each value is asked, and together the lists may have them all.
        _ => u64::from(index.count()),
    };
    if found.len() as u64 * LONGER < list || matcher.op != MatchOp::Equal && found.len() < index.values(&matcher.name) {
        index.retain(found, matcher);
    } else if matcher.matches("") {
        let refused = index.with_value(matcher, false);
        if !refused.is_empty() {
            *found = without(found, &refused);
        }
    } else {
        *found = intersect(found, &index.with_value(matcher, true));
    }
}

/// Whether values fulfil a matcher: each is asked once.
pub(crate) struct Verdicts<'m> {
    matcher: &'m Matcher,
    known: HashMap<u32, bool>,
    last: Option<(u32, bool)>,
}

impl<'m> Verdicts<'m> {
    pub(crate) fn new(matcher: &'m Matcher) -> Self {
        Self { matcher, known: HashMap::new(), last: None }
    }

    /// Of the value with this number.
    pub(crate) fn of<'t>(&mut self, number: u32, text: impl FnOnce() -> &'t str) -> bool {
        if let Some((last, verdict)) = self.last
            && last == number
        {
            return verdict;
        }
        let verdict = *self.known.entry(number).or_insert_with(|| self.matcher.matches(text()));
        self.last = Some((number, verdict));
        verdict
    }
}

impl Lists for Registry {
    fn with_value(&self, matcher: &Matcher, wanted: bool) -> Vec<SeriesId> {
        if wanted && matcher.op == MatchOp::Equal {
            return self.pair(&matcher.name, &matcher.value).map_or_else(Vec::new, |p| self.postings(p).to_vec());
        }
        let lists = self.pairs_of(&matcher.name).iter().filter(|p| matcher.matches(self.texts(**p).1) == wanted);
        union(lists.map(|p| self.postings(*p)))
    }

    fn retain(&self, found: &mut Vec<u32>, matcher: &Matcher) {
        let (mut verdicts, missing) = (Verdicts::new(matcher), matcher.matches(""));
        let Some(name) = self.symbol(&matcher.name) else {
            if !missing {
                found.clear();
            }
            return;
        };
        found.retain(|id| {
            let own = self.series_pairs(*id).find(|pair| self.name_of(*pair) == name);
            own.map_or(missing, |pair| verdicts.of(pair, || self.texts(pair).1))
        });
    }

    fn count(&self) -> u32 {
        self.series_count() as u32
    }

    fn values(&self, name: &str) -> usize {
        self.pairs_of(name).len()
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
        let name = proptest::sample::select(vec!["x", "y", "z", "gone", "__name__"]);
        let value = proptest::sample::select(vec!["", "a", "a|b", "a.*", ".+", ".*", "abc", "m"]);
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
