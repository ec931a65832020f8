//! What scraping counts of itself. Pure.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $field:ident => $name:literal,)+) => {
        /// Counters, each with the name under which Prometheus shows it, or one of our own.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub(crate) $field: AtomicU64,)+
        }

        impl Counters {
            /// Names, meanings and values.
            pub fn all(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$(($name, concat!($($doc),+).trim_ascii(), self.$field.load(Ordering::Relaxed)),)+]
            }
        }
    };
}

counters! {
    /// Scrapes that were begun.
    scrapes => "farero_scrapes_total",
    /// Scrapes that failed.
    failed => "farero_scrapes_failed_total",
    /// Scrapes that were left out because the one before had not ended, or the program was late.
    missed => "farero_scrapes_missed_total",
    /// Scrapes that were left out because the store did not keep up.
    held_back => "farero_scrapes_held_back_total",
    /// Samples that the store took.
    samples => "farero_scrape_samples_total",
    /// Samples lost because the store refused them for good.
    lost => "farero_scrape_samples_lost_total",
    /// Times that the disk refused what was scraped; it is tried again.
    append_failures => "farero_scrape_append_failures_total",
    /// Samples of series that the store no longer knew.
    unknown => "farero_scrape_samples_unknown_total",
    /// Lines that were not in their place.
    moved => "farero_scrape_lines_moved_total",
    /// Bodies over body_size_limit.
    body_limit => "prometheus_target_scrapes_exceeded_body_size_limit_total",
    /// Bodies over sample_limit.
    sample_limit => "prometheus_target_scrapes_exceeded_sample_limit_total",
    /// Histograms over native_histogram_bucket_limit.
    bucket_limit => "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
    /// Label sets over label_limit and its like.
    label_limits => "prometheus_target_scrape_pool_exceeded_label_limits_total",
    /// Jobs over target_limit.
    target_limit => "prometheus_target_scrape_pool_exceeded_target_limit_total",
    /// Samples of a series that had one in the same body.
    duplicates => "prometheus_target_scrapes_sample_duplicate_timestamp_total",
    /// Samples older than the newest one of their series.
    out_of_order => "prometheus_target_scrapes_sample_out_of_order_total",
    /// Samples that bring a time too far in the future.
    out_of_bounds => "prometheus_target_scrapes_sample_out_of_bounds_total",
    /// Configurations that were taken.
    reloads => "prometheus_target_scrape_pool_reloads_total",
    /// Targets that discovery found and that cannot be used.
    bad_targets => "farero_scrape_targets_refused_total",
    /// Attempts to find targets that failed; the last ones found stay.
    discovery_failures => "prometheus_sd_refresh_failures_total",
    /// Lists of targets that discovery brought.
    discovery_updates => "prometheus_sd_updates_total",
}

/// Counts.
pub(crate) fn count(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
