//! Making blocks: of the spans on disk, and of several blocks one. I/O.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::SeriesError;

use crate::block::{Block, BlockWriter, Footer, PaceOfKey, Page, Piece, Recent, SeriesData, Through, newest_through};
use crate::disk::again;
use crate::files::{delete, keep_aside, set_aside, sync_folder};
use crate::frame::FRAME_HEAD;
use crate::head::{Body, Sealed};
use crate::limits::WINDOWS_MS;
use crate::pace::PaceFinder;
use crate::page::{Presence, Values};
use crate::registry::SeriesId;
use crate::span::{Held, SpanIndex, SpanView};
use crate::spanfile::SpanFile;
use crate::store::{Core, SeriesStore, Upkept};
use crate::tombstones::{self, is_deleted};

/// The spans that go into a block.
struct Spans {
    /// By group, in the order in which they were sealed.
    by_group: HashMap<u32, Vec<(u64, Held, SpanIndex)>>,
    files: BTreeMap<u64, Arc<SpanFile>>,
    through: Vec<Through>,
    /// Paces by key of a span.
    paces: HashMap<u64, Arc<[u16]>>,
    /// Numbers of files with a damaged span.
    damaged: Vec<u64>,
    is_empty: bool,
}

impl SeriesStore {
    /// Makes a block of all sealed spans; `false` when there is none.
    pub(crate) fn cut_sealed(&self, upkept: &mut Upkept) -> Result<bool, SeriesError> {
        let mut spans = self.sealed_spans();
        if spans.is_empty {
            return Ok(false);
        }
        let last = spans.files.keys().next_back().copied().unwrap_or(0);
        // What is saved from now on goes to another file.
        upkept.spans = upkept.spans.take().filter(|f| f.number > last);
        let footer = Footer {
            level: 1,
            spans_through: last,
            replaces_from: upkept.next_block,
            through: spans.through.clone(),
            ..Footer::default()
        };
        let paces = std::mem::take(&mut spans.paces);
        let writer = BlockWriter::new(&self.folder.join("blocks"), upkept.next_block, footer)?;
        let mut writer = writer.with_paces(Box::new(move |key| paces.get(&key).cloned()));
        let mut buffer = Vec::new();
        for name in self.metric_names() {
            for (labels, places) in self.series_of(name.as_deref()) {
                let data = spans.data(&places, &mut buffer);
                let data = data.unwrap_or_else(|(data, files)| {
                    self.counters.damaged.fetch_add(1, Relaxed);
                    spans.damaged.extend(files);
                    data
                });
                writer.add(&labels, data)?;
            }
        }
        let block = writer.finish()?;
        self.counters.block_bytes.fetch_add(block.as_ref().map_or(0, |b| b.bytes), Relaxed);
        upkept.next_block += u64::from(block.is_some());
        let cut = block.is_some();
        {
            let mut core = self.core.write();
            let core = &mut *core;
            core.blocks.extend(block.map(Arc::new));
            for through in &spans.through {
                let Some(group) = core.head.groups.get_mut(&through.group) else { continue };
                group.saved_seq = group.saved_seq.max(through.seq);
                group.sealed.retain(|s| {
                    if s.through_seq <= through.seq
                        && let Body::Bytes(bytes) = &s.body
                    {
                        core.head.sealed_bytes = core.head.sealed_bytes.saturating_sub(bytes.len());
                    }
                    s.through_seq > through.seq
                });
                group.sealed.shrink_to_fit();
            }
        }
        sync_folder(&self.folder.join("blocks"))?;
        for (number, file) in &spans.files {
            if spans.damaged.contains(number) {
                set_aside(&self.folder, &file.path)?;
            } else {
                delete(&file.path)?;
            }
        }
        sync_folder(&self.folder.join("spans"))?;
        self.drop_log()?;
        Ok(cut)
    }

