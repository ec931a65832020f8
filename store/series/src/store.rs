//! The store: what is open, how rows get in. I/O.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{Appended, Batch, GroupId, KnownColumns, SeriesError, SeriesWriter};
use parking_lot::{Mutex, RwLock};

use crate::apply::{Commit, Scratch};
use crate::block::Block;
use crate::catalog::Catalog;
use crate::codec::put_varint;
use crate::commit::{Committer, Outcome};
use crate::exemplars::{self, Ring};
use crate::files::storage;
use crate::head::Head;
use crate::limits;
use crate::record::EXEMPLAR;
use crate::registry::{Place, Registry, SeriesId, verify};
use crate::rollup::Rollups;
use crate::room::Room;
use crate::spanfile::SpanFile;
use crate::undo::{Change, Undo};
use crate::wal::{Records, Wal};

/// What may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long samples are kept; whole blocks are deleted once all of them are older.
    pub retention: Duration,
    /// Bytes that blocks and roll-ups may take together, 0 without a limit; the oldest ones are deleted first.
    pub retention_bytes: u64,
    /// How long roll-ups of samples that are gone are kept; 0 for none.
    pub rollups: Duration,
    /// How much time one block holds. Until then samples are in spans, which are as small, so that each is written once less the longer
    /// this is. A tenth of the retention at most, and two hours at least.
    pub block_length: Duration,
    /// Most series in memory.
    pub series: usize,
    /// Commits begin at most this often.
    pub commit_interval: Duration,
    /// How much older than the newest sample of its group a sample may be that is not the newest of its series; 0 for
    /// not at all.
    pub late_window: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(30 * 86_400),
            retention_bytes: 0,
            rollups: Duration::from_secs(limits::ROLLUP_DAYS * 86_400),
            block_length: Duration::from_millis(limits::WINDOWS_MS[0].unsigned_abs()),
            series: limits::SERIES,
            commit_interval: limits::COMMIT_INTERVAL,
            late_window: Duration::ZERO,
        }
    }
}

/// Numbers to show about the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series in memory.
    pub series: u64,
    /// Groups in memory.
    pub groups: u64,
    /// Blocks on disk.
    pub blocks: u64,
    /// Bytes of all blocks.
    pub block_bytes: u64,
    /// Roll-ups on disk.
    pub rollups: u64,
    /// Bytes of all roll-ups.
    pub rollup_bytes: u64,
    /// Roll-ups made of blocks that left, since the start.
    pub rollups_made: u64,
    /// Fine roll-ups that were joined into rough ones, since the start.
    pub rollups_joined: u64,
    /// Blocks that left without a roll-up although one was wanted, since the start: they were damaged, or the disk refused it.
    pub rollups_lost: u64,
    /// Bytes of samples and their index in memory, about.
    pub head_bytes: u64,
    /// Bytes of blocks' indexes that are kept in memory.
    pub cache_bytes: u64,
    /// Segments of the log.
    pub log_segments: u64,
    /// What was written to the disk since the start.
    pub written: Written,
    /// Samples taken since the start.
    pub samples: u64,
    /// Samples left out because they came too late, or in conflict with another.
    pub out_of_order: u64,
    /// Samples left out because they were there already.
    pub duplicates: u64,
    /// Exemplars in memory.
    pub exemplars: u64,
    /// Commits since the start, one `fdatasync` each.
    pub commits: u64,
    /// Commits that failed; their callers were told.
    pub failed_commits: u64,
    /// Calls refused by a named limit.
    pub refused: u64,
    /// Spans, pages and indexes found damaged while reading; what they held is missing from answers.
    pub damaged: u64,
}

/// Bytes written since the start, by the kind of file. The disk writes whole pages, and takes some more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// To the log.
    pub log: u64,
    /// To the list of series.
    pub catalog: u64,
    /// To files of spans.
    pub spans: u64,
    /// To blocks, those included that were joined or deleted since.
    pub blocks: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) span_bytes: AtomicU64,
    pub(crate) block_bytes: AtomicU64,
    samples: AtomicU64,
    out_of_order: AtomicU64,
    duplicates: AtomicU64,
    commits: AtomicU64,
    failed_commits: AtomicU64,
    refused: AtomicU64,
    pub(crate) rollups_made: AtomicU64,
    pub(crate) rollups_joined: AtomicU64,
    pub(crate) rollups_lost: AtomicU64,
    pub(crate) damaged: AtomicU64,
}

