//! Lines that stand on one another. Pure.

use super::thin::{At, is_drawn, kept};
use super::{Line, PLOT_COLUMNS};

/// Lines on one another: what is above zero upwards, what is below downwards, over all times that any of them has.
pub(super) fn stack(drawn: &[&Line], start_ms: i64, end_ms: i64) -> Vec<(Vec<At>, Vec<At>)> {
    let mut at: Vec<i64> = drawn.iter().flat_map(|l| l.points.iter().map(|p| p.0)).collect();
    at.sort_unstable();
    at.dedup();
    let (mut up, mut down) = (vec![0.0; at.len()], vec![0.0; at.len()]);
    let mut layers = Vec::with_capacity(drawn.len());
    for line in drawn {
        let (mut below, mut above, mut points) = (Vec::new(), Vec::new(), line.points.iter().peekable());
        for (i, t) in at.iter().enumerate() {
            let value = points.next_if(|p| p.0 == *t).map_or(0.0, |p| p.1);
            let value = if is_drawn(value) { value } else { 0.0 };
            let sum = if value < 0.0 { &mut down[i] } else { &mut up[i] };
            below.push((*t, *sum));
            *sum += value;
            above.push((*t, *sum));
        }
        layers.push((below, above));
    }
    if at.len() <= PLOT_COLUMNS * 2 {
        return layers;
    }
    // All layers keep the same times, those at which the whole has its peaks.
    let whole: Vec<At> = at.iter().zip(&up).map(|(t, v)| (*t, *v)).collect();
    let stay = kept(&whole, start_ms, end_ms, PLOT_COLUMNS);
    let only = |all: &[At]| stay.iter().filter_map(|i| all.get(*i).copied()).collect();
    layers.iter().map(|(below, above)| (only(below), only(above))).collect()
}
