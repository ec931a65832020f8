//! Opening: series, blocks, spans, the replay of the log; what is damaged is reported and set aside. I/O.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;
use kernel::series::SeriesError;

use crate::block::{self, Block, newest_through};
use crate::catalog::Catalog;
use crate::files::{delete, keep_aside, make_folder, numbered, set_aside, sync_folder};
use crate::group::NEVER;
use crate::head::{Body, Sealed};
use crate::replay::Replay;
use crate::rollup;
use crate::span::SpanView;
use crate::spanfile::{self, SpanFile};
use crate::store::{Core, Log, Options, SeriesStore, Upkept, lock};
use crate::tombstones;
use crate::undo::Undo;
use crate::wal::{self, Segment, Wal, read_segment};

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Series in memory.
    pub series: usize,
    /// Groups in memory.
    pub groups: usize,
    /// Samples read from the log.
    pub replayed: u64,
    /// Bytes at the log's end that were torn off while being written; nobody was told that they are taken.
    pub torn_bytes: u64,
    /// What is damaged, for people; the files are in `damaged/`, the rest is served.
    pub damage: Vec<String>,
}

impl SeriesStore {
    /// Opens the store in a folder, making it when it is missing.
    ///
    /// # Errors
    /// The folder cannot be used or another process uses it, or another version wrote it. Damage is no error: see
    /// [`OpenReport::damage`].
    pub fn open(folder: &Path, options: Options) -> Result<(Self, OpenReport), SeriesError> {
        make_folder(folder)?;
        let lock = lock(folder)?;
        if folder.join("groups").exists() {
            return Err(SeriesError::Storage(format!(
                "{} was written by an older Farero, whose layout is not read any more: move it away, and start with an empty one",
                folder.display()
            )));
        }
        let [logs, blocks, spans] = ["wal", "blocks", "spans"].map(|name| folder.join(name));
        [&logs, &blocks, &spans].into_iter().try_for_each(|folder| make_folder(folder))?;
        let mut report = OpenReport::default();
        let mut core = Core::default();
        let (catalog, found) = Catalog::open(folder)?;
        // A whole list of groups lacks those only that were forgotten.
        let forgotten_below = if found.damage.is_empty() { found.next_group } else { 0 };
        report.damage.extend(found.damage);
        core.next_group = found.next_group;
        for (group, name, series) in found.groups {
            core.names.insert(name, group);
            core.head.make(group);
            core.add_series(group, 0, &series);
        }
        read_blocks(folder, &blocks, &mut core, &mut report)?;
        let numbers = rollup::open(folder, &mut core, &mut report)?;
        let (through, mut saved) = known_from_blocks(&mut core);
        let next_file = read_spans(folder, &spans, &mut core, through, &mut saved, &mut report)?;
        report.damage.extend(core.exemplars.load(folder));
        let (log, damaged) = replay(&logs, &mut core, &saved, forgotten_below, &mut report)?;
        report.series = core.registry.series_count();
        report.groups = core.head.groups.len();
        let next_block = core.blocks.last().map_or(1, |b| b.number + 1).max(numbers.next_block);
        let next_rollup = numbers.next_rollup;
        let upkept =
            Upkept { spans: None, next_file, next_block, next_rollup, roll_again_ms: i64::MIN, leaving: vec![] };
        let store = Self::new(folder.to_owned(), options, (log, catalog, core, upkept), lock);
        if !damaged.is_empty() {
            // What could be read goes to disk otherwise, so that the damaged segments can leave.
            damaged.iter().try_for_each(|path| keep_aside(folder, path))?;
            store.flush()?;
        }
        // Nobody has asked for a group yet.
        store.forget_idle(true)?;
        for line in &report.damage {
            tracing::error!(damage = line, "the series store is damaged; the rest is served");
        }
        Ok((store, report))
    }
}

fn read_blocks(folder: &Path, blocks: &Path, core: &mut Core, report: &mut OpenReport) -> Result<(), SeriesError> {
    for (_, path) in numbered(blocks, ".tmp")? {
        delete(&path)?;
    }
    let mut found = Vec::new();
    for (number, path) in numbered(blocks, block::ENDING)? {
        block::verify_version(&path)?;
        match Block::open(number, &path) {
            Ok(block) => found.push(block),
            Err(error) => {
                report.damage.push(error.to_string());
                set_aside(folder, &path)?;
            }
        }
    }
    let replaced: Vec<(u64, u64)> = found.iter().map(|b| (b.footer.replaces_from, b.number)).collect();
    for block in found {
        if replaced.iter().any(|(from, to)| (*from..*to).contains(&block.number)) {
            delete(&block.path)?;
            tombstones::forget(&block.path)?;
            continue;
        }
        core.blocks.push(Arc::new(block));
    }
    sync_folder(blocks)
}