/// What readers see.
#[derive(Default)]
pub(crate) struct Core {
    pub(crate) registry: Registry,
    /// How often series were numbered anew.
    pub(crate) numbered: u64,
    pub(crate) head: Head,
    pub(crate) names: HashMap<Box<str>, u32>,
    pub(crate) next_group: u32,
    /// By number, which is the order in which they were cut.
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) rollups: Rollups,
    pub(crate) exemplars: Ring,
}

/// Series on local disk. One process has a folder open at a time; all calls are synchronous and may wait for the disk.
///
/// Locks are taken in this order: `upkeep`, `wal`, `catalog`, `core`.
pub struct SeriesStore {
    pub(crate) folder: PathBuf,
    pub(crate) options: Options,
    pub(crate) upkeep: Mutex<Upkept>,
    pub(crate) wal: Mutex<Log>,
    pub(crate) catalog: Mutex<Catalog>,
    pub(crate) core: RwLock<Core>,
    pub(crate) counters: Counters,
    pub(crate) clock: AtomicU64,
    pub(crate) room: Room,
    committer: Committer,
    /// Held for its lock; who only looks has none.
    _lock: Option<File>,
}

/// What only upkeep touches.
pub(crate) struct Upkept {
    /// The file of spans that is written to.
    pub(crate) spans: Option<Arc<SpanFile>>,
    pub(crate) next_file: u64,
    pub(crate) next_block: u64,
    pub(crate) next_rollup: u64,
    /// Blocks are rolled up again from this time on, milliseconds: the disk refused it before.
    pub(crate) roll_again_ms: i64,
    /// Files that nobody sees any more, and that are still to be deleted.
    pub(crate) leaving: Vec<PathBuf>,
}

/// The log, and memory of commits.
pub(crate) struct Log {
    pub(crate) wal: Wal,
    commits: u64,
    records: Records,
    scratch: Scratch,
    changes: Vec<Change>,
}

impl Log {
    pub(crate) fn new(wal: Wal) -> Self {
        Self { wal, commits: 0, records: Records::default(), scratch: Scratch::default(), changes: Vec::new() }
    }
}

/// How long a locked folder is asked again: a child of whoever held it has the lock until its own program runs.
const LOCK_WAIT: Duration = Duration::from_millis(500);

pub(crate) fn lock(folder: &Path) -> Result<File, SeriesError> {
    let path = folder.join("lock");
    let failed = |e: std::io::Error| storage("open the lock file", &path, &e);
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_WAIT / 50),
            Err(TryLockError::Error(e)) => return Err(storage("lock", &path, &e)),
            Err(TryLockError::WouldBlock) => {
                return Err(SeriesError::Storage(format!(
                    "another Farero is using {}: stop it, or give this one a data folder of its own",
                    folder.display()
                )));
            }
        }
    }
}

impl SeriesStore {
    pub(crate) fn new(
        folder: PathBuf,
        options: Options,
        parts: (Log, Catalog, Core, Upkept),
        lock: Option<File>,
    ) -> Self {
        let (log, catalog, core, upkept) = parts;
        Self {
            folder,
            options,
            upkeep: Mutex::new(upkept),
            wal: Mutex::new(log),
            catalog: Mutex::new(catalog),
            core: RwLock::new(core),
            counters: Counters::default(),
            clock: AtomicU64::new(0),
            room: Room::default(),
            committer: Committer::default(),
            _lock: lock,
        }
    }

    /// Numbers to show about the store.
    pub fn stats(&self) -> Stats {
        let (log_segments, log) = {
            let log = self.wal.lock();
            (log.wal.segments() as u64, log.wal.written)
        };
        let catalog = self.catalog.lock().written;
        let core = self.core.read();
        let c = &self.counters;
        Stats {
            series: core.registry.series_count() as u64,
            groups: core.head.groups.len() as u64,
            blocks: core.blocks.len() as u64,
            block_bytes: core.blocks.iter().map(|b| b.bytes).sum(),
            head_bytes: (core.head.heap() + core.registry.heap()) as u64,
            rollups: core.rollups.blocks.len() as u64,
            rollup_bytes: core.rollups.bytes(),
            rollups_made: c.rollups_made.load(Relaxed),
            rollups_joined: c.rollups_joined.load(Relaxed),
            rollups_lost: c.rollups_lost.load(Relaxed),
            cache_bytes: core.all_blocks().map(|b| b.cached() as u64).sum(),
            log_segments,
            written: Written { log, catalog, spans: c.span_bytes.load(Relaxed), blocks: c.block_bytes.load(Relaxed) },
            samples: c.samples.load(Relaxed),
            out_of_order: c.out_of_order.load(Relaxed),
            duplicates: c.duplicates.load(Relaxed),
            exemplars: core.exemplars.len() as u64,
            commits: c.commits.load(Relaxed),
            failed_commits: c.failed_commits.load(Relaxed),
            refused: c.refused.load(Relaxed),
            damaged: c.damaged.load(Relaxed),
        }
    }

