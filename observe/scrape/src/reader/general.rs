//! Protobuf, and bodies whose histograms are converted: entry by entry, series by the hash of their labels. Pure.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use kernel::series::{Histogram, Point, SCHEMA_MAX};

use super::lines::{DROPPED, Found, Line, Place, Places, pending_column};
use super::{Input, Pending, ReadError, Scratch, TargetReader};
use crate::exposition::{Entry, Format, Parser, Sample};
use crate::histogram::{finest_schema, limit_buckets, reduce};

impl TargetReader {
    pub(super) fn read_entries(&mut self, input: &Input<'_>, scratch: &mut Scratch) -> Result<(), ReadError> {
        let mut places = Places::new(&self.lines);
        let mut parser = Parser::new(input.body, input.format, input.settings.parse);
        let mut metadata = self.metadata.write();
        metadata.begin();
        while let Some(entry) = parser.next_entry()? {
            match entry {
                Entry::Sample(sample) => scratch.entry(input, &mut places, sample)?,
                said => metadata.take(said),
            }
        }
        metadata.end();
        places.vanished(&mut scratch.vanished);
        Ok(())
    }
}

impl Scratch {
    fn entry(&mut self, input: &Input<'_>, places: &mut Places<'_>, sample: Sample<'_>) -> Result<(), ReadError> {
        let mut hasher = input.hashes.build_hasher();
        let mut length = 0;
        for (name, value) in &sample.labels {
            for text in [name, value] {
                hasher.write(text.as_bytes());
                hasher.write_u8(0xff);
                length += text.len() as u32 + 1;
            }
        }
        let hash = hasher.finish();
        let expected = places.expected().filter(|line| (line.hash, line.length) == (hash, length));
        let (line, again) = match expected {
            Some(line) => (line, places.keep()),
            None => {
                self.counts.moved += 1;
                match places.find(hash) {
                    Found::Elsewhere(line) => (line, false),
                    Found::Again(line) => (line, true),
                    Found::New => (Line { hash, length, column: self.learn(input, &sample)? }, false),
                }
            }
        };
        self.take(input, line, again, sample);
        Ok(())
    }

    fn learn(&mut self, input: &Input<'_>, sample: &Sample<'_>) -> Result<u32, ReadError> {
        let labels = input.rules.labels(&sample.labels).inspect_err(|_| self.counts.scraped += 1)?;
        let Some(labels) = labels else { return Ok(DROPPED) };
        let own_time = sample.timestamp_ms.is_some() && input.settings.honor_timestamps;
        self.pending.push(Pending { labels, own_time, family: None });
        Ok(pending_column(self.pending.len() - 1))
    }

    fn take(&mut self, input: &Input<'_>, line: Line, again: bool, sample: Sample<'_>) {
        let number = self.fresh.len() as u32;
        let time = sample.timestamp_ms.filter(|_| input.settings.honor_timestamps);
        let folds = input.format == Format::Protobuf || input.settings.parse.fold_created;
        let is_histogram = match &sample.value {
            Point::Float(value) => {
                self.sample(line, again, *value, time, input.latest_ms, None);
                false
            }
            Point::Histogram(histogram) => {
                self.histogram(input, line, again, histogram, time);
                true
            }
        };
        let taken = self.fresh.last().is_some_and(|l| matches!(l.place(), Place::Column(_) | Place::Pending(_)));
        if taken {
            if folds && input.settings.parse.fold_created && sample.start_ms != 0 {
                self.starts.insert(line.column, sample.start_ms);
            }
            let fit = sample.exemplars.into_iter().filter(|e| !is_histogram || e.t_ms.is_some());
            self.exemplars.extend(fit.map(|e| (number, e)));
        }
    }

    fn histogram(&mut self, input: &Input<'_>, line: Line, again: bool, value: &Arc<Histogram>, time: Option<i64>) {
        let number = self.fresh.len() as u32;
        let cells = self.cells.len();
        let stamped = self.stamped.len();
        self.sample(line, again, value.sum, time, input.latest_ms, None);
        let taken = self.cells.len() > cells || self.stamped.len() > stamped;
        self.cells.truncate(cells);
        self.stamped.truncate(stamped);
        if !taken {
            return;
        }
        let mut value = Arc::clone(value);
        let finest = finest_schema(input.settings.min_bucket_factor);
        if finest < SCHEMA_MAX && value.schema > finest {
            reduce(Arc::make_mut(&mut value), finest);
        }
        let limit = input.settings.bucket_limit;
        if limit > 0 && !limit_buckets(Arc::make_mut(&mut value), limit) {
            self.bucket_limit_hit = true;
        }
        self.histograms.push((number, value, time));
    }
}
