//! Taking rows into memory, and writing what the log has to keep of them. Pure.
//!
//! A sample is taken when it is newer than its series' newest one, or late but within the window, and is not there yet.

use std::sync::Arc;

use kernel::series::{Appended, Batch, GroupId, Histogram, Rejection, SeriesRef};

use crate::codec::{put_varint, zigzag};
use crate::group::{Group, NEVER, RowLog};
use crate::head::Head;
use crate::histogram;
use crate::limits;
use crate::pool::Pool;
use crate::record::{CELLS, FRESH, FULL, HISTOGRAM, LATE, NEW, START, put_head, put_key, put_places};
use crate::undo::{Change, Undo};
use crate::wal::Records;

/// One commit while it is being made.
pub(crate) struct Commit<'a> {
    /// Its number, and that of the log's segment it goes to.
    pub(crate) number: u64,
    pub(crate) segment: u64,
    /// How much older than a group's newest sample a late one may be.
    pub(crate) window_ms: i64,
    /// What the log has to keep.
    pub(crate) log: &'a mut Records,
    /// Groups in it, with the number of their last record.
    pub(crate) groups: Vec<(u32, u64)>,
    pub(crate) undo: Undo,
    pub(crate) scratch: Scratch,
}

/// Memory that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    row: RowLog,
    late: Vec<(u32, u64)>,
    order: Vec<u32>,
}

/// What is known of a sample's place.
enum Place {
    /// Behind all of its series: or between, where late samples are taken.
    Free,
    Duplicate,
    Refused(Rejection),
}