    fn sealed_spans(&self) -> Spans {
        let (mut by_group, mut through): (Vec<(u32, Vec<Sealed>)>, Vec<Through>) = (Vec::new(), Vec::new());
        {
            let core = self.core.read();
            for (id, group) in &core.head.groups {
                let seq = group.sealed.last().map_or(0, |s| s.through_seq).max(group.saved_seq);
                if seq > 0 {
                    through.push(Through { group: *id, seq, newest_ms: group.newest_ms });
                }
                if !group.sealed.is_empty() {
                    by_group.push((*id, group.sealed.clone()));
                }
            }
        }
        through.sort_unstable_by_key(|t| t.group);
        let is_empty = by_group.is_empty();
        let (by, files, paces, damaged) = (HashMap::new(), BTreeMap::new(), HashMap::new(), Vec::new());
        let mut out = Spans { by_group: by, files, through, paces, damaged, is_empty };
        let (mut key, mut buffer) = (0, Vec::new());
        for (id, saved) in by_group {
            let (mut finder, mut keys) = (PaceFinder::default(), Vec::new());
            for sealed in saved {
                key += 1;
                let (file, offset, length) = match sealed.body {
                    Body::File { file, offset, length } => (file, offset, length),
                    Body::Bytes(bytes) => {
                        if let Some(view) = SpanView::open(&bytes) {
                            finder.take(&view);
                            keys.push(key);
                            let index = view.index(0);
                            out.by_group.entry(id).or_default().push((key, Held::Memory(bytes.clone()), index));
                        }
                        continue;
                    }
                };
                out.files.insert(file.number, file.clone());
                let read = again(|| file.read(offset, length, &mut buffer));
                let view = read.and_then(|from| SpanView::open(&buffer[from..])).filter(|v| v.group == id);
                match view {
                    Some(view) => {
                        finder.take(&view);
                        keys.push(key);
                        let index = view.index(offset + FRAME_HEAD as u64);
                        out.by_group.entry(id).or_default().push((key, Held::File(file), index));
                    }
                    None => {
                        self.counters.damaged.fetch_add(1, Relaxed);
                        tracing::error!(file = %file.path.display(), offset, "a span is damaged and left out of its block");
                        out.damaged.push(file.number);
                    }
                }
            }
            out.paces.extend(keys.into_iter().zip(finder.found()));
        }
        out
    }

    /// Names of all metrics in memory, sorted; `None` for series without one.
    fn metric_names(&self) -> Vec<Option<Arc<str>>> {
        let core = self.core.read();
        let pairs = core.registry.pairs_of(METRIC_NAME);
        let mut all: Vec<Option<Arc<str>>> = pairs.iter().map(|p| Some(core.registry.texts(*p).1.clone())).collect();
        all.sort_unstable();
        all.insert(0, None);
        all
    }

    /// Series of a metric with their places, sorted by labels.
    fn series_of(&self, name: Option<&str>) -> Vec<(Labels, Vec<(u32, u32)>)> {
        let core = self.core.read();
        let ids: Vec<SeriesId> = match name {
            Some(name) => {
                core.registry.pair(METRIC_NAME, name).map_or_else(Vec::new, |p| core.registry.postings(p).to_vec())
            }
            None => core.registry.unnamed(),
        };
        let places = |id| core.registry.places(id).map(|p| (p.group, p.column)).collect();
        let mut all: Vec<_> = ids.into_iter().map(|id| (core.registry.labels(id), places(id))).collect();
        all.sort_unstable();
        all
    }

    /// Joins the next blocks that are due; answers how many.
    pub(crate) fn join_next(&self) -> Result<Option<usize>, SeriesError> {
        let [window] = WINDOWS_MS;
        if self.options.retention.as_millis() < 2 * u128::from(window.unsigned_abs()) {
            // A day would stay until all of it is too old.
            return Ok(None);
        }
        let found = {
            let core = self.core.read();
            let Some(newest) = core.head.newest_ms.into_iter().chain(core.blocks.iter().map(|b| b.footer.max_ms)).max()
            else {
                return Ok(None);
            };
            due(&core, newest)
        };
        if found.len() < 2 {
            return Ok(None);
        }
        self.rewrite(&found)?;
        Ok(Some(found.len()))
    }

