//! Reading the log's records back into memory. Pure.

use hashbrown::{HashMap, HashSet};

use crate::bitmap::Bitmap;
use crate::codec::{Cursor, unzigzag};
use crate::exemplars;
use crate::group::{Group, NEVER};
use crate::habit;
use crate::head::Head;
use crate::limits::{GROUP_SERIES, HISTOGRAM_BYTES};
use crate::pool::Pool;
use crate::record::{CELLS, EXEMPLAR, FRESH, FULL, HISTOGRAM, KEY, Key, LATE, NEW, ROW, START, places};
use crate::undo::Undo;

/// What replay knows beside the groups.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The last record of each group that spans on disk hold.
    saved: HashMap<u32, u64>,
    /// Groups with lower numbers that are not known were forgotten.
    pub(crate) forgotten_below: u32,
    /// Groups whose state is known from a key.
    started: HashSet<u32>,
    /// Groups with a gap: what follows means nothing until their next key.
    broken: HashSet<u32>,
    /// Records of groups that are not known.
    pub(crate) unknown: u64,
    /// Records that were skipped because of a gap.
    pub(crate) lost: u64,
    /// Samples read.
    pub(crate) samples: u64,
    /// The last record of each group that was read.
    pub(crate) last: HashMap<u32, u64>,
    pub(crate) exemplars: Vec<(u32, u32, kernel::series::Exemplar)>,
    scratch: Vec<u32>,
}

impl Replay {
    /// Of a log whose records up to these are in spans and blocks.
    pub(crate) fn after(saved: HashMap<u32, u64>) -> Self {
        Self { saved, ..Self::default() }
    }

    /// Whether the log says what the newest samples of a group's series are.
    pub(crate) fn knows(&self, group: u32) -> bool {
        self.started.contains(&group) && !self.broken.contains(&group)
    }

    /// Takes the records of one frame; `None` when they are not understood.
    pub(crate) fn frame(&mut self, head: &mut Head, segment: u64, bytes: &[u8], raw: &[u8]) -> Option<()> {
        let (mut cursor, mut raw) = (Cursor::new(bytes), Cursor::new(raw));
        while !cursor.rest().is_empty() {
            let kind = cursor.byte()?;
            let id = u32::try_from(cursor.varint()?).ok()?;
            let low = u64::from(cursor.byte()?);
            let body = Body::read(kind, &mut cursor, &mut raw, &mut self.scratch)?;
            self.record(head, segment, id, low, body)?;
        }
        Some(())
    }

    fn record(&mut self, head: &mut Head, segment: u64, id: u32, low: u64, body: Body<'_>) -> Option<()> {
        if let Body::Exemplar(column, exemplar) = body {
            self.exemplars.push((id, column, exemplar));
            return Some(());
        }
        let Some(group) = head.groups.get_mut(&id) else {
            // Groups that were forgotten are in blocks as a whole, or were, before those left.
            self.unknown += u64::from(id >= self.forgotten_below && !self.saved.contains_key(&id));
            return Some(());
        };
        if let Body::Key(key) = body {
            group.keyed = segment;
            group.forget_habits();
            if self.started.contains(&id) && !self.broken.contains(&id) && group.seq == key.seq {
                return Some(());
            }
            self.broken.remove(&id);
            self.started.insert(id);
            head.seal(id);
            key.apply(head.groups.get_mut(&id)?);
            return Some(());
        }
        let follows = (group.seq + 1) & 0x7f == low && self.started.contains(&id);
        if !follows || self.broken.contains(&id) {
            self.broken.insert(id);
            self.lost += 1;
            return Some(());
        }
        let samples = body.apply(group, &mut head.pool, &mut self.scratch);
        let Some(samples) = samples else {
            self.broken.insert(id);
            self.lost += 1;
            return Some(());
        };
        group.seq += 1;
        self.last.insert(id, group.seq);
        let newest_ms = group.newest_ms;
        if self.saved.get(&id).is_some_and(|saved| group.seq == *saved) {
            group.close_row(&mut head.pool, &mut Undo::default());
            group.clear_rows(&mut head.pool);
        } else if self.saved.get(&id).is_none_or(|saved| group.seq > *saved) {
            self.samples += samples;
        }
        head.note_newest(newest_ms);
        Some(())
    }
}

/// Where the cells of a record belong.
struct Row {
    flags: u8,
    /// Against the time of the row before, where it is new.
    delta: i64,
    width: usize,
    /// Series that have a value; `None`: all that are alive, of kind 7 those that wait for one.
    columns: Option<Vec<u32>>,
}

impl Row {
    fn read(cursor: &mut Cursor<'_>, scratch: &mut Vec<u32>) -> Option<Self> {
        let flags = cursor.byte()?;
        let delta = if flags & NEW != 0 { unzigzag(cursor.varint()?) } else { 0 };
        let width = cursor.length(GROUP_SERIES)?;
        let mut columns = None;
        if flags & FULL == 0 {
            places(cursor, width, scratch)?;
            columns = Some(scratch.clone());
        }
        Some(Self { flags, delta, width, columns })
    }

    /// Begins a row, or goes on with the newest one.
    fn begin(&self, group: &mut Group, pool: &mut Pool) {
        group.widen(self.width);
        if self.flags & NEW != 0 {
            let before = if group.last_ms == NEVER { 0 } else { group.last_ms };
            group.begin_row(pool, before.wrapping_add(self.delta), &mut Undo::default());
        } else {
            group.resume_row();
        }
    }
}

