//! Files in OpenMetrics' text form, with a time beside every sample. I/O: files.
//!
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. A file is read in pieces that end with a line; the last `# TYPE` goes
//! before each of them, so that a reader of whole expositions can read it.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use kernel::Labels;
use kernel::series::Exemplar;
use observe_scrape::exposition::{Entry, ExemplarText, Format, ParseOptions, Parser, Sample};

use super::{Mistakes, Source, Survey, Taken, with};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;
/// Longest line: no sample has as many labels.
const LINE_BYTES: usize = 1 << 20;

/// Files to be imported. The standard input is kept in a file without a name, since it is read more than once.
#[derive(Debug)]
pub struct Files {
    all: Vec<(String, File)>,
    /// Labels that every series is given.
    labels: Vec<(String, String)>,
}

impl Files {
    /// Opens them; `-` is the standard input.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn open(paths: &[PathBuf], labels: Vec<(String, String)>) -> Result<Self> {
        let mut all = Vec::new();
        for path in paths {
            if path == Path::new("-") {
                all.push(("standard input".to_owned(), spool()?));
                continue;
            }
            let name = path.display().to_string();
            let file = File::open(path).with_context(|| format!("{name} cannot be read"))?;
            all.push((name, file));
        }
        Ok(Self { all, labels })
    }

    fn each(
        &mut self,
        mistakes: &mut Mistakes,
        take: &mut dyn FnMut(Sample<'_>) -> Result<Option<String>>,
    ) -> Result<()> {
        for (name, file) in &mut self.all {
            file.seek(SeekFrom::Start(0)).with_context(|| format!("{name} cannot be read again"))?;
            let mut pieces = Pieces::new(BufReader::with_capacity(PIECE_BYTES, &*file));
            while let Some(piece) = pieces.next().with_context(|| format!("{name} cannot be read"))? {
                read_piece(name, &piece, mistakes, take)?;
            }
        }
        Ok(())
    }
}

impl Source for Files {
    fn survey(&mut self, told: &mut dyn FnMut(u64)) -> Result<Survey> {
        let mut survey = Survey::default();
        let mut mistakes = Mistakes::default();
        self.each(&mut mistakes, &mut |sample| {
            let t_ms = match time_of(&sample) {
                Ok(t_ms) => t_ms,
                Err(why) => return Ok(Some(why)),
            };
            if let Err(why) = labels_of(&sample) {
                return Ok(Some(why));
            }
            survey.count(t_ms, 1);
            told(survey.samples);
            Ok(None)
        })?;
        survey.mistakes = mistakes;
        Ok(survey)
    }

    fn stretch(
        &mut self,
        range_ms: (i64, i64),
        mistakes: &mut Mistakes,
        take: &mut dyn FnMut(Taken) -> Result<()>,
    ) -> Result<()> {
        let added = std::mem::take(&mut self.labels);
        let done = self.each(mistakes, &mut |sample| {
            let Some(t_ms) = sample.timestamp_ms.filter(|t| (range_ms.0..=range_ms.1).contains(t)) else {
                return Ok(None);
            };
            let labels = match labels_of(&sample) {
                Ok(labels) => with(labels, &added),
                Err(why) => return Ok(Some(why)),
            };
            let exemplars = sample.exemplars.into_iter().map(|e: ExemplarText| Exemplar {
                labels: e.labels,
                value: e.value,
                t_ms: e.t_ms.unwrap_or(t_ms),
            });
            let exemplars = exemplars.collect();
            take(Taken { labels, t_ms, value: sample.value, exemplars })?;
            Ok(None)
        });
        self.labels = added;
        done
    }
}

/// The standard input as a file, which goes when it is closed.
fn spool() -> Result<File> {
    let mut file = tempfile::tempfile().context("no temporary file can be made for the standard input (TMPDIR)")?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).context("the standard input cannot be kept (TMPDIR)")?;
    Ok(file)
}

