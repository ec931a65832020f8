//! From the samples of a series to its figures in each stretch of time, and from those to figures of longer stretches. Pure.

use std::ops::Range;

use kernel::series::{Rolled, STALE_NAN_BITS};

/// Times and bits, ascending.
pub(super) type Rows = Vec<(i64, u64)>;

/// The last millisecond of the stretch that a time lies in: stretches are open on the left, as PromQL's ranges are.
pub(super) fn end_of(t_ms: i64, resolution_ms: i64) -> i64 {
    (t_ms - 1).div_euclid(resolution_ms) * resolution_ms + resolution_ms
}

/// The rows of each stretch.
pub(super) fn stretches<T>(rows: &[(i64, T)], resolution_ms: i64) -> Vec<Range<usize>> {
    let (mut out, mut from) = (Vec::new(), 0);
    while let Some((t, _)) = rows.get(from) {
        let end = end_of(*t, resolution_ms);
        let to = from + rows[from..].partition_point(|(t, _)| *t <= end);
        out.push(from..to);
        from = to;
    }
    out
}

/// One figure of each stretch, at the time of the stretch's last sample; stretches that hold nothing but markers of ends have none.
pub(super) fn folded(rows: &[(i64, u64)], stretches: &[Range<usize>], figure: Rolled) -> Rows {
    let mut out = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        let some = &rows[stretch.clone()];
        let Some((t, _)) = some.iter().rev().find(|(_, bits)| *bits != STALE_NAN_BITS) else { continue };
        let mut values = some.iter().filter(|(_, bits)| *bits != STALE_NAN_BITS).map(|(_, bits)| f64::from_bits(*bits));
        let value = match figure {
            Rolled::Min => values.reduce(|a, b| if b < a || a.is_nan() { b } else { a }),
            Rolled::Max => values.reduce(|a, b| if b > a || a.is_nan() { b } else { a }),
            Rolled::Sum | Rolled::Count => Some(sum(values)),
            Rolled::Last => values.next_back(),
        };
        out.extend(value.map(|v| (*t, v.to_bits())));
    }
    out
}

/// A sum that keeps what rounding loses (Neumaier's), where there is something to keep.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0f64);
    for v in values {
        let next = sum + v;
        if next.is_finite() {
            lost += if sum.abs() >= v.abs() { (sum - next) + v } else { (v - next) + sum };
        }
        sum = next;
    }
    if sum.is_finite() { sum + lost } else { sum }
}

/// Whether a counter began anew between two samples.
pub(super) type BeginsAnew<'f, T> = &'f dyn Fn(&(i64, T), &(i64, T)) -> bool;

/// Which rows stay as last samples: of each stretch the last one, and the marker that it ends with. Of counters also the first of all
/// rows, and the ones before and after each new beginning, so that rates lose nothing.
pub(super) fn kept_last<T>(
    rows: &[(i64, T)],
    stretches: &[Range<usize>],
    is_stale: impl Fn(&T) -> bool,
    begins_anew: Option<BeginsAnew<'_, T>>,
) -> Vec<usize> {
    let mut kept = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        kept.extend(stretch.clone().rev().find(|i| !is_stale(&rows[*i].1)));
        kept.extend(stretch.clone().next_back().filter(|i| is_stale(&rows[*i].1)));
    }
    if let Some(begins_anew) = begins_anew {
        let mut before: Option<usize> = None;
        for now in (0..rows.len()).filter(|i| !is_stale(&rows[*i].1)) {
            match before {
                None => kept.push(now),
                Some(before) if begins_anew(&rows[before], &rows[now]) => kept.extend([before, now]),
                Some(_) => {}
            }
            before = Some(now);
        }
        kept.sort_unstable();
        kept.dedup();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(all: &[(i64, f64)]) -> Rows {
        all.iter().map(|(t, v)| (*t, v.to_bits())).collect()
    }

    fn back(all: &Rows) -> Vec<(i64, f64)> {
        all.iter().map(|(t, b)| (*t, f64::from_bits(*b))).collect()
    }

    const STALE: f64 = kernel::series::stale_nan();

    #[test]
    fn stretches_are_open_on_the_left() {
        let check = |t, end| assert_eq!(end_of(t, 10), end, "{t}");
        check(0, 0);
        check(1, 10);
        check(10, 10);
        check(11, 20);
        check(-9, 0);
        check(-10, -10);
        let all = rows(&[(-10, 1.0), (-9, 1.0), (0, 1.0), (1, 1.0), (10, 1.0), (35, 1.0)]);
        assert_eq!(stretches(&all, 10), [0..1, 1..3, 3..5, 5..6]);
    }

    #[test]
    fn figures_leave_markers_out_and_numbers_go_before_nan() {
        let all = rows(&[
            (1, f64::NAN),
            (2, 3.0),
            (3, -1.0),
            (4, STALE),
            (11, STALE),
            (21, f64::NAN),
            (31, 1e16),
            (32, 1.0),
            (33, -1e16),
        ]);
        let parts = stretches(&all, 10);
        let of = |figure| back(&folded(&all, &parts, figure));
        assert_eq!(of(Rolled::Min)[0], (3, -1.0));
        assert_eq!(of(Rolled::Max)[0], (3, 3.0));
        assert_eq!((of(Rolled::Max).len(), of(Rolled::Min)[1].1.is_nan()), (3, true));
        assert!(of(Rolled::Sum)[0].1.is_nan());
        assert_eq!(of(Rolled::Sum)[2], (33, 1.0), "nothing is lost to rounding");
    }

    #[test]
    fn the_last_sample_stays_with_the_marker_behind_it() {
        let all = rows(&[(1, 1.0), (2, 2.0), (3, STALE), (4, 3.0), (5, STALE), (6, STALE), (12, STALE)]);
        let kept = kept_last(&all, &stretches(&all, 10), |b| *b == STALE_NAN_BITS, None);
        assert_eq!(kept, [3, 5, 6]);
    }

    #[test]
    fn counters_keep_what_stands_around_a_new_beginning() {
        let all = rows(&[(1, 5.0), (2, 7.0), (3, 9.0), (4, 2.0), (5, 4.0), (6, 20.0), (11, 3.0), (12, 30.0)]);
        let fell: BeginsAnew<'_, u64> = &|a, b| f64::from_bits(b.1) < f64::from_bits(a.1);
        let kept = kept_last(&all, &stretches(&all, 10), |b| *b == STALE_NAN_BITS, Some(fell));
        assert_eq!(kept, [0, 2, 3, 5, 6, 7]);
    }
}
