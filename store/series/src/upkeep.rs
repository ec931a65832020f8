//! Upkeep: the head becomes blocks, small blocks become large ones, old ones are deleted. I/O.

use std::path::PathBuf;
use std::sync::Arc;

use kernel::Timestamp;
use kernel::series::SeriesError;

use crate::block::{Block, BlockWriter};
use crate::files::{delete, set_aside, sync_folder};
use crate::head::Sealed;
use crate::limits::{CUT_BYTES, CUT_EVERY_MS};
use crate::merge::merge_next;
use crate::registry::encode_group;
use crate::store::SeriesStore;

/// What upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Blocks made from the head.
    pub cut: u64,
    /// Blocks that were joined into larger ones.
    pub joined: u64,
    /// Blocks deleted because all they held is too old.
    pub deleted: u64,
}

impl SeriesStore {
    /// Does what is due: cutting, joining, deleting. To be called every half minute or so; appends and reads go on.
    ///
    /// # Errors
    /// The disk refuses; nothing is lost, and the next call tries again.
    pub fn maintain(&self, now: Timestamp) -> Result<Upkeep, SeriesError> {
        let mut done = Upkeep::default();
        let due = {
            let head = &self.core.read().head;
            head.sealed_bytes >= CUT_BYTES
                || head.oldest_ms.is_some_and(|t| now.as_millis().saturating_sub(t) >= CUT_EVERY_MS)
        };
        if due && self.cut()? {
            done.cut = 1;
        }
        let _only_one = self.upkeep.lock();
        while let Some(joined) = merge_next(self, now.as_millis())? {
            done.joined += joined as u64;
        }
        done.deleted = self.delete_old(now)?;
        Ok(done)
    }

    /// Makes a block of everything in memory; `false` when there is nothing. Useful before shutdown: the next start
    /// then has no log to replay.
    pub fn cut(&self) -> Result<bool, SeriesError> {
        self.cut_setting_aside(&[])
    }

    /// As [`SeriesStore::cut`]; these segments of the log are kept for a person to look at instead of being deleted.
    pub(crate) fn cut_setting_aside(&self, damaged: &[PathBuf]) -> Result<bool, SeriesError> {
        let _only_one = self.upkeep.lock();
        let (through, parts) = {
            // No commit can run in between: the segments up to `through` hold exactly what is in memory now.
            let mut wal = self.wal.lock();
            let mut core = self.core.write();
            core.head.freeze_all();
            let mut parts: Vec<(u32, Vec<Sealed>)> = core
                .head
                .groups
                .iter()
                .filter(|(_, g)| !g.sealed.is_empty())
                .map(|(id, g)| (*id, g.sealed.clone()))
                .collect();
            parts.sort_unstable_by_key(|(id, _)| *id);
            (wal.rotate(), parts)
        };
        let block = self.write_block(through, &parts)?;
        let cut = block.is_some();
        {
            let mut core = self.core.write();
            core.blocks.extend(block.map(Arc::new));
            let counts: Vec<(u32, usize)> = parts.iter().map(|(id, spans)| (*id, spans.len())).collect();
            core.head.forget(&counts);
        }
        for path in damaged {
            set_aside(&self.folder, path)?;
        }
        self.wal.lock().drop_through(through)?;
        Ok(cut)
    }

    fn write_block(&self, through: u64, parts: &[(u32, Vec<Sealed>)]) -> Result<Option<Block>, SeriesError> {
        let number = self.core.read().blocks.last().map_or(1, |b| b.number + 1);
        let mut writer = BlockWriter::new(&self.folder.join("blocks"), number)?;
        for (group, spans) in parts {
            let record = encode_group(*group, &self.core.read().registry.group_labels(*group));
            writer.add(*group, &record, spans.iter().map(|s| (s.min_ms, s.max_ms, s.bytes(*group))))?;
        }
        writer.finish(number, through, number)
    }

    fn delete_old(&self, now: Timestamp) -> Result<u64, SeriesError> {
        let oldest = (now - self.options.retention).as_millis();
        let old: Vec<Arc<Block>> = {
            let mut core = self.core.write();
            // The newest block stays: its number and the log's are counted on from it.
            let newest = core.blocks.last().map(|b| b.number);
            let (old, kept) =
                core.blocks.drain(..).partition(|b| b.summary.max_ms < oldest && Some(b.number) != newest);
            core.blocks = kept;
            old
        };
        for block in &old {
            delete(&block.path)?;
        }
        if !old.is_empty() {
            sync_folder(&self.folder.join("blocks"))?;
        }
        Ok(old.len() as u64)
    }
}