/// Some lines of a file, made an exposition of their own.
struct Piece {
    text: Vec<u8>,
    /// Lines that were put before it.
    added: usize,
    /// Lines of the file before it.
    before: usize,
}

struct Pieces<R> {
    input: R,
    /// What is read already and comes with the next piece.
    held: Vec<u8>,
    /// The last `# TYPE` line.
    kind: Vec<u8>,
    lines: usize,
    ended: bool,
}

impl<R: BufRead> Pieces<R> {
    fn new(input: R) -> Self {
        Self { input, held: Vec::new(), kind: Vec::new(), lines: 0, ended: false }
    }

    fn next(&mut self) -> Result<Option<Piece>> {
        if self.ended {
            return Ok(None);
        }
        let mut own = std::mem::take(&mut self.held);
        while own.len() < PIECE_BYTES && !self.ended {
            let read = self.input.fill_buf()?;
            let length = read.len();
            self.ended = length == 0;
            own.extend_from_slice(read);
            self.input.consume(length);
        }
        self.ended = self.ended || self.input.fill_buf()?.is_empty();
        if !self.ended {
            let end = memchr::memrchr(b'\n', &own).map_or(0, |at| at + 1);
            self.held = own.split_off(end);
            if self.held.len() > LINE_BYTES {
                bail!("line {} has more than {LINE_BYTES} bytes", self.lines + count(&own) + 1);
            }
        }
        let mut text = self.kind.clone();
        let (added, before) = (usize::from(!text.is_empty()), self.lines);
        if let Some(kind) = own.split_inclusive(|b| *b == b'\n').rfind(|line| line.starts_with(b"# TYPE ")) {
            self.kind = kind.to_vec();
        }
        self.lines += count(&own);
        text.extend_from_slice(&own);
        if !self.ended {
            text.extend_from_slice(b"# EOF\n");
        }
        Ok(Some(Piece { text, added, before }))
    }
}

fn count(lines: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', lines).count()
}

fn read_piece(
    name: &str,
    piece: &Piece,
    mistakes: &mut Mistakes,
    take: &mut dyn FnMut(Sample<'_>) -> Result<Option<String>>,
) -> Result<()> {
    let mut parser = Parser::new(&piece.text, Format::OpenMetrics, ParseOptions::default());
    let line_of = |line: usize| piece.before + line.saturating_sub(piece.added);
    loop {
        match parser.next_entry() {
            Ok(None) => return Ok(()),
            Ok(Some(Entry::Sample(sample))) => {
                if let Some(why) = take(sample)? {
                    mistakes.note(|| format!("{name}:{}: {why}", line_of(parser.line()) - 1));
                }
            }
            Ok(Some(_)) => {}
            Err(error) => {
                mistakes.note(|| format!("{name}:{}:{}: {}", line_of(error.line), error.column, error.message));
                if !parser.skip_line() {
                    return Ok(());
                }
            }
        }
    }
}

/// Times of later samples, milliseconds since 1970, are no times of measurements: the end of the year 9999. Who writes milliseconds where
/// seconds are meant is far beyond it.
const LATEST_MS: i64 = 253_402_300_799_999;

fn time_of(sample: &Sample<'_>) -> Result<i64, String> {
    let name = sample.name();
    match sample.timestamp_ms {
        Some(t_ms) if t_ms.unsigned_abs() <= LATEST_MS as u64 => Ok(t_ms),
        Some(_) => Err(format!("{name} has a time beyond the year 9999: write it in seconds since 1970")),
        None => Err(format!("{name} has no time: add it behind the value, in seconds since 1970")),
    }
}

fn labels_of(sample: &Sample<'_>) -> Result<Labels, String> {
    let read = sample.label_set();
    if read.len() == sample.labels.iter().filter(|(_, value)| !value.is_empty()).count() {
        return Ok(read);
    }
    Err(format!("a label of {} stands there twice: leave one out", sample.name()))
}
