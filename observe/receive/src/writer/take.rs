//! The way of one request: gathered, placed in groups, appended, answered. Pure.

use kernel::series::{Appended, Batch, Point, Rejection, SeriesError, SeriesRef};

use super::cells::Cells;
use super::intake::{Found, Intake, Target};
use super::labels::labels_text;
use super::{AHEAD_MS, Answer, Refusal, Request, Sender, Trouble, Writer, Written};
use crate::limits::{Limits, Reason};
use crate::remote_write::MetricMetadata;

/// Buffers larger than this are not kept.
const KEPT_BYTES: usize = 16 << 20;

/// How often a request is repeated whose series the store has forgotten meanwhile.
const REPEATS: usize = 1;

/// Buffers of a request, used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) plain: Vec<u8>,
    cells: Cells,
    batch: Batch,
}

impl Scratch {
    pub(super) fn shrink(&mut self) {
        if self.plain.capacity() > KEPT_BYTES {
            *self = Self::default();
        }
    }
}

/// A request whose cells are gathered.
#[derive(Default)]
struct Gathered {
    trouble: Trouble,
    /// What is wrong with samples of series that have to be named.
    blamed: Vec<(SeriesRef, String)>,
    metadata: Vec<MetricMetadata>,
    samples: usize,
    histograms: usize,
}

impl Writer {
    pub(crate) fn take(&self, sender: &Sender, request: &dyn Request, now_ms: i64, scratch: &mut Scratch) -> Answer {
        let limits = sender.limits();
        sender.turn(now_ms);
        let mut stored = Appended::default();
        for round in 0.. {
            let mut gathered = match self.gather(sender, request, (&limits, now_ms), &mut scratch.cells) {
                Ok(gathered) => gathered,
                Err(answer) => {
                    scratch.cells.clear();
                    return answer;
                }
            };
            if round == 0
                && let Some(answer) = over_rate(sender, &limits, gathered.samples as u64, now_ms)
            {
                scratch.cells.clear();
                return answer;
            }
            scratch.cells.fill(&mut scratch.batch);
            let appended = match scratch.batch.is_empty() {
                true => Appended::default(),
                false => match self.store.append(&scratch.batch) {
                    Ok(appended) => appended,
                    Err(error) => return refused(sender, gathered.samples as u64, &error),
                },
            };
            stored.samples += appended.samples;
            stored.histograms += appended.histograms;
            stored.exemplars = stored.exemplars.max(appended.exemplars);
            if appended.unknown > 0 {
                let mut groups: Vec<_> = scratch.batch.rows().iter().map(|row| row.group).collect();
                groups.sort_unstable();
                groups.dedup();
                sender.forget(&groups);
                if round < REPEATS {
                    continue;
                }
            }
            stored.duplicates = appended.duplicates;
            self.name_troubles(sender, request, &appended, &mut gathered, &mut scratch.cells);
            return answer(sender, &stored, &appended, gathered);
        }
        Answer::failed(503, "the request was repeated too often".into())
    }

    fn gather(
        &self,
        sender: &Sender,
        request: &dyn Request,
        (limits, now_ms): (&Limits, i64),
        cells: &mut Cells,
    ) -> Result<Gathered, Answer> {
        let found = {
            let table = sender.table.read();
            let mut intake = Intake::new(&table, &self.keys, limits, now_ms.saturating_add(AHEAD_MS), cells);
            intake.silent = request.silent();
            request.walk(&mut intake).map(|()| intake.found)
        };
        let found = found.map_err(|error| {
            sender.counters().reject(Reason::Malformed, 1);
            Answer::failed(400, error.to_string())
        })?;
        let Found { fresh, late, late_exemplars, kept, mut trouble, unnamed, metadata } = found;
        sender.remember(kept);
        let (keys, labels): (Vec<_>, Vec<_>) = fresh.into_iter().unzip();
        let placed = match labels.is_empty() {
            true => Vec::new(),
            false => sender.space.groups.lock().place(&*self.store, sender.space.name(), limits.group_series, &labels),
        };
        for (result, labels) in placed.iter().zip(&labels) {
            if let Err(error) = result {
                let text = format!("{error}: {} was left out", labels_text(labels));
                trouble.note(Refusal { reason: reason_of(error), text });
            }
        }
        sender.remember(keys.into_iter().zip(&placed).filter_map(|(key, at)| Some((key, *at.as_ref().ok()?))));
        let at = |fresh: u32| placed.get(fresh as usize).and_then(|placed| placed.as_ref().ok()).copied();
        for late in late {
            let Some(series) = at(late.fresh) else {
                let error = placed.get(late.fresh as usize).and_then(|placed| placed.as_ref().err());
                trouble.count(error.map_or(Reason::Store, reason_of), 1);
                continue;
            };
            match late.value {
                Point::Float(value) => cells.push(series, late.t_ms, value, late.start_ms),
                Point::Histogram(h) => cells.push_histogram(series, late.t_ms, h, late.start_ms),
            }
        }
        for (fresh, exemplar) in late_exemplars {
            if let Some(series) = at(fresh) {
                cells.push_exemplar(series, exemplar);
            }
        }
        let blamed = unnamed.into_iter().filter_map(|(target, text)| match target {
            Target::Known(series) => Some((series, text)),
            Target::Fresh(fresh) => Some((at(fresh)?, text)),
            Target::Refused(_) => None,
        });
        let (blamed, samples, histograms) = (blamed.collect(), cells.len(), cells.histograms());
        Ok(Gathered { trouble, blamed, metadata, samples, histograms })
    }

