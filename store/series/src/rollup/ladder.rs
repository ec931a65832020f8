//! The ladder: fine roll-ups that are old become one rough roll-up per window. I/O.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use kernel::series::{Rolled, SeriesError};
use kernel::{Labels, Timestamp};

use super::{FIGURE, FINE, FOLDER, OF_ROLLUP, ROUGH, remove, seen, stands_for};
use crate::block::{Block, Footer, SeriesData};
use crate::compact::Walk;
use crate::files::sync_folder;
use crate::limits::{FINE_KEPT_MS, ROUGH_WINDOW_MS};
use crate::store::{SeriesStore, Upkept};

/// A walk through a roll-up: which series and which of its figures comes next. Figures of a series stand together, so this order is
/// the same in all of them.
struct Step {
    walk: Walk,
    key: Option<(String, Labels, usize)>,
}

impl Step {
    fn next(store: &SeriesStore, mut walk: Walk) -> Self {
        loop {
            store.step(&mut walk);
            let Some((name, labels)) = &walk.key else { return Self { walk, key: None } };
            if let Some(figure) = ORDER.iter().position(|f| labels.get(FIGURE) == Some(f.name())) {
                let key = Some((name.clone(), seen(labels), figure));
                return Self { walk, key };
            }
        }
    }
}

/// The order in which figures of a series are written.
const ORDER: [Rolled; 5] = [Rolled::Count, Rolled::Min, Rolled::Max, Rolled::Sum, Rolled::Last];

impl SeriesStore {
    /// Joins fine roll-ups of windows that are over for long into rough ones; answers how many there were.
    pub(super) fn climb(&self, upkept: &mut Upkept, reference: Timestamp) -> Result<u64, SeriesError> {
        let mut joined = 0;
        while let Some(some) = self.due_to_climb(reference) {
            let made = self.join_rollups(upkept, &some)?;
            self.core.write().rollups.replace(&some, made);
            some.iter().try_for_each(|block| remove(&block.path))?;
            sync_folder(&self.folder.join(FOLDER))?;
            self.counters.rollups_joined.fetch_add(some.len() as u64, Relaxed);
            joined += some.len() as u64;
        }
        Ok(joined)
    }

    /// The fine roll-ups of the oldest window that is over for long.
    fn due_to_climb(&self, reference: Timestamp) -> Option<Vec<Arc<Block>>> {
        let core = self.core.read();
        let window = |b: &Arc<Block>| (b.footer.min_ms / 2 + b.footer.max_ms / 2).div_euclid(ROUGH_WINDOW_MS);
        let fine = || core.rollups.blocks.iter().filter(|b| b.footer.level == FINE);
        let oldest = fine().map(window).min()?;
        let over = (oldest + 1) * ROUGH_WINDOW_MS + FINE_KEPT_MS <= reference.as_millis();
        over.then(|| fine().filter(|b| window(b) == oldest).cloned().collect())
    }

    fn join_rollups(&self, upkept: &mut Upkept, all: &[Arc<Block>]) -> Result<Option<Arc<Block>>, SeriesError> {
        let through = all.iter().map(|b| stands_for(OF_ROLLUP, b)).collect();
        self.written_rollup(upkept, ROUGH, Footer { through, ..Footer::default() }, |roller| {
            let mut steps: Vec<Step> = all.iter().map(|b| Step::next(self, Walk::new(b.clone()))).collect();
            loop {
                let Some(next) = steps.iter().filter_map(|s| s.key.as_ref()).min().cloned() else { return Ok(()) };
                let mut data = SeriesData::default();
                let mut left = Vec::with_capacity(steps.len());
                for (number, mut step) in (0u64..).zip(steps) {
                    if step.key.as_ref() != Some(&next) {
                        left.push(step);
                        continue;
                    }
                    if !step.walk.take(number, &mut data) {
                        self.counters.damaged.fetch_add(1, Relaxed);
                    }
                    left.push(Step::next(self, step.walk));
                }
                steps = left;
                roller.figures(&next.1, ORDER[next.2], data)?;
            }
        })
    }

    /// Writes a roll-up anew, without what was deleted.
    pub(crate) fn rewrite_rollup(&self, block: &Arc<Block>) -> Result<(), SeriesError> {
        let (old, folder) = (&block.footer, self.folder.join(FOLDER));
        let footer = Footer {
            level: old.level,
            replaces_from: old.replaces_from,
            through: old.through.clone(),
            ..Footer::default()
        };
        let mut writer = crate::block::BlockWriter::new(&folder, block.number, footer)?;
        self.copy_series(std::slice::from_ref(block), &mut writer)?;
        let new = writer.finish()?.map(Block::into_rollup).map(Arc::new);
        let is_empty = new.is_none();
        self.core.write().rollups.replace(std::slice::from_ref(block), new);
        sync_folder(&folder)?;
        if is_empty {
            remove(&block.path)?;
        } else {
            crate::tombstones::forget(&block.path)?;
        }
        sync_folder(&folder)
    }
}
