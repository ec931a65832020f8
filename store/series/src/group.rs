//! Group columns: the rows of one scrape group that are still open. Pure.
//!
//! One column of times for all series. Which series changed in a row is one bit per series in the row's own bitmap, so that a
//! row touches only what moved. A series costs its last value, scale, fill, tail, habit and number: 20 bytes; only one that moved in
//! this span has a chain of 32-byte chunks with its tokens.
//!
//! The newest row stays open for cells that come in other batches; those that are missing when the next row begins are absent.

use crate::bitmap::Bitmap;
use crate::codec::Cursor;
use crate::extra::Extra;
use crate::habit::{self, Habit};
use crate::head::Sealed;
use crate::page::{Presence, Values};
use crate::pool::{CHUNK, NONE, Pool};
use crate::registry::SeriesId;
use crate::token::{RAW, Token, join_bits, put_absent, put_absolute, put_token, token};
use crate::undo::{Change, RowState, Undo};

/// No time yet.
pub(crate) const NEVER: i64 = i64::MIN;

/// What the log has to keep of a row, while it is taken.
#[derive(Debug, Default)]
pub(crate) struct RowLog {
    /// How series go on that had a value, in the order of their columns.
    pub(crate) writer: habit::Writer,
    pub(crate) columns: Vec<u32>,
    /// Values of series that had none.
    pub(crate) fresh: Vec<u8>,
    pub(crate) fresh_columns: Vec<u32>,
    token: Vec<u8>,
}

impl RowLog {
    pub(crate) fn clear(&mut self) {
        self.columns.clear();
        self.fresh.clear();
        self.fresh_columns.clear();
    }
}

/// The open rows of a group and where its sealed ones are.
#[derive(Debug)]
pub(crate) struct Group {
    /// By column.
    pub(crate) series: Vec<SeriesId>,
    /// Records of this group that went to the log so far.
    pub(crate) seq: u64,
    /// The last record that spans on disk hold.
    pub(crate) saved_seq: u64,
    /// The segment of the log that has its key.
    pub(crate) keyed: u64,
    /// The commit that touched it last.
    pub(crate) touched: u64,
    /// Time of the newest row.
    pub(crate) last_ms: i64,
    /// Time of the row before.
    pub(crate) before_ms: i64,
    /// Time of the newest sample of any kind.
    pub(crate) newest_ms: i64,
    /// Of so many columns nothing is known but that they have no sample after this time: their rows are only on disk.
    pub(crate) floor: (u32, i64),
    /// Whether the newest row takes cells.
    pub(crate) row_open: bool,
    pub(crate) times: Vec<i64>,
    pub(crate) last: Vec<u64>,
    pub(crate) scale: Vec<u8>,
    /// Since the key of the log's segment.
    pub(crate) habits: Vec<Habit>,
    pub(crate) fill: Vec<u8>,
    pub(crate) tail: Vec<u32>,
    /// Series that have a value in the newest row, or had one in the row before and may still get one.
    pub(crate) alive: Bitmap,
    /// Series that have a value in the newest row.
    pub(crate) seen: Bitmap,
    /// Rows times words of 64 series.
    pub(crate) changed: Vec<u64>,
    pub(crate) extra: Option<Box<Extra>>,
    pub(crate) sealed: Vec<Sealed>,
    /// Rows of the first span, a shorter one: groups that began together are not sealed together.
    pub(crate) rows_wanted: usize,
}

