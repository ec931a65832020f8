//! What a commit changed in memory, so that it can be taken back when the log could not be written. Pure.

use hashbrown::HashMap;

use crate::bitmap::Bitmap;
use crate::group::Group;
use crate::limits::KEPT_CHANGES;
use crate::pool::Pool;

/// What a row was before the next one began.
#[derive(Debug)]
pub(crate) struct RowState {
    pub(crate) last_ms: i64,
    pub(crate) before_ms: i64,
    pub(crate) row_open: bool,
    pub(crate) seen: Bitmap,
}

/// One change.
#[derive(Debug)]
pub(crate) enum Change {
    /// What follows is of this group, which had so many records and this newest time.
    Group { group: u32, seq: u64, newest_ms: i64 },
    /// A row began.
    Row(Box<RowState>),
    /// The newest row was closed.
    Closed,
    /// Cells were added to a row that had these.
    Seen(Bitmap),
    /// A series took a token.
    Took { series: u32, last: u64, scale: u8, fill: u8, tail: u32, alive: bool },
    /// The newest time of a series beside the rows.
    Newest(u32, Option<i64>),
    /// A late sample was added.
    Late(u32, i64),
    /// A histogram was added.
    Histogram(u32, i64),
    /// A start time was added.
    Start(u32, i64),
}

/// All changes of a commit in their order; nothing is kept while a log is read.
#[derive(Debug, Default)]
pub(crate) struct Undo {
    changes: Vec<Change>,
    keeps: bool,
}

impl Undo {
    /// One that keeps changes, in memory that an earlier commit used for the same.
    pub(crate) fn keeping(memory: Vec<Change>) -> Self {
        Self { changes: memory, keeps: true }
    }

    /// The memory for the next one; nothing can be taken back any more.
    pub(crate) fn done(mut self) -> Vec<Change> {
        self.changes.clear();
        if self.changes.capacity() > KEPT_CHANGES { Vec::new() } else { self.changes }
    }

    #[inline]
    pub(crate) fn push(&mut self, change: Change) {
        if self.keeps {
            self.changes.push(change);
        }
    }

    /// Takes everything back.
    pub(crate) fn revert(mut self, groups: &mut HashMap<u32, Group>, pool: &mut Pool) {
        let mut pending = Vec::new();
        while let Some(change) = self.changes.pop() {
            let Change::Group { group, seq, newest_ms } = change else {
                pending.push(change);
                continue;
            };
            let Some(group) = groups.get_mut(&group) else {
                pending.clear();
                continue;
            };
            pending.drain(..).for_each(|change| group.revert(pool, change));
            (group.seq, group.newest_ms) = (seq, newest_ms);
            // What series are expected to do has changed all the same: the next record begins with a key again.
            group.keyed = 0;
        }
    }
}

impl Group {
    fn revert(&mut self, pool: &mut Pool, change: Change) {
        match change {
            Change::Group { .. } => {}
            Change::Row(state) => {
                self.times.pop();
                let words = self.width().div_ceil(64);
                self.changed.truncate(self.changed.len().saturating_sub(words));
                (self.last_ms, self.before_ms, self.row_open) = (state.last_ms, state.before_ms, state.row_open);
                self.seen = state.seen;
                self.seen.widen(self.width());
            }
            Change::Closed => self.row_open = true,
            Change::Seen(seen) => {
                self.seen = seen;
                self.seen.widen(self.width());
            }
            Change::Took { series, last, scale, fill, tail, alive } => {
                let s = series as usize;
                pool.give(self.tail[s], tail);
                (self.last[s], self.scale[s], self.fill[s], self.tail[s]) = (last, scale, fill, tail);
                match alive {
                    true => self.alive.set(s),
                    false => self.alive.unset(s),
                }
                let words = self.width().div_ceil(64);
                if let Some(row) = self.times.len().checked_sub(1) {
                    self.changed[row * words + s / 64] &= !(1 << (s % 64));
                }
            }
            Change::Newest(column, old) => {
                match old {
                    Some(old) => self.extra().newest.insert(column, old),
                    None => self.extra().newest.remove(&column),
                };
            }
            Change::Late(column, t_ms) => drop(self.extra().late.remove(&(column, t_ms))),
            Change::Histogram(column, t_ms) => drop(self.extra().histograms.remove(&(column, t_ms))),
            Change::Start(column, t_ms) => drop(self.extra().starts.remove(&(column, t_ms))),
        }
    }
}
