//! `farero import openmetrics` and `prometheus`: a source, a target, and what is said meanwhile. I/O.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use kernel::secret::Secret;
use kernel::{Clock as _, Timestamp};
use run::import::openmetrics::Files;
use run::import::prometheus::Blocks;
use run::import::remote::Remote;
use run::import::store::Folder;
use run::import::{Mistakes, Progress, Report, Source, Target, load};

use crate::arguments::import::{OpenMetrics, Prometheus, To};
use crate::print::line;

/// A terminal is told this often: as fast as people read.
const TERMINAL: Duration = Duration::from_secs(1);
/// While samples are counted, the clock is looked at after so many of them.
const LOOKED_EVERY: u64 = 10_000;

pub(crate) fn files(arguments: &OpenMetrics) -> Result<ExitCode> {
    let mut files = Files::open(&arguments.files, arguments.to.labels.clone())?;
    import(&mut files, &arguments.to)
}

pub(crate) fn blocks(arguments: &Prometheus) -> Result<ExitCode> {
    let mut blocks = Blocks::open(&arguments.folders, arguments.to.labels.clone())?;
    for note in &blocks.notes {
        eprintln!("{note}");
    }
    eprintln!("{} blocks", blocks.len());
    import(&mut blocks, &arguments.to)
}

fn import(source: &mut dyn Source, to: &To) -> Result<ExitCode> {
    let mut teller = Teller::new(to);
    let mut looked = 0;
    let survey = source.survey(&mut |samples| {
        if samples >= looked + LOOKED_EVERY {
            looked = samples;
            teller.tell(Progress::Surveyed(samples));
        }
    })?;
    if survey.mistakes.count > 0 {
        said(&survey.mistakes);
        line(&format!("{} samples can be read; nothing was written", survey.samples))?;
        return Ok(ExitCode::from(crate::exit::NO));
    }
    if to.dry_run {
        line(&format!("{} samples{}", survey.samples, between(survey.range_ms)))?;
        return Ok(ExitCode::from(crate::exit::OK));
    }
    let report = match (&to.url, &to.data) {
        (Some(url), _) => {
            let runtime = super::super::run::runtime()?;
            let token = to.token.as_ref().filter(|t| !t.is_empty()).map(|t| Secret::new(t.clone()));
            let mut target = Remote::new(url, token, runtime.handle().clone());
            load(source, survey, &mut target as &mut dyn Target, &mut |p| teller.tell(p))?
        }
        (None, Some(data)) => {
            let mut target = Folder::open(data, survey.range_ms, run::SystemClock.now())?;
            load(source, survey, &mut target, &mut |p| teller.tell(p))?
        }
        (None, None) => anyhow::bail!("say where the samples go: --data or --url"),
    };
    finish(&report)
}

fn finish(report: &Report) -> Result<ExitCode> {
    if stderr().is_terminal() {
        eprintln!();
    }
    said(&report.mistakes);
    line(&format!(
        "{} samples of {} series{}: {} written, {} there already, {} in conflict with what is there, {} refused; {} exemplars",
        report.samples,
        report.series,
        between(report.range_ms),
        report.written,
        report.known,
        report.conflicts,
        report.refused,
        report.exemplars,
    ))?;
    let bad = report.refused + report.conflicts + report.mistakes.count > 0;
    Ok(ExitCode::from(if bad { crate::exit::NO } else { crate::exit::OK }))
}

fn said(mistakes: &Mistakes) {
    mistakes.texts.iter().for_each(|text| eprintln!("{text}"));
    let more = mistakes.count.saturating_sub(mistakes.texts.len() as u64);
    if more > 0 {
        eprintln!("… and {more} more");
    }
}

fn between(range_ms: Option<(i64, i64)>) -> String {
    let text = |t| Timestamp::from_millis(t).to_string();
    range_ms.map(|(from, to)| format!(" from {} to {}", text(from), text(to))).unwrap_or_default()
}

/// Says how far an import is, not too often: one line that is written over on a terminal, lines elsewhere, for a log.
struct Teller {
    every: Duration,
    is_terminal: bool,
    told: Option<Instant>,
}

impl Teller {
    fn new(to: &To) -> Self {
        let is_terminal = stderr().is_terminal();
        Self { every: if is_terminal { to.progress.min(TERMINAL) } else { to.progress }, is_terminal, told: None }
    }

    fn tell(&mut self, progress: Progress) {
        let now = Instant::now();
        // The first time counts from the first word, so that short imports say nothing.
        if now.duration_since(*self.told.get_or_insert(now)) < self.every {
            return;
        }
        self.told = Some(now);
        let text = match progress {
            Progress::Surveyed(samples) => format!("{samples} samples seen"),
            Progress::Done(done, of) => format!("{done} of {of} samples done"),
        };
        // Whether it can be shown changes nothing.
        let _ = match self.is_terminal {
            true => write!(stderr(), "\r{text}   "),
            false => writeln!(stderr(), "{text}"),
        };
    }
}
