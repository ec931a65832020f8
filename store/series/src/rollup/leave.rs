//! Retention: blocks leave when they are old or too much together, and their roll-ups stay; those leave later. I/O.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use kernel::Timestamp;
use kernel::series::SeriesError;

use super::{FOLDER, remove};
use crate::block::{Block, ENDING};
use crate::files::sync_folder;
use crate::limits::{ROLL_AGAIN_MS, ROLLUPS_SHARE};
use crate::store::{SeriesStore, Upkept};
use crate::upkeep::Upkeep;

impl SeriesStore {
    /// Rolls up and deletes blocks that are too old or too much, joins old roll-ups, and deletes those that are too old.
    ///
    /// # Errors
    /// The disk refuses. Blocks that are too old wait then; those that are too much go all the same, for the disk would never
    /// have room again.
    pub(crate) fn leave_old(&self, upkept: &mut Upkept, now: Timestamp, done: &mut Upkeep) -> Result<(), SeriesError> {
        self.finish_leaving(upkept)?;
        let reference = {
            let core = self.core.read();
            // What is old is counted from the newest sample, as Prometheus does: data of long ago can be loaded and kept.
            let newest = core.blocks.iter().map(|b| b.footer.max_ms).chain(core.head.newest_ms).max();
            newest.map_or(now, |t| now.min(Timestamp::from_millis(t)))
        };
        self.drop_rollups(reference)?;
        let waits = self.leave_by_time(upkept, now, reference, done);
        for block in self.too_much() {
            let rolled = self.rolled_if_wanted(upkept, &block, reference).unwrap_or_else(|error| {
                self.counters.rollups_lost.fetch_add(1, Relaxed);
                tracing::error!(
                    block = %block.path.display(), %error,
                    "a block has to leave without a roll-up, since blocks take too many bytes: older times have nothing of it"
                );
                None
            });
            self.leave(upkept, &block, rolled, done)?;
        }
        waits?;
        done.climbed += self.climb(upkept, reference)?;
        Ok(())
    }

    fn leave_by_time(
        &self,
        upkept: &mut Upkept,
        now: Timestamp,
        reference: Timestamp,
        done: &mut Upkeep,
    ) -> Result<(), SeriesError> {
        if now.as_millis() < upkept.roll_again_ms {
            return Ok(());
        }
        let oldest = (reference - self.options.retention).as_millis();
        let old: Vec<Arc<Block>> = {
            let core = self.core.read();
            // The newest block stays: numbers and what of the log is on disk are counted on from it.
            let newest = core.blocks.last().map(|b| b.number);
            core.blocks.iter().filter(|b| b.footer.max_ms < oldest && Some(b.number) != newest).cloned().collect()
        };
        for block in old {
            match self.rolled_if_wanted(upkept, &block, reference) {
                Ok(rolled) => self.leave(upkept, &block, rolled, done)?,
                Err(error) => {
                    // Each try costs as much as a block is long.
                    upkept.roll_again_ms = now.as_millis().saturating_add(ROLL_AGAIN_MS);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// The roll-up of a block, unless roll-ups are not kept as long as the block was.
    fn rolled_if_wanted(
        &self,
        upkept: &mut Upkept,
        block: &Arc<Block>,
        reference: Timestamp,
    ) -> Result<Option<Arc<Block>>, SeriesError> {
        let oldest = (reference - self.options.rollups).as_millis();
        if self.options.rollups.is_zero() || block.footer.max_ms < oldest {
            return Ok(None);
        }
        let made = self.roll(upkept, block)?;
        let counter = if made.is_some() { &self.counters.rollups_made } else { &self.counters.rollups_lost };
        counter.fetch_add(1, Relaxed);
        Ok(made)
    }

    /// Serves the roll-up in the block's place, and deletes the block.
    fn leave(
        &self,
        upkept: &mut Upkept,
        block: &Arc<Block>,
        rolled: Option<Arc<Block>>,
        done: &mut Upkeep,
    ) -> Result<(), SeriesError> {
        done.rolled += u64::from(rolled.is_some());
        done.deleted += 1;
        {
            let mut core = self.core.write();
            core.blocks.retain(|b| b.number != block.number);
            core.rollups.replace(&[], rolled);
        }
        upkept.leaving.push(block.path.clone());
        // Those that it was joined from are gone, unless their deletion failed: nothing would stand for them after the next start.
        let joined = block.footer.replaces_from..block.number;
        let paths = joined.map(|number| block.path.with_file_name(format!("{number:010}{ENDING}")));
        upkept.leaving.extend(paths.filter(|path| path.exists()));
        self.finish_leaving(upkept)
    }

    /// Deletes files that nobody is to see any more.
    fn finish_leaving(&self, upkept: &mut Upkept) -> Result<(), SeriesError> {
        if upkept.leaving.is_empty() {
            return Ok(());
        }
        while let Some(path) = upkept.leaving.last() {
            remove(path)?;
            upkept.leaving.pop();
        }
        sync_folder(&self.folder.join("blocks"))
    }

    /// Deletes roll-ups that are too old, and the oldest ones when they take more than their share of the bytes.
    fn drop_rollups(&self, reference: Timestamp) -> Result<(), SeriesError> {
        let oldest = (reference - self.options.rollups).as_millis();
        let limit = self.options.retention_bytes / ROLLUPS_SHARE;
        let gone: Vec<Arc<Block>> = {
            let mut core = self.core.write();
            let rollups = &mut core.rollups;
            let mut by_age = rollups.blocks.clone();
            by_age.sort_by_key(|b| b.footer.max_ms);
            let mut bytes = rollups.bytes();
            by_age.retain(|b| {
                let goes = b.footer.max_ms < oldest || (limit > 0 && bytes > limit);
                bytes -= if goes { b.bytes } else { 0 };
                goes
            });
            if by_age.is_empty() {
                return Ok(());
            }
            rollups.replace(&by_age, None);
            by_age
        };
        gone.iter().try_for_each(|block| remove(&block.path))?;
        sync_folder(&self.folder.join(FOLDER))
    }

    /// The oldest blocks that are too much together with roll-ups.
    fn too_much(&self) -> Vec<Arc<Block>> {
        let (core, limit) = (self.core.read(), self.options.retention_bytes);
        let mut bytes = core.blocks.iter().map(|b| b.bytes).sum::<u64>() + core.rollups.bytes();
        let mut out = Vec::new();
        while limit > 0 && bytes > limit && out.len() + 1 < core.blocks.len() {
            let block = &core.blocks[out.len()];
            bytes -= block.bytes;
            out.push(block.clone());
        }
        out
    }
}