    /// Blocks that would be one if their window were over.
    pub(crate) fn apart(&self) -> Option<Vec<Arc<Block>>> {
        let core = self.core.read();
        let found = core.blocks.chunk_by(|a, b| window(a) == window(b)).find(|some| some.len() > 1);
        found.map(<[_]>::to_vec)
    }

    /// Writes blocks that stand one behind the other anew, as one, without what was deleted.
    pub(crate) fn rewrite(&self, blocks: &[Arc<Block>]) -> Result<(), SeriesError> {
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return Ok(()) };
        let footer = Footer {
            level: blocks.iter().map(|b| b.footer.level).max().unwrap_or(0) + 1,
            spans_through: blocks.iter().map(|b| b.footer.spans_through).max().unwrap_or(0),
            replaces_from: first.footer.replaces_from,
            through: newest_through(blocks.iter().flat_map(|b| b.footer.through.iter().copied())),
            ..Footer::default()
        };
        let writer = BlockWriter::new(&self.folder.join("blocks"), last.number, footer)?;
        let mut writer = writer.with_paces(paces_of(blocks));
        self.copy_series(blocks, &mut writer)?;
        let block = writer.finish()?;
        self.counters.block_bytes.fetch_add(block.as_ref().map_or(0, |b| b.bytes), Relaxed);
        let old = {
            let mut core = self.core.write();
            let at = core.blocks.iter().position(|b| b.number == first.number).unwrap_or(core.blocks.len());
            let end = (at + blocks.len()).min(core.blocks.len());
            core.blocks.splice(at..end, block.map(Arc::new)).collect::<Vec<_>>()
        };
        // What it stands for may go once its own name is durable.
        sync_folder(&self.folder.join("blocks"))?;
        for block in old {
            tombstones::forget(&block.path)?;
            if block.number != last.number || !self.core.read().blocks.iter().any(|b| b.number == last.number) {
                delete(&block.path)?;
            }
        }
        sync_folder(&self.folder.join("blocks"))
    }

    /// Copies the series of blocks, without what was deleted. A block of which some cannot be read is kept in `damaged/` too.
    pub(crate) fn copy_series(&self, blocks: &[Arc<Block>], writer: &mut BlockWriter) -> Result<(), SeriesError> {
        let mut cursors: Vec<Walk> = blocks.iter().map(|b| Walk::new(b.clone())).collect();
        cursors.iter_mut().for_each(|c| self.step(c));
        loop {
            let next = cursors.iter().filter_map(|c| c.key.as_ref()).min().cloned();
            let Some(next) = next else { break };
            let mut data = SeriesData::default();
            for (i, cursor) in cursors.iter_mut().enumerate() {
                if cursor.key.as_ref() == Some(&next) {
                    if !cursor.take(i as u64, &mut data) {
                        self.counters.damaged.fetch_add(1, Relaxed);
                    }
                    self.step(cursor);
                }
            }
            writer.add(&next.1, data)?;
        }
        // What could not be read is in no block afterwards: a person may find more of it.
        cursors.iter().filter(|c| c.damaged).try_for_each(|c| keep_aside(&self.folder, &c.block.path))
    }

    pub(crate) fn step(&self, walk: &mut Walk) {
        loop {
            walk.next += 1;
            if walk.next > walk.block.series_count() {
                walk.key = None;
                walk.block.forget();
                return;
            }
            match again(|| walk.block.full_labels(walk.next - 1)) {
                Some(labels) => {
                    walk.key = Some((labels.name().to_owned(), labels));
                    return;
                }
                None => {
                    self.counters.damaged.fetch_add(1, Relaxed);
                    walk.damaged = true;
                }
            }
        }
    }
}

/// Where the paces of blocks' columns are found, by the keys that [`Walk::take`] gives them.
pub(crate) fn paces_of(blocks: &[Arc<Block>]) -> PaceOfKey {
    let blocks = blocks.to_vec();
    Box::new(move |key| blocks.get((key >> 32) as usize)?.pace(key as u32))
}

