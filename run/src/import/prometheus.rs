//! Blocks of Prometheus's data folder. I/O: files.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, Result};
use kernel::series::Series;
use observe_receive::tsdb::{Block, blocks};

use super::survey::STEP_MS;
use super::{Mistakes, Source, Survey, Taken, with};

/// Blocks to be imported, the oldest first.
#[derive(Debug)]
pub struct Blocks {
    all: Vec<Block>,
    labels: Vec<(String, String)>,
    /// What was told already.
    told: HashSet<String>,
    /// What is beside the blocks and is not read.
    pub notes: Vec<String>,
}

impl Blocks {
    /// Finds the blocks in data folders, snapshots, or folders that are blocks themselves.
    ///
    /// # Errors
    /// A folder cannot be read, or holds no block.
    pub fn open(folders: &[PathBuf], labels: Vec<(String, String)>) -> Result<Self> {
        let (mut all, mut notes) = (Vec::new(), Vec::new());
        for folder in folders {
            if folder.join("meta.json").is_file() {
                all.push(Block::open(folder)?);
                continue;
            }
            let found = blocks(folder)?;
            if folder.join("wal").is_dir() {
                notes.push(format!(
                    "{}: the newest two hours are in its write-ahead log, which is not read; have Prometheus make a snapshot \
                     (POST /api/v1/admin/tsdb/snapshot) and import that to have them too",
                    folder.display()
                ));
            }
            let named = || format!("{} holds no block of Prometheus (a folder with meta.json)", folder.display());
            found.first().with_context(named)?;
            all.extend(found);
        }
        all.sort_by(|a, b| (a.meta().min_ms, &a.meta().ulid).cmp(&(b.meta().min_ms, &b.meta().ulid)));
        Ok(Self { all, labels, told: HashSet::new(), notes })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Source for Blocks {
    /// Takes what the blocks say of themselves, spread evenly over their time.
    fn survey(&mut self, told: &mut dyn FnMut(u64)) -> Result<Survey> {
        let mut survey = Survey::default();
        for block in &self.all {
            let meta = block.meta();
            let last = meta.max_ms.saturating_sub(1).max(meta.min_ms);
            let steps = (last - meta.min_ms).div_euclid(STEP_MS) + 1;
            for step in 0..steps {
                let share = |step: i64| (meta.samples as i128 * i128::from(step) / i128::from(steps)) as u64;
                survey.count(meta.min_ms + step * STEP_MS, share(step + 1) - share(step));
            }
            survey.count(last, 0);
            told(survey.samples);
        }
        Ok(survey)
    }

    fn stretch(
        &mut self,
        range_ms: (i64, i64),
        mistakes: &mut Mistakes,
        take: &mut dyn FnMut(Taken) -> Result<()>,
    ) -> Result<()> {
        let overlaps = |b: &&Block| b.meta().min_ms <= range_ms.1 && b.meta().max_ms > range_ms.0;
        for block in self.all.iter().filter(overlaps) {
            let mut failed = Ok(());
            let visited = block.visit_between(range_ms, &mut |series| {
                failed = hand_over(series, &self.labels, take);
                if failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            failed?;
            match visited {
                Ok(visited) => {
                    let named = visited.damaged.len() as u64;
                    visited.damaged.iter().for_each(|e| mistakes.note(|| e.to_string()));
                    mistakes.count += visited.chunks_lost - named;
                }
                // What cannot be read of one block keeps no other one out.
                Err(error) => {
                    let text = error.to_string();
                    if self.told.insert(text.clone()) {
                        mistakes.note(|| text);
                    }
                }
            }
        }
        Ok(())
    }
}

fn hand_over(series: Series, added: &[(String, String)], take: &mut dyn FnMut(Taken) -> Result<()>) -> Result<()> {
    let labels = with(series.labels, added);
    for (at, t_ms) in series.timestamps.iter().enumerate() {
        let Some(value) = series.values.get(at) else { break };
        take(Taken { labels: labels.clone(), t_ms: *t_ms, value, exemplars: Vec::new() })?;
    }
    Ok(())
}