impl Commit<'_> {
    /// Takes all rows of a batch.
    pub(crate) fn take(&mut self, head: &mut Head, batch: &Batch) -> Appended {
        let mut appended = Appended::default();
        for row in 0..batch.rows().len() {
            self.take_row(head, batch, row, &mut appended);
        }
        appended
    }

    fn take_row(&mut self, head: &mut Head, batch: &Batch, row: usize, appended: &mut Appended) {
        let (mark, cells) = (batch.rows()[row], batch.cells(row));
        let id = mark.group.0;
        let columns = &batch.columns()[cells.clone()];
        let refuse_all = |appended: &mut Appended, why| {
            columns.iter().for_each(|c| appended.reject(SeriesRef { group: mark.group, column: *c }, mark.t_ms, why));
        };
        if mark.t_ms.unsigned_abs() > limits::TIME_MS.unsigned_abs() {
            return refuse_all(appended, Rejection::TooOld);
        }
        match head.groups.get(&id) {
            None => return refuse_all(appended, Rejection::Unknown),
            Some(group) if mark.t_ms > group.last_ms && group.touched != self.number && Head::is_full(group) => {
                head.seal(id);
            }
            Some(_) => {}
        }
        let Head { groups, pool, .. } = head;
        let Some(group) = groups.get_mut(&id) else { return };
        let mut order = std::mem::take(&mut self.scratch.order);
        order.clear();
        if !columns.is_sorted_by(|a, b| a < b) {
            order.extend(0..columns.len() as u32);
            order.sort_by_key(|i| columns[*i as usize]);
        }
        let before = appended.samples;
        let place = Row { id, t_ms: mark.t_ms, batch, first: cells.start, order: &order, columns };
        self.begin(id, group);
        self.take_numbers(pool, group, &place, appended);
        self.take_beside(group, &place, appended);
        if appended.samples > before {
            head.note_newest(mark.t_ms);
        }
        self.scratch.order = order;
    }

    /// Notes what a group was, and writes its key where this segment of the log has none.
    fn begin(&mut self, id: u32, group: &mut Group) {
        self.undo.push(Change::Group { group: id, seq: group.seq, newest_ms: group.newest_ms });
        group.touched = self.number;
        if group.keyed != self.segment {
            put_key(&mut self.log.bytes, id, group);
            group.forget_habits();
            group.keyed = self.segment;
        }
    }

    /// Ends a record: it has a number now.
    fn note(&mut self, id: u32, group: &Group) {
        match self.groups.last_mut() {
            Some(last) if last.0 == id => last.1 = group.seq,
            _ => self.groups.push((id, group.seq)),
        }
    }

    fn take_numbers(&mut self, pool: &mut Pool, group: &mut Group, row: &Row<'_>, appended: &mut Appended) {
        let Scratch { row: log, late, .. } = &mut self.scratch;
        log.clear();
        late.clear();
        let mut began = None;
        let is_newer = row.t_ms > group.last_ms;
        let in_row = is_newer || (row.t_ms == group.last_ms && group.row_open);
        let mut histograms = row.histograms();
        for (cell, column) in row.cells() {
            if histograms.take(cell) {
                continue;
            }
            let s = column as usize;
            let series = SeriesRef { group: GroupId(row.id), column };
            if s >= group.width() {
                appended.reject(series, row.t_ms, Rejection::Unknown);
                continue;
            }
            let bits = row.batch.values()[cell].to_bits();
            let beside = group.extra.as_ref().and_then(|e| e.newest.get(&column)).is_some_and(|t| *t >= row.t_ms);
            if in_row && !beside {
                if began.is_none() {
                    if is_newer {
                        group.begin_row(pool, row.t_ms, &mut self.undo);
                    } else {
                        self.undo.push(Change::Seen(group.seen.clone()));
                        group.resume_row();
                    }
                    began = Some(if is_newer { NEW } else { 0 });
                }
                if group.seen.has(s) {
                    match group.last[s] == bits {
                        true => appended.duplicates += 1,
                        false => appended.reject(series, row.t_ms, Rejection::Conflict),
                    }
                    continue;
                }
                group.take(pool, s, bits, log, &mut self.undo);
                appended.samples += 1;
                continue;
            }
            match place(pool, group, column, row.t_ms, &Sample::Number(bits), self.window_ms) {
                Place::Duplicate => appended.duplicates += 1,
                Place::Refused(why) => appended.reject(series, row.t_ms, why),
                Place::Free => {
                    late.push((column, bits));
                    note_beside(group, column, row.t_ms, &mut self.undo);
                    group.extra().late.insert((column, row.t_ms), bits);
                    self.undo.push(Change::Late(column, row.t_ms));
                    appended.samples += 1;
                }
            }
        }
        self.log_numbers(group, row, began);
        self.note(row.id, group);
    }

    /// Writes what was taken of a row's numbers: in the newest row, which `began` or goes on, and late ones.
    fn log_numbers(&mut self, group: &mut Group, row: &Row<'_>, began: Option<u8>) {
        let Scratch { row: cells, late, .. } = &mut self.scratch;
        let is_empty = cells.columns.is_empty() && cells.fresh_columns.is_empty();
        if let Some(flags) = began.filter(|flags| *flags == NEW || !is_empty) {
            group.seq += 1;
            group.newest_ms = group.newest_ms.max(row.t_ms);
            put_cells(self.log, row.id, group, flags, cells);
        }
        if !late.is_empty() {
            group.seq += 1;
            group.newest_ms = group.newest_ms.max(row.t_ms);
            let log = &mut self.log.bytes;
            put_head(log, LATE, row.id, group.seq);
            put_varint(log, zigzag(row.t_ms));
            put_varint(log, late.len() as u64);
            for (column, bits) in late.iter() {
                put_varint(log, u64::from(*column));
                log.extend_from_slice(&bits.to_le_bytes());
            }
        }
    }

    /// Histograms, and start times of what was taken.
    fn take_beside(&mut self, group: &mut Group, row: &Row<'_>, appended: &mut Appended) {
        for (cell, histogram) in row.batch_histograms() {
            let column = row.batch.columns()[*cell as usize];
            let series = SeriesRef { group: GroupId(row.id), column };
            if column as usize >= group.width() {
                appended.reject(series, row.t_ms, Rejection::Unknown);
                continue;
            }
            self.take_histogram(group, row, series, histogram, appended);
        }
        let knows_starts = group.extra.as_ref().is_some_and(|e| !e.starts.is_empty());
        if !knows_starts && row.starts().is_empty() {
            return;
        }
        let mut starts = row.starts().iter().peekable();
        for cell in row.first..row.first + row.columns.len() {
            while starts.next_if(|(at, _)| (*at as usize) < cell).is_some() {}
            let start = starts.next_if(|(at, _)| *at as usize == cell).map_or(0, |(_, start)| *start);
            self.take_start(group, row, row.batch.columns()[cell], start);
        }
        self.note(row.id, group);
    }

    fn take_histogram(
        &mut self,
        group: &mut Group,
        row: &Row<'_>,
        series: SeriesRef,
        histogram: &Arc<Histogram>,
        appended: &mut Appended,
    ) {
        let (bytes, column) = (histogram::encode(histogram), series.column);
        match place(&Pool::default(), group, column, row.t_ms, &Sample::Histogram(&bytes), self.window_ms) {
            Place::Duplicate => appended.duplicates += 1,
            Place::Refused(why) => appended.reject(series, row.t_ms, why),
            Place::Free => {
                group.seq += 1;
                group.newest_ms = group.newest_ms.max(row.t_ms);
                let log = &mut self.log.bytes;
                put_head(log, HISTOGRAM, row.id, group.seq);
                put_varint(log, u64::from(column));
                put_varint(log, zigzag(row.t_ms));
                put_varint(log, bytes.len() as u64);
                log.extend_from_slice(&bytes);
                note_beside(group, column, row.t_ms, &mut self.undo);
                group.extra().histograms.insert((column, row.t_ms), bytes);
                self.undo.push(Change::Histogram(column, row.t_ms));
                appended.samples += 1;
                appended.histograms += 1;
                self.note(row.id, group);
            }
        }
    }

    fn take_start(&mut self, group: &mut Group, row: &Row<'_>, column: u32, start: i64) {
        if column as usize >= group.width() || group.newest(column) < row.t_ms {
            return;
        }
        let known = group.extra.as_ref().map_or(0, |e| e.start_at(column, row.t_ms));
        if known == start || group.extra.as_ref().is_some_and(|e| e.starts.contains_key(&(column, row.t_ms))) {
            return;
        }
        group.seq += 1;
        let log = &mut self.log.bytes;
        put_head(log, START, row.id, group.seq);
        put_varint(log, u64::from(column));
        put_varint(log, zigzag(row.t_ms));
        put_varint(log, zigzag(start));
        group.extra().starts.insert((column, row.t_ms), start);
        self.undo.push(Change::Start(column, row.t_ms));
    }
}

