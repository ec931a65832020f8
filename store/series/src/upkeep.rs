//! Upkeep: spans leave memory, become blocks, small blocks become large ones, old ones are deleted. I/O.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hashbrown::{HashMap, HashSet};
use kernel::Timestamp;
use kernel::series::{ROWS_PREFIX, SeriesError};

use crate::exemplars;
use crate::group::Group;
use crate::head::{Body, Head};
use crate::limits::{
    BLOCKS_KEPT, CUT_BYTES, FORGET_MS, IDLE_MS, IDLE_SHARE, LEAST_BLOCK_MS, SAVE_BYTES, SPAN_FILE_BYTES,
    UPKEEP_SAVE_BYTES, WINDOWS_MS,
};
use crate::spanfile::SpanFile;
use crate::store::{Core, SeriesStore, Upkept};

/// Spans of one write: a file grows by some megabytes at a time.
const SPANS_PER_WRITE: usize = 256;

/// What upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Blocks made of spans.
    pub cut: u64,
    /// Blocks that were joined into larger ones.
    pub joined: u64,
    /// Blocks deleted because all they held is too old, or there are too many.
    pub deleted: u64,
    /// Blocks among them of which a roll-up stays.
    pub rolled: u64,
    /// Fine roll-ups that were joined into rough ones.
    pub climbed: u64,
    /// Groups that were forgotten because nothing came for long; blocks still have their series.
    pub forgotten: u64,
}

impl SeriesStore {
    /// Does what is due: saving, cutting, joining, deleting. To be called every few seconds; appends and reads go on.
    ///
    /// # Errors
    /// The disk refuses; nothing is lost, and the next call tries again.
    pub fn maintain(&self, now: Timestamp) -> Result<Upkeep, SeriesError> {
        let mut done = Upkeep::default();
        let mut upkept = self.upkeep.lock();
        self.seal_idle();
        if self.core.read().head.sealed_bytes >= UPKEEP_SAVE_BYTES {
            self.save(&mut upkept)?;
        }
        if self.is_block_due() {
            done.cut = u64::from(self.cut_sealed(&mut upkept)?);
            done.forgotten = self.forget_idle(false)?;
        }
        while let Some(joined) = self.join_next()? {
            done.joined += joined as u64;
        }
        self.leave_old(&mut upkept, now, &mut done)?;
        self.trim_cache();
        Ok(done)
    }

    /// Whether spans should become a block: they hold as much time as a block should, or too many bytes, or series that nothing comes
    /// for any more and that could leave memory.
    fn is_block_due(&self) -> bool {
        let core = self.core.read();
        let Some(newest) = core.head.newest_ms else { return false };
        let (mut oldest, mut bytes, mut idle) = (i64::MAX, 0, 0);
        for group in core.head.groups.values() {
            for sealed in &group.sealed {
                oldest = oldest.min(sealed.min_ms);
                bytes += sealed.body.length();
            }
            idle += usize::from(!group.sealed.is_empty() && group.newest_ms < newest.saturating_sub(FORGET_MS));
        }
        if oldest == i64::MAX {
            return false;
        }
        let [window] = WINDOWS_MS;
        let length = self.block_length_ms();
        // Blocks of a whole window begin with it, a little late, so that none is to be joined with another; the first one of a store,
        // which begins at any time, takes the next window too rather than be less than half of one.
        let is_over = if length >= window {
            let end = (oldest.div_euclid(window) + 1) * window;
            let end = if end - oldest < window / 2 { end + window } else { end };
            newest - window / 24 >= end
        } else {
            newest - oldest >= length
        };
        let many = match self.options.retention_bytes {
            0 => CUT_BYTES,
            kept => CUT_BYTES.min(kept / u64::from(BLOCKS_KEPT)),
        };
        is_over || bytes >= many || idle * IDLE_SHARE > core.head.groups.len()
    }

    fn block_length_ms(&self) -> i64 {
        let of = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        let kept = of(self.options.retention) / i64::from(BLOCKS_KEPT);
        of(self.options.block_length).min(kept.max(LEAST_BLOCK_MS))
    }

