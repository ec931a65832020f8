//! A job at work, and a target that is being scraped. I/O.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use kernel::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::Options;
use super::views::Status;
use crate::client::{ClientError, HttpClient, Request, Stream};
use crate::config::Job;
use crate::exposition::{ParseOptions, accept_header};
use crate::reader::{LineRules, MetadataStore, ReadSettings, TargetReader};
use crate::target::Target;

/// A job with what its scrapes need.
pub(super) struct JobAtWork {
    pub(super) job: Arc<Job>,
    pub(super) client: HttpClient,
    accept: String,
    /// Why no target of the job is scraped: there are too many.
    pub(super) forced_error: RwLock<Option<String>>,
    failure_log: Option<Mutex<std::fs::File>>,
}

impl JobAtWork {
    pub(super) fn new(job: &Arc<Job>) -> Self {
        let failure_log = job.failure_log.as_ref().and_then(|path| {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            if let Err(error) = &file {
                tracing::error!(path = %path.display(), %error, "scrape failures cannot be logged there");
            }
            file.ok().map(Mutex::new)
        });
        Self {
            client: HttpClient::new(&job.http),
            accept: accept_header(&job.protocols, job.escaping),
            forced_error: RwLock::default(),
            failure_log,
            job: Arc::clone(job),
        }
    }

    /// Writes a failure to `scrape_failure_log_file`, a JSON object a line, as Prometheus does.
    pub(super) fn log_failure(&self, now: Timestamp, target: &str, error: &str) {
        let Some(file) = &self.failure_log else { return };
        let line = serde_json::json!({
            "time": now.to_string(), "level": "ERROR", "msg": error, "job_name": self.job.name, "target": target,
        });
        if let Err(error) = writeln!(file.lock(), "{line}") {
            tracing::warn!(%error, "a scrape failure cannot be logged");
        }
    }

    /// How bodies of a target are read.
    fn settings(&self, target: &Target, options: &Options) -> ReadSettings {
        let (job, histograms) = (&self.job, target.histograms);
        let small = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        ReadSettings {
            honor_timestamps: job.honor_timestamps,
            track_timestamps_staleness: job.track_timestamps_staleness,
            sample_limit: small(job.limits.samples),
            bucket_limit: small(histograms.bucket_limit),
            min_bucket_factor: histograms.min_bucket_factor,
            parse: ParseOptions {
                fold_created: options.start_times,
                native_histograms: histograms.native,
                keep_classic: histograms.keep_classic,
                custom_buckets: histograms.custom_buckets,
            },
        }
    }

    fn rules(&self, target: &Target) -> LineRules {
        let small = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        LineRules {
            target: target.labels.clone(),
            honor_labels: self.job.honor_labels,
            relabel: Arc::clone(&self.job.metric_relabel),
            scheme: self.job.names,
            label_limit: small(self.job.limits.labels),
            name_length_limit: small(self.job.limits.label_name_length),
            value_length_limit: small(self.job.limits.label_value_length),
            conceal: self.job.concealed.labels.clone(),
        }
    }

    fn request(&self, target: &Target, options: &Options) -> Result<Request, ClientError> {
        let seconds = go_seconds(target.timeout);
        let probe = Request::get(&target.url, &[])?;
        // Unpacking costs more than parsing, and bytes over loopback cost nothing.
        let near = target.unix_socket().is_some() || probe.origin().is_loopback();
        let plain = !self.job.enable_compression || (near && !options.compress_loopback);
        let encoding = if plain { "identity" } else { "zstd, gzip;q=0.9" };
        let headers = [
            ("Accept", self.accept.as_str()),
            ("Accept-Encoding", encoding),
            ("X-Prometheus-Scrape-Timeout-Seconds", seconds.as_str()),
        ];
        let request = Request::get(&target.url, &headers)?;
        Ok(match target.unix_socket() {
            Some(path) => request.over_unix(path),
            None => request,
        })
    }
}

/// Seconds without needless digits.
fn go_seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

/// A target that is being scraped.
pub(super) struct Active {
    pub(super) target: Target,
    pub(super) at_work: Arc<JobAtWork>,
    pub(super) rules: LineRules,
    pub(super) settings: ReadSettings,
    pub(super) request: Result<Request, ClientError>,
    pub(super) group: String,
    pub(super) reader: Mutex<TargetReader>,
    pub(super) connection: Mutex<Option<Stream>>,
    pub(super) status: RwLock<Status>,
    pub(super) metadata: Arc<RwLock<MetadataStore>>,
    /// A scrape is under way.
    pub(super) busy: AtomicBool,
    /// It was taken off the list.
    pub(super) gone: AtomicBool,
    /// The queue's epoch when the reader's columns were asked for.
    pub(super) epoch: Mutex<u64>,
    /// The time of the last scrape that was answered, milliseconds since the epoch.
    pub(super) wrote_ms: AtomicI64,
}

impl Active {
    /// `before` is the same target under an older configuration: its places are still good if lines would get the same labels.
    pub(super) fn new(
        target: Target,
        at_work: &Arc<JobAtWork>,
        options: &Options,
        epoch: u64,
        before: Option<&Self>,
    ) -> Self {
        let rules = at_work.rules(&target);
        let settings = at_work.settings(&target, options);
        let group = target.group_name(&at_work.job.name);
        let same = before.filter(|b| {
            b.rules.honor_labels == rules.honor_labels
                && b.rules.relabel == rules.relabel
                && b.rules.scheme == rules.scheme
                && b.rules.conceal.secrets() == rules.conceal.secrets()
                && b.settings.honor_timestamps == settings.honor_timestamps
                && b.settings.parse == settings.parse
        });
        let fresh = || TargetReader::new(group.clone());
        let reader = same.map_or_else(fresh, |b| std::mem::replace(&mut *b.reader.lock(), fresh()));
        Self {
            request: at_work.request(&target, options),
            metadata: reader.metadata(),
            reader: Mutex::new(reader),
            connection: Mutex::new(None),
            status: RwLock::new(before.map(|b| b.status.read().clone()).unwrap_or_default()),
            busy: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            epoch: Mutex::new(epoch),
            wrote_ms: AtomicI64::new(before.map_or(0, |b| b.wrote_ms.load(Ordering::Relaxed))),
            at_work: Arc::clone(at_work),
            target,
            rules,
            settings,
            group,
        }
    }
}
