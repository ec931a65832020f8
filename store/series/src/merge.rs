//! Joining blocks of one window into one: fewer files, fuller spans. I/O.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::series::SeriesError;

use crate::block::{Block, BlockWriter, GroupEntry};
use crate::files::{delete, keep_aside, sync_folder};
use crate::limits::{SPAN_ROWS, WINDOWS_MS};
use crate::span::{OpenSpan, SpanView};
use crate::store::SeriesStore;

/// A span with its first and last time.
type Span = (i64, i64, Vec<u8>);

/// Joins the oldest blocks that begin in one window which is over; returns how many, `None` when there are none.
pub(crate) fn merge_next(store: &SeriesStore, now_ms: i64) -> Result<Option<usize>, SeriesError> {
    let blocks = store.core.read().blocks.clone();
    let Some(run) = next_run(&blocks, now_ms) else { return Ok(None) };
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(None) };
    let folder = store.folder.join("blocks");
    // The new block takes the last one's place in one step; the others are deleted then, or at the next opening.
    let mut writer = BlockWriter::new(&folder, last.number)?;
    let mut damaged = Vec::new();
    for (group, parts) in by_group(run)? {
        let (record, spans) = read_group(&parts, &mut damaged)?;
        writer.add(group, &record, join(group, spans))?;
    }
    for block in &damaged {
        tracing::error!(block = %block.path.display(), "a block is damaged; it is kept in the folder `damaged`");
        keep_aside(&store.folder, &block.path)?;
    }
    let through = run.iter().map(|b| b.summary.wal_through).max().unwrap_or(0);
    let from = first.summary.replaces_from.min(first.number);
    let Some(joined) = writer.finish(last.number, through, from)? else { return Ok(None) };
    let numbers = first.number..=last.number;
    let mut core = store.core.write();
    core.blocks.retain(|b| !numbers.contains(&b.number));
    let place = core.blocks.partition_point(|b| b.number < joined.number);
    core.blocks.insert(place, Arc::new(joined));
    drop(core);
    for block in run.iter().filter(|b| b.number != last.number) {
        delete(&block.path)?;
    }
    sync_folder(&folder)?;
    Ok(Some(run.len()))
}

/// The first run of neighbouring blocks that begin in one window which is over, small windows first.
fn next_run(blocks: &[Arc<Block>], now_ms: i64) -> Option<&[Arc<Block>]> {
    WINDOWS_MS.iter().find_map(|window| {
        let of = |b: &Block| {
            let begins_in = b.summary.min_ms.div_euclid(*window);
            ((begins_in + 1) * window <= now_ms).then_some(begins_in)
        };
        blocks.chunk_by(|a, b| of(a).is_some() && of(a) == of(b)).find(|run| run.len() > 1)
    })
}

type Parts = Vec<(Arc<Block>, GroupEntry)>;

fn by_group(run: &[Arc<Block>]) -> Result<BTreeMap<u32, Parts>, SeriesError> {
    let mut out: BTreeMap<u32, Parts> = BTreeMap::new();
    for block in run {
        for entry in block.groups()? {
            out.entry(entry.group).or_default().push((block.clone(), entry));
        }
    }
    Ok(out)
}

/// The group's record and all sound spans; blocks where something is damaged are noted.
fn read_group(parts: &Parts, damaged: &mut Vec<Arc<Block>>) -> Result<(Vec<u8>, Vec<Span>), SeriesError> {
    let record = parts.iter().rev().find_map(|(block, entry)| block.record(entry).ok()).unwrap_or_default();
    let mut spans = Vec::new();
    for (block, entry) in parts {
        let list = block.spans(entry).unwrap_or_default();
        let mut sound = list.len();
        for span in &list {
            let bytes = block.span(span)?;
            if SpanView::parse(&bytes).is_some() {
                spans.push((span.min_ms, span.max_ms, bytes));
            } else {
                sound -= 1;
            }
        }
        let whole = sound == list.len() && !list.is_empty();
        if !whole && !damaged.iter().any(|b| b.number == block.number) {
            damaged.push(block.clone());
        }
    }
    Ok((record, spans))
}

/// Joins neighbouring spans as long as they fit into one.
fn join(group: u32, spans: Vec<Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    let mut gathered: Option<OpenSpan> = None;
    for span in spans {
        let last = out.last().map(|(_, max, _)| *max);
        let rows = rows_of(&span.2);
        let room = gathered.as_ref().zip(rows.as_ref()).is_some_and(|(open, rows)| {
            open.rows() + rows.len() <= SPAN_ROWS
                && rows.iter().all(|(t, values)| open.takes(*t) && values.len() == open.columns.len())
                && rows.first().map(|(t, _)| *t) > last
        });
        match (&mut gathered, rows) {
            (Some(open), Some(rows)) if room => {
                rows.iter().for_each(|(t, values)| open.push(*t, values));
                if let Some(joined) = out.last_mut() {
                    *joined = (joined.0, span.1, open.encode(group));
                }
            }
            (_, rows) => {
                gathered = rows.map(|rows| {
                    let mut open = OpenSpan::default();
                    rows.iter().for_each(|(t, values)| open.push(*t, values));
                    open
                });
                out.push(span);
            }
        }
    }
    out
}

/// A row's time and values.
type Plain = (i64, Vec<Option<f64>>);

/// All rows of a span that is short enough to be joined and whole.
fn rows_of(bytes: &[u8]) -> Option<Vec<Plain>> {
    let view = SpanView::parse(bytes).filter(|v| v.times.len() < SPAN_ROWS)?;
    let columns: Vec<_> = (0..view.width()).map(|c| view.column(c)).collect::<Option<_>>()?;
    let row = |r| columns.iter().map(|c| c.at(r).map(f64::from_bits)).collect();
    Some(view.times.iter().enumerate().map(|(r, t)| (*t, row(r))).collect())
}
