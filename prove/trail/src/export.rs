//! Exports as JSON Lines: written in one pass, verified in one pass, by anybody who has the file. Pure: streams are arguments.
//!
//! A header, all checkpoints that the export needs, the entries in order, and an end with the counts and the hash of
//! everything before it. An excerpt keeps the place of each entry that it leaves out ([`Omitted`]), from the checkpoint before
//! its first entry to the one that covers its last: it verifies as the part of the chain that it is.

use std::io::{self, BufRead, Read as _, Write};

use kernel::trail::{Entry, Hash};
use sha2::{Digest, Sha256};

use crate::{End, Header, Line, Omitted, Problem, PublicKey, Report, SignedCheckpoint, Verifier, read_line};

/// Longest line that is read: a deed has at most 60 changes of 2,000 characters twice, each at most 6 bytes in JSON. A file
/// without line ends must not fill the memory.
pub const LONGEST_LINE: u64 = 2 << 20;

/// Writes an export.
pub struct Writer<W> {
    out: W,
    hasher: Sha256,
    end: End,
}

impl<W: Write> Writer<W> {
    /// Begins an export.
    ///
    /// # Errors
    /// The stream's own.
    pub fn begin(out: W, header: &Header) -> io::Result<Self> {
        let end = End { checkpoints: 0, entries: 0, omitted: 0, sha256: Hash::ZERO };
        let mut writer = Self { out, hasher: Sha256::new(), end };
        writer.line(&Line::Header(header.clone()))?;
        Ok(writer)
    }

    /// Adds a checkpoint; all come before the first entry, the oldest first.
    ///
    /// # Errors
    /// The stream's own.
    pub fn checkpoint(&mut self, signed: &SignedCheckpoint) -> io::Result<()> {
        self.end.checkpoints += 1;
        self.line(&Line::Checkpoint(*signed))
    }

    /// Adds an entry; in the order of their numbers.
    ///
    /// # Errors
    /// The stream's own.
    pub fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.end.entries += 1;
        self.line(&Line::Entry(entry.clone()))
    }

    /// Adds the place of an entry whose deed is left out.
    ///
    /// # Errors
    /// The stream's own.
    pub fn omitted(&mut self, entry: &Omitted) -> io::Result<()> {
        self.end.omitted += 1;
        self.line(&Line::Omitted(*entry))
    }

    /// Ends the export and gives the stream back, flushed.
    ///
    /// # Errors
    /// The stream's own.
    pub fn finish(mut self) -> io::Result<W> {
        let end = End { sha256: Hash::new(self.hasher.finalize_reset().into()), ..self.end };
        self.line(&Line::End(end))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut text = line.write();
        text.push('\n');
        self.hasher.update(text.as_bytes());
        self.out.write_all(text.as_bytes())
    }
}

/// What an export says, and whether it is true.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Verified {
    /// Its first line, if that could be read.
    pub header: Option<Header>,
    /// What verification found.
    pub report: Report,
}

/// Verifies an export. With `trusted` keys, a signature by any other is a problem; without, the keys are only reported.
///
/// # Errors
/// The stream's own; what is wrong with the export stands in the report.
pub fn verify(input: impl BufRead, trusted: &[PublicKey]) -> io::Result<Verified> {
    read(input, trusted, |_| {})
}

/// Verifies an export and hands over every line that could be read.
///
/// # Errors
/// The stream's own.
pub fn read(mut input: impl BufRead, trusted: &[PublicKey], mut each: impl FnMut(&Line)) -> io::Result<Verified> {
    let mut reading = Reading::new(trusted);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut buffer)?;
        if buffer.is_empty() {
            break;
        }
        if let Some(line) = reading.take(&buffer) {
            each(&line);
        }
    }
    Ok(reading.finish())
}

struct Reading {
    verifier: Verifier,
    hasher: Sha256,
    header: Option<Header>,
    count: End,
    end: Option<End>,
    lines: u64,
}

impl Reading {
    fn new(trusted: &[PublicKey]) -> Self {
        Self {
            verifier: Verifier::new(trusted.iter().copied()),
            hasher: Sha256::new(),
            header: None,
            count: End { checkpoints: 0, entries: 0, omitted: 0, sha256: Hash::ZERO },
            end: None,
            lines: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Option<Line> {
        self.lines += 1;
        if self.end.is_some() {
            self.not_whole(format!("line {} stands after the end", self.lines));
        }
        let text = bytes.strip_suffix(b"\n").ok_or("it has no line end, or is too long".to_owned());
        let text = text.and_then(|t| std::str::from_utf8(t).map_err(|_| "it is not UTF-8".to_owned()));
        let read = text.and_then(read_line);
        match &read {
            Err(reason) => {
                self.verifier.problem(Problem::Unreadable { line: self.lines, reason: reason.clone() });
            }
            Ok(Line::Header(header)) if self.lines == 1 => self.header = Some(header.clone()),
            Ok(Line::Header(_)) => self.not_whole(format!("line {} is a second header", self.lines)),
            Ok(Line::Checkpoint(signed)) => {
                self.count.checkpoints += 1;
                if self.count.entries + self.count.omitted > 0 {
                    self.not_whole(format!("line {}: a checkpoint stands behind entries", self.lines));
                }
                self.verifier.checkpoint(signed);
            }
            Ok(Line::Entry(entry)) => {
                self.count.entries += 1;
                self.verifier.entry(entry);
            }
            Ok(Line::Omitted(entry)) => {
                self.count.omitted += 1;
                self.verifier.omitted(entry);
            }
            Ok(Line::End(end)) => {
                let sha256 = Hash::new(self.hasher.clone().finalize().into());
                self.end.get_or_insert(*end);
                let counted = End { sha256, ..self.count };
                if counted != *end {
                    self.not_whole(contradiction(end, &counted));
                }
            }
        }
        self.hasher.update(bytes);
        read.ok()
    }

    fn not_whole(&mut self, reason: String) {
        self.verifier.problem(Problem::NotWhole { reason });
    }

    fn finish(mut self) -> Verified {
        if self.header.is_none() {
            self.not_whole("it does not begin with a header".to_owned());
        }
        if self.end.is_none() {
            self.not_whole("its last line is missing: it was cut, or writing it broke off".to_owned());
        }
        Verified { header: self.header, report: self.verifier.finish() }
    }
}

fn contradiction(says: &End, counted: &End) -> String {
    let counts = |e: &End| format!("{} entries, {} left out, {} checkpoints", e.entries, e.omitted, e.checkpoints);
    if (says.entries, says.omitted, says.checkpoints) == (counted.entries, counted.omitted, counted.checkpoints) {
        "some byte was changed: the hash on its last line is not the one of its text".to_owned()
    } else {
        format!("its last line tells of {}, it holds {}", counts(says), counts(counted))
    }
}