    pub(crate) fn counted<T>(&self, result: Result<T, SeriesError>) -> Result<T, SeriesError> {
        if matches!(result, Err(SeriesError::Limit { .. })) {
            self.counters.refused.fetch_add(1, Relaxed);
        }
        result
    }

    fn make_group(&self, name: &str) -> Result<GroupId, SeriesError> {
        if let Some(known) = self.core.read().names.get(name) {
            return Ok(GroupId(*known));
        }
        let limit = |what, limit: usize, advice| Err(SeriesError::Limit { what, limit: limit as u64, advice });
        if name.len() > limits::GROUP_NAME_BYTES {
            return limit("length of a group's name", limits::GROUP_NAME_BYTES, "shorten job, instance or target");
        }
        let mut catalog = self.catalog.lock();
        let mut core = self.core.write();
        if let Some(known) = core.names.get(name) {
            return Ok(GroupId(*known));
        }
        if core.names.len() >= limits::GROUPS {
            return limit("number of groups", limits::GROUPS, "look for a job or instance that never repeats");
        }
        let group = core.next_group;
        catalog.add_group(group, name)?;
        core.next_group += 1;
        core.names.insert(name.into(), group);
        core.head.make(group);
        Ok(GroupId(group))
    }

    fn find_columns(&self, group: GroupId, series: &[Labels]) -> Option<Vec<u32>> {
        let core = self.core.read();
        series.iter().map(|labels| core.registry.column(group.0, labels)).collect()
    }

    fn make_columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        if let Some(known) = self.find_columns(group, series) {
            return Ok(known);
        }
        verify(series)?;
        let mut catalog = self.catalog.lock();
        let mut core = self.core.write();
        let core = &mut *core;
        let Some(known) = core.head.groups.get(&group.0) else {
            return Err(SeriesError::UnknownGroup(group));
        };
        let first = known.series.len().max(known.width()) as u32;
        let limit = |what, limit: usize, advice| Err(SeriesError::Limit { what, limit: limit as u64, advice });
        let mut fresh: Vec<Labels> = Vec::new();
        let mut numbers: HashMap<&Labels, u32> = HashMap::new();
        let mut columns = Vec::with_capacity(series.len());
        for labels in series {
            if let Some(column) = core.registry.column(group.0, labels) {
                columns.push(column);
                continue;
            }
            let column = *numbers.entry(labels).or_insert_with(|| {
                fresh.push(labels.clone());
                first + fresh.len() as u32 - 1
            });
            columns.push(column);
        }
        if first as usize + fresh.len() > limits::GROUP_SERIES {
            return limit("series in one group", limits::GROUP_SERIES, "drop series at the source or split the target");
        }
        let unknown = fresh.iter().filter(|labels| core.registry.find(labels).is_none()).count();
        if core.registry.series_count() + unknown > self.options.series {
            let advice = "look for a label whose values never repeat, or raise the limit";
            return limit("number of series", self.options.series, advice);
        }
        catalog.add_series(group.0, first, &fresh)?;
        core.add_series(group.0, first, &fresh);
        Ok(columns)
    }

    /// One commit: takes what can be taken of all batches, and makes it durable. What could not be written is taken back.
    fn commit(&self, batches: &[Batch]) -> Vec<Outcome> {
        let mut log = self.wal.lock();
        let Log { wal, commits, records, scratch, changes } = &mut *log;
        records.clear();
        *commits += 1;
        let mut commit = Commit {
            number: *commits,
            segment: wal.segment(),
            window_ms: i64::try_from(self.options.late_window.as_millis()).unwrap_or(i64::MAX),
            log: records,
            groups: Vec::new(),
            undo: Undo::keeping(std::mem::take(changes)),
            scratch: std::mem::take(scratch),
        };
        let mut outcomes: Vec<Outcome> = {
            let mut core = self.core.write();
            let take = |batch: &Batch| {
                core.head.verify_room()?;
                let mut appended = commit.take(&mut core.head, batch);
                appended.exemplars = core.take_exemplars(batch, &mut commit.log.bytes);
                Ok(appended)
            };
            batches.iter().map(take).collect()
        };
        let (groups, undo) = (std::mem::take(&mut commit.groups), std::mem::take(&mut commit.undo));
        *scratch = std::mem::take(&mut commit.scratch);
        if !records.is_empty() {
            self.counters.commits.fetch_add(1, Relaxed);
            let written = self.catalog.lock().sync().and_then(|()| wal.append(records, &groups));
            if let Err(error) = written {
                self.counters.failed_commits.fetch_add(1, Relaxed);
                let mut core = self.core.write();
                let Head { groups, pool, .. } = &mut core.head;
                undo.revert(groups, pool);
                outcomes.iter_mut().for_each(|o| *o = Err(error.clone()));
                return outcomes;
            }
        }
        *changes = undo.done();
        if records.bytes.capacity() > limits::KEPT_RECORDS {
            *records = Records::default();
        }
        self.count(&outcomes);
        outcomes
    }

    fn count(&self, outcomes: &[Outcome]) {
        for outcome in outcomes.iter().flatten() {
            self.counters.samples.fetch_add(outcome.samples, Relaxed);
            self.counters.out_of_order.fetch_add(outcome.out_of_order, Relaxed);
            self.counters.duplicates.fetch_add(outcome.duplicates, Relaxed);
        }
    }
}

