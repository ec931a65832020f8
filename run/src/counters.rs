//! What Farero counts about itself: work done, work left out, and why. I/O: none.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Latenesses of a minute at 1,000 checks a second.
const LATENESS_KEPT: usize = 60_000;

/// All counters. Each is shown on Farero's own page and under `/metrics`.
#[derive(Debug, Default)]
pub struct Counters {
    /// Results of checks that were taken in.
    pub results: Counter,
    /// Runs left out because the run before was still going.
    pub skipped_running: Counter,
    /// Runs left out because [`crate::loops::probes::MOST_IN_FLIGHT`] were going.
    pub skipped_full: Counter,
    /// Samples that the series store took, scraped ones aside, which the scraper counts.
    pub samples: Counter,
    /// Samples left out as out of order.
    pub samples_out_of_order: Counter,
    /// Samples and results that could not be stored; the text of the last error is in the log.
    pub store_errors: Counter,
    /// Signed checkpoints of the trail.
    pub checkpoints: Counter,
    /// Rule groups evaluated.
    pub evaluations: Counter,
    /// Evaluations that failed, whole or in part.
    pub evaluations_failed: Counter,
    /// Evaluations left out because the one before took longer than the interval.
    pub evaluations_missed: Counter,
    /// Messages handed to a channel.
    pub messages_sent: Counter,
    /// Tries that failed.
    pub messages_failed: Counter,
    /// Messages found half sent after a crash and sent again: the one place where twice is possible.
    pub messages_repeated: Counter,
    /// Plans loaded.
    pub reloads: Counter,
    /// Plans refused.
    pub reloads_refused: Counter,
    /// Times that a system was prepared anew because its secrets had changed.
    pub secrets_changed: Counter,
    /// Calls that an outside heartbeat took.
    pub watchdog_calls: Counter,
    /// Calls that it did not take.
    pub watchdog_failures: Counter,
    lateness_ms: Mutex<Vec<u32>>,
}

impl Counters {
    /// Notes how late a check began.
    pub fn note_lateness(&self, ms: u64) {
        let mut all = self.lateness_ms.lock();
        if all.len() < LATENESS_KEPT {
            all.push(u32::try_from(ms).unwrap_or(u32::MAX));
        }
    }

    /// The 99th percentile of the latenesses noted since the last call, milliseconds.
    pub fn take_lateness_p99(&self) -> Option<f64> {
        let mut all = std::mem::take(&mut *self.lateness_ms.lock());
        let place = (all.len() * 99 / 100).min(all.len().checked_sub(1)?);
        let (_, p99, _) = all.select_nth_unstable(place);
        Some(f64::from(*p99))
    }

    /// Name, meaning, value of each, for `/metrics`.
    pub fn list(&self) -> Vec<(&'static str, &'static str, u64)> {
        vec![
            ("farero_check_results_total", "Results of checks taken in.", self.results.get()),
            (
                "farero_checks_skipped_running_total",
                "Runs left out: the run before was still going.",
                self.skipped_running.get(),
            ),
            ("farero_checks_skipped_full_total", "Runs left out: too many checks in flight.", self.skipped_full.get()),
            ("farero_samples_total", "Samples stored, scraped ones aside.", self.samples.get()),
            ("farero_samples_out_of_order_total", "Samples left out as out of order.", self.samples_out_of_order.get()),
            ("farero_store_errors_total", "Failures to store samples or results.", self.store_errors.get()),
            ("farero_trail_checkpoints_total", "Signed checkpoints of the trail.", self.checkpoints.get()),
            ("farero_rule_evaluations_total", "Rule groups evaluated.", self.evaluations.get()),
            (
                "farero_rule_evaluations_failed_total",
                "Rule group evaluations with errors.",
                self.evaluations_failed.get(),
            ),
            (
                "farero_rule_evaluations_missed_total",
                "Rule group evaluations left out as late.",
                self.evaluations_missed.get(),
            ),
            ("farero_messages_sent_total", "Messages handed to a channel.", self.messages_sent.get()),
            ("farero_messages_failed_total", "Tries to send that failed.", self.messages_failed.get()),
            ("farero_messages_repeated_total", "Messages sent again after a crash.", self.messages_repeated.get()),
            ("farero_watchdog_calls_total", "Calls that an outside heartbeat took.", self.watchdog_calls.get()),
            (
                "farero_watchdog_failures_total",
                "Calls that an outside heartbeat did not take.",
                self.watchdog_failures.get(),
            ),
            (
                "farero_secrets_changed_total",
                "Systems prepared anew because secrets changed.",
                self.secrets_changed.get(),
            ),
            ("farero_plan_loads_total", "Plans loaded.", self.reloads.get()),
            ("farero_plan_loads_refused_total", "Plans refused.", self.reloads_refused.get()),
        ]
    }
}