/// A row of a batch.
struct Row<'a> {
    id: u32,
    t_ms: i64,
    batch: &'a Batch,
    first: usize,
    /// Places of the cells by column, where they do not stand so.
    order: &'a [u32],
    columns: &'a [u32],
}

impl<'a> Row<'a> {
    /// Cells with their columns, by column.
    fn cells(&self) -> impl Iterator<Item = (usize, u32)> + 'a {
        let (order, columns, first) = (self.order, self.columns, self.first);
        (0..columns.len()).map(move |i| {
            let i = order.get(i).map_or(i, |o| *o as usize);
            (first + i, columns[i])
        })
    }

    fn batch_histograms(&self) -> &'a [(u32, Arc<Histogram>)] {
        let all = self.batch.histograms();
        let from = all.partition_point(|(cell, _)| (*cell as usize) < self.first);
        let to = all.partition_point(|(cell, _)| (*cell as usize) < self.first + self.columns.len());
        &all[from..to]
    }

    fn starts(&self) -> &'a [(u32, i64)] {
        let all = self.batch.starts();
        let from = all.partition_point(|(cell, _)| (*cell as usize) < self.first);
        let to = all.partition_point(|(cell, _)| (*cell as usize) < self.first + self.columns.len());
        &all[from..to]
    }

    fn histograms(&self) -> Cells<'a> {
        Cells(self.batch_histograms())
    }
}

