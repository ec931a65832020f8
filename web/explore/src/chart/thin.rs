//! Series cut at gaps and thinned to what a plot can show. Pure.

/// A time in milliseconds since the epoch and a value.
pub(super) type At = (i64, f64);

/// Largest size that is drawn: beyond it distances between values are no numbers any more.
const LARGEST: f64 = 1e300;

/// Whether a value can be drawn.
pub(super) fn is_drawn(value: f64) -> bool {
    value.is_finite() && value.abs() < LARGEST
}

/// The pieces between gaps: where nothing was measured for longer than `gap_ms`, or what was is no number.
pub(super) fn pieces(points: &[At], gap_ms: i64) -> Vec<&[At]> {
    let mut out = Vec::new();
    let mut first = 0;
    for i in 0..points.len() {
        let is_number = is_drawn(points[i].1);
        let is_late = i > first && gap_ms > 0 && points[i].0 - points[i - 1].0 > gap_ms;
        if is_late || !is_number {
            out.push(&points[first..i]);
            first = if is_number { i } else { i + 1 };
        }
    }
    out.push(points.get(first..).unwrap_or_default());
    out.retain(|piece| !piece.is_empty());
    out
}

/// At most four points of each column of the range: first, least, most and last, so that no peak is lost.
pub(super) fn thinned(points: &[At], start_ms: i64, end_ms: i64, columns: usize) -> Vec<At> {
    if points.len() <= columns * 2 {
        return points.to_vec();
    }
    let kept = kept(points, start_ms, end_ms, columns);
    kept.into_iter().filter_map(|i| points.get(i).copied()).collect()
}

/// Which points stay, as places, rising.
pub(super) fn kept(points: &[At], start_ms: i64, end_ms: i64, columns: usize) -> Vec<usize> {
    let width = ((end_ms - start_ms).max(1) as f64 / columns.max(1) as f64).max(1.0);
    let column = |t: i64| ((t - start_ms) as f64 / width) as i64;
    let mut out = Vec::new();
    let mut from = 0;
    while from < points.len() {
        let own = column(points[from].0);
        let to = from + points[from..].iter().take_while(|p| column(p.0) == own).count();
        let least = (from..to).min_by(|a, b| points[*a].1.total_cmp(&points[*b].1)).unwrap_or(from);
        let most = (from..to).max_by(|a, b| points[*a].1.total_cmp(&points[*b].1)).unwrap_or(from);
        let mut four = [from, least, most, to - 1];
        four.sort_unstable();
        for i in four {
            if out.last() != Some(&i) {
                out.push(i);
            }
        }
        from = to;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_cut() {
        let points = [(0, 1.0), (15, 2.0), (60, 3.0), (75, f64::NAN), (90, 4.0), (105, 5.0)];
        let cut: Vec<Vec<i64>> = pieces(&points, 20).iter().map(|p| p.iter().map(|x| x.0).collect()).collect();
        assert_eq!(cut, [vec![0, 15], vec![60], vec![90, 105]]);
        assert!(pieces(&[], 20).is_empty());
        assert_eq!(pieces(&points[..3], 0).len(), 1);
    }

    #[test]
    fn peaks_stay() {
        let points: Vec<At> = (0..100_000).map(|i| (i, if i == 54_321 { 99.0 } else { (i % 7) as f64 })).collect();
        let thin = thinned(&points, 0, 99_999, 600);
        assert!(thin.len() <= 2_404, "{}", thin.len());
        assert!(thin.contains(&(54_321, 99.0)) && thin[0] == points[0] && thin.last() == points.last());
        assert!(thin.windows(2).all(|w| w[0].0 < w[1].0));
    }
}
