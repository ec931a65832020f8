//! One scrape: asking, reading, rows, report. I/O.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use kernel::series::{KEPT_MS, SeriesError};

use super::counters::count;
use super::views::Health;
use super::{Active, Shared};
use crate::client::{ClientError, Head, LARGEST_BODY_BYTES, unpack};
use crate::exposition::Format;
use crate::reader::{Input, ReadCounts, ReadError, Scratch, TargetReader};

/// Bodies up to this are read where they arrive: handing them to another thread would cost more.
const INLINE_BYTES: usize = 256 << 10;

/// Samples may bring times so far in the future (Prometheus's bound).
const MOST_AHEAD_MS: i64 = 10 * 60_000;

/// Buffers that grew beyond this are given back.
const KEPT_BUFFER_BYTES: usize = 4 << 20;

/// So many sets of buffers are kept.
const KEPT_BUFFERS: usize = 32;

const REPORTS: [&str; 8] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
];
const USUAL_REPORTS: usize = 5;

/// Buffers of one scrape.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    body: Vec<u8>,
    unpacked: Vec<u8>,
    scratch: Scratch,
}

/// Why a scrape failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("Get {url:?}: {error}")]
    Asking { url: String, error: ClientError },
    #[error(transparent)]
    Answer(ClientError),
    #[error("{0}")]
    Forced(String),
}

/// A scrape whose answer is here.
struct Work {
    active: Arc<Active>,
    shared: Arc<Shared>,
    t_ms: i64,
    started: Instant,
    buffers: Buffers,
    head: Option<Head>,
    failure: Option<Failure>,
    counts: ReadCounts,
    body_bytes: f64,
}

/// Scrapes a target; samples get the time `t_ms`.
pub(super) async fn scrape(active: Arc<Active>, shared: Arc<Shared>, t_ms: i64) {
    count(&shared.counters.scrapes, 1);
    let started = Instant::now();
    let buffers = shared.buffers.lock().pop().unwrap_or_default();
    let mut work = Work {
        active,
        shared,
        t_ms,
        started,
        buffers,
        head: None,
        failure: None,
        counts: ReadCounts::default(),
        body_bytes: 0.0,
    };
    match work.ask().await {
        Ok(head) => work.head = Some(head),
        Err(failure) => work.failure = Some(failure),
    }
    let active = Arc::clone(&work.active);
    let large = work.head.is_some() && work.buffers.body.len() > INLINE_BYTES;
    let done = if large {
        tokio::task::spawn_blocking(move || {
            work.read();
            work.finish();
        })
        .await
    } else {
        work.read();
        if work.needs_store() {
            // The store may make it wait.
            tokio::task::spawn_blocking(move || work.finish()).await
        } else {
            work.finish();
            Ok(())
        }
    };
    if let Err(error) = done {
        tracing::error!(%error, target = active.target.url, "a scrape ended early");
    }
    active.busy.store(false, Ordering::Release);
}

/// What the store had no columns for.
struct Refused {
    lines: Option<ReadError>,
    reports: Option<SeriesError>,
}

impl Refused {
    /// Whether the store no longer knows a group.
    const fn is_forgotten(&self) -> bool {
        matches!(self.lines, Some(ReadError::Store(SeriesError::UnknownGroup(_))))
            || matches!(self.reports, Some(SeriesError::UnknownGroup(_)))
    }
}

impl Work {
    async fn ask(&mut self) -> Result<Head, Failure> {
        let at_work = &self.active.at_work;
        if let Some(error) = at_work.forced_error.read().clone() {
            return Err(Failure::Forced(error));
        }
        let asking = |error| Failure::Asking { url: self.active.target.url.clone(), error };
        let request = self.active.request.as_ref().map_err(|e| asking(e.clone()))?;
        let mut kept = self.active.connection.lock().take();
        let limit = self.limit();
        let fetch = at_work.client.fetch(request, &mut kept, &mut self.buffers.body, limit);
        let head = match tokio::time::timeout(self.active.target.timeout, fetch).await {
            Ok(Ok(head)) => head,
            Ok(Err(error @ ClientError::BodyLimit)) => return Err(Failure::Answer(error)),
            Ok(Err(error)) => return Err(asking(error)),
            Err(_) => return Err(asking(ClientError::Timeout)),
        };
        *self.active.connection.lock() = kept;
        if head.status == 200 { Ok(head) } else { Err(Failure::Answer(ClientError::Status(head.status_line()))) }
    }

    fn limit(&self) -> u64 {
        match self.active.at_work.job.limits.body_bytes {
            0 => LARGEST_BODY_BYTES,
            limit => limit,
        }
    }

    /// Unpacks and reads the body; touches the store not at all.
    fn read(&mut self) {
        if self.head.is_none() {
            return;
        }
        let active = Arc::clone(&self.active);
        let mut reader = active.reader.lock();
        let epoch = self.shared.queue.epoch();
        let is_other = std::mem::replace(&mut *active.epoch.lock(), epoch) != epoch;
        let before = active.wrote_ms.swap(self.t_ms, Ordering::Relaxed);
        if is_other || self.t_ms.saturating_sub(before) >= KEPT_MS / 2 {
            reader.forget_columns();
        }
        self.read_with(&mut reader);
    }

    fn read_with(&mut self, reader: &mut TargetReader) {
        let Some(head) = self.head.take() else { return };
        self.failure = self.read_body(&head, reader).err();
        self.head = Some(head);
    }

