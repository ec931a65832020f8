//! Values that change seldom: gaps between changes, and differences. Pure.

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};

pub(super) fn put(out: &mut Vec<u8>, values: &[i64]) {
    let changes: Vec<usize> = (1..values.len()).filter(|i| values[*i] != values[i - 1]).collect();
    put_varint(out, zigzag(values[0]));
    put_varint(out, changes.len() as u64);
    let mut before = 0;
    for i in changes {
        put_varint(out, (i - before) as u64);
        put_varint(out, zigzag(values[i] - values[i - 1]));
        before = i;
    }
}

pub(super) fn read(cursor: &mut Cursor<'_>, count: usize) -> Option<Vec<i64>> {
    let mut value = unzigzag(cursor.varint()?);
    let mut out = Vec::with_capacity(count);
    let mut row = 0usize;
    for _ in 0..cursor.length(count)? {
        row = row.checked_add(usize::try_from(cursor.varint()?).ok()?)?;
        out.resize(Some(row).filter(|r| *r < count && *r >= out.len())?, value);
        value = value.checked_add(unzigzag(cursor.varint()?))?;
    }
    out.resize(count, value);
    Some(out)
}