    /// Makes a block of everything in memory; `false` when there is nothing. Useful before shutdown: the next start
    /// then has no log to replay.
    ///
    /// # Errors
    /// The disk refuses; nothing is lost.
    pub fn cut(&self) -> Result<bool, SeriesError> {
        let mut upkept = self.upkeep.lock();
        self.cut_all(&mut upkept)
    }

    /// Brings everything in memory to disk as spans, so that the next start has next to no log to replay.
    ///
    /// # Errors
    /// The disk refuses; nothing is lost.
    pub fn flush(&self) -> Result<(), SeriesError> {
        let mut upkept = self.upkeep.lock();
        self.seal_where(|_| true);
        self.wal.lock().wal.rotate();
        self.save(&mut upkept)
    }

    pub(crate) fn cut_all(&self, upkept: &mut Upkept) -> Result<bool, SeriesError> {
        self.seal_where(|_| true);
        self.wal.lock().wal.rotate();
        self.cut_sealed(upkept)
    }

    /// Seals open rows of the groups with this newest time. No commit runs meanwhile, so that all of it is in the log.
    pub(crate) fn seal_where(&self, wanted: impl Fn(i64) -> bool) {
        let log = self.wal.lock();
        let mut core = self.core.write();
        let Head { groups, .. } = &core.head;
        let ids: Vec<u32> =
            groups.iter().filter(|(_, g)| g.is_open() && wanted(g.newest_ms)).map(|(id, _)| *id).collect();
        for id in ids {
            core.head.seal(id);
        }
        core.head.pool.shrink();
        drop(log);
    }

    fn seal_idle(&self) {
        let Some(newest) = self.core.read().head.newest_ms else { return };
        let idle = |t: i64| t < newest.saturating_sub(IDLE_MS);
        let any = self.core.read().head.groups.values().any(|g| g.is_open() && idle(g.newest_ms));
        if any {
            self.seal_where(idle);
        }
    }

    /// Writes sealed spans when there are many: called by those who append, so that memory stays bounded whoever upkeeps.
    pub(crate) fn save_if_much(&self) {
        if self.core.read().head.sealed_bytes < SAVE_BYTES {
            return;
        }
        let Some(mut upkept) = self.upkeep.try_lock() else { return };
        if let Err(error) = self.save(&mut upkept) {
            tracing::error!(%error, "sealed spans could not be written; they stay in memory, and the next try follows");
        }
    }

    /// Writes sealed spans to a file; then the log need not keep what they hold.
    pub(crate) fn save(&self, upkept: &mut Upkept) -> Result<(), SeriesError> {
        loop {
            let mut batch: Vec<(u32, Arc<[u8]>, u64)> = Vec::new();
            for (id, group) in &self.core.read().head.groups {
                for sealed in &group.sealed {
                    if let Body::Bytes(bytes) = &sealed.body {
                        batch.push((*id, bytes.clone(), sealed.through_seq));
                    }
                }
                if batch.len() >= SPANS_PER_WRITE {
                    break;
                }
            }
            if batch.is_empty() {
                break;
            }
            let file = self.span_file(upkept)?;
            let bytes: Vec<Arc<[u8]>> = batch.iter().map(|(_, bytes, _)| bytes.clone()).collect();
            let places = file.append(&bytes)?;
            let written = places.iter().map(|(_, length)| u64::from(*length)).sum();
            self.counters.span_bytes.fetch_add(written, Relaxed);
            let mut core = self.core.write();
            for ((id, bytes, through), (offset, length)) in batch.iter().zip(places) {
                core.head.sealed_bytes = core.head.sealed_bytes.saturating_sub(bytes.len());
                let Some(group) = core.head.groups.get_mut(id) else { continue };
                for sealed in &mut group.sealed {
                    if sealed.through_seq == *through && matches!(&sealed.body, Body::Bytes(b) if Arc::ptr_eq(b, bytes))
                    {
                        sealed.body = Body::File { file: file.clone(), offset, length };
                    }
                }
                group.saved_seq = group.saved_seq.max(*through);
            }
        }
        self.drop_log()
    }

