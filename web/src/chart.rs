//! A check's latency over time, thinned to what a screen shows, and the same in numbers. Pure but for reading series.

use kernel::Timestamp;
use kernel::probe::CheckId;
use kernel::series::{Matcher, Select, Series, SeriesError, SeriesReader, is_stale};
use serde::Serialize;
use utoipa::ToSchema;

use crate::limits::{CHART_POINTS, CHART_SAMPLES};

/// The phases in the order in which they happen.
pub(crate) const PHASES: [&str; 5] = ["resolve", "connect", "tls", "processing", "transfer"];

/// Latency of a check over time; all lists are as long as `at`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Chart {
    /// Seconds since the epoch at which each point begins.
    pub at: Vec<i64>,
    /// Seconds from one point to the next.
    pub step: i64,
    /// Longest time within the point, milliseconds; none where nothing was measured.
    pub total: Vec<Option<f64>>,
    /// Whether a failure lies within the point.
    pub down: Vec<bool>,
    /// Mean time of each phase, milliseconds, in the order in which they happen; only phases that were measured.
    pub phases: Vec<PhaseLine>,
    /// Median of all measurements, milliseconds.
    pub median: Option<f64>,
    /// 95 in 100 took this long or less, milliseconds.
    pub p95: Option<f64>,
    /// The slowest, milliseconds.
    pub max: Option<f64>,
}

/// One phase over time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PhaseLine {
    /// Its name: `resolve`, `connect`, `tls`, `processing`, `transfer`.
    pub phase: String,
    /// Mean within each point, milliseconds.
    pub values: Vec<Option<f64>>,
}

/// Reads the chart of a check. Blocking: run it off the async threads.
pub(crate) fn read(
    reader: &dyn SeriesReader,
    check: &CheckId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Chart, SeriesError> {
    let span = to.as_millis() - from.as_millis();
    let points = i64::try_from(CHART_POINTS).unwrap_or(600);
    let step_ms = ((span + points * 1_000 - 1) / (points * 1_000)).max(1) * 1_000;
    let start = from.as_millis().div_euclid(step_ms) * step_ms;
    let slots = usize::try_from((to.as_millis() - start) / step_ms + 1).unwrap_or(1);
    let select = |metric: &str| {
        reader.select(&Select {
            matchers: vec![
                Matcher::equal(kernel::labels::METRIC_NAME, metric),
                Matcher::equal("system", &check.system),
                Matcher::equal("service", &check.component),
                Matcher::equal("check", &check.check),
            ],
            start_ms: start,
            end_ms: to.as_millis(),
        })
    };
    let slot = |t: i64| usize::try_from((t - start) / step_ms).ok().filter(|i| *i < slots);
    let (totals, mut all) = totals(&select("probe_duration_seconds")?, slots, slot);
    let mut down = vec![false; slots];
    for (t, v) in samples(&select("probe_success")?) {
        if let (Some(i), true) = (slot(t), v == 0.0) {
            down[i] = true;
        }
    }
    let phases = phase_lines(&select("probe_http_duration_seconds")?, slots, slot);
    all.sort_unstable_by(f64::total_cmp);
    let at = (0..slots).filter_map(|i| i64::try_from(i).ok()).map(|i| (start + i * step_ms) / 1_000).collect();
    Ok(Chart {
        at,
        step: step_ms / 1_000,
        total: totals,
        down,
        phases,
        median: quantile(&all, 0.5),
        p95: quantile(&all, 0.95),
        max: all.last().copied(),
    })
}

fn samples(series: &[Series]) -> impl Iterator<Item = (i64, f64)> {
    let all = series
        .iter()
        .flat_map(|s| s.timestamps.iter().copied().zip(s.values.floats().unwrap_or_default().iter().copied()));
    all.filter(|(_, v)| !is_stale(*v) && v.is_finite()).take(CHART_SAMPLES)
}

/// The longest time per slot, and all times.
fn totals(series: &[Series], slots: usize, slot: impl Fn(i64) -> Option<usize>) -> (Vec<Option<f64>>, Vec<f64>) {
    let (mut totals, mut all) = (vec![None::<f64>; slots], Vec::new());
    for (t, v) in samples(series) {
        if let Some(i) = slot(t) {
            let ms = v * 1_000.0;
            totals[i] = Some(totals[i].map_or(ms, |old| old.max(ms)));
            all.push(ms);
        }
    }
    (totals, all)
}

fn phase_lines(series: &[Series], slots: usize, slot: impl Fn(i64) -> Option<usize>) -> Vec<PhaseLine> {
    let mut lines = Vec::new();
    for phase in PHASES {
        let own: Vec<Series> = series.iter().filter(|s| s.labels.get("phase") == Some(phase)).cloned().collect();
        if own.is_empty() {
            continue;
        }
        let mut sums = vec![(0.0, 0u32); slots];
        for (t, v) in samples(&own) {
            if let Some(i) = slot(t) {
                sums[i] = (sums[i].0 + v * 1_000.0, sums[i].1 + 1);
            }
        }
        let mean = |(sum, n): (f64, u32)| (n > 0).then(|| sum / f64::from(n));
        lines.push(PhaseLine { phase: phase.to_owned(), values: sums.into_iter().map(mean).collect() });
    }
    lines
}

fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    // At most a few hundred thousand values: the index is exact.
    sorted.get((last as f64 * q).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use decide_promql::memory::MemoryReader;
    use kernel::Labels;

    #[test]
    fn a_chart_keeps_the_slowest_of_each_point_and_the_failures() {
        let mut reader = MemoryReader::default();
        let labels = |metric: &str| Labels::metric(metric, [("system", "s"), ("service", "c"), ("check", "k")]);
        let seconds: Vec<(i64, f64)> = (0..7_200).map(|s| (s * 1_000, if s == 4_000 { 9.0 } else { 0.1 })).collect();
        reader.add(labels("probe_duration_seconds"), &seconds);
        let success: Vec<(i64, f64)> = (0..7_200).map(|s| (s * 1_000, f64::from(u8::from(s != 5_000)))).collect();
        reader.add(labels("probe_success"), &success);
        let id = CheckId::new("s", "c", "k");
        let chart = read(&reader, &id, Timestamp::from_secs(0), Timestamp::from_secs(7_199)).unwrap();
        assert!(chart.at.len() <= CHART_POINTS + 2, "{}", chart.at.len());
        assert_eq!(chart.total.iter().flatten().copied().fold(0.0, f64::max), 9_000.0);
        assert_eq!(chart.down.iter().filter(|d| **d).count(), 1);
        assert_eq!((chart.median, chart.max), (Some(100.0), Some(9_000.0)));
    }
}
