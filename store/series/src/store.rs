//! The store: what is open, how rows get in. I/O.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{Appended, GroupId, Row, SeriesError, SeriesWriter};
use parking_lot::{Mutex, RwLock};

use crate::block::Block;
use crate::catalog::Catalog;
use crate::commit::{Batch, Committer, Outcome};
use crate::files::storage;
use crate::head::{Head, Verdict};
use crate::limits;
use crate::registry::{Registry, verify};
use crate::wal::Wal;

/// What may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long samples are kept; whole blocks are deleted once all of them are older.
    pub retention: Duration,
    /// Most series.
    pub series: usize,
    /// Commits begin at most this often.
    pub commit_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(30 * 86_400),
            series: limits::SERIES,
            commit_interval: limits::COMMIT_INTERVAL,
        }
    }
}

/// Numbers to show about the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series known.
    pub series: u64,
    /// Groups known.
    pub groups: u64,
    /// Blocks on disk.
    pub blocks: u64,
    /// Bytes of all blocks.
    pub block_bytes: u64,
    /// Bytes of samples in memory, about.
    pub head_bytes: u64,
    /// Samples taken since the start.
    pub samples: u64,
    /// Samples left out because they came too late.
    pub out_of_order: u64,
    /// Samples left out because they were there already.
    pub duplicates: u64,
    /// Commits since the start, one `fdatasync` each.
    pub commits: u64,
    /// Commits that failed; their callers were told.
    pub failed_commits: u64,
    /// Calls refused by a named limit.
    pub refused: u64,
    /// Spans and pages found damaged while reading; what they held is missing from answers.
    pub damaged: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    samples: AtomicU64,
    out_of_order: AtomicU64,
    duplicates: AtomicU64,
    commits: AtomicU64,
    failed_commits: AtomicU64,
    refused: AtomicU64,
    pub(crate) damaged: AtomicU64,
}

/// What readers see.
#[derive(Default)]
pub(crate) struct Core {
    pub(crate) registry: Registry,
    pub(crate) head: Head,
    /// By number, which is the order in which they were cut.
    pub(crate) blocks: Vec<Arc<Block>>,
}

/// Series on local disk. One process has a folder open at a time; all calls are synchronous and may wait for the disk.
///
/// Locks are taken in this order: `upkeep`, `wal`, `catalog`, `core`.
pub struct SeriesStore {
    pub(crate) folder: PathBuf,
    pub(crate) options: Options,
    pub(crate) upkeep: Mutex<()>,
    pub(crate) wal: Mutex<Wal>,
    pub(crate) catalog: Mutex<Catalog>,
    pub(crate) core: RwLock<Core>,
    pub(crate) counters: Counters,
    committer: Committer,
    /// Held for its lock.
    _lock: File,
}

pub(crate) fn lock(folder: &Path) -> Result<File, SeriesError> {
    let path = folder.join("lock");
    let failed = |e: std::io::Error| storage("open the lock file", &path, &e);
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(e)) => Err(storage("lock", &path, &e)),
        Err(TryLockError::WouldBlock) => Err(SeriesError::Storage(format!(
            "another Farero is using {}: stop it, or give this one a data folder of its own",
            folder.display()
        ))),
    }
}

impl SeriesStore {
    pub(crate) fn new(folder: PathBuf, options: Options, wal: Wal, catalog: Catalog, core: Core, lock: File) -> Self {
        Self {
            folder,
            options,
            upkeep: Mutex::new(()),
            wal: Mutex::new(wal),
            catalog: Mutex::new(catalog),
            core: RwLock::new(core),
            counters: Counters::default(),
            committer: Committer::default(),
            _lock: lock,
        }
    }

    /// Numbers to show about the store.
    pub fn stats(&self) -> Stats {
        let core = self.core.read();
        let c = &self.counters;
        Stats {
            series: core.registry.series_count() as u64,
            groups: core.registry.group_count() as u64,
            blocks: core.blocks.len() as u64,
            block_bytes: core.blocks.iter().map(|b| b.bytes).sum(),
            head_bytes: core.head.heap() as u64,
            samples: c.samples.load(Relaxed),
            out_of_order: c.out_of_order.load(Relaxed),
            duplicates: c.duplicates.load(Relaxed),
            commits: c.commits.load(Relaxed),
            failed_commits: c.failed_commits.load(Relaxed),
            refused: c.refused.load(Relaxed),
            damaged: c.damaged.load(Relaxed),
        }
    }