/// A record behind its head.
enum Body<'a> {
    Key(Box<Key>),
    Row { row: Row, changed: Vec<u32>, tokens: &'a [u8], raw: &'a [u8] },
    Cells { row: Row, fresh_columns: Vec<u32>, fresh: &'a [u8], coded: &'a [u8] },
    Late { t_ms: i64, cells: Vec<(u32, u64)> },
    Histogram { column: u32, t_ms: i64, bytes: &'a [u8] },
    Start { column: u32, t_ms: i64, start: i64 },
    Exemplar(u32, kernel::series::Exemplar),
}

impl<'a> Body<'a> {
    fn read(kind: u8, cursor: &mut Cursor<'a>, raw: &mut Cursor<'a>, scratch: &mut Vec<u32>) -> Option<Self> {
        let column = |cursor: &mut Cursor<'a>| cursor.varint().and_then(|n| u32::try_from(n).ok());
        match kind {
            KEY => Key::read(cursor, GROUP_SERIES).map(|key| Self::Key(Box::new(key))),
            ROW => {
                let row = Row::read(cursor, scratch)?;
                places(cursor, row.width, scratch)?;
                let length = cursor.length(cursor.rest().len())?;
                let apart = cursor.length(raw.rest().len())?;
                let (tokens, raw) = (cursor.take(length)?, raw.take(apart)?);
                Some(Self::Row { row, changed: scratch.clone(), tokens, raw })
            }
            CELLS => {
                let row = Row::read(cursor, scratch)?;
                let (mut fresh_columns, mut fresh) = (Vec::new(), [].as_slice());
                if row.flags & FRESH != 0 {
                    places(cursor, row.width, &mut fresh_columns)?;
                    let length = cursor.length(cursor.rest().len())?;
                    fresh = cursor.take(length)?;
                }
                let length = cursor.length(raw.rest().len())?;
                Some(Self::Cells { row, fresh_columns, fresh, coded: raw.take(length)? })
            }
            LATE => {
                let t_ms = unzigzag(cursor.varint()?);
                let count = cursor.length(GROUP_SERIES)?;
                let cells = (0..count).map(|_| Some((column(cursor)?, cursor.u64()?))).collect::<Option<_>>()?;
                Some(Self::Late { t_ms, cells })
            }
            HISTOGRAM => {
                let (column, t_ms) = (column(cursor)?, unzigzag(cursor.varint()?));
                let length = cursor.length(HISTOGRAM_BYTES)?;
                Some(Self::Histogram { column, t_ms, bytes: cursor.take(length)? })
            }
            START => {
                let (column, t_ms) = (column(cursor)?, unzigzag(cursor.varint()?));
                Some(Self::Start { column, t_ms, start: unzigzag(cursor.varint()?) })
            }
            EXEMPLAR => {
                let column = column(cursor)?;
                Some(Self::Exemplar(column, exemplars::read(cursor)?))
            }
            _ => None,
        }
    }

    /// Does again what was done; answers how many samples that were.
    fn apply(self, group: &mut Group, pool: &mut Pool, scratch: &mut Vec<u32>) -> Option<u64> {
        scratch.clear();
        match self {
            Self::Key(_) | Self::Exemplar(..) => Some(0),
            Self::Row { row, changed, tokens, raw } => {
                row.begin(group, pool);
                let count = |group: &Group| group.seen.0.iter().map(|w| u64::from(w.count_ones())).sum::<u64>();
                let before = count(group);
                let (mut tokens, mut raw, mut whole) = (Cursor::new(tokens), Cursor::new(raw), Vec::new());
                for s in changed {
                    group.retake(pool, s as usize, (&mut tokens, &mut raw), &mut whole)?;
                }
                match row.columns {
                    Some(seen) => {
                        seen.iter().for_each(|s| group.seen.set(*s as usize));
                    }
                    None => group.seen = Bitmap(group.alive.0.clone()),
                }
                group.newest_ms = group.newest_ms.max(group.last_ms);
                Some(count(group).saturating_sub(before))
            }
            Self::Cells { row, fresh_columns, fresh, coded } => {
                row.begin(group, pool);
                let columns = row.columns.unwrap_or_else(|| group.waiting());
                let mut whole = Vec::new();
                if !columns.is_empty() {
                    let mut reader = habit::Reader::new(coded)?;
                    for s in &columns {
                        group.retake_coded(pool, *s as usize, &mut reader, &mut whole)?;
                    }
                }
                let mut fresh = Cursor::new(fresh);
                for s in &fresh_columns {
                    group.retake_fresh(pool, *s as usize, &mut fresh)?;
                }
                group.newest_ms = group.newest_ms.max(group.last_ms);
                Some((columns.len() + fresh_columns.len()) as u64)
            }
            Self::Late { t_ms, cells } => {
                for (column, bits) in &cells {
                    beside(group, *column, t_ms)?;
                    group.extra().late.insert((*column, t_ms), *bits);
                }
                Some(cells.len() as u64)
            }
            Self::Histogram { column, t_ms, bytes } => {
                beside(group, column, t_ms)?;
                group.extra().histograms.insert((column, t_ms), bytes.into());
                Some(1)
            }
            Self::Start { column, t_ms, start } => {
                group.extra().starts.insert((column, t_ms), start);
                Some(0)
            }
        }
    }
}

fn beside(group: &mut Group, column: u32, t_ms: i64) -> Option<()> {
    if column as usize >= group.width() {
        // Never wider than what could have been declared, whatever a damaged record says.
        group.widen(Some(column as usize + 1).filter(|width| *width <= GROUP_SERIES)?);
    }
    if t_ms > group.newest(column) {
        group.extra().newest.insert(column, t_ms);
    }
    group.newest_ms = group.newest_ms.max(t_ms);
    Some(())
}
