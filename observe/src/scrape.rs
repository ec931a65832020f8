//! Pulls metrics that a target publishes in Prometheus's text form or as OpenMetrics (MET-01). I/O.
//!
//! As with probes, everything that can be done once is done by [`prepare_scrape`]; [`PreparedScrape::perform`] always
//! comes back with a result. A scrape counts whole or not at all: half of a target's metrics would look like a fall.

use std::io::Read;

use flate2::read::GzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use kernel::secret::{Redactor, Resolver, Text};
use kernel::{Clock, Duration};
use plan_model::check::HttpCheck;
use plan_model::component::Scrape;
use tokio::time::Instant;

use crate::probe::http::{Answer, Asker, BodyLimits};
use crate::probe::{Attempt, CheckSettings, PrepareError, Preparing};

mod exposition;
mod line;

pub use exposition::{Exposition, Format, MOST_ERRORS, Metadata, MetricKind, ParseError, Sample, parse_exposition};

/// Longest body, unpacked; node_exporter's has about 150 KiB, a busy kube-state-metrics some MiB.
pub const BODY_LIMIT_BYTES: usize = 16 << 20;

/// Most samples of one scrape. A target that suddenly has more is broken more often than it has grown.
pub const SAMPLE_LIMIT: usize = 50_000;

/// A scrape may take this long when the plan says nothing, if its interval is not shorter.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

/// How often when the plan says nothing.
const USUAL_INTERVAL: Duration = Duration::from_secs(15);

/// What is asked for, the richest form first.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    text/plain;version=0.0.4;escaping=allow-utf-8;q=0.5,*/*;q=0.1";

/// What one scrape may bring; beyond it the scrape fails, with the limit's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrapeLimits {
    /// Bytes of the body, unpacked.
    pub body_bytes: usize,
    /// Samples.
    pub samples: usize,
}

impl Default for ScrapeLimits {
    fn default() -> Self {
        Self { body_bytes: BODY_LIMIT_BYTES, samples: SAMPLE_LIMIT }
    }
}

/// Why a scrape failed: counted by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScrapeFailure {
    /// No answer in time.
    Timeout,
    /// No connection, or it broke off.
    Connection,
    /// Another status than 200.
    Status,
    /// More bytes than [`ScrapeLimits::body_bytes`].
    BodyLimit,
    /// More samples than [`ScrapeLimits::samples`].
    SampleLimit,
    /// The body cannot be unpacked or read.
    Unreadable,
}

/// A failure and its reason in words, redacted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ScrapeError {
    /// What kind of failure.
    pub failure: ScrapeFailure,
    /// What happened.
    pub reason: String,
}

/// What a scrape brought. On failure there is an error and no sample.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrapeResult {
    /// The samples in the order of the body; a series that came twice counts once, with its first value.
    pub samples: Vec<Sample>,
    /// Kinds, units and help texts of the metrics.
    pub metadata: Vec<Metadata>,
    /// Samples that came more than once.
    pub duplicates: usize,
    /// How long it took, reading included: `scrape_duration_seconds`.
    pub duration: Duration,
    /// Length of the body, unpacked.
    pub body_bytes: usize,
    /// Why it failed; `up` is 0 then.
    pub error: Option<ScrapeError>,
}

/// A scrape that is ready to be performed as often as wanted.
#[derive(Debug)]
pub struct PreparedScrape {
    asker: Asker,
    settings: CheckSettings,
    limits: ScrapeLimits,
    redactors: [Redactor; 2],
}

/// Makes a scrape ready: resolves its references, reads its URL.
///
/// # Errors
/// A reference has no value, or the URL or the header cannot be used.
pub fn prepare_scrape(
    scrape: &Scrape,
    limits: ScrapeLimits,
    resolver: &dyn Resolver,
    redactor: &Redactor,
) -> Result<PreparedScrape, PrepareError> {
    let every = scrape.every.unwrap_or(USUAL_INTERVAL);
    let timeout = scrape.timeout.unwrap_or(USUAL_TIMEOUT.min(every));
    let pause = Duration::ZERO;
    let settings = CheckSettings { every, timeout, attempts: 1, pause, slow: None, labels: Vec::new() };
    let with = Preparing::new(resolver, &settings);
    let seconds = timeout.as_secs_f64().to_string();
    let mut request = HttpCheck { url: scrape.url.clone(), ..HttpCheck::default() };
    for (name, value) in
        [("Accept", ACCEPT), ("Accept-Encoding", "gzip"), ("X-Prometheus-Scrape-Timeout-Seconds", &seconds)]
    {
        request.headers.insert(name.to_owned(), Text::new(value));
    }
    request.headers.extend(scrape.authorization.clone().map(|text| ("Authorization".to_owned(), text)));
    let asker = Asker::prepare(&request, &with)?;
    let redactors = [redactor.clone(), redactor.beside(with.into_secrets())];
    Ok(PreparedScrape { asker, settings, limits, redactors })
}

