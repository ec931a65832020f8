//! What values are, and how people read them. Pure.

use std::sync::Arc;

use kernel::Language;
use serde::Serialize;

use crate::format::number;

/// Between a number and its unit: no line ends there.
const GAP: char = '\u{202f}';

/// What the values of a chart are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Numbers, large ones short: `1.2 k`, `3.4 M`.
    #[default]
    Short,
    /// Numbers, written out.
    Plain,
    /// Bytes, in powers of 1,024.
    Bytes,
    /// Bytes a second, in powers of 1,024.
    BytesPerSecond,
    /// Bytes, in powers of 1,000.
    DecimalBytes,
    /// Bits a second, in powers of 1,000.
    BitsPerSecond,
    /// Lengths of time in seconds.
    Seconds,
    /// A share: 0 to 1 is 0 to 100 %.
    Ratio,
    /// A share: 0 to 100.
    Percent,
    /// So often a second.
    PerSecond,
    /// Numbers with a unit of their own.
    Named(Arc<str>),
}

/// Scales from the largest: from where on, and what it is called.
type Scales = &'static [(f64, &'static str)];

const SHORT: Scales = &[(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (0.0, "")];
const BINARY: Scales = &[
    (1_125_899_906_842_624.0, "PiB"),
    (1_099_511_627_776.0, "TiB"),
    (1_073_741_824.0, "GiB"),
    (1_048_576.0, "MiB"),
    (1_024.0, "KiB"),
    (0.0, "B"),
];
const BINARY_RATE: Scales = &[
    (1_125_899_906_842_624.0, "PiB/s"),
    (1_099_511_627_776.0, "TiB/s"),
    (1_073_741_824.0, "GiB/s"),
    (1_048_576.0, "MiB/s"),
    (1_024.0, "KiB/s"),
    (0.0, "B/s"),
];
const DECIMAL: Scales = &[(1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (0.0, "B")];
const BIT_RATE: Scales = &[(1e12, "Tbit/s"), (1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (0.0, "bit/s")];
const RATE: Scales = &[(1e12, "T/s"), (1e9, "G/s"), (1e6, "M/s"), (1e3, "k/s"), (0.0, "/s")];
const TIME: Scales =
    &[(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];

impl Unit {
    /// What a metric's values most likely are, by the ending of its name (Prometheus's habits); `per_second` when a rate of it was taken.
    pub fn guess(metric: &str, per_second: bool) -> Self {
        let base = metric.strip_suffix("_total").unwrap_or(metric);
        let base = ["_sum", "_bucket"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
        let is = |end: &str| base.ends_with(end) || base.contains(&format!("{end}_"));
        match per_second {
            // A second of something each second is a share of the time.
            true if is("_seconds") => Self::Short,
            true if is("_bytes") => Self::BytesPerSecond,
            true => Self::PerSecond,
            false if metric.ends_with("_count") => Self::Short,
            false if is("_bytes") => Self::Bytes,
            false if is("_seconds") && !is("_timestamp_seconds") && !is("_time_seconds") => Self::Seconds,
            false if is("_ratio") => Self::Ratio,
            false if is("_percent") => Self::Percent,
            false => Self::Short,
        }
    }

    /// What it is scaled by and called at a size.
    fn scale(&self, size: f64) -> (f64, &str) {
        let of = |scales: Scales| {
            let found = scales.iter().find(|(from, _)| size >= *from).or(scales.last()).copied();
            let (from, name) = found.unwrap_or((1.0, ""));
            (if from == 0.0 { 1.0 } else { from }, name)
        };
        match self {
            Self::Short => of(SHORT),
            Self::Bytes => of(BINARY),
            Self::BytesPerSecond => of(BINARY_RATE),
            Self::DecimalBytes => of(DECIMAL),
            Self::BitsPerSecond => of(BIT_RATE),
            Self::PerSecond => of(RATE),
            Self::Seconds if size == 0.0 => (1.0, "s"),
            Self::Seconds => of(TIME),
            Self::Ratio => (0.01, "%"),
            Self::Percent => (1.0, "%"),
            Self::Plain => (1.0, ""),
            Self::Named(name) => (1.0, name),
        }
    }

    /// A value with as many digits as say something.
    pub fn format(&self, language: Language, value: f64) -> String {
        self.written(language, value, None)
    }

    /// A value on an axis whose ticks are so far apart.
    pub fn format_tick(&self, language: Language, value: f64, step: f64) -> String {
        self.written(language, value, Some(step.abs()))
    }

    fn written(&self, language: Language, value: f64, step: Option<f64>) -> String {
        if !value.is_finite() {
            return number(language, value, 0);
        }
        let (factor, name) = self.scale(value.abs());
        let scaled = value / factor;
        let decimals = match step {
            Some(step) => decimals_of_step(step / factor),
            None => decimals_of(scaled),
        };
        // What needs more than eight decimals is written with its power of ten.
        let digits = match scaled != 0.0 && scaled.abs() < 1e-6 && step.is_none() {
            true => format!("{scaled:.2e}").replace('.', language.pick(",", ".")),
            false => shortened(language, scaled, decimals),
        };
        match name {
            "" => digits,
            "%" if language == Language::En => format!("{digits}%"),
            "/s" if language == Language::En => format!("{digits}/s"),
            _ => format!("{digits}{GAP}{name}"),
        }
    }
}

/// Decimals that show three digits that say something.
fn decimals_of(v: f64) -> usize {
    if v.fract() == 0.0 {
        return 0;
    }
    let magnitude = v.abs().log10().floor();
    (2.0 - magnitude).clamp(if magnitude < 3.0 { 1.0 } else { 0.0 }, 8.0) as usize
}

/// Decimals that tell ticks apart.
fn decimals_of_step(step: f64) -> usize {
    if step <= 0.0 || !step.is_finite() {
        return 0;
    }
    // Two digits of the step: 0.25 needs both.
    let first = (-step.log10().floor()).max(0.0);
    let is_round = |decimals: f64| {
        let shifted = step * 10f64.powf(decimals);
        (shifted - shifted.round()).abs() < 1e-6 * shifted.abs().max(1.0)
    };
    let decimals = if is_round(first) { first } else { first + 1.0 };
    decimals.clamp(0.0, 9.0) as usize
}

/// A number without zeros at the end that say nothing.
fn shortened(language: Language, v: f64, decimals: usize) -> String {
    let text = format!("{v:.decimals$}");
    let zeros = text.len() - text.trim_end_matches('0').len();
    number(language, v, decimals.saturating_sub(zeros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{En, Es};

    #[test]
    fn values_read_as_people_write_them() {
        let check = |unit: Unit, value: f64, en: &str, es: &str| {
            let plain = |text: String| text.replace(GAP, " ");
            assert_eq!(plain(unit.format(En, value)), en, "{unit:?} {value}");
            assert_eq!(plain(unit.format(Es, value)), es, "{unit:?} {value}");
        };
        check(Unit::Short, 0.0, "0", "0");
        check(Unit::Short, 0.93, "0.93", "0,93");
        check(Unit::Short, 999.5, "999.5", "999,5");
        check(Unit::Short, 1_234.0, "1.23 k", "1,23 k");
        check(Unit::Short, -3_400_000.0, "−3.4 M", "−3,4 M");
        check(Unit::Short, 2.5e-8, "2.50e-8", "2,50e-8");
        check(Unit::Plain, 12_345.0, "12,345", "12 345");
        check(Unit::Plain, 1_000.0, "1,000", "1000");
        check(Unit::Plain, 20.0, "20", "20");
        check(Unit::Bytes, 1_610_612_736.0, "1.5 GiB", "1,5 GiB");
        check(Unit::BytesPerSecond, 2_048.0, "2 KiB/s", "2 KiB/s");
        check(Unit::DecimalBytes, 1_500.0, "1.5 kB", "1,5 kB");
        check(Unit::Seconds, 0.0, "0 s", "0 s");
        check(Unit::Seconds, 0.012_5, "12.5 ms", "12,5 ms");
        check(Unit::Seconds, 5_400.0, "1.5 h", "1,5 h");
        check(Unit::Ratio, 0.934, "93.4%", "93,4 %");
        check(Unit::Percent, 45.0, "45%", "45 %");
        check(Unit::PerSecond, 12.0, "12/s", "12 /s");
        check(Unit::Named("req".into()), 7.0, "7 req", "7 req");
        check(Unit::Short, f64::NAN, "NaN", "NaN");
        check(Unit::Bytes, f64::INFINITY, "∞", "∞");
    }

    #[test]
    fn ticks_differ_from_their_neighbours() {
        let at = |v: f64, step: f64| Unit::Short.format_tick(En, v, step);
        assert_eq!((at(0.25, 0.25), at(0.5, 0.25), at(1.0, 0.25)), ("0.25".into(), "0.5".into(), "1".into()));
        assert_eq!(Unit::Bytes.format_tick(En, 1_610_612_736.0, 536_870_912.0).replace(GAP, " "), "1.5 GiB");
        assert_eq!(at(0.000_2, 0.000_1), "0.0002");
    }

    #[test]
    fn names_tell_what_is_counted() {
        let check = |name: &str, rate: bool, expect: Unit| assert_eq!(Unit::guess(name, rate), expect, "{name}");
        check("node_memory_MemFree_bytes", false, Unit::Bytes);
        check("node_network_receive_bytes_total", true, Unit::BytesPerSecond);
        check("http_requests_total", true, Unit::PerSecond);
        check("http_request_duration_seconds", false, Unit::Seconds);
        check("http_request_duration_seconds_count", false, Unit::Short);
        check("process_start_time_seconds", false, Unit::Short);
        check("node_cpu_seconds_total", true, Unit::Short);
        check("disk_usage_ratio", false, Unit::Ratio);
        check("up", false, Unit::Short);
    }
}
