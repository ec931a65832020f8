//! Exemplars: the newest of all series, in a ring. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::Exemplar;

use crate::codec::{Cursor, put_text, put_varint, unzigzag, zigzag};
use crate::limits::{EXEMPLARS, LABEL_BYTES, LABELS};

/// The newest exemplars, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    all: VecDeque<(Labels, Exemplar)>,
}

impl Ring {
    /// Adds an exemplar; the same one as its series' newest is left out, and said so.
    pub(crate) fn push(&mut self, series: Labels, exemplar: Exemplar) -> bool {
        let newest = self.all.iter().rev().find(|(labels, _)| *labels == series);
        if newest.is_some_and(|(_, known)| *known == exemplar) {
            return false;
        }
        if self.all.len() >= EXEMPLARS {
            self.all.pop_front();
        }
        self.all.push_back((series, exemplar));
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Labels, Exemplar)> {
        self.all.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

/// Writes an exemplar.
pub(crate) fn put(out: &mut Vec<u8>, exemplar: &Exemplar) {
    put_varint(out, zigzag(exemplar.t_ms));
    out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
    put_varint(out, exemplar.labels.len() as u64);
    for (name, value) in exemplar.labels.iter() {
        put_text(out, name);
        put_text(out, value);
    }
}

/// Reads what [`put`] wrote.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Option<Exemplar> {
    let t_ms = unzigzag(cursor.varint()?);
    let value = f64::from_bits(cursor.u64()?);
    let count = cursor.length(LABELS)?;
    let mut text = || cursor.text(LABEL_BYTES).map(Arc::from);
    let pairs = (0..count).map(|_| Some((text()?, text()?))).collect::<Option<Vec<_>>>()?;
    Some(Exemplar { labels: Labels::from_shared(pairs), value, t_ms })
}