    /// Names the series of samples that were left out: their labels are read once more from the request.
    fn name_troubles(
        &self,
        sender: &Sender,
        request: &dyn Request,
        appended: &Appended,
        gathered: &mut Gathered,
        cells: &mut Cells,
    ) {
        let said = appended.rejected.iter().filter(|r| r.why != Rejection::Unknown);
        let mut all = std::mem::take(&mut gathered.blamed);
        all.extend(said.map(|r| (r.series, rejection_text(r.why).to_owned())));
        if all.is_empty() {
            return;
        }
        let wanted: Vec<SeriesRef> = all.iter().map(|(series, _)| *series).collect();
        let table = sender.table.read();
        let limits = sender.limits();
        let mut intake = Intake::new(&table, &self.keys, &limits, i64::MAX, cells).naming(&wanted);
        let walked = request.walk(&mut intake);
        let names = intake.names();
        cells.clear();
        for (series, text) in all {
            let name = names.iter().find(|(named, _)| *named == series).filter(|_| walked.is_ok());
            let name = name.map_or("that was not seen before", |(_, name)| name);
            gathered.trouble.note(Refusal { reason: Reason::Invalid, text: format!("{text} for series {name}") });
        }
    }
}

fn over_rate(sender: &Sender, limits: &Limits, samples: u64, now_ms: i64) -> Option<Answer> {
    let per_second = limits.samples_per_second?;
    if sender.rate.lock().take(per_second, samples, now_ms) {
        return None;
    }
    sender.counters().reject(Reason::Rate, samples);
    let text = format!("this sender may write {per_second} samples a second: the request was not taken, send it later");
    Some(Answer { rejected: samples, ..Answer::failed(429, text) })
}

fn refused(sender: &Sender, samples: u64, error: &SeriesError) -> Answer {
    sender.counters().reject(Reason::Store, samples);
    Answer { rejected: samples, ..Answer::failed(503, format!("nothing was written: {error}")) }
}

fn answer(sender: &Sender, stored: &Appended, last: &Appended, mut gathered: Gathered) -> Answer {
    for (reason, count) in by_reason(last) {
        gathered.trouble.count(reason, count);
    }
    let trouble = gathered.trouble;
    trouble.tell(sender.counters());
    sender.counters().took(stored.samples, stored.exemplars);
    let floats = (gathered.samples - gathered.histograms) as u64;
    let all = (stored.samples + stored.duplicates).min(gathered.samples as u64);
    // Which of the duplicates are histograms is not said: numbers first.
    let samples = floats.min(stored.samples.saturating_sub(stored.histograms) + stored.duplicates);
    let written = Written { samples, histograms: all - samples.min(all), exemplars: stored.exemplars };
    let (status, text) = if last.unknown > 0 {
        (503, "series were evicted while they were written: send the request again".to_owned())
    } else if trouble.is_silent() {
        (200, String::new())
    } else {
        (400, trouble.text())
    };
    Answer { written, rejected: trouble.samples(), metadata: gathered.metadata, ..Answer::failed(status, text) }
}

/// How many samples were left out by the store, and why: beyond the first few only their number is known.
fn by_reason(appended: &Appended) -> Vec<(Reason, u64)> {
    let reason = |why: Rejection| match why {
        Rejection::TooOld => Reason::TooOld,
        Rejection::OutOfOrder => Reason::OutOfOrder,
        Rejection::Conflict => Reason::Conflict,
        Rejection::Unknown => Reason::Store,
    };
    let named = appended.rejected.iter().filter(|r| r.why != Rejection::Unknown);
    let mut all: Vec<(Reason, u64)> = named.map(|r| (reason(r.why), 1)).collect();
    let rest = appended.out_of_order.saturating_sub(all.len() as u64);
    let first = all.first().map_or(Reason::OutOfOrder, |(reason, _)| *reason);
    all.extend([(first, rest), (Reason::Store, appended.unknown)]);
    all
}

const fn rejection_text(why: Rejection) -> &'static str {
    match why {
        Rejection::TooOld => "too old sample",
        Rejection::OutOfOrder => "out of order sample",
        Rejection::Conflict => "duplicate sample for timestamp",
        Rejection::Unknown => "unknown series",
    }
}

fn reason_of(error: &SeriesError) -> Reason {
    match error {
        SeriesError::Limit { .. } => Reason::Series,
        SeriesError::UnknownGroup(_) | SeriesError::Storage(_) => Reason::Store,
    }
}