/// The cells of a row that are histograms.
struct Cells<'a>(&'a [(u32, Arc<Histogram>)]);

impl Cells<'_> {
    fn take(&mut self, cell: usize) -> bool {
        !self.0.is_empty() && self.0.binary_search_by_key(&(cell as u32), |(at, _)| *at).is_ok()
    }
}

/// A value that looks for its place.
enum Sample<'a> {
    Number(u64),
    Histogram(&'a [u8]),
}

/// Whether a sample beside the newest row can be taken.
fn place(pool: &Pool, group: &Group, column: u32, t_ms: i64, sample: &Sample<'_>, window_ms: i64) -> Place {
    let newest = group.newest(column);
    if t_ms > newest {
        return Place::Free;
    }
    match known(pool, group, column, t_ms, sample) {
        Some(true) => return Place::Duplicate,
        Some(false) => return Place::Refused(Rejection::Conflict),
        None => {}
    }
    if window_ms == 0 {
        return Place::Refused(Rejection::OutOfOrder);
    }
    match t_ms >= group.newest_ms.saturating_sub(window_ms) {
        true => Place::Free,
        false => Place::Refused(Rejection::TooOld),
    }
}

/// Whether a sample is there already, and the same; `None` where nothing in memory says so.
fn known(pool: &Pool, group: &Group, column: u32, t_ms: i64, sample: &Sample<'_>) -> Option<bool> {
    let s = column as usize;
    if let Some(extra) = &group.extra {
        if let Some(bytes) = extra.histograms.get(&(column, t_ms)) {
            return Some(matches!(sample, Sample::Histogram(new) if **new == **bytes));
        }
        if let Some(bits) = extra.late.get(&(column, t_ms)) {
            return Some(matches!(sample, Sample::Number(new) if new == bits));
        }
    }
    let same = |bits: u64| matches!(sample, Sample::Number(new) if *new == bits);
    if (t_ms == group.last_ms && group.seen.has(s))
        || (t_ms == group.before_ms && t_ms != NEVER && group.alive.has(s) && !group.seen.has(s))
    {
        return Some(same(group.last[s]));
    }
    let at = group.times.binary_search(&t_ms).ok()?;
    // Histograms are looked for without the chunks: a number in an older row is then not seen, and wins when reading.
    if matches!(sample, Sample::Histogram(_)) {
        return None;
    }
    let values = group.open_values(pool, s, &mut Vec::new())?;
    values.presence.has(at).then(|| same(values.bits[values.presence.before(at)]))
}

/// Notes the newest time of a series whose sample is in no row.
fn note_beside(group: &mut Group, column: u32, t_ms: i64, undo: &mut Undo) {
    let newest = group.newest(column);
    if t_ms > newest {
        let old = group.extra().newest.insert(column, t_ms);
        undo.push(Change::Newest(column, old));
    }
}

fn put_cells(log: &mut Records, id: u32, group: &Group, flags: u8, cells: &mut RowLog) {
    let out = &mut log.bytes;
    put_head(out, CELLS, id, group.seq);
    let full = group.seen == group.alive;
    let fresh = !cells.fresh_columns.is_empty();
    out.push(flags | if full { FULL } else { 0 } | if fresh { FRESH } else { 0 });
    if flags & NEW != 0 {
        let before = if group.before_ms == NEVER { 0 } else { group.before_ms };
        put_varint(out, zigzag(group.last_ms - before));
    }
    let words = group.width().div_ceil(64);
    put_varint(out, group.width() as u64);
    if !full {
        put_places(out, &cells.columns, words);
    }
    if fresh {
        put_places(out, &cells.fresh_columns, words);
        put_varint(out, cells.fresh.len() as u64);
        out.extend_from_slice(&cells.fresh);
    }
    let start = log.raw.len();
    if !cells.columns.is_empty() {
        cells.writer.finish(&mut log.raw);
    }
    put_varint(out, (log.raw.len() - start) as u64);
}
