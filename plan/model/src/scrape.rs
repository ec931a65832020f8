//! Metrics endpoints of a plan: where they are and how they are scraped (MET-01). Pure.

use kernel::Duration;
use kernel::secret::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::net::TlsSettings;

/// A Prometheus endpoint to scrape.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MetricsEndpoint {
    /// Only the URL.
    Url(Text),
    /// URL and settings.
    Full(Box<Scrape>),
}

/// A scrape with its settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scrape {
    /// URL of the metrics, in any of Prometheus's forms: text, OpenMetrics, protobuf.
    pub url: Text,
    /// How often; 15 s when left out.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long it may take; 10 s or the interval, the shorter, when left out.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// Value of the label `job`; the component's name when left out.
    #[serde(default)]
    pub job: Option<String>,
    /// Value of the header `Authorization`.
    #[serde(default)]
    pub authorization: Option<Text>,
    /// TLS settings, for an `https` address.
    #[serde(default)]
    pub tls: TlsSettings,
    /// Take native histograms where the target has them; classic ones are kept beside them. It is then asked for protobuf first.
    #[serde(default)]
    pub native_histograms: bool,
    /// What one scrape may bring; beyond it the scrape fails and says which limit it was.
    #[serde(default)]
    pub limits: ScrapeLimits,
    /// Requests per second and minute, percentiles, mean and share of errors are derived from these metrics (MET-04).
    #[serde(default)]
    pub http: Option<HttpMetrics>,
}

impl Scrape {
    /// With what is usual.
    pub fn of(url: Text) -> Self {
        Self {
            url,
            every: None,
            timeout: None,
            job: None,
            authorization: None,
            tls: TlsSettings::default(),
            native_histograms: false,
            limits: ScrapeLimits::default(),
            http: None,
        }
    }
}

/// What one scrape may bring.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrapeLimits {
    /// Samples; 50000 when left out.
    #[serde(default)]
    pub samples: Option<u64>,
    /// Bytes of the answer, unpacked; 16 MiB when left out.
    #[serde(default)]
    pub body_bytes: Option<u64>,
    /// Labels of a series, name and Farero's own included; 128 when left out.
    #[serde(default)]
    pub labels: Option<u64>,
    /// Bytes of a label's name; 1024 when left out.
    #[serde(default)]
    pub label_name_bytes: Option<u64>,
    /// Bytes of a label's value; 16384 when left out.
    #[serde(default)]
    pub label_value_bytes: Option<u64>,
    /// Buckets of a native histogram, which is made coarser until it fits; any number when left out.
    #[serde(default)]
    pub buckets: Option<u64>,
}

/// Which metrics tell of a service's HTTP requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpMetrics {
    /// Histogram of durations in seconds; `http_request_duration_seconds` when left out.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"))]
    pub duration: Option<String>,
    /// Counter of requests; the histogram's own count when left out.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"))]
    pub requests: Option<String>,
    /// Label that carries the status of the answer; `status` when left out.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-zA-Z_][a-zA-Z0-9_]*$"))]
    pub status: Option<String>,
}

impl HttpMetrics {
    /// Histogram of durations in seconds.
    pub fn duration(&self) -> &str {
        self.duration.as_deref().unwrap_or("http_request_duration_seconds")
    }

    /// Label that carries the status of the answer.
    pub fn status(&self) -> &str {
        self.status.as_deref().unwrap_or("status")
    }
}

impl MetricsEndpoint {
    /// URL and settings, with defaults.
    pub fn scrape(&self) -> Scrape {
        match self {
            Self::Url(url) => Scrape::of(url.clone()),
            Self::Full(s) => (**s).clone(),
        }
    }
}