    fn counted<T>(&self, result: Result<T, SeriesError>) -> Result<T, SeriesError> {
        if matches!(result, Err(SeriesError::Limit { .. })) {
            self.counters.refused.fetch_add(1, Relaxed);
        }
        result
    }

    fn make_group(&self, series: &[Labels]) -> Result<GroupId, SeriesError> {
        if let Some(known) = self.core.read().registry.find(series) {
            return Ok(GroupId(known));
        }
        verify(series)?;
        let mut catalog = self.catalog.lock();
        let mut core = self.core.write();
        if let Some(known) = core.registry.find(series) {
            return Ok(GroupId(known));
        }
        if core.registry.series_count() + core.registry.unknown(series) > self.options.series {
            return Err(SeriesError::Limit {
                what: "number of series",
                limit: self.options.series as u64,
                advice: "look for a label whose values never repeat, or raise the limit",
            });
        }
        let group = core.registry.next_group();
        catalog.add(group, series)?;
        core.registry.insert(group, series);
        Ok(GroupId(group))
    }

    /// One commit: judges the rows of all batches, writes those that are newer, then shows them to readers.
    fn commit(&self, batches: &[Batch]) -> Vec<Outcome> {
        let mut wal = self.wal.lock();
        let (mut outcomes, accepted) = self.judge(batches);
        if accepted.is_empty() {
            self.count(&outcomes);
            return outcomes;
        }
        self.counters.commits.fetch_add(1, Relaxed);
        let written = self.catalog.lock().sync().and_then(|()| wal.append(&accepted));
        if let Err(error) = written {
            self.counters.failed_commits.fetch_add(1, Relaxed);
            outcomes.iter_mut().for_each(|o| *o = Err(error.clone()));
            return outcomes;
        }
        let mut core = self.core.write();
        accepted.iter().for_each(|row| core.head.push(row));
        drop(core);
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

    fn judge<'a>(&self, batches: &'a [Batch]) -> (Vec<Outcome>, Vec<&'a Row>) {
        let core = self.core.read();
        let (mut outcomes, mut accepted) = (Vec::with_capacity(batches.len()), Vec::new());
        let mut newest: HashMap<u32, &Row> = HashMap::new();
        for batch in batches {
            let sound = core.head.verify_room().and_then(|()| batch.iter().try_for_each(|r| verify_row(&core, r)));
            if let Err(error) = sound {
                outcomes.push(Err(error));
                continue;
            }
            let mut appended = Appended::default();
            for row in batch {
                let samples = row.values.iter().flatten().count() as u64;
                let before = newest.get(&row.group.0).copied();
                let verdict = match before {
                    Some(before) if same(before, row) => Verdict::Duplicate,
                    _ => core.head.judge(row, before.map(|b| b.t_ms)),
                };
                match verdict {
                    Verdict::Duplicate => appended.duplicates += samples,
                    Verdict::OutOfOrder => appended.out_of_order += samples,
                    Verdict::Newer => {
                        appended.samples += samples;
                        newest.insert(row.group.0, row);
                        accepted.push(row);
                    }
                }
            }
            outcomes.push(Ok(appended));
        }
        (outcomes, accepted)
    }
}

fn same(a: &Row, b: &Row) -> bool {
    let bits = |row: &Row| row.values.iter().map(|v| v.map(f64::to_bits)).collect::<Vec<_>>();
    a.t_ms == b.t_ms && bits(a) == bits(b)
}

pub(crate) fn verify_row(core: &Core, row: &Row) -> Result<(), SeriesError> {
    let storage = |text: String| Err(SeriesError::Storage(text));
    let Some(series) = core.registry.group(row.group.0) else {
        return storage(format!("there is no group {}: ask for it with `group` first", row.group.0));
    };
    if series.len() != row.values.len() {
        return storage(format!(
            "a row of group {} has {} values for {} series",
            row.group.0,
            row.values.len(),
            series.len()
        ));
    }
    if row.t_ms.abs() > limits::TIME_MS {
        return storage(format!("the time {} is not in milliseconds since 1970", row.t_ms));
    }
    Ok(())
}

impl SeriesWriter for SeriesStore {
    fn group(&self, series: &[Labels]) -> Result<GroupId, SeriesError> {
        self.counted(self.make_group(series))
    }

    fn append(&self, rows: &[Row]) -> Result<Appended, SeriesError> {
        if rows.is_empty() {
            return Ok(Appended::default());
        }
        self.counted(self.committer.submit(rows, self.options.commit_interval, |batches| self.commit(batches)))
    }
}
