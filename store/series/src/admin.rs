//! Administration: deleting samples, copies while running, what is in memory. I/O.

use std::path::Path;
use std::sync::Arc;

use kernel::Timestamp;
use kernel::hash::fnv1a;
use kernel::labels::METRIC_NAME;
use kernel::series::{BlockFacts, Cardinality, Counted, Matcher, Rolled, SeriesAdmin, SeriesError};

use crate::block::Block;
use crate::files::{make_folder, storage, sync_folder};
use crate::index::matching;
use crate::rollup;
use crate::store::SeriesStore;
use crate::tombstones::Tombstones;

impl SeriesAdmin for SeriesStore {
    fn delete(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Result<u64, SeriesError> {
        let mut upkept = self.upkeep.lock();
        // What is in memory goes to a block first: what is written afterwards is not deleted.
        self.cut_all(&mut upkept)?;
        let blocks: Vec<Arc<Block>> = self.core.read().all_blocks().cloned().collect();
        let mut hit = 0;
        for block in blocks.iter().filter(|b| b.footer.min_ms <= end_ms && b.footer.max_ms >= start_ms) {
            let damaged = || SeriesError::Storage(format!("{}: its index is damaged", block.path.display()));
            let figures = if block.rollup { &Rolled::ALL[..] } else { &[Rolled::Last] };
            let index = block.index().ok_or_else(damaged)?;
            let mut deleted = Tombstones::clone(&block.deleted.lock());
            let mut found = Vec::new();
            for figure in figures {
                let Some(matchers) = rollup::matchers(block, matchers, *figure) else { continue };
                found = matching(&index, &matchers);
                found.iter().for_each(|series| deleted.add(*series, start_ms, end_ms));
            }
            if deleted.is_empty() {
                continue;
            }
            hit += found.len() as u64;
            deleted.save(&block.path)?;
            *block.deleted.lock() = Arc::new(deleted);
        }
        Ok(hit)
    }

    fn clean_deleted(&self) -> Result<(), SeriesError> {
        let _only_one = self.upkeep.lock();
        let blocks = self.core.read().blocks.clone();
        for block in blocks.into_iter().filter(|b| !b.deleted.lock().is_empty()) {
            self.rewrite(&[block])?;
        }
        let rollups = self.core.read().rollups.blocks.clone();
        rollups.iter().filter(|b| !b.deleted.lock().is_empty()).try_for_each(|block| self.rewrite_rollup(block))?;
        Ok(())
    }

    fn compact(&self) -> Result<(), SeriesError> {
        let mut upkept = self.upkeep.lock();
        self.cut_all(&mut upkept)?;
        while let Some(blocks) = self.apart() {
            self.rewrite(&blocks)?;
        }
        Ok(())
    }

    fn snapshot(&self, without_head: bool, now: Timestamp) -> Result<String, SeriesError> {
        let mut upkept = self.upkeep.lock();
        if !without_head {
            self.cut_all(&mut upkept)?;
        }
        let snapshots = self.folder.join("snapshots");
        make_folder(&snapshots)?;
        let name = free_name(&snapshots, now, upkept.next_block)?;
        let [blocks, rollups] = ["blocks", rollup::FOLDER].map(|folder| snapshots.join(&name).join(folder));
        [&blocks, &rollups].into_iter().try_for_each(|folder| make_folder(folder))?;
        for block in self.core.read().all_blocks() {
            let folder = if block.rollup { &rollups } else { &blocks };
            link(&block.path, folder)?;
            let deleted = block.path.with_extension("deleted");
            if deleted.exists() {
                link(&deleted, folder)?;
            }
        }
        [&blocks, &rollups].into_iter().try_for_each(|folder| sync_folder(folder))?;
        Ok(name)
    }

    fn cardinality(&self, limit: usize) -> Cardinality {
        let core = self.core.read();
        let registry = &core.registry;
        let mut out = Cardinality {
            series: registry.series_count() as u64,
            label_pairs: registry.pair_count() as u64,
            groups: core.head.groups.len() as u64,
            min_ms: core.head.oldest_ms(),
            max_ms: core.head.newest_ms,
            ..Cardinality::default()
        };
        for (name, pairs) in registry.names() {
            let bytes = pairs.iter().map(|p| registry.texts(*p).1.len() as u64).sum();
            out.values_by_label.push(Counted { name: name.to_string(), count: pairs.len() as u64 });
            out.bytes_by_label.push(Counted { name: name.to_string(), count: bytes });
            for pair in pairs {
                let (series, value) = (registry.postings(*pair).len() as u64, registry.texts(*pair).1);
                if **name == *METRIC_NAME {
                    out.series_by_metric.push(Counted { name: value.to_string(), count: series });
                }
                out.series_by_pair.push(Counted { name: format!("{name}={value}"), count: series });
            }
            largest(&mut out.series_by_pair, limit);
        }
        for list in [&mut out.series_by_metric, &mut out.values_by_label, &mut out.bytes_by_label] {
            largest(list, limit);
        }
        out
    }

    fn blocks(&self) -> Vec<BlockFacts> {
        let facts = |b: &Arc<Block>| BlockFacts {
            name: name(b),
            min_ms: b.footer.min_ms,
            max_ms: b.footer.max_ms,
            series: u64::from(b.footer.series),
            samples: b.footer.samples,
            bytes: b.bytes,
            level: b.footer.level,
            rollup_ms: b.rollup.then(|| rollup::resolution(b.footer.level)),
        };
        let mut all: Vec<BlockFacts> = self.core.read().all_blocks().map(facts).collect();
        all.sort_by_key(|b| (b.rollup_ms.is_none(), b.min_ms));
        all
    }
}

/// A name that no other block has: roll-ups are counted on their own.
fn name(block: &Block) -> String {
    let stem = block.path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if block.rollup { format!("rollup-{stem}") } else { stem }
}

fn largest(list: &mut Vec<Counted>, limit: usize) {
    list.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    list.truncate(limit);
}

/// The time, and digits that tell copies of one second from each other.
fn free_name(folder: &Path, now: Timestamp, number: u64) -> Result<String, SeriesError> {
    /// Copies made in one millisecond that are told apart before it is given up.
    const ATTEMPTS: u64 = 1_000;
    let time = now.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string();
    let digits = |n: u64| fnv1a([now.as_millis() as u64, number, n].into_iter().flat_map(u64::to_le_bytes)) >> 1;
    (0..ATTEMPTS)
        .map(|n| format!("{time}-{:016x}", digits(n)))
        .find(|name| !folder.join(name).exists())
        .ok_or_else(|| SeriesError::Storage(format!("{}: there is no free name for a snapshot", folder.display())))
}

fn link(path: &Path, folder: &Path) -> Result<(), SeriesError> {
    let target = folder.join(path.file_name().unwrap_or_default());
    crate::disk::link(path, &target).map_err(|e| storage("link into the snapshot", &target, &e))
}
