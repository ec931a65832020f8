//! Values as people read them: unit, decimals, texts and colours by value. Pure.

use kernel::html::escape;
use kernel::{Language, Timestamp};
use plan_model::dashboard::panel::{Colour, Panel, ThresholdStep, ValueText};
use plan_model::dashboard::unit::Unit;
use web_explore::chart::Unit as ChartUnit;
use web_explore::format;

use super::Canvas;
use super::answers::Named;

/// Between a number and its unit: no line ends there.
const GAP: char = '\u{202f}';

/// How values of a series or column are shown.
pub(super) struct Measure<'a> {
    pub(super) unit: Unit,
    pub(super) decimals: Option<u32>,
    pub(super) values: &'a [ValueText],
    pub(super) thresholds: &'a [ThresholdStep],
}

/// A value as shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    /// The text, not escaped.
    pub(super) text: String,
    /// Its colour.
    pub(super) colour: Option<Colour>,
}

impl Shown {
    /// The class of its colour, with a space before it.
    pub(super) fn tone(&self) -> String {
        self.colour.map_or_else(String::new, |c| format!(" tone-{}", c.as_str()))
    }
}

impl<'a> Measure<'a> {
    /// Of a panel as a whole.
    pub(super) fn of(panel: &'a Panel) -> Self {
        Self {
            unit: panel.unit.clone().unwrap_or(Unit::known("short")),
            decimals: panel.decimals,
            values: &panel.values,
            thresholds: &panel.thresholds,
        }
    }

    /// Of one series: what is said of it alone comes first.
    pub(super) fn of_series(panel: &'a Panel, series: &Named) -> Self {
        let mut out = Self::of(panel);
        for setting in series.settings.iter().map(|i| &panel.series[*i]) {
            out.unit = setting.unit.clone().unwrap_or(out.unit);
            out.decimals = setting.decimals.or(out.decimals);
        }
        out
    }
}

impl Canvas<'_> {
    /// A value as it is shown.
    pub(super) fn shown(&self, value: Option<f64>, measure: &Measure<'_>) -> Shown {
        let mapped = measure.values.iter().find(|m| is_meant(m, value));
        let by_threshold = value.and_then(|v| threshold(measure.thresholds, v));
        let text = mapped.and_then(|m| m.text.clone()).unwrap_or_else(|| match value {
            Some(v) => self.number(v, &measure.unit, measure.decimals),
            None => "–".to_owned(),
        });
        Shown { text, colour: mapped.and_then(|m| m.colour).or(by_threshold) }
    }

    /// A number with its unit.
    pub(super) fn number(&self, v: f64, unit: &Unit, decimals: Option<u32>) -> String {
        let plain = |v: f64| match decimals {
            Some(d) => format::number(self.language, v, d as usize),
            None => format::value(self.language, v),
        };
        match unit {
            Unit::Prefix(text) => return format!("{text}{GAP}{}", plain(v)),
            Unit::Suffix(text) => return format!("{}{GAP}{text}", plain(v)),
            Unit::Known("usd") => return format!("US${GAP}{}", plain(v)),
            Unit::Known("eur") => return format!("{}{GAP}€", plain(v)),
            Unit::Known("pen") => return format!("S/{GAP}{}", plain(v)),
            Unit::Known("yes_no") => {
                let words = self.words();
                return if v == 0.0 { words.no } else { words.yes }.to_owned();
            }
            Unit::Known(word @ ("timestamp" | "timestamp_ms")) => {
                let ms = if *word == "timestamp" { v * 1_000.0 } else { v };
                // Beyond the calendar there is no date.
                return match ms.is_finite() && ms.abs() < 2.5e14 {
                    true => format::date_time(self.language, Timestamp::from_millis(ms as i64), &self.zone),
                    false => plain(v),
                };
            }
            Unit::Known(_) => {}
        }
        let (charted, factor) = charted(unit, self.language);
        match (decimals, &charted) {
            (Some(d), ChartUnit::Plain) => format::number(self.language, v * factor, d as usize),
            (Some(d), ChartUnit::Percent | ChartUnit::Ratio) => {
                let percent = if charted == ChartUnit::Ratio { v * 100.0 } else { v };
                let text = format::number(self.language, percent, d as usize);
                format!("{text}{}", self.language.pick("\u{202f}%", "%"))
            }
            (Some(d), ChartUnit::Named(name)) => {
                format!("{}{GAP}{name}", format::number(self.language, v * factor, d as usize))
            }
            (Some(d), ChartUnit::Short) if v.abs() < 1_000.0 => format::number(self.language, v, d as usize),
            _ => charted.format(self.language, v * factor),
        }
    }

    /// Escaped text of a value.
    pub(super) fn html(&self, shown: &Shown) -> String {
        escape(&shown.text)
    }
}

