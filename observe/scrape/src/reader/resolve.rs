//! Columns for what is new, and the mistakes that only columns show: series that come twice. Pure but for the write port.

use hashbrown::HashSet;
use kernel::Labels;
use kernel::series::SeriesWriter;

use super::lines::{DUPLICATE, Line, OWN_TIME, Place};
use super::{ReadError, Scratch, TargetReader};

/// Added to a group's name for the series that bring their own times.
const OWN_TIMES_SUFFIX: &str = "/own-times";

impl TargetReader {
    pub(super) fn resolve_pending(
        &mut self,
        writer: &dyn SeriesWriter,
        scratch: &mut Scratch,
    ) -> Result<(), ReadError> {
        if !scratch.pending.is_empty() {
            let columns = self.columns(writer, scratch)?;
            for (pending, column) in scratch.pending.iter().zip(&columns) {
                if let Some(family) = pending.family {
                    self.starts.join(*column, family);
                }
            }
            scratch.put_columns(&columns);
        }
        if !scratch.vanished.is_empty() {
            // A series may have gone on under another line.
            let there: HashSet<u32> = scratch.fresh.iter().map(|l| l.column).collect();
            let mut gone = HashSet::new();
            scratch.vanished.retain(|column| !there.contains(column) && gone.insert(*column));
        }
        Ok(())
    }

    fn columns(&mut self, writer: &dyn SeriesWriter, scratch: &Scratch) -> Result<Vec<u32>, ReadError> {
        let mut out = vec![0; scratch.pending.len()];
        for own_time in [false, true] {
            let numbers: Vec<usize> =
                scratch.pending.iter().enumerate().filter(|(_, p)| p.own_time == own_time).map(|(n, _)| n).collect();
            if numbers.is_empty() {
                continue;
            }
            let group = match (own_time, self.main, self.stamped) {
                (false, Some(group), _) | (true, _, Some(group)) => group,
                (false, ..) => *self.main.insert(writer.open_group(&self.name)?),
                (true, ..) => *self.stamped.insert(writer.open_group(&format!("{}{OWN_TIMES_SUFFIX}", self.name))?),
            };
            let labels: Vec<Labels> = numbers.iter().map(|n| scratch.pending[*n].labels.clone()).collect();
            let columns = writer.columns(group, &labels)?;
            let tag = if own_time { OWN_TIME } else { 0 };
            for (number, column) in numbers.into_iter().zip(columns) {
                out[number] = column | tag;
            }
        }
        Ok(out)
    }
}

impl Scratch {
    fn put_columns(&mut self, columns: &[u32]) {
        let column = |old: u32| match (Line { hash: 0, length: 0, column: old }).place() {
            Place::Pending(number) => columns.get(number as usize).copied().unwrap_or(DUPLICATE),
            _ => old,
        };
        let mut seen = HashSet::with_capacity(self.fresh.len());
        let mut duplicates = 0;
        for line in &mut self.fresh {
            let pending = matches!(line.place(), Place::Pending(_));
            line.column = column(line.column);
            let twice = line.is_series() && line.column & OWN_TIME == 0 && !seen.insert(line.column);
            if twice {
                line.column = DUPLICATE;
                duplicates += 1;
            } else if pending && line.is_series() {
                self.counts.added += 1;
            }
        }
        self.counts.duplicates += duplicates;
        self.starts = std::mem::take(&mut self.starts).into_iter().map(|(old, start)| (column(old), start)).collect();
        let mut seen = HashSet::with_capacity(self.cells.len());
        self.cells.retain_mut(|(old, _)| {
            *old = column(*old);
            *old & OWN_TIME != 0 || seen.insert(*old)
        });
    }
}
