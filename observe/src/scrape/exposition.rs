//! Prometheus's text form 0.0.4 and OpenMetrics 1.0, read whole with all errors. Pure.
//!
//! Text form: <https://prometheus.io/docs/instrumenting/exposition_formats/>; OpenMetrics:
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Where the two differ, the [`Format`] decides: OpenMetrics
//! gives timestamps in seconds and ends with `# EOF`, without which it was cut off. Exemplars are read over.

use kernel::Labels;

use super::line::Cursor;

/// Of a broken body at most this many errors are returned: the rest would say the same.
pub const MOST_ERRORS: usize = 100;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which series, its name included.
    pub labels: Labels,
    /// The value.
    pub value: f64,
    /// When it was measured, where the target says so itself.
    pub timestamp_ms: Option<i64>,
}

/// What a body says of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The metric's name: in OpenMetrics the family's, without suffixes such as `_total`.
    pub name: String,
    /// `# TYPE`
    pub kind: MetricKind,
    /// `# HELP`
    pub help: String,
    /// `# UNIT`
    pub unit: String,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of the formats")]
pub enum MetricKind {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
    /// `untyped` in the text form, and where nothing is said.
    #[default]
    Unknown,
}

impl MetricKind {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "gaugehistogram" => Self::GaugeHistogram,
            "summary" => Self::Summary,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            "unknown" | "untyped" => Self::Unknown,
            _ => return None,
        })
    }
}

/// Everything that a body says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    /// Samples in the order of the lines.
    pub samples: Vec<Sample>,
    /// What is said of the metrics, in the order of the lines.
    pub metadata: Vec<Metadata>,
}

/// Something that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's text form, `text/plain; version=0.0.4`.
    Text,
    /// `application/openmetrics-text`.
    OpenMetrics,
}

impl Format {
    /// The form of an answer, by its content type; where that says nothing, by its last line.
    pub fn of(content_type: Option<&str>, body: &[u8]) -> Self {
        match content_type.map(|t| t.split(';').next().unwrap_or_default().trim()) {
            Some("application/openmetrics-text") => Self::OpenMetrics,
            Some("text/plain") => Self::Text,
            _ if body.trim_ascii_end().ends_with(b"# EOF") => Self::OpenMetrics,
            _ => Self::Text,
        }
    }

    /// Reads a whole body.
    ///
    /// # Errors
    /// All lines that cannot be read, [`MOST_ERRORS`] at most.
    pub fn parse(self, body: &[u8]) -> Result<Exposition, Vec<ParseError>> {
        let mut reader = Reader { format: self, out: Exposition::default(), errors: Vec::new(), ended: false };
        let mut last = 0;
        for (i, line) in body.split(|b| *b == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if reader.errors.len() >= MOST_ERRORS {
                break;
            }
            if !line.is_empty() {
                last = i + 1;
                reader.read_line(i + 1, line);
            }
        }
        if self == Self::OpenMetrics && !reader.ended && reader.errors.is_empty() {
            let message = "`# EOF` is missing: the body was cut off".to_owned();
            reader.errors.push(ParseError { line: last + 1, column: 1, message });
        }
        if reader.errors.is_empty() { Ok(reader.out) } else { Err(reader.errors) }
    }
}

/// Reads a whole body, in the form that its last line tells.
///
/// # Errors
/// All lines that cannot be read, [`MOST_ERRORS`] at most.
pub fn parse_exposition(body: &[u8]) -> Result<Exposition, Vec<ParseError>> {
    Format::of(None, body).parse(body)
}

struct Reader {
    format: Format,
    out: Exposition,
    errors: Vec<ParseError>,
    ended: bool,
}

impl Reader {
    fn read_line(&mut self, number: usize, line: &[u8]) {
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(e) => return self.fail(number, e.valid_up_to(), "this is not UTF-8"),
        };
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let read = if cursor.is_at_end() {
            Ok(())
        } else if self.ended {
            Err((cursor.at(), "nothing may follow `# EOF`".to_owned()))
        } else if cursor.take("#") {
            self.read_comment(&mut cursor)
        } else {
            self.read_sample(&mut cursor)
        };
        if let Err((at, message)) = read {
            self.fail(number, at, &message);
        }
    }

    fn fail(&mut self, line: usize, at: usize, message: &str) {
        self.errors.push(ParseError { line, column: at + 1, message: message.to_owned() });
    }

    fn read_comment(&mut self, cursor: &mut Cursor<'_>) -> Result<(), (usize, String)> {
        cursor.skip_blanks();
        match cursor.word() {
            "EOF" if self.format == Format::OpenMetrics => self.ended = true,
            "HELP" => {
                let (name, text) = cursor.name_and_rest()?;
                self.metadata(name).help = unescaped(text);
            }
            "UNIT" => {
                let (name, text) = cursor.name_and_rest()?;
                self.metadata(name).unit = text.trim().to_owned();
            }
            "TYPE" => {
                let (name, text) = cursor.name_and_rest()?;
                let kind = MetricKind::parse(text.trim());
                let wrong = || (cursor.at(), format!("`{}` is no kind of metric", text.trim()));
                self.metadata(name).kind = kind.ok_or_else(wrong)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The entry of a metric: the last one, or a new one.
    fn metadata(&mut self, name: String) -> &mut Metadata {
        let all = &mut self.out.metadata;
        if all.last().is_none_or(|last| last.name != name) {
            all.push(Metadata { name, ..Metadata::default() });
        }
        let last = all.len() - 1;
        &mut all[last]
    }

    fn read_sample(&mut self, cursor: &mut Cursor<'_>) -> Result<(), (usize, String)> {
        let labels = cursor.series()?;
        let value = cursor.number("a value")?;
        cursor.skip_blanks();
        let timestamp_ms = if cursor.is_at_end() || cursor.is_before("#") {
            None
        } else {
            Some(match self.format {
                Format::Text => cursor.whole_number("a timestamp in milliseconds")?,
                Format::OpenMetrics => (cursor.number("a timestamp in seconds")? * 1_000.0).round() as i64,
            })
        };
        cursor.skip_blanks();
        if cursor.take("#") {
            read_exemplar(cursor)?;
        }
        cursor.skip_blanks();
        if !cursor.is_at_end() {
            return Err((cursor.at(), "nothing more is expected on this line".to_owned()));
        }
        self.out.samples.push(Sample { labels, value, timestamp_ms });
        Ok(())
    }
}

/// `# {trace_id="x"} 0.67 1520879607.789`: read to see that it is one, and forgotten.
fn read_exemplar(cursor: &mut Cursor<'_>) -> Result<(), (usize, String)> {
    cursor.skip_blanks();
    cursor.labels_of_exemplar()?;
    cursor.number("an exemplar's value")?;
    cursor.skip_blanks();
    if !cursor.is_at_end() {
        cursor.number("an exemplar's timestamp")?;
    }
    Ok(())
}

/// A help text: `\\` and `\n` are escapes (in OpenMetrics `\"` too), any other backslash stands for itself.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some(escaped @ ('\\' | '"')) => out.push(escaped),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
#[path = "exposition_tests.rs"]
mod tests;