impl Core {
    /// Roll-ups, then blocks.
    pub(crate) fn all_blocks(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.rollups.blocks.iter().chain(&self.blocks)
    }

    /// Adds series to a group, from this column on.
    pub(crate) fn add_series(&mut self, id: u32, first: u32, series: &[Labels]) {
        let Some(group) = self.head.groups.get_mut(&id) else { return };
        group.series.resize(first as usize, SeriesId::MAX);
        for (column, labels) in (first..).zip(series) {
            let series = if labels.is_empty() {
                SeriesId::MAX
            } else {
                self.registry.insert(labels, Place { group: id, column })
            };
            group.series.push(series);
        }
        group.widen(group.series.len());
        if first == 0 {
            group.series.shrink_to_fit();
        }
    }

    /// Takes a batch's exemplars; answers how many.
    fn take_exemplars(&mut self, batch: &Batch, log: &mut Vec<u8>) -> u64 {
        let mut taken = 0;
        for (series, exemplar) in batch.exemplars() {
            let Some(labels) = self.labels_at(series.group.0, series.column) else { continue };
            if self.exemplars.push(labels, exemplar.clone()) {
                crate::record::put_head(log, EXEMPLAR, series.group.0, 0);
                put_varint(log, u64::from(series.column));
                exemplars::put(log, exemplar);
                taken += 1;
            }
        }
        taken
    }

    /// The labels of a column.
    pub(crate) fn labels_at(&self, group: u32, column: u32) -> Option<Labels> {
        let id = *self.head.groups.get(&group)?.series.get(column as usize)?;
        (id != SeriesId::MAX).then(|| self.registry.labels(id))
    }
}

impl Head {
    /// # Errors
    /// Too much is in memory.
    fn verify_room(&self) -> Result<(), SeriesError> {
        if self.sealed_bytes < limits::HEAD_BYTES {
            return Ok(());
        }
        Err(SeriesError::Limit {
            what: "bytes of series in memory",
            limit: limits::HEAD_BYTES as u64,
            advice: "spans cannot be written: see the log, and free space on the disk",
        })
    }
}

impl SeriesWriter for SeriesStore {
    fn open_group(&self, name: &str) -> Result<GroupId, SeriesError> {
        self.counted(self.make_group(name))
    }

    fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        self.counted(self.make_columns(group, series))
    }

    fn known_columns(&self, group: GroupId, series: &[Labels]) -> Result<KnownColumns, SeriesError> {
        let core = self.core.read();
        let Some(known) = core.head.groups.get(&group.0) else {
            return Err(SeriesError::UnknownGroup(group));
        };
        let columns = series.iter().map(|labels| core.registry.column(group.0, labels)).collect();
        Ok(KnownColumns { columns, series: Some(known.series.len().max(known.width()) as u32) })
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        if batch.is_empty() {
            return Ok(Appended::default());
        }
        let outcome =
            self.counted(self.committer.submit(batch, self.options.commit_interval, |batches| self.commit(batches)));
        self.save_if_much();
        outcome
    }
}