    /// Deletes what the log need not keep any more.
    pub(crate) fn drop_log(&self) -> Result<(), SeriesError> {
        let mut log = self.wal.lock();
        // What the log holds of exemplars goes with it: they are kept in a file of their own before.
        if log.wal.has_ended() && self.core.read().exemplars.is_unsaved() {
            let core = self.core.read();
            let (bytes, count) = (core.exemplars.to_bytes(), core.exemplars.len());
            let newest = core.exemplars.last().cloned();
            drop(core);
            exemplars::save(&self.folder, &bytes)?;
            self.counters.span_bytes.fetch_add(bytes.len() as u64, Relaxed);
            self.core.write().exemplars.saved(count, newest.as_ref());
        }
        let core = self.core.read();
        log.wal.drop_saved(|id, seq| core.head.groups.get(&id).is_none_or(|g| g.saved_seq >= seq))
    }

    fn span_file(&self, upkept: &mut Upkept) -> Result<Arc<SpanFile>, SeriesError> {
        let fits = |file: &&Arc<SpanFile>| file.is_trusted() && file.length() < SPAN_FILE_BYTES;
        if let Some(file) = upkept.spans.as_ref().filter(fits) {
            return Ok(file.clone());
        }
        let file = Arc::new(SpanFile::create(&self.folder.join("spans"), upkept.next_file)?);
        upkept.next_file += 1;
        Ok(upkept.spans.insert(file).clone())
    }

    /// Forgets groups to which nothing came for long; blocks hold all of them. Those of [`group_of`] only where `all`, as
    /// when nobody has asked for them yet: their writers do not ask again.
    ///
    /// [`group_of`]: kernel::series::group_of
    pub(crate) fn forget_idle(&self, all: bool) -> Result<u64, SeriesError> {
        let log = self.wal.lock();
        let mut catalog = self.catalog.lock();
        let mut core = self.core.write();
        let newest = core.head.newest_ms.unwrap_or(i64::MIN);
        let gone: HashSet<u32> = core
            .names
            .iter()
            .filter(|(name, _)| all || !name.starts_with(ROWS_PREFIX))
            .map(|(_, id)| *id)
            .filter(|id| core.head.groups.get(id).is_some_and(|group| is_idle(group, newest)))
            .collect();
        if gone.is_empty() || gone.len() * 8 < core.head.groups.len() {
            return Ok(0);
        }
        core.forget(&gone);
        let names: HashMap<u32, &str> = core.names.iter().map(|(name, id)| (*id, &**name)).collect();
        let mut kept: Vec<u32> = core.head.groups.keys().copied().collect();
        kept.sort_unstable();
        let labels = |id: u32| {
            let series = core.head.groups.get(&id).map_or(0, |g| g.series.len()) as u32;
            (0..series).map(|column| core.labels_at(id, column).unwrap_or_default()).collect()
        };
        let all = kept.into_iter().filter_map(|id| Some((id, *names.get(&id)?, labels(id))));
        catalog.rewrite(core.next_group, all)?;
        drop(log);
        Ok(gone.len() as u64)
    }
}

/// Groups without a sample yet are not idle: they wait for their first one.
fn is_idle(group: &Group, newest_ms: i64) -> bool {
    let old = group.newest_ms < newest_ms.saturating_sub(FORGET_MS);
    old && group.seq > 0 && !group.is_open() && group.sealed.is_empty()
}

impl Core {
    fn forget(&mut self, gone: &HashSet<u32>) {
        let (registry, numbers) = self.registry.without(|group| !gone.contains(&group));
        self.registry = registry;
        self.numbered += 1;
        self.head.groups.retain(|id, _| !gone.contains(id));
        self.head.groups.shrink_to_fit();
        self.names.retain(|_, id| !gone.contains(id));
        self.names.shrink_to_fit();
        for group in self.head.groups.values_mut() {
            for id in &mut group.series {
                *id = numbers.get(id).copied().unwrap_or(u32::MAX);
            }
        }
    }
}

/// How often upkeep should run.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);
