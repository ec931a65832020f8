//! What stood where in the last body. Pure.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use crate::exposition::MetricKind;

/// A line, or a block of comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) hash: u64,
    /// Bytes up to the value; of comments all of them.
    pub(super) length: u32,
    /// The series' column, or what else it is.
    pub(super) column: u32,
}

/// Marks a column of the group of series with times of their own.
pub(super) const OWN_TIME: u32 = 1 << 30;
/// From here on a column is something else.
const SPECIAL: u32 = 1 << 31;
const CREATED: u32 = 0xa000_0000;
const PENDING: u32 = 0xc000_0000;
/// The second line of a series.
pub(super) const DUPLICATE: u32 = 0xd000_0000;
/// Relabeling does not want it.
pub(super) const DROPPED: u32 = 0xe000_0000;
const COMMENT: u32 = 0xf000_0000;
const NUMBER: u32 = 0x0fff_ffff;
const END_OF_TEXT: u32 = 1 << 4;

/// What a line's column stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A series.
    Column(u32),
    /// A series of which only the column is missing, by its number.
    Pending(u32),
    /// A start time, by its slot.
    Created(u32),
    Duplicate,
    Dropped,
    /// Comments: the kind of the last `# TYPE`, and whether `# EOF` stands at the end.
    Comment(Option<MetricKind>, bool),
}

impl Line {
    #[inline]
    pub(super) const fn is_series(self) -> bool {
        self.column < SPECIAL
    }

    pub(super) fn place(self) -> Place {
        match self.column {
            c if c < SPECIAL => Place::Column(c),
            DUPLICATE => Place::Duplicate,
            DROPPED => Place::Dropped,
            c if c >= COMMENT => {
                let kind = (c & 0xf).checked_sub(1).map(MetricKind::from_number);
                Place::Comment(kind, c & END_OF_TEXT != 0)
            }
            c if c >= PENDING => Place::Pending(c & NUMBER),
            c => Place::Created(c & NUMBER),
        }
    }
}

pub(super) fn comment_column(kind: Option<MetricKind>, end: bool) -> u32 {
    COMMENT | kind.map_or(0, |kind| kind.number() + 1) | if end { END_OF_TEXT } else { 0 }
}

pub(super) const fn pending_column(n: usize) -> u32 {
    PENDING | (n as u32 & NUMBER)
}

pub(super) const fn created_column(slot: u32) -> u32 {
    CREATED | (slot & NUMBER)
}

pub(super) fn hash(state: &RandomState, bytes: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// Start times by family and labels, and the columns that have one.
#[derive(Debug, Default)]
pub(super) struct Starts {
    slots: HashMap<u64, u32>,
    columns: HashMap<u32, u32>,
    values: Vec<i64>,
    free: Vec<u32>,
}

/// So many columns may be remembered beyond twice those that are there.
const MOST_FORGOTTEN: usize = 1_000;

impl Starts {
    pub(super) fn slot(&mut self, family: u64) -> u32 {
        if let Some(slot) = self.slots.get(&family) {
            return *slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.values.push(0);
            self.values.len() as u32 - 1
        });
        self.slots.insert(family, slot);
        slot
    }

    /// Forgets what is no longer there, once it is much: targets whose series change would fill memory.
    pub(super) fn shrink(&mut self, lines: &[Line]) {
        if self.columns.len() <= 2 * lines.len() + MOST_FORGOTTEN {
            return;
        }
        let (mut columns, mut slots) = (hashbrown::HashSet::new(), hashbrown::HashSet::new());
        for line in lines {
            match line.place() {
                Place::Column(column) => drop(columns.insert(column)),
                Place::Created(slot) => drop(slots.insert(slot)),
                _ => {}
            }
        }
        self.columns.retain(|column, slot| columns.contains(column) && slots.contains(slot));
        self.slots.retain(|_, slot| slots.contains(slot));
        self.free = (0..self.values.len() as u32).filter(|slot| !slots.contains(slot)).collect();
    }

    pub(super) fn set(&mut self, slot: u32, start_ms: i64) {
        if let Some(value) = self.values.get_mut(slot as usize) {
            *value = start_ms;
        }
    }

    pub(super) fn join(&mut self, column: u32, family: u64) {
        if let Some(slot) = self.slots.get(&family) {
            self.columns.insert(column, *slot);
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.columns.len(), self.values.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// When a column's counter began, 0 when that is not known.
    pub(super) fn of(&self, column: u32) -> i64 {
        let slot = self.columns.get(&column).and_then(|slot| self.values.get(*slot as usize));
        slot.copied().unwrap_or_default()
    }
}

/// Lines by their hashes, and which of them were seen.
#[derive(Debug)]
struct Moved {
    by_hash: hashbrown::HashMap<u64, u32, foldhash::fast::RandomState>,
    seen: Vec<bool>,
}

/// How a line was found that is not in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It stood elsewhere.
    Elsewhere(Line),
    /// It was found in this body already.
    Again(Line),
    /// It was not in the last body.
    New,
}

/// Goes through the last body's lines beside the new ones.
#[derive(Debug)]
pub(super) struct Places<'l> {
    old: &'l [Line],
    at: usize,
    moved: Option<Moved>,
}

impl<'l> Places<'l> {
    pub(super) const fn new(old: &'l [Line]) -> Self {
        Self { old, at: 0, moved: None }
    }

    /// The line that is expected here. A second line of a series counts as one only while all before it were in their places.
    #[inline]
    pub(super) fn expected(&self) -> Option<Line> {
        let line = *self.old.get(self.at)?;
        (line.column != DUPLICATE || self.moved.is_none()).then_some(line)
    }

    /// The expected line is here; says whether it was found before, elsewhere in this body.
    #[inline]
    pub(super) fn keep(&mut self) -> bool {
        let at = self.at;
        self.at += 1;
        match &mut self.moved {
            None => false,
            Some(moved) => std::mem::replace(&mut moved.seen[at], true),
        }
    }

    /// Comments are not where they are expected; if others are, these come instead of them.
    pub(super) fn skip_comment(&mut self) {
        if self.old.get(self.at).is_some_and(|line| matches!(line.place(), Place::Comment(..))) {
            self.at += 1;
        }
    }

    #[cold]
    pub(super) fn find(&mut self, hash: u64) -> Found {
        let (old, at) = (self.old, self.at);
        let moved = self.moved.get_or_insert_with(|| {
            let mut seen = vec![false; old.len()];
            seen[..at.min(old.len())].fill(true);
            let samples = old.iter().enumerate();
            let samples = samples.filter(|(_, l)| !matches!(l.place(), Place::Comment(..) | Place::Duplicate));
            Moved { by_hash: samples.map(|(i, l)| (l.hash, i as u32)).collect(), seen }
        });
        let Some(i) = moved.by_hash.get(&hash).map(|i| *i as usize) else { return Found::New };
        self.at = i + 1;
        if std::mem::replace(&mut moved.seen[i], true) {
            return Found::Again(old[i]);
        }
        Found::Elsewhere(old[i])
    }

    /// Whether all lines so far were in their places.
    pub(super) const fn in_order(&self) -> bool {
        self.moved.is_none()
    }

    /// Columns of the lines that are no longer there.
    pub(super) fn vanished(&self, out: &mut Vec<u32>) {
        let rest = match &self.moved {
            None => self.at.min(self.old.len()),
            Some(_) => 0,
        };
        for (i, line) in self.old.iter().enumerate().skip(rest) {
            let seen = self.moved.as_ref().is_some_and(|moved| moved.seen[i]);
            if line.is_series() && !seen {
                out.push(line.column);
            }
        }
    }
}