    fn read_body(&mut self, head: &Head, reader: &mut TargetReader) -> Result<(), Failure> {
        let limit = self.limit();
        let Self { active, shared, buffers, .. } = self;
        let body =
            unpack(head, head.body.slice(&buffers.body), limit, &mut buffers.unpacked).map_err(Failure::Answer)?;
        self.body_bytes = body.len() as f64;
        let job = &active.at_work.job;
        let format = if body.is_empty() {
            // An empty body is in every form.
            Format::Text
        } else {
            Format::of(head.content_type.as_deref(), job.fallback_protocol).map_err(ReadError::from)?
        };
        let input = Input {
            body,
            format,
            settings: &active.settings,
            rules: &active.rules,
            hashes: &shared.hashes,
            latest_ms: shared.clock.now().as_millis() + MOST_AHEAD_MS,
        };
        let read = reader.read(&input, &mut buffers.scratch);
        self.counts = buffers.scratch.counts();
        Ok(read.map(drop)?)
    }

    /// Whether the store is asked for columns.
    fn needs_store(&self) -> bool {
        !self.active.reader.lock().has_reports() || (self.failure.is_none() && self.buffers.scratch.has_new())
    }

    /// Asks the store for the columns of new lines, and of what is said of the scrape.
    fn resolve(&mut self, reader: &mut TargetReader, names: &[&str]) -> Refused {
        let writer = self.shared.writer.as_ref();
        let lines = match &self.failure {
            Some(_) => None,
            None => reader.resolve(writer, &mut self.buffers.scratch).map(|counts| self.counts = counts).err(),
        };
        Refused { lines, reports: reader.resolve_reports(writer, &self.active.rules, names).err() }
    }

    fn finish(mut self) {
        let active = Arc::clone(&self.active);
        let shared = Arc::clone(&self.shared);
        let mut reader = active.reader.lock();
        let names = if active.at_work.job.extra_metrics { &REPORTS[..] } else { &REPORTS[..USUAL_REPORTS] };
        let mut refused = self.resolve(&mut reader, names);
        if refused.is_forgotten() {
            // The clock of the samples went on without this target: its group is opened again, and all is asked anew.
            reader.forget_columns();
            if self.failure.is_none() {
                self.read_with(&mut reader);
            }
            refused = self.resolve(&mut reader, names);
        }
        if let Some(error) = refused.lines {
            self.failure = Some(error.into());
        }
        if let Some(error) = refused.reports {
            tracing::error!(%error, target = active.target.url, "the store has no place for what is said of a scrape");
        }
        let duration = self.started.elapsed();
        let values = self.reports(duration.as_secs_f64());
        let track = active.settings.track_timestamps_staleness;
        let t_ms = self.t_ms;
        shared.queue.put(|batch| {
            if self.failure.is_none() {
                reader.emit(&mut self.buffers.scratch, t_ms, track, &shared.hashes, batch);
            } else {
                reader.end_all(t_ms, track, batch);
            }
            reader.emit_reports(&values[..names.len()], t_ms, batch);
        });
        drop(reader);
        self.count();
        let mut status = active.status.write();
        status.health = if self.failure.is_none() { Health::Up } else { Health::Down };
        status.last_error = self.failure.as_ref().map(|f| active.said(&f.to_string())).unwrap_or_default();
        status.last_scrape = Some(kernel::Timestamp::from_millis(t_ms));
        status.last_duration = duration;
        let error = status.last_error.clone();
        drop(status);
        if !error.is_empty() {
            tracing::debug!(target = active.target.url, error, "a scrape failed");
            active.at_work.log_failure(shared.clock.now(), &active.target.url, &error);
        }
        self.give_back();
    }

    fn reports(&self, seconds: f64) -> [f64; REPORTS.len()] {
        let over = matches!(self.failure, Some(Failure::Answer(ClientError::BodyLimit)));
        [
            if self.failure.is_none() { 1.0 } else { 0.0 },
            seconds,
            self.counts.scraped as f64,
            self.counts.kept as f64,
            self.counts.added as f64,
            self.active.target.timeout.as_secs_f64(),
            self.active.at_work.job.limits.samples as f64,
            if over { -1.0 } else { self.body_bytes },
        ]
    }

    fn count(&self) {
        let counters = &self.shared.counters;
        count(&counters.duplicates, self.counts.duplicates as u64);
        count(&counters.out_of_bounds, self.counts.out_of_bounds as u64);
        count(&counters.moved, self.counts.moved as u64);
        let Some(failure) = &self.failure else { return };
        count(&counters.failed, 1);
        match failure {
            Failure::Answer(ClientError::BodyLimit) => count(&counters.body_limit, 1),
            Failure::Read(ReadError::SampleLimit) => count(&counters.sample_limit, 1),
            Failure::Read(ReadError::BucketLimit) => count(&counters.bucket_limit, 1),
            Failure::Read(ReadError::Line(_)) => count(&counters.label_limits, 1),
            _ => {}
        }
    }

    fn give_back(mut self) {
        for buffer in [&mut self.buffers.body, &mut self.buffers.unpacked] {
            if buffer.capacity() > KEPT_BUFFER_BYTES {
                *buffer = Vec::new();
            }
        }
        let mut all = self.shared.buffers.lock();
        if all.len() < KEPT_BUFFERS {
            all.push(std::mem::take(&mut self.buffers));
        }
    }
}

/// A target was taken off the list: its series end, what scraping says of it too.
pub(super) fn end_of_run(active: &Active, shared: &Shared, t_ms: i64) {
    let mut reader = active.reader.lock();
    let names = if active.at_work.job.extra_metrics { REPORTS.len() } else { USUAL_REPORTS };
    shared.queue.put(|batch| {
        reader.end_all(t_ms, active.settings.track_timestamps_staleness, batch);
        reader.emit_reports(&[kernel::series::stale_nan(); REPORTS.len()][..names], t_ms, batch);
    });
}