impl PreparedScrape {
    /// How often it should be performed.
    pub const fn every(&self) -> Duration {
        self.settings.every
    }

    /// Pulls once. Never panics and never fails: whatever happens is in the result.
    pub async fn perform(&self, clock: &dyn Clock) -> ScrapeResult {
        let began = Instant::now();
        let mut result = match self.pull(clock).await {
            Ok(result) => result,
            Err(error) => ScrapeResult {
                samples: Vec::new(),
                metadata: Vec::new(),
                duplicates: 0,
                duration: Duration::ZERO,
                body_bytes: 0,
                error: Some(self.redacted(error)),
            },
        };
        result.duration = began.elapsed().into();
        result
    }

    async fn pull(&self, clock: &dyn Clock) -> Result<ScrapeResult, ScrapeError> {
        let attempt = Attempt::new(&self.settings, clock.now());
        let limits = BodyLimits { kept: self.limits.body_bytes, read: self.limits.body_bytes };
        let asked = tokio::time::timeout_at(attempt.deadline(), self.asker.ask(limits, &attempt)).await;
        let answer = match asked.map(|asked| asked.answer) {
            Ok(Ok(answer)) => answer,
            Ok(Err(reason)) => return Err(failed(ScrapeFailure::Connection, reason)),
            Err(_) => {
                let reason = format!("no answer within {}: given up while {}", self.settings.timeout, attempt.step());
                return Err(failed(ScrapeFailure::Timeout, reason));
            }
        };
        read_answer(&answer, self.limits)
    }

    fn redacted(&self, error: ScrapeError) -> ScrapeError {
        let reason = self.redactors.iter().fold(error.reason, |text, r| r.redact(&text));
        ScrapeError { reason, ..error }
    }
}

fn failed(failure: ScrapeFailure, reason: impl Into<String>) -> ScrapeError {
    ScrapeError { failure, reason: reason.into() }
}

fn read_answer(answer: &Answer, limits: ScrapeLimits) -> Result<ScrapeResult, ScrapeError> {
    if answer.status() != http::StatusCode::OK {
        return Err(failed(ScrapeFailure::Status, format!("the target says {}", answer.status_line())));
    }
    let header = |name| answer.headers().get(name).and_then(|v: &http::HeaderValue| v.to_str().ok());
    let too_long = || failed(ScrapeFailure::BodyLimit, format!("the body is longer than {} bytes", limits.body_bytes));
    if answer.is_cut() {
        return Err(too_long());
    }
    let unpacked;
    let body = match header(CONTENT_ENCODING) {
        Some("gzip") => {
            unpacked = unpack(answer.body(), limits.body_bytes)?;
            if unpacked.len() > limits.body_bytes {
                return Err(too_long());
            }
            &unpacked
        }
        _ => answer.body(),
    };
    let exposition = Format::of(header(CONTENT_TYPE), body).parse(body).map_err(|errors| unreadable(&errors))?;
    if exposition.samples.len() > limits.samples {
        let reason = format!("{} samples, more than the limit of {}", exposition.samples.len(), limits.samples);
        return Err(failed(ScrapeFailure::SampleLimit, reason));
    }
    let Exposition { mut samples, metadata } = exposition;
    let all = samples.len();
    let mut seen = std::collections::HashSet::with_capacity(all);
    samples.retain(|s| seen.insert((s.labels.clone(), s.timestamp_ms)));
    Ok(ScrapeResult {
        duplicates: all - samples.len(),
        samples,
        metadata,
        duration: Duration::ZERO,
        body_bytes: body.len(),
        error: None,
    })
}

/// At most one byte more than `limit`, which tells that there would be more.
fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, ScrapeError> {
    let mut out = Vec::with_capacity((packed.len() * 4).min(limit));
    let read = GzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut out);
    read.map_err(|e| failed(ScrapeFailure::Unreadable, format!("the body cannot be unpacked: {e}")))?;
    Ok(out)
}

/// The first errors in words, and how many there are.
fn unreadable(errors: &[ParseError]) -> ScrapeError {
    let shown = errors.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let more = errors.len().saturating_sub(3);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    failed(ScrapeFailure::Unreadable, format!("{shown}{rest}"))
}
