//! Opening roll-ups: what they stand for is gone, or goes now. I/O.

use std::sync::Arc;

use hashbrown::HashSet;
use kernel::series::SeriesError;

use super::{FOLDER, OF_BLOCK, OF_ROLLUP, stands_for};
use crate::block::{self, Block, Through};
use crate::open::OpenReport;
use crate::place::Place;
use crate::store::Core;

/// What is counted on from roll-ups.
pub(crate) struct Numbers {
    /// The number of the next roll-up.
    pub(crate) next_rollup: u64,
    /// Blocks of samples with lower numbers are known to roll-ups.
    pub(crate) next_block: u64,
}

/// Opens roll-ups, and deletes blocks that they stand for: the process ended between both.
pub(crate) fn open(place: Place<'_>, core: &mut Core, report: &mut OpenReport) -> Result<Numbers, SeriesError> {
    let (rollups, blocks) = (place.folder.join(FOLDER), place.folder.join("blocks"));
    place.make_folder(&rollups)?;
    for (_, path) in place.numbered(&rollups, ".tmp")? {
        place.delete(&path)?;
    }
    let mut found = Vec::new();
    for (number, path) in place.numbered(&rollups, block::ENDING)? {
        block::verify_version(&path)?;
        match Block::open(number, &path) {
            Ok(block) => found.push(Arc::new(block.into_rollup())),
            Err(error) => {
                report.damage.push(error.to_string());
                place.set_aside(&path)?;
            }
        }
    }
    let next_rollup = found.last().map_or(1, |b| b.number + 1);
    let known = || found.iter().flat_map(|b| b.footer.through.iter().copied());
    let next_block = known().filter(|t| t.group == OF_BLOCK).map(|t| t.seq + 1).max().unwrap_or(1);
    let key = |t: Through| (t.group, t.seq, t.newest_ms);
    let replaced: HashSet<(u32, u64, i64)> = known().map(key).collect();
    let is_replaced = |kind, block: &Block| replaced.contains(&key(stands_for(kind, block)));
    let (gone, kept): (Vec<_>, Vec<_>) = core.blocks.drain(..).partition(|b| is_replaced(OF_BLOCK, b));
    core.blocks = kept;
    let (old, kept): (Vec<_>, Vec<_>) = found.iter().cloned().partition(|b| is_replaced(OF_ROLLUP, b));
    kept.into_iter().for_each(|b| core.rollups.replace(&[], Some(b)));
    gone.iter().chain(&old).try_for_each(|block| place.delete_block(&block.path))?;
    place.sync_folder(&blocks)?;
    place.sync_folder(&rollups)?;
    Ok(Numbers { next_rollup, next_block })
}
