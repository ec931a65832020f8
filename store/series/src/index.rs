//! From matchers to series. Pure.

use kernel::series::Matcher;

use crate::registry::{Registry, SeriesId};

/// The series that fulfil all matchers, ascending.
pub(crate) fn matching(registry: &Registry, matchers: &[Matcher]) -> Vec<SeriesId> {
    // A matcher that a missing label fulfils cannot find series, only take away those it refuses.
    let (finding, refusing): (Vec<_>, Vec<_>) = matchers.iter().partition(|m| !m.matches(""));
    let mut found: Option<Vec<SeriesId>> = None;
    for matcher in finding {
        let ids = with_value(registry, matcher, true);
        found = Some(match found {
            None => ids,
            Some(before) => intersect(&before, &ids),
        });
    }
    let mut found = found.unwrap_or_else(|| (0..registry.series_count() as SeriesId).collect());
    for matcher in refusing {
        let refused = with_value(registry, matcher, false);
        if !refused.is_empty() {
            found.retain(|id| refused.binary_search(id).is_err());
        }
    }
    found
}

/// The series whose label is there and does (or does not) match.
fn with_value(registry: &Registry, matcher: &Matcher, wanted: bool) -> Vec<SeriesId> {
    let Some(values) = registry.symbol(&matcher.name).and_then(|name| registry.postings.get(&name)) else {
        return Vec::new();
    };
    if wanted && matcher.op == kernel::series::MatchOp::Equal {
        return registry.symbol(&matcher.value).and_then(|v| values.get(&v)).cloned().unwrap_or_default();
    }
    let lists: Vec<&Vec<SeriesId>> = values
        .iter()
        .filter(|(value, _)| matcher.matches(registry.string(**value)) == wanted)
        .map(|(_, ids)| ids)
        .collect();
    if let [one] = lists.as_slice() {
        return (*one).clone();
    }
    let mut all: Vec<SeriesId> = lists.into_iter().flatten().copied().collect();
    all.sort_unstable();
    all
}

fn intersect(a: &[SeriesId], b: &[SeriesId]) -> Vec<SeriesId> {
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
    use kernel::Labels;
    use kernel::series::MatchOp;
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
            matchers in proptest::collection::vec(matcher(), 0..4),
        ) {
            let series: Vec<Labels> = sets
                .iter()
                .map(|(x, y, z)| Labels::metric("m", [("x", x), ("y", y), ("z", z)]))
                .collect();
            let mut registry = Registry::default();
            (0u32..).zip(series.chunks(7)).for_each(|(id, group)| registry.insert(id, group));
            let wanted: Vec<SeriesId> = (0u32..)
                .zip(&series)
                .filter(|(_, l)| matchers.iter().all(|m| m.matches_labels(l)))
                .map(|(id, _)| id)
                .collect();
            prop_assert_eq!(matching(&registry, &matchers), wanted);
        }
    }
}