impl Group {
    pub(crate) fn new(rows_wanted: usize) -> Self {
        Self {
            series: Vec::new(),
            seq: 0,
            saved_seq: 0,
            keyed: 0,
            touched: 0,
            last_ms: NEVER,
            before_ms: NEVER,
            newest_ms: NEVER,
            floor: (0, NEVER),
            row_open: false,
            times: Vec::new(),
            last: Vec::new(),
            scale: Vec::new(),
            habits: Vec::new(),
            fill: Vec::new(),
            tail: Vec::new(),
            alive: Bitmap::default(),
            seen: Bitmap::default(),
            changed: Vec::new(),
            extra: None,
            sealed: Vec::new(),
            rows_wanted,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.last.len()
    }

    pub(crate) fn rows(&self) -> usize {
        self.times.len()
    }

    fn words(&self) -> usize {
        self.width().div_ceil(64)
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether there is something that is in no span yet.
    pub(crate) fn is_open(&self) -> bool {
        !self.times.is_empty() || self.extra.as_ref().is_some_and(|e| e.is_open())
    }

    /// Makes room for so many series; new ones have no value yet.
    pub(crate) fn widen(&mut self, width: usize) {
        if width <= self.width() {
            return;
        }
        let (old, new) = (self.words(), width.div_ceil(64));
        if new > old && !self.times.is_empty() {
            let mut changed = vec![0; self.times.len() * new];
            for (to, from) in changed.chunks_mut(new).zip(self.changed.chunks(old.max(1))) {
                to[..old].copy_from_slice(&from[..old]);
            }
            self.changed = changed;
        }
        let more = width - self.width();
        // A first declaration is exact; what grows by a few grows by a quarter.
        if self.width() == 0 {
            self.last.reserve_exact(more);
            self.scale.reserve_exact(more);
            self.habits.reserve_exact(more);
            self.fill.reserve_exact(more);
            self.tail.reserve_exact(more);
        }
        self.last.resize(width, 0);
        self.scale.resize(width, RAW);
        self.habits.resize(width, Habit::default());
        self.fill.resize(width, 0);
        self.tail.resize(width, NONE);
        self.alive.widen(width);
        self.seen.widen(width);
    }

    /// Series that had a value in the row before and have none yet in the newest one.
    pub(crate) fn waiting(&self) -> Vec<u32> {
        self.alive.without(&self.seen).map(|s| s as u32).collect()
    }

    /// What the log says from here on needs nothing of before but the state itself.
    pub(crate) fn forget_habits(&mut self) {
        self.habits.fill(Habit::default());
    }

    /// Time of the newest sample of a series.
    pub(crate) fn newest(&self, column: u32) -> i64 {
        let s = column as usize;
        let row = match (self.alive.has(s), self.seen.has(s)) {
            (_, true) => self.last_ms,
            (true, false) => self.before_ms,
            (false, false) => NEVER,
        };
        let beside = self.extra.as_ref().and_then(|e| e.newest.get(&column)).copied();
        let floor = if column < self.floor.0 { self.floor.1 } else { NEVER };
        row.max(beside.unwrap_or(NEVER)).max(floor)
    }

    /// Begins a row, later than all before; `bytes` is scratch.
    pub(crate) fn begin_row(&mut self, pool: &mut Pool, t_ms: i64, undo: &mut Undo) {
        self.close_row(pool, undo);
        undo.push(Change::Row(Box::new(RowState {
            last_ms: self.last_ms,
            before_ms: self.before_ms,
            row_open: self.row_open,
            seen: self.seen.clone(),
        })));
        self.before_ms = self.last_ms;
        self.last_ms = t_ms;
        self.seen.clear();
        self.row_open = true;
        self.push_row(t_ms);
    }

    fn push_row(&mut self, t_ms: i64) {
        self.times.push(t_ms);
        let (row, words) = (self.changed.len(), self.words());
        if self.changed.capacity() < row + words {
            // Room for 32 more rows at a time.
            self.changed.reserve_exact(words * 32);
        }
        self.changed.resize(row + words, 0);
    }

    /// Goes on with a row that began before what is open here was.
    pub(crate) fn resume_row(&mut self) {
        if self.times.is_empty() {
            self.push_row(self.last_ms);
        }
    }

    /// Series without a value in the newest row are absent from now on.
    pub(crate) fn close_row(&mut self, pool: &mut Pool, undo: &mut Undo) {
        if !self.row_open {
            return;
        }
        let mut absent = Vec::new();
        for column in self.waiting() {
            let s = column as usize;
            undo.push(self.before(s));
            absent.clear();
            put_absent(&mut absent);
            self.chain(pool, s, &absent);
            self.alive.unset(s);
            // A histogram or late number may be newer than the row.
            let before_ms = self.before_ms;
            let newest = &mut self.extra().newest;
            if newest.get(&column).is_none_or(|known| *known < before_ms) {
                let old = newest.insert(column, before_ms);
                undo.push(Change::Newest(column, old));
            }
        }
        self.row_open = false;
        undo.push(Change::Closed);
    }

    fn before(&self, s: usize) -> Change {
        Change::Took {
            series: s as u32,
            last: self.last[s],
            scale: self.scale[s],
            fill: self.fill[s],
            tail: self.tail[s],
            alive: self.alive.has(s),
        }
    }

    /// Takes a value in the newest row, where the series has none yet, and writes what the log has to keep of it.
    #[inline]
    pub(crate) fn take(&mut self, pool: &mut Pool, s: usize, bits: u64, log: &mut RowLog, undo: &mut Undo) {
        self.seen.set(s);
        let alive = self.alive.has(s);
        if alive { &mut log.columns } else { &mut log.fresh_columns }.push(s as u32);
        if alive && self.last[s] == bits {
            return log.writer.same(&mut self.habits[s]);
        }
        undo.push(self.before(s));
        let (before, start) = (self.scale[s], log.fresh.len());
        let scale = match alive {
            true => {
                log.token.clear();
                let scale = put_token(&mut log.token, self.last[s], before, bits);
                let written = log.writer.token(&mut self.habits[s], before != RAW, &log.token);
                debug_assert!(written.is_some(), "a token is whole when it was just written");
                self.chain(pool, s, &log.token);
                scale
            }
            false => {
                let scale = put_absolute(&mut log.fresh, bits, before);
                self.chain(pool, s, &log.fresh[start..]);
                self.alive.set(s);
                scale
            }
        };
        (self.last[s], self.scale[s]) = (bits, scale);
    }

    /// Takes what [`Group::take`] wrote of a series that has a value; `whole` is scratch.
    pub(crate) fn retake_coded(
        &mut self,
        pool: &mut Pool,
        s: usize,
        reader: &mut habit::Reader<'_>,
        whole: &mut Vec<u8>,
    ) -> Option<()> {
        let (last, scale) = (*self.last.get(s)?, self.scale[s]);
        if reader.token(&mut self.habits[s], scale != RAW, whole) {
            let Token::Value(bits, scale) = token(&mut Cursor::new(whole), last, scale)? else { return None };
            self.chain(pool, s, whole);
            (self.last[s], self.scale[s]) = (bits, scale);
        }
        self.seen.set(s);
        Some(())
    }

    /// Takes what [`Group::take`] wrote of a series that had no value.
    pub(crate) fn retake_fresh(&mut self, pool: &mut Pool, s: usize, fresh: &mut Cursor<'_>) -> Option<()> {
        let before = fresh.rest();
        let Token::Value(bits, scale) = token(fresh, 0, RAW)? else { return None };
        self.chain(pool, s, &before[..before.len() - fresh.rest().len()]);
        self.seen.set(s);
        self.alive.set(s);
        (*self.last.get_mut(s)?, self.scale[s]) = (bits, scale);
        Some(())
    }

    /// Takes a token of its own, as logs of before December 2026 have all of them; `whole` is scratch.
    pub(crate) fn retake(
        &mut self,
        pool: &mut Pool,
        s: usize,
        (tokens, raw): (&mut Cursor<'_>, &mut Cursor<'_>),
        whole: &mut Vec<u8>,
    ) -> Option<()> {
        let (last, scale) = if self.alive.has(s) { (*self.last.get(s)?, self.scale[s]) } else { (0, RAW) };
        join_bits(tokens, raw, whole)?;
        let read = token(&mut Cursor::new(whole), last, scale)?;
        let Token::Value(bits, scale) = read else { return None };
        self.chain(pool, s, whole);
        self.seen.set(s);
        self.alive.set(s);
        self.last[s] = bits;
        self.scale[s] = scale;
        Some(())
    }

    /// Notes a token in the newest row. In the first row of a span it is where the series begins: nothing is kept.
    #[inline]
    fn chain(&mut self, pool: &mut Pool, s: usize, bytes: &[u8]) {
        if self.times.len() <= 1 {
            return;
        }
        let words = self.words();
        let row = (self.times.len() - 1) * words;
        self.changed[row + s / 64] |= 1 << (s % 64);
        if self.tail[s] == NONE {
            let mut first = Vec::with_capacity(12);
            match self.alive.has(s) {
                true => drop(put_absolute(&mut first, self.last[s], self.scale[s])),
                false => put_absent(&mut first),
            }
            self.tail[s] = pool.take(NONE);
            self.fill[s] = 0;
            self.copy(pool, s, &first);
        }
        self.copy(pool, s, bytes);
    }

    #[inline]
    fn copy(&mut self, pool: &mut Pool, s: usize, bytes: &[u8]) {
        let fill = usize::from(self.fill[s]);
        if fill + bytes.len() <= CHUNK {
            pool.at_mut(self.tail[s]).bytes[fill..fill + bytes.len()].copy_from_slice(bytes);
            self.fill[s] += bytes.len() as u8;
            return;
        }
        let (now, then) = bytes.split_at(CHUNK - fill);
        pool.at_mut(self.tail[s]).bytes[fill..].copy_from_slice(now);
        self.tail[s] = pool.take(self.tail[s]);
        pool.at_mut(self.tail[s]).bytes[..then.len()].copy_from_slice(then);
        self.fill[s] = then.len() as u8;
    }

    /// The newest sample of a series in the open rows, where it is in the newest row that says anything of the series.
    pub(crate) fn newest_open(&self, s: usize) -> Option<(i64, u64)> {
        let waits = self.row_open && !self.seen.has(s);
        let row = self.rows().checked_sub(1 + usize::from(waits))?;
        (s < self.width() && self.alive.has(s)).then(|| (self.times[row], self.last[s]))
    }

    /// The open values of a series; `buffer` is scratch. `None` cannot be, unless memory is damaged.
    pub(crate) fn open_values(&self, pool: &Pool, s: usize, buffer: &mut Vec<u8>) -> Option<Values> {
        let rows = self.rows();
        let waits = self.row_open && !self.seen.has(s);
        let until = rows - usize::from(waits && rows > 0);
        if self.tail[s] == NONE {
            let count = if self.alive.has(s) { until } else { 0 };
            let mut presence = Presence::none(rows);
            (0..count).for_each(|row| presence.set(row));
            presence.tidy(rows);
            return Some(Values { presence, bits: vec![self.last[s]; count] });
        }
        pool.collect(self.tail[s], self.fill[s], buffer);
        let (words, mut cursor) = (self.words(), Cursor::new(buffer));
        let (mut presence, mut bits) = (Presence::none(rows), Vec::with_capacity(rows));
        let mut state = match token(&mut cursor, 0, RAW)? {
            Token::Value(bits, scale) => (bits, scale, true),
            Token::Absent => (0, RAW, false),
        };
        for row in 0..until {
            if self.changed[row * words + s / 64] >> (s % 64) & 1 == 1 {
                state = match token(&mut cursor, state.0, state.1)? {
                    Token::Value(bits, scale) => (bits, scale, true),
                    // What comes back depends on nothing before it.
                    Token::Absent => (0, RAW, false),
                };
            }
            if state.2 {
                presence.set(row);
                bits.push(state.0);
            }
        }
        presence.tidy(rows);
        Some(Values { presence, bits })
    }

    /// Forgets the open rows, which a span has now. The newest row must be closed.
    pub(crate) fn clear_rows(&mut self, pool: &mut Pool) {
        self.times = Vec::new();
        self.changed = Vec::new();
        for tail in &mut self.tail {
            pool.give(std::mem::replace(tail, NONE), NONE);
        }
        self.fill.fill(0);
        if let Some(extra) = &mut self.extra {
            extra.clear();
        }
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap(&self) -> usize {
        self.last.capacity() * 20
            + (self.alive.0.capacity() * 2 + self.changed.capacity() + self.times.capacity()) * 8
            + self.sealed.capacity() * size_of::<Sealed>()
            + self.extra.as_ref().map_or(0, |e| e.heap())
    }
}
