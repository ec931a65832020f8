//! What is in memory: the open rows of every group, and where their sealed ones are. Pure but for reading spans back.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::group::Group;
use crate::limits;
use crate::pool::Pool;
use crate::span;
use crate::spanfile::SpanFile;
use crate::undo::Undo;

/// Rows that left memory, or are about to.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) body: Body,
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
    /// The last of the group's records that it holds.
    pub(crate) through_seq: u64,
}

/// Where a sealed span is.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// In memory until it is written.
    Bytes(Arc<[u8]>),
    /// In a file.
    File { file: Arc<SpanFile>, offset: u64, length: u32 },
}

impl Body {
    /// Bytes that it takes, wherever.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => u64::from(*length),
        }
    }
}

/// All groups in memory.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) groups: HashMap<u32, Group>,
    pub(crate) pool: Pool,
    /// Bytes of sealed spans that are not written yet.
    pub(crate) sealed_bytes: usize,
    /// Time of the newest sample that was taken.
    pub(crate) newest_ms: Option<i64>,
    /// Groups made so far: each gets another length of its first span.
    made: usize,
}

impl Head {
    /// Makes a group.
    pub(crate) fn make(&mut self, group: u32) -> &mut Group {
        self.made += 1;
        // Golden-ratio steps spread the lengths of first spans evenly, however many groups there are.
        let part = (self.made as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let rows = limits::SPAN_ROWS / 4 + ((part as usize * (limits::SPAN_ROWS * 3 / 4)) >> 32);
        self.groups.entry(group).or_insert_with(|| Group::new(rows.max(1)))
    }

    /// Seals what is open in a group; it must not hold anything that is not in the log.
    pub(crate) fn seal(&mut self, id: u32) {
        let Self { groups, pool, sealed_bytes, .. } = self;
        let Some(group) = groups.get_mut(&id).filter(|g| g.is_open()) else { return };
        group.close_row(pool, &mut Undo::default());
        let Some((bytes, min_ms, max_ms)) = span::seal(id, group, pool) else { return };
        *sealed_bytes += bytes.len();
        group.sealed.push(Sealed { body: Body::Bytes(bytes.into()), min_ms, max_ms, through_seq: group.seq });
        group.clear_rows(pool);
        group.rows_wanted = limits::SPAN_ROWS;
    }

    /// Whether a group has as much open as a span should have.
    pub(crate) fn is_full(group: &Group) -> bool {
        group.rows() >= group.rows_wanted
            || group.extra.as_ref().is_some_and(|e| e.late.len() + e.histograms.len() >= limits::BESIDE_SAMPLES)
    }

    pub(crate) fn note_newest(&mut self, t_ms: i64) {
        self.newest_ms = Some(self.newest_ms.map_or(t_ms, |newest| newest.max(t_ms)));
    }

    /// Time of the oldest sample that is in no block.
    pub(crate) fn oldest_ms(&self) -> Option<i64> {
        let of = |g: &Group| {
            let sealed = g.sealed.iter().map(|s| s.min_ms).min();
            let open = g.times.first().copied();
            let beside = g.extra.as_ref().and_then(|e| {
                let late = e.late.keys().map(|(_, t)| *t).min();
                late.into_iter().chain(e.histograms.keys().map(|(_, t)| *t)).min()
            });
            sealed.into_iter().chain(open).chain(beside).min()
        };
        self.groups.values().filter_map(of).min()
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap(&self) -> usize {
        self.sealed_bytes
            + self.pool.heap()
            + self.groups.capacity() * (size_of::<Group>() + 5)
            + self.groups.values().map(Group::heap).sum::<usize>()
    }

    /// Notes that blocks or spans hold samples of a group up to a time.
    pub(crate) fn known(&mut self, group: u32, newest_ms: i64) {
        if let Some(group) = self.groups.get_mut(&group) {
            group.newest_ms = group.newest_ms.max(newest_ms);
        }
    }
}
