//! Series that are written together: the buckets of one histogram, from the largest bound down. Pure.
//!
//! What all buckets count is written whole, since others count the same (`_count`), and each further bucket as what it counts less than the one above it.
//! The lowest one, which has most of what is left, then need not be told from nothing. They stand in the file as they are sorted, by text.

use std::collections::VecDeque;

use kernel::Labels;

use super::reference::REACH;
use crate::page::{Mantissas, Reference};

/// The label that tells buckets apart.
const BOUND: &str = "le";
/// Buckets of one histogram that wait for each other, at most: more would hold too many values in memory.
pub(super) const TOGETHER: usize = 64;

/// A series that others may be differences to: its pages by column of times, and how many others each needs to be read.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) pages: Vec<(u32, u32, Mantissas)>,
}

/// Whether a series is a bucket.
pub(super) fn is_bucket(labels: &Labels) -> bool {
    labels.get(BOUND).is_some()
}

/// Whether two buckets are of the same histogram.
pub(super) fn is_of_same(a: &Labels, b: &Labels) -> bool {
    let rest =
        |labels: &Labels| labels.pairs().iter().filter(|(name, _)| &**name != BOUND).cloned().collect::<Vec<_>>();
    is_bucket(a) && is_bucket(b) && a.pairs().len() == b.pairs().len() && rest(a) == rest(b)
}

/// The order in which series are written.
pub(super) fn order<'a>(all: impl Iterator<Item = &'a Labels>) -> Vec<usize> {
    let bound = |labels: &Labels| labels.get(BOUND).and_then(|le| le.parse().ok()).unwrap_or(f64::NEG_INFINITY);
    let bounds: Vec<f64> = all.map(bound).collect();
    let mut order: Vec<usize> = (0..bounds.len()).collect();
    order.sort_by(|a, b| bounds[*b].total_cmp(&bounds[*a]));
    order
}

/// What the series at this place of some that are written together may be a difference to: those of them that are written already, and those
/// before all of them.
pub(super) fn references<'a>(
    at: usize,
    column: u32,
    made: &'a [Option<Kept>],
    recent: &'a VecDeque<Kept>,
) -> Vec<Reference<'a>> {
    let here = made.iter().enumerate().filter_map(|(i, kept)| Some((at as i32 - i as i32, kept.as_ref()?)));
    let before = (at as i32 + 1..).zip(recent);
    let near = here.chain(before).filter(|(distance, _)| distance.unsigned_abs() as usize <= REACH);
    let of = |(distance, kept): (i32, &'a Kept)| {
        let pages = kept.pages.iter().filter(move |(c, _, _)| *c == column);
        pages.map(move |(_, depth, page)| Reference { distance, depth: *depth, page })
    };
    near.flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(le: &str) -> Labels {
        Labels::metric("h_bucket", [("job", "a"), ("le", le)])
    }

    #[test]
    fn buckets_are_written_from_the_largest_down() {
        let all = ["+Inf", "0.005", "10", "2.5", "x"].map(bucket);
        assert_eq!(order(all.iter()), [0, 2, 3, 1, 4]);
    }

    #[test]
    fn buckets_of_one_histogram_differ_by_their_bound_only() {
        let other = Labels::metric("h_bucket", [("job", "b"), ("le", "1")]);
        let none = Labels::metric("h_bucket", [("job", "a")]);
        assert!(is_of_same(&bucket("1"), &bucket("2")));
        assert!(!is_of_same(&bucket("1"), &other) && !is_of_same(&bucket("1"), &none) && !is_of_same(&none, &none));
    }

    #[test]
    fn references_stand_before_and_behind_but_not_far() {
        let kept =
            |column: u32, depth: u32| Kept { pages: vec![(column, depth, Mantissas { scale: 0, values: vec![1] })] };
        let made = [Some(kept(3, 0)), None, Some(kept(3, 4)), Some(kept(4, 0)), Some(kept(3, 1))];
        let recent: VecDeque<Kept> = (0..20).map(|_| kept(3, 2)).collect();
        let found = references(1, 3, &made, &recent);
        let places: Vec<(i32, u32)> = found.iter().map(|r| (r.distance, r.depth)).collect();
        assert_eq!(places[..4], [(1, 0), (-1, 4), (-3, 1), (2, 2)]);
        assert_eq!((places.len(), places.last()), (3 + REACH - 1, Some(&(REACH as i32, 2))));
    }
}
