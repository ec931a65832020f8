//! Roll-ups: what is kept of the samples of a block when the block leaves. Pure but for its parts.
//!
//! A roll-up is a block below `rollups/`. Each series has one series per figure in it, told apart by the label [`FIGURE`], which
//! nobody outside the store sees. Its footer names the blocks that it stands for: a block and a roll-up of it are never both
//! served, whatever moment the process ends at.
//!
//! 1. A block is deleted once its roll-up is on disk (unless the store must stay below a number of bytes, and the disk refuses the
//!    roll-up: that is counted and told).
//! 2. Where both are on disk, the block goes at the next start.

mod fold;
mod histograms;
mod ladder;
mod leave;
mod make;
mod open;
mod read;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Matcher, Rolled, RolledUp};

use crate::block::{Block, Through};
use crate::limits::{FINE_MS, ROUGH_MS};

pub(crate) use open::open;
pub(crate) use read::{as_figure, matchers};

/// The label that names the figure of a series in a roll-up. Series that bring it themselves are not rolled up.
pub(crate) const FIGURE: &str = "__rollup__";
/// Folder of roll-ups.
pub(crate) const FOLDER: &str = "rollups";
/// Level of roll-ups of [`FINE_MS`].
const FINE: u32 = 1;
/// Level of roll-ups of [`ROUGH_MS`].
const ROUGH: u32 = 2;
/// In a roll-up's footer: it stands for a block of samples.
const OF_BLOCK: u32 = 0;
/// In a roll-up's footer: it stands for a roll-up.
const OF_ROLLUP: u32 = 1;

/// The roll-ups that are open.
#[derive(Default)]
pub(crate) struct Rollups {
    /// By number.
    pub(crate) blocks: Vec<Arc<Block>>,
    /// See [`kernel::series::SeriesReader::rolled_up`].
    ladder: Vec<RolledUp>,
}

impl Rollups {
    /// Takes one in, and others out that it stands for.
    fn replace(&mut self, gone: &[Arc<Block>], new: Option<Arc<Block>>) {
        self.blocks.retain(|b| gone.iter().all(|g| g.number != b.number));
        self.blocks.extend(new);
        self.blocks.sort_by_key(|b| b.number);
        self.ladder = [(ROUGH, ROUGH_MS), (FINE, FINE_MS)]
            .into_iter()
            .filter_map(|(level, resolution_ms)| {
                let of_level = self.blocks.iter().filter(|b| b.footer.level == level);
                let newest = of_level.map(|b| b.footer.max_ms).max()?;
                Some(RolledUp { before_ms: newest.saturating_add(1), resolution_ms })
            })
            .collect();
    }

    /// Before which times only figures are kept.
    pub(crate) fn ladder(&self) -> Vec<RolledUp> {
        self.ladder.clone()
    }

    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> u64 {
        self.blocks.iter().map(|b| b.bytes).sum()
    }
}

/// The length of a stretch in a roll-up, milliseconds.
const fn resolution(level: u32) -> i64 {
    if level >= ROUGH { ROUGH_MS } else { FINE_MS }
}

/// What a roll-up says of a block that it stands for: the kind of the block, its number and the checksum of its end.
fn stands_for(kind: u32, block: &Block) -> Through {
    Through { group: kind, seq: block.number, newest_ms: i64::from(block.deleted.lock().block()) }
}

/// The labels of one figure of a series.
fn of_figure(labels: &Labels, figure: Rolled) -> Labels {
    labels.with(FIGURE, figure.name())
}

/// The labels of a series as everybody sees them.
pub(crate) fn seen(labels: &Labels) -> Labels {
    labels.without(|name| name == FIGURE)
}

/// Deletes a block and what was deleted from it.
fn remove(path: &Path) -> Result<(), kernel::series::SeriesError> {
    crate::files::delete(path)?;
    crate::tombstones::forget(path)
}

/// The conditions on the series of one figure in a roll-up; `None` when the conditions name the hidden label, which nothing has.
fn conditions(all: &[Matcher], figure: Rolled) -> Option<Vec<Matcher>> {
    if all.iter().any(|m| *m.name == *FIGURE && !m.matches("")) {
        return None;
    }
    let others = all.iter().filter(|m| *m.name != *FIGURE).cloned();
    Some(others.chain([Matcher::equal(FIGURE, figure.name())]).collect())
}