/// A unit as charts know it, and what values are multiplied by.
pub(super) fn charted(unit: &Unit, language: Language) -> (ChartUnit, f64) {
    use ChartUnit as C;
    let word = match unit {
        Unit::Known(word) => *word,
        Unit::Suffix(text) | Unit::Prefix(text) => return (C::Named(text.as_str().into()), 1.0),
    };
    let named = |name: &str| (C::Named(name.into()), 1.0);
    match word {
        "short" => (C::Short, 1.0),
        "percent" => (C::Percent, 1.0),
        "ratio" => (C::Ratio, 1.0),
        "seconds" => (C::Seconds, 1.0),
        "milliseconds" => (C::Seconds, 1e-3),
        "microseconds" => (C::Seconds, 1e-6),
        "nanoseconds" => (C::Seconds, 1e-9),
        "minutes" => (C::Seconds, 60.0),
        "hours" => (C::Seconds, 3_600.0),
        "days" => (C::Seconds, 86_400.0),
        "bytes" => (C::Bytes, 1.0),
        "kibibytes" => (C::Bytes, 1_024.0),
        "mebibytes" => (C::Bytes, 1_048_576.0),
        "gibibytes" => (C::Bytes, 1_073_741_824.0),
        "decimal_bytes" => (C::DecimalBytes, 1.0),
        "bytes_per_second" | "decimal_bytes_per_second" => (C::BytesPerSecond, 1.0),
        "bits_per_second" => (C::BitsPerSecond, 1.0),
        "per_second" => (C::PerSecond, 1.0),
        "bits" => named("bit"),
        "packets_per_second" => named("p/s"),
        "per_minute" => named("/min"),
        "per_hour" => named("/h"),
        "requests_per_second" => named(language.pick("pet./s", "req/s")),
        "requests_per_minute" => named(language.pick("pet./min", "req/min")),
        "operations_per_second" => named("ops/s"),
        "reads_per_second" => named(language.pick("lect./s", "rd/s")),
        "writes_per_second" => named(language.pick("escr./s", "wr/s")),
        "hertz" => named("Hz"),
        "celsius" => named("°C"),
        "volts" => named("V"),
        "amperes" => named("A"),
        "watts" => named("W"),
        "usd" => named("US$"),
        "eur" => named("€"),
        "pen" => named("S/"),
        _ => (C::Plain, 1.0),
    }
}

/// The colour of the last step that a value reaches.
pub(super) fn threshold(steps: &[ThresholdStep], v: f64) -> Option<Colour> {
    steps.iter().rev().find(|s| s.from.is_none_or(|from| v >= from)).map(|s| s.colour)
}

fn is_meant(mapping: &ValueText, value: Option<f64>) -> bool {
    match (&mapping.is, value) {
        (Some(is), Some(v)) => is.parse::<f64>().is_ok_and(|wanted| wanted == v || (wanted.is_nan() && v.is_nan())),
        (Some(is), None) => is == "none",
        (None, Some(v)) => {
            let from = mapping.from.is_none_or(|from| v >= from);
            let to = mapping.to.is_none_or(|to| v <= to);
            (mapping.from.is_some() || mapping.to.is_some()) && from && to
        }
        (None, None) => false,
    }
}