/// The window in which a block lies, by its middle.
fn window(block: &Arc<Block>) -> i64 {
    let [length] = WINDOWS_MS;
    (block.footer.min_ms / 2 + block.footer.max_ms / 2).div_euclid(length)
}

/// Blocks of one window that is over, or nothing.
fn due(core: &Core, newest_ms: i64) -> Vec<Arc<Block>> {
    let [length] = WINDOWS_MS;
    let over = |b: &Arc<Block>| (window(b) + 1) * length + length / 24 <= newest_ms;
    for some in core.blocks.chunk_by(|a, b| window(a) == window(b)) {
        if some.len() > 1 && some.iter().all(over) {
            return some.to_vec();
        }
    }
    Vec::new()
}

/// Walks through the series of a block.
pub(crate) struct Walk {
    block: Arc<Block>,
    /// The number behind the current one.
    next: u32,
    /// Name and labels of the current one; `None` behind the last one.
    pub(crate) key: Option<(String, Labels)>,
    /// Whether some could not be read.
    damaged: bool,
    recent: Recent,
}

impl Walk {
    pub(crate) fn new(block: Arc<Block>) -> Self {
        Self { block, next: 0, key: None, damaged: false, recent: Recent::default() }
    }

    /// Adds what the block holds of the current series; `false` when it is damaged.
    pub(crate) fn take(&mut self, number: u64, data: &mut SeriesData) -> bool {
        let series = self.next - 1;
        let Some(run) = again(|| self.block.run(series, i64::MIN, i64::MAX, &mut self.recent)) else {
            self.damaged = true;
            return false;
        };
        let deleted = self.block.deleted.lock().clone();
        let ranges = deleted.of(series);
        let keep = |t: i64| !is_deleted(ranges, t);
        for Page { column, part } in run.pages {
            let (times, values) = (part.times, part.values);
            let values = if ranges.is_empty() { values } else { kept(&times, &values, keep) };
            data.add(number << 32 | u64::from(column), times, values);
        }
        let mut beside = run.beside;
        beside.numbers.retain(|(t, _)| keep(*t));
        beside.histograms.retain(|(t, _)| keep(*t));
        data.beside.add(beside);
        true
    }
}

/// The values whose times are to be kept.
pub(crate) fn kept(times: &[i64], values: &Values, keep: impl Fn(i64) -> bool) -> Values {
    let mut out = Values { presence: Presence::none(times.len()), bits: Vec::new() };
    for (row, bits) in values.presence.rows(times.len()).zip(&values.bits) {
        if keep(times[row]) {
            out.presence.set(row);
            out.bits.push(*bits);
        }
    }
    out.presence.tidy(times.len());
    out
}

impl SeriesData {
    /// Adds values that were written later than all that is there: of one time the first sample counts. Pieces come before what stands
    /// beside them when a block is read, so what is beside already has to be left out here.
    fn add(&mut self, key: u64, times: Arc<[i64]>, values: Values) {
        let free = |t: i64| !self.beside.has(t);
        let values = if times.iter().all(|t| free(*t)) { values } else { kept(&times, &values, free) };
        self.pieces.push(Piece { key, times, values });
    }
}

impl Spans {
    /// What the spans hold of a series; where some is damaged, what could be read of it, and the numbers of the files.
    fn data(&self, places: &[(u32, u32)], buffer: &mut Vec<u8>) -> Result<SeriesData, (SeriesData, Vec<u64>)> {
        let (mut data, mut damaged) = (SeriesData::default(), Vec::new());
        for (group, column) in places {
            for (key, file, index) in self.by_group.get(group).into_iter().flatten() {
                match index.column(file, *column, buffer) {
                    Some(values) if values.bits.is_empty() => {}
                    Some(values) => data.add(*key, index.times.clone(), values),
                    None => damaged.push(file.number()),
                }
                match index.beside(file, *column, buffer) {
                    Some(beside) => data.beside.add(beside),
                    None => damaged.push(file.number()),
                }
            }
        }
        if damaged.is_empty() { Ok(data) } else { Err((data, damaged.into_iter().flatten().collect())) }
    }
}
