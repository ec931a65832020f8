//! The reader of whole expositions, entry by entry. Pure.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use kernel::series::Point;

use super::proto_entries::Families;
use super::{
    Comment, CustomBuckets, Entry, Fault, Format, MetricKind, ParseError, ParseOptions, Sample, comment, series,
    skip_blank, tail_rest,
};

/// Reads an exposition entry by entry and stops at its first mistake, as a scrape counts whole or not at all.
#[derive(Debug)]
pub struct Parser<'a> {
    body: &'a [u8],
    format: Format,
    options: ParseOptions,
    at: usize,
    kind: MetricKind,
    /// The family that the last `# TYPE` named.
    family: Cow<'a, str>,
    ended: bool,
    families: Families<'a>,
    /// Samples of one family whose `_created` lines are still to come.
    held: Vec<Sample<'a>>,
    custom: CustomBuckets<'a>,
    queue: VecDeque<Entry<'a>>,
}

impl<'a> Parser<'a> {
    /// Reads a body.
    pub fn new(body: &'a [u8], format: Format, options: ParseOptions) -> Self {
        Self {
            body,
            format,
            options,
            at: 0,
            kind: MetricKind::Unknown,
            family: Cow::Borrowed(""),
            ended: false,
            families: Families::new(body, options),
            held: Vec::new(),
            custom: CustomBuckets::new(options.keep_classic),
            queue: VecDeque::new(),
        }
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// The first thing that is wrong. What was read before is right so far, but a scrape with an error is taken for none.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'a>>, ParseError> {
        loop {
            if let Some(entry) = self.queue.pop_front() {
                return Ok(Some(entry));
            }
            if self.ended {
                return Ok(None);
            }
            match self.read()? {
                Some(entry) => self.take(entry),
                None => {
                    self.ended = true;
                    self.release();
                    if self.options.custom_buckets {
                        self.custom.finish(&mut self.queue);
                    }
                }
            }
        }
    }

    /// The line behind what was read last, from 1 on.
    pub fn line(&self) -> usize {
        1 + memchr::memchr_iter(b'\n', self.body.get(..self.at).unwrap_or_default()).count()
    }

    /// Goes on behind the line that is wrong; `false` when there is nothing more to read.
    pub fn skip_line(&mut self) -> bool {
        let rest = self.body.get(self.at..).unwrap_or_default();
        if self.format == Format::Protobuf || rest.is_empty() {
            return false;
        }
        self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        self.at < self.body.len()
    }

    fn take(&mut self, entry: Entry<'a>) {
        let folds = self.options.fold_created && self.format == Format::OpenMetrics;
        match entry {
            Entry::Sample(sample) if folds && self.kind.has_start() => {
                if self.held.last().is_some_and(|last| family_key(last, self.kind) != family_key(&sample, self.kind)) {
                    self.release();
                }
                self.held.push(sample);
            }
            entry => {
                self.release();
                self.convert(entry);
            }
        }
    }

    /// Gives the samples of one metric their start, and lets them go.
    fn release(&mut self) {
        let kind = self.kind;
        let created = self.held.iter().position(|s| s.name().ends_with("_created"));
        let start = created.map(|at| self.held.remove(at)).map_or(0, |s| match s.value {
            Point::Float(seconds) if seconds.is_finite() => (seconds * 1000.0) as i64,
            _ => 0,
        });
        for mut sample in std::mem::take(&mut self.held) {
            if kind.has_start() {
                sample.start_ms = start;
            }
            self.convert(Entry::Sample(sample));
        }
    }

    fn convert(&mut self, entry: Entry<'a>) {
        if self.options.custom_buckets {
            let kind = match &entry {
                _ if self.format == Format::Protobuf => self.families.kind(),
                Entry::Sample(s) if family_name(s.name(), self.kind) != self.family => MetricKind::Unknown,
                _ => self.kind,
            };
            self.custom.take(entry, kind, &mut self.queue);
        } else {
            self.queue.push_back(entry);
        }
    }

