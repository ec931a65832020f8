//! Columns of times: differences of differences as variable-length integers. Pure.

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};

/// Writes times; how many is known to whoever reads them.
pub(crate) fn put_times(out: &mut Vec<u8>, times: &[i64]) {
    let (mut last, mut step) = (0i64, 0i64);
    for t in times {
        let now = t.wrapping_sub(last);
        put_varint(out, zigzag(now.wrapping_sub(step)));
        (last, step) = (*t, now);
    }
}

/// Reads so many times, which have to ascend strictly.
pub(crate) fn times(cursor: &mut Cursor<'_>, count: usize) -> Option<Vec<i64>> {
    let (mut last, mut step) = (0i64, 0i64);
    let mut out: Vec<i64> = Vec::with_capacity(count.min(cursor.rest().len()));
    for _ in 0..count {
        step = step.wrapping_add(unzigzag(cursor.varint()?));
        last = last.wrapping_add(step);
        if out.last().is_some_and(|before| *before >= last) {
            return None;
        }
        out.push(last);
    }
    Some(out)
}
