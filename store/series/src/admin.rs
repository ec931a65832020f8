//! Administration: deleting samples, copies while running, what is in memory. I/O.

use std::path::Path;
use std::sync::Arc;

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

    fn snapshot(&self, without_head: bool) -> Result<String, SeriesError> {
        let mut upkept = self.upkeep.lock();
        if !without_head {
            self.cut_all(&mut upkept)?;
        }
        let snapshots = self.folder.join("snapshots");
        make_folder(&snapshots)?;
        let name = free_name(&snapshots, upkept.next_block)?;
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
            name: b.path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            min_ms: b.footer.min_ms,
            max_ms: b.footer.max_ms,
            series: u64::from(b.footer.series),
            samples: b.footer.samples,
            bytes: b.bytes,
            level: b.footer.level,
        };
        self.core.read().blocks.iter().map(facts).collect()
    }
}

fn largest(list: &mut Vec<Counted>, limit: usize) {
    list.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    list.truncate(limit);
}

fn free_name(folder: &Path, number: u64) -> Result<String, SeriesError> {
    let failed = |e| storage("list the folder", folder, &e);
    let taken = std::fs::read_dir(folder).map_err(failed)?.count();
    (taken..)
        .map(|n| format!("{:05}-{number:010}", n + 1))
        .find(|name| !folder.join(name).exists())
        .ok_or_else(|| SeriesError::Storage(format!("{}: there is no free name for a snapshot", folder.display())))
}

fn link(path: &Path, folder: &Path) -> Result<(), SeriesError> {
    let target = folder.join(path.file_name().unwrap_or_default());
    crate::disk::link(path, &target).map_err(|e| storage("link into the snapshot", &target, &e))
}