/// What blocks say of files of spans and of groups: the last file in them, and the last record of each group.
fn known_from_blocks(core: &mut Core) -> (u64, HashMap<u32, u64>) {
    let through = core.blocks.iter().map(|b| b.footer.spans_through).max().unwrap_or(0);
    let all = newest_through(core.blocks.iter().flat_map(|b| b.footer.through.iter().copied()));
    for known in &all {
        core.head.known(known.group, known.newest_ms);
    }
    (through, all.into_iter().map(|t| (t.group, t.seq)).collect())
}

fn read_spans(
    folder: &Path,
    spans: &Path,
    core: &mut Core,
    through: u64,
    saved: &mut HashMap<u32, u64>,
    report: &mut OpenReport,
) -> Result<u64, SeriesError> {
    let mut next = through + 1;
    for (number, path) in numbered(spans, spanfile::ENDING)? {
        next = next.max(number + 1);
        if number <= through {
            delete(&path)?;
            continue;
        }
        let mut found = Vec::new();
        let (file, damage) = SpanFile::open(&path, number, |offset, length, bytes| {
            let known = SpanView::open(bytes).and_then(|v| Some((v.group, v.width(), v.through_seq, v.range()?)));
            found.push((offset, length, known));
        })?;
        let file = Arc::new(file);
        let mut unknown = 0;
        for (offset, length, known) in found {
            let Some((id, width, through_seq, (min_ms, max_ms))) = known else {
                report.damage.push(format!("{}: the span at {offset} is damaged", path.display()));
                continue;
            };
            let Some(group) = core.head.groups.get_mut(&id) else {
                unknown += 1;
                continue;
            };
            group.widen(width);
            let body = Body::File { file: file.clone(), offset, length };
            group.sealed.push(Sealed { body, min_ms, max_ms, through_seq });
            let seq = saved.entry(id).or_default();
            *seq = (*seq).max(through_seq);
            core.head.known(id, max_ms);
            core.head.note_newest(max_ms);
        }
        if unknown > 0 {
            report.damage.push(format!("{}: {unknown} spans belong to groups that are not known", path.display()));
        }
        if !damage.is_empty() {
            // The file stays where it is: its sound spans are served from it.
            keep_aside(folder, &path)?;
            report.damage.extend(damage);
        }
    }
    Ok(next)
}

/// Reads the log into memory; returns what goes on with it, and the damaged segments.
fn replay(
    logs: &Path,
    core: &mut Core,
    saved: &HashMap<u32, u64>,
    forgotten_below: u32,
    report: &mut OpenReport,
) -> Result<(Log, Vec<PathBuf>), SeriesError> {
    let mut replay = Replay::after(saved.clone());
    replay.forgotten_below = forgotten_below;
    let (mut number, mut old, mut damaged) = (0, Vec::new(), Vec::new());
    let segments = wal::segments(logs)?;
    let left: HashMap<u64, u64> = segments.iter().filter_map(|(_, path)| wal::said_of_left(path)).collect();
    for (segment, path) in segments {
        let before = (replay.unknown, replay.lost);
        replay.last.clear();
        let most = left.get(&segment).copied().unwrap_or(u64::MAX);
        let found = read_segment(&path, most, |records, raw| replay.frame(&mut core.head, segment, records, raw))?;
        report.torn_bytes += found.torn;
        let (unknown, lost) = (replay.unknown - before.0, replay.lost - before.1);
        if unknown > 0 {
            report.damage.push(format!("{}: {unknown} records belong to groups that are not known", path.display()));
        }
        if lost > 0 {
            report.damage.push(format!("{}: {lost} records cannot be read without those before them", path.display()));
        }
        report.damage.extend(found.damage.iter().cloned());
        if unknown + lost > 0 || !found.damage.is_empty() {
            damaged.push(path);
        }
        old.push(Segment { number: segment, last: replay.last.clone() });
        number = segment;
    }
    report.replayed = replay.samples;
    for (group, column, exemplar) in std::mem::take(&mut replay.exemplars) {
        if let Some(labels) = core.labels_at(group, column) {
            core.exemplars.push_again(labels, exemplar);
        }
    }
    settle(core, saved, |id| replay.knows(id));
    Ok((Log::new(Wal::new(logs, number + 1, old)), damaged))
}

/// What spans hold, and what of the log is gone because of that, is not open any more.
fn settle(core: &mut Core, saved: &HashMap<u32, u64>, replayed: impl Fn(u32) -> bool) {
    let crate::head::Head { groups, pool, .. } = &mut core.head;
    for (id, group) in groups.iter_mut() {
        let saved = saved.get(id).copied().unwrap_or(0);
        group.saved_seq = saved;
        if group.seq < saved {
            group.close_row(pool, &mut Undo::default());
            group.clear_rows(pool);
            group.seq = saved;
        }
        // The next segment has to begin with a key.
        group.keyed = 0;
        if group.newest_ms != NEVER && !replayed(*id) {
            group.last_ms = group.newest_ms;
            group.floor = (group.width() as u32, group.newest_ms);
        }
    }
    let newest = core.head.groups.values().map(|g| g.newest_ms).filter(|t| *t != NEVER).max();
    if let Some(newest) = newest {
        core.head.note_newest(newest);
    }
}
