//! What only some series of a group have: histograms, start times, late samples. Pure.

use std::collections::BTreeMap;

use hashbrown::HashMap;

/// Beside the rows of one group.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// The newest sample of columns that have none in the newest rows.
    pub(crate) newest: HashMap<u32, i64>,
    /// Histograms as bytes, by column and time.
    pub(crate) histograms: BTreeMap<(u32, i64), Box<[u8]>>,
    /// From which time on a column's counter began when: by column and time.
    pub(crate) starts: BTreeMap<(u32, i64), i64>,
    /// Numbers that came after a newer row of their group was there, by column and time.
    pub(crate) late: BTreeMap<(u32, i64), u64>,
}

impl Extra {
    /// Whether there is something that a span has to keep.
    pub(crate) fn is_open(&self) -> bool {
        !self.histograms.is_empty() || !self.late.is_empty()
    }

    /// When the counter of a column began, as its sample at this time says; 0 when that is not known.
    pub(crate) fn start_at(&self, column: u32, t_ms: i64) -> i64 {
        self.starts.range((column, i64::MIN)..=(column, t_ms)).next_back().map_or(0, |(_, start)| *start)
    }

    /// Forgets what a span keeps now; of start times the last ones stay, which the next samples go on from.
    pub(crate) fn clear(&mut self) {
        self.histograms.clear();
        self.late.clear();
        let mut kept = BTreeMap::new();
        let mut last: Option<((u32, i64), i64)> = None;
        for (key, start) in std::mem::take(&mut self.starts) {
            if let Some((before, value)) = last.filter(|(before, _)| before.0 != key.0) {
                kept.insert(before, value);
            }
            last = Some((key, start));
        }
        kept.extend(last);
        self.starts = kept;
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap(&self) -> usize {
        self.newest.capacity() * 17
            + self.histograms.values().map(|h| h.len() + 48).sum::<usize>()
            + self.starts.len() * 32
            + self.late.len() * 40
    }
}