    fn read(&mut self) -> Result<Option<Entry<'a>>, ParseError> {
        if self.format == Format::Protobuf {
            return self.families.next_entry();
        }
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            let blank = skip_blank(rest, self.format);
            if blank > 0 {
                self.at += blank;
                continue;
            }
            let start = self.at;
            let place = |fault: Fault| fault.place(self.body, start);
            if rest.is_empty() {
                if self.format == Format::OpenMetrics {
                    return Err(place(Fault::new(0, "data does not end with # EOF")));
                }
                return Ok(None);
            }
            if let Some((said, length)) = comment(rest, self.format).map_err(place)? {
                self.at += length;
                match said {
                    Comment::End if self.at < self.body.len() => {
                        return Err(Fault::new(0, "unexpected data after # EOF").place(self.body, self.at));
                    }
                    Comment::End => return Ok(None),
                    Comment::Help(name, text) => return Ok(Some(Entry::Help(name, text))),
                    Comment::Unit(name, text) => return Ok(Some(Entry::Unit(name, text))),
                    Comment::Plain(text) => return Ok(Some(Entry::Comment(text))),
                    Comment::Type(name, kind) => {
                        self.release();
                        self.kind = kind;
                        self.family.clone_from(&name);
                        return Ok(Some(Entry::Type(name, kind)));
                    }
                }
            }
            let head = series(rest, self.format, self.kind).map_err(place)?;
            let after = |fault: Fault| Fault { at: fault.at + head.value_at, ..fault };
            let tail = tail_rest(&rest[head.value_at..], self.format).map_err(after).map_err(place)?;
            self.at += head.value_at + tail.length;
            return Ok(Some(Entry::Sample(Sample {
                labels: head.labels,
                value: Point::Float(tail.value),
                timestamp_ms: tail.timestamp_ms,
                start_ms: 0,
                exemplars: tail.exemplar.into_iter().collect(),
            })));
        }
    }
}

/// Everything that is wrong with an exposition, for who mends it: after a mistake reading goes on at the next line. At
/// most `most` mistakes are told.
pub fn check(body: &[u8], format: Format, most: usize) -> Vec<ParseError> {
    let mut parser = Parser::new(body, format, ParseOptions::default());
    let mut out = Vec::new();
    while out.len() < most {
        match parser.next_entry() {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                out.push(error);
                if !parser.skip_line() {
                    break;
                }
            }
        }
    }
    out
}

/// What a sample shares with the `_created` line that belongs to it: the family's name, and labels but bounds and quantiles.
pub(crate) fn family_key<'s>(sample: &'s Sample<'_>, kind: MetricKind) -> (&'s str, Vec<(&'s str, &'s str)>) {
    labels_key(&sample.labels, kind)
}

pub(crate) fn labels_key<'s>(
    labels: &'s [(Cow<'_, str>, Cow<'_, str>)],
    kind: MetricKind,
) -> (&'s str, Vec<(&'s str, &'s str)>) {
    let mut rest: Vec<(&str, &str)> = labels
        .iter()
        .map(|(n, v)| (n.as_ref(), v.as_ref()))
        .filter(|(n, _)| !matches!(*n, kernel::labels::METRIC_NAME | "le" | "quantile"))
        .collect();
    rest.sort_unstable();
    let name = labels.iter().find(|(n, _)| n == kernel::labels::METRIC_NAME).map_or("", |(_, v)| v.as_ref());
    (family_name(name, kind), rest)
}

/// A sample's name without what its kind adds to it.
pub(crate) fn family_name(name: &str, kind: MetricKind) -> &str {
    let ends: &[&str] = match kind {
        MetricKind::Counter => &["_total", "_created"],
        MetricKind::Histogram => &["_bucket", "_sum", "_count", "_created"],
        MetricKind::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
        MetricKind::Summary => &["_sum", "_count", "_created"],
        MetricKind::Info => &["_info"],
        MetricKind::Unknown | MetricKind::Gauge | MetricKind::StateSet => &[],
    };
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Reads a whole exposition: its entries, and metadata by metric family.
///
/// # Errors
/// The first mistake.
pub fn parse_all<'a>(
    body: &'a [u8],
    format: Format,
    options: ParseOptions,
) -> Result<(Vec<Sample<'a>>, HashMap<String, super::Metadata>), ParseError> {
    let mut parser = Parser::new(body, format, options);
    let (mut samples, mut metadata) = (Vec::new(), HashMap::<String, super::Metadata>::new());
    while let Some(entry) = parser.next_entry()? {
        match entry {
            Entry::Sample(sample) => samples.push(sample),
            Entry::Help(name, text) => metadata.entry(name.into()).or_default().help = text.into(),
            Entry::Type(name, kind) => metadata.entry(name.into()).or_default().kind = kind,
            Entry::Unit(name, unit) => metadata.entry(name.into()).or_default().unit = unit.into(),
            Entry::Comment(_) => {}
        }
    }
    Ok((samples, metadata))
}
