//! What one sender may bring, and what was turned away, counted by reason. Pure.

use std::sync::atomic::{AtomicU64, Ordering};

/// Longest body as it is sent. Prometheus's own queue sends some 100 KiB; an OpenTelemetry collector up to some MiB.
pub const BODY_BYTES: usize = 32 << 20;
/// Longest body unpacked: a small body that unpacks to more is a way to fill memory.
pub const DECODED_BYTES: usize = 128 << 20;
/// Most series of one sender that are alive at the same time.
pub const SERIES: usize = 2_000_000;
/// Most labels of a series, its name included. Kubernetes' widest series have about 40.
pub const LABELS: usize = 128;
/// Longest name of a label, bytes.
pub const LABEL_NAME_BYTES: usize = 1_024;
/// Longest value of a label, bytes: longer ones are texts, and belong into logs.
pub const LABEL_VALUE_BYTES: usize = 16 << 10;
/// Most series of one group of the store; then a second group is opened. A row of a group has a bit for each of its series,
/// so a group that is much wider than what is written at once costs space.
pub const GROUP_SERIES: u32 = 20_000;

/// What one sender may bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Longest body as it is sent, bytes.
    pub body_bytes: usize,
    /// Longest body unpacked, bytes.
    pub decoded_bytes: usize,
    /// Most series at the same time.
    pub series: usize,
    /// Most labels of a series.
    pub labels: usize,
    /// Longest name of a label, bytes.
    pub label_name_bytes: usize,
    /// Longest value of a label, bytes.
    pub label_value_bytes: usize,
    /// Most samples a second on average; bursts of ten seconds are taken.
    pub samples_per_second: Option<u64>,
    /// Most series of one group.
    pub group_series: u32,
    /// Only series of these systems, by the label [`SYSTEM`]; one alone is written where the label is missing. `None`: any.
    pub systems: Option<Vec<String>>,
}

/// The label that names the system of a series.
pub const SYSTEM: &str = "system";

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: BODY_BYTES,
            decoded_bytes: DECODED_BYTES,
            series: SERIES,
            labels: LABELS,
            label_name_bytes: LABEL_NAME_BYTES,
            label_value_bytes: LABEL_VALUE_BYTES,
            samples_per_second: None,
            group_series: GROUP_SERIES,
            systems: None,
        }
    }
}

/// Why something was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A body, or what it unpacks to, is too long.
    Body,
    /// A body that cannot be read.
    Malformed,
    /// More samples a second than allowed.
    Rate,
    /// More series than allowed.
    Series,
    /// More labels than allowed.
    Labels,
    /// A label's name or value is too long.
    LabelLength,
    /// No name, a name or a value that is none, the same label twice.
    InvalidLabels,
    /// A histogram that is none.
    InvalidHistogram,
    /// Something else of a request that makes no sense, such as a series without samples.
    Invalid,
    /// A delta where only cumulative values can be kept, or one that cannot be added up.
    Temporality,
    /// Too far in the future.
    Future,
    /// Older than the newest sample of its series.
    OutOfOrder,
    /// Another value at the same time.
    Conflict,
    /// Older than the window for late samples.
    TooOld,
    /// The store said no.
    Store,
    /// Of a system that its sender may not write for.
    System,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Body,
        Self::Malformed,
        Self::Rate,
        Self::Series,
        Self::Labels,
        Self::LabelLength,
        Self::InvalidLabels,
        Self::InvalidHistogram,
        Self::Invalid,
        Self::Temporality,
        Self::Future,
        Self::OutOfOrder,
        Self::Conflict,
        Self::TooOld,
        Self::Store,
        Self::System,
    ];

    /// Its name as a label's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Body => "body_too_long",
            Self::Malformed => "malformed",
            Self::Rate => "samples_per_second",
            Self::Series => "series",
            Self::Labels => "labels",
            Self::LabelLength => "label_length",
            Self::InvalidLabels => "invalid_labels",
            Self::InvalidHistogram => "invalid_histogram",
            Self::Invalid => "invalid",
            Self::Temporality => "temporality",
            Self::Future => "future",
            Self::OutOfOrder => "out_of_order",
            Self::Conflict => "conflict",
            Self::TooOld => "too_old",
            Self::Store => "store",
            Self::System => "system",
        }
    }
}

/// What was taken and turned away since the start; shared, counted without locks.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    samples: AtomicU64,
    exemplars: AtomicU64,
    rejected: [AtomicU64; Reason::ALL.len()],
}

impl Counters {
    /// Counts a request with what was taken of it.
    pub fn took(&self, samples: u64, exemplars: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.samples.fetch_add(samples, Ordering::Relaxed);
        self.exemplars.fetch_add(exemplars, Ordering::Relaxed);
    }

    /// Counts samples (or, where there are none to count, requests) that were turned away.
    pub fn reject(&self, reason: Reason, count: u64) {
        if let Some(counter) = self.rejected.get(reason as usize) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Requests that were understood.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Samples taken, histograms included.
    pub fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }

    /// Exemplars taken.
    pub fn exemplars(&self) -> u64 {
        self.exemplars.load(Ordering::Relaxed)
    }

    /// How much was turned away, and why.
    pub fn rejected(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::ALL.into_iter().zip(self.rejected.iter().map(|c| c.load(Ordering::Relaxed)))
    }
}

/// Bursts as long as this are taken above the average rate: senders catch up after an interruption.
const BURST_SECONDS: u64 = 10;

/// A bucket of tokens: so many samples a second on average.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    tokens: f64,
    last_ms: Option<i64>,
}

impl Rate {
    /// Takes `samples` out; `false` when there are too few. A request that is larger than a whole burst passes when the
    /// bucket is full, otherwise it never could.
    pub(crate) fn take(&mut self, per_second: u64, samples: u64, now_ms: i64) -> bool {
        let burst = (per_second.saturating_mul(BURST_SECONDS)) as f64;
        let since = self.last_ms.map_or(i64::MAX, |last| now_ms.saturating_sub(last).max(0));
        self.tokens = (self.tokens + since as f64 / 1e3 * per_second as f64).min(burst);
        self.last_ms = Some(now_ms.max(self.last_ms.unwrap_or(now_ms)));
        let wanted = (samples as f64).min(burst);
        let enough = self.tokens >= wanted;
        if enough {
            self.tokens -= samples as f64;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_by_their_place() {
        let counters = Counters::default();
        for (at, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at, "{}", reason.name());
            counters.reject(reason, at as u64);
        }
        assert!(counters.rejected().enumerate().all(|(at, (reason, n))| reason as usize == at && n == at as u64));
    }

    #[test]
    fn the_rate_is_kept_on_average() {
        let mut rate = Rate::default();
        assert!(rate.take(10, 100, 1_000));
        assert!(!rate.take(10, 1, 1_000));
        assert!(rate.take(10, 10, 2_000));
        assert!(!rate.take(10, 10, 2_500));
        assert!(rate.take(10, 5_000, 60_000), "larger than a burst, and the bucket is full");
        assert!(!rate.take(10, 1, 61_000), "which is paid for afterwards");
    }
}
