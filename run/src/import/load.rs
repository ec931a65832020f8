//! The way of an import: stretch after stretch, what is there left out, the rest in requests in the order of time. Pure but
//! for what its source and target do.

use std::collections::HashMap;

use anyhow::{Result, bail};
use kernel::Labels;
use kernel::series::{Exemplar, Point};
use observe_receive::remote_write::Outgoing;

use super::{Mistakes, Source, Survey, Target};

/// Samples of one stretch of time: with 40 bytes each, some tens of MB.
pub(super) const STRETCH_SAMPLES: u64 = 1_000_000;
/// Most samples of one stretch, whatever the survey said: a source that changed meanwhile cannot fill memory.
const MOST_SAMPLES: usize = 20_000_000;
/// Series that are held with their labels; more are the store's own limit.
const MOST_SERIES: usize = 2_000_000;

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many samples were seen by the first look.
    Surveyed(u64),
    /// So many samples are done, of so many: what is written of them is durable at the target.
    Done(u64, u64),
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Samples in the source.
    pub samples: u64,
    /// Of them written now; histograms are counted here too.
    pub written: u64,
    /// There already.
    pub known: u64,
    /// At a time at which another value is there, which stays.
    pub conflicts: u64,
    /// Not taken.
    pub refused: u64,
    /// Exemplars written.
    pub exemplars: u64,
    /// Series.
    pub series: u64,
    /// Time of the oldest and the newest sample, milliseconds since the epoch.
    pub range_ms: Option<(i64, i64)>,
    /// What was wrong, and what was refused.
    pub mistakes: Mistakes,
}

/// What is known of a held sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is to be written.
    #[default]
    New,
    /// It is there already.
    Known,
    /// Another value is there.
    Conflict,
}

/// A sample that is held.
#[derive(Clone, Debug)]
pub(super) struct HeldSample {
    pub(super) series: u32,
    pub(super) t_ms: i64,
    pub(super) value: Point,
    pub(super) mark: Mark,
}

/// The samples of one stretch of time, sorted by series and time when they are marked.
#[derive(Debug, Default)]
pub struct Held {
    labels: Vec<Labels>,
    numbers: HashMap<Labels, u32>,
    samples: Vec<HeldSample>,
    exemplars: Vec<(u32, Exemplar)>,
}

impl Held {
    fn take(&mut self, taken: super::Taken) -> Result<()> {
        if self.samples.len() >= MOST_SAMPLES {
            bail!("ten minutes hold more than {MOST_SAMPLES} samples: import the files one by one");
        }
        let series = match self.numbers.get(&taken.labels) {
            Some(series) => *series,
            None => {
                if self.labels.len() >= MOST_SERIES {
                    bail!("there are more than {MOST_SERIES} series: import less at once, or drop labels first");
                }
                let series = self.labels.len() as u32;
                self.labels.push(taken.labels.clone());
                self.numbers.insert(taken.labels, series);
                series
            }
        };
        self.exemplars.extend(taken.exemplars.into_iter().map(|e| (series, e)));
        self.samples.push(HeldSample { series, t_ms: taken.t_ms, value: taken.value, mark: Mark::New });
        Ok(())
    }

    /// The series that are held.
    pub(super) fn labels(&self) -> &[Labels] {
        &self.labels
    }

    /// The samples of a series that is held, by time.
    pub(super) fn of(&mut self, labels: &Labels) -> &mut [HeldSample] {
        let Some(series) = self.numbers.get(labels) else { return &mut [] };
        let from = self.samples.partition_point(|s| s.series < *series);
        let to = self.samples.partition_point(|s| s.series <= *series);
        self.samples.get_mut(from..to).unwrap_or_default()
    }

    /// Leaves out exemplars of a series that are there already.
    pub(super) fn leave_out(&mut self, labels: &Labels, known: &[Exemplar]) {
        let Some(series) = self.numbers.get(labels) else { return };
        self.exemplars.retain(|(of, exemplar)| of != series || !known.contains(exemplar));
    }

    /// Whether it holds exemplars.
    pub(super) fn has_exemplars(&self) -> bool {
        !self.exemplars.is_empty()
    }

    fn sort_by_series(&mut self) {
        self.samples.sort_by_key(|s| (s.series, s.t_ms));
    }
}

/// Imports everything of a source.
///
/// # Errors
/// The source cannot be read, has mistakes where it has to be right (then nothing was written), or the target refuses
/// everything; what was written until then stays, and the import may be repeated.
pub fn load(
    source: &mut dyn Source,
    survey: Survey,
    target: &mut dyn Target,
    told: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let mut report = Report { range_ms: survey.range_ms, ..Report::default() };
    let mut held = Held::default();
    for (from, to) in survey.stretches(STRETCH_SAMPLES) {
        let range = (from, to.saturating_sub(1));
        source.stretch(range, &mut report.mistakes, &mut |taken| held.take(taken))?;
        report.samples += held.samples.len() as u64;
        held.sort_by_series();
        target.mark_known(range, &mut held)?;
        let of = survey.samples.max(report.samples);
        write(&mut held, target, &mut report, &mut |done| told(Progress::Done(done, of)))?;
        target.stretch_done()?;
        told(Progress::Done(report.samples, of));
    }
    report.series = held.labels.len() as u64;
    target.finish()?;
    Ok(report)
}

/// Writes what is held in requests, the oldest samples first; `told` hears after each of them how many samples are done.
fn write(held: &mut Held, target: &mut dyn Target, report: &mut Report, told: &mut dyn FnMut(u64)) -> Result<()> {
    for sample in &held.samples {
        match sample.mark {
            Mark::New => {}
            Mark::Known => report.known += 1,
            Mark::Conflict => report.conflicts += 1,
        }
    }
    held.samples.retain(|s| s.mark == Mark::New);
    held.samples.sort_by_key(|s| (s.t_ms, s.series));
    held.exemplars.sort_by_key(|(_, e)| e.t_ms);
    let mut exemplars = std::mem::take(&mut held.exemplars).into_iter().peekable();
    let mut samples = std::mem::take(&mut held.samples);
    let mut rest = &mut samples[..];
    while !rest.is_empty() || exemplars.peek().is_some() {
        let count = target.samples_at_once().min(rest.len());
        let (own, others) = std::mem::take(&mut rest).split_at_mut(count);
        rest = others;
        own.sort_by_key(|s| (s.series, s.t_ms));
        let until = rest.first().map(|s| s.t_ms);
        let due = |e: &Exemplar| until.is_none_or(|until| e.t_ms < until);
        let mut with: Vec<(u32, Exemplar)> = Vec::new();
        while let Some(next) = exemplars.next_if(|(_, e)| with.len() < target.samples_at_once() && due(e)) {
            with.push(next);
        }
        let sent = target.send(request(&held.labels, own, with), own.len() as u64)?;
        report.written += sent.samples;
        report.exemplars += sent.exemplars;
        report.refused += sent.refused;
        for line in sent.text.lines().filter(|_| sent.refused > 0) {
            report.mistakes.note(|| line.to_owned());
        }
        told(report.samples - rest.len() as u64);
    }
    samples.clear();
    held.samples = samples;
    Ok(())
}

fn request(labels: &[Labels], samples: &[HeldSample], mut exemplars: Vec<(u32, Exemplar)>) -> Vec<u8> {
    exemplars.sort_by_key(|(series, e)| (*series, e.t_ms));
    let mut exemplars = exemplars.into_iter().peekable();
    let mut out = Outgoing::default();
    let mut alone = |out: &mut Outgoing, until: u32| {
        while let Some((series, exemplar)) = exemplars.next_if(|(series, _)| *series <= until) {
            let Some(labels) = labels.get(series as usize) else { continue };
            out.series(labels, |w| {
                w.exemplar(&exemplar);
                while let Some((_, more)) = exemplars.next_if(|(next, _)| *next == series) {
                    w.exemplar(&more);
                }
            });
        }
    };
    for own in samples.chunk_by(|a, b| a.series == b.series) {
        let Some(first) = own.first() else { continue };
        let Some(labels) = labels.get(first.series as usize) else { continue };
        out.series(labels, |w| {
            for sample in own {
                match &sample.value {
                    Point::Float(value) => w.float(sample.t_ms, *value),
                    Point::Histogram(h) => w.histogram(sample.t_ms, h),
                }
            }
        });
        // Behind the samples of its series, so that the receiver knows it.
        alone(&mut out, first.series);
    }
    alone(&mut out, u32::MAX);
    out.finish()
}
