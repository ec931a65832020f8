//! Names of metrics, labels and units as Prometheus has them. Pure.
//!
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus>

use std::borrow::Cow;

/// How names are translated (Prometheus's `translation_strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Translation {
    /// `http.server.duration` becomes `http_server_duration_seconds`: the default.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// `http_server_duration`.
    UnderscoreEscapingWithoutSuffixes,
    /// `http.server.duration_seconds`.
    NoUtf8EscapingWithSuffixes,
    /// `http.server.duration`.
    NoTranslation,
}

impl Translation {
    /// By its name in Prometheus's configuration.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "UnderscoreEscapingWithSuffixes" => Some(Self::UnderscoreEscapingWithSuffixes),
            "UnderscoreEscapingWithoutSuffixes" => Some(Self::UnderscoreEscapingWithoutSuffixes),
            "NoUTF8EscapingWithSuffixes" => Some(Self::NoUtf8EscapingWithSuffixes),
            "NoTranslation" => Some(Self::NoTranslation),
            _ => None,
        }
    }

    pub(crate) fn escapes(self) -> bool {
        matches!(self, Self::UnderscoreEscapingWithSuffixes | Self::UnderscoreEscapingWithoutSuffixes)
    }

    fn adds_suffixes(self) -> bool {
        matches!(self, Self::UnderscoreEscapingWithSuffixes | Self::NoUtf8EscapingWithSuffixes)
    }
}

/// What a suffix depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gauge,
    Counter,
    Other,
}

const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

const PER_UNITS: &[(&str, &str)] =
    &[("s", "second"), ("m", "minute"), ("h", "hour"), ("d", "day"), ("w", "week"), ("mo", "month"), ("y", "year")];

fn word<'a>(table: &[(&'static str, &'static str)], unit: &'a str) -> &'a str {
    table.iter().find(|(code, _)| *code == unit).map_or(unit, |(_, word)| word)
}

/// The unit's words, and those of what stands below the line: `By/s` is `bytes`, `per_second`.
fn unit_words(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let plain = |unit: &str| !unit.is_empty() && !unit.contains(['{', '}']);
    let (main, per) = (main.trim(), per.trim());
    let main = if plain(main) { word(UNITS, main) } else { "" };
    let per = if plain(per) { word(PER_UNITS, per) } else { "" };
    (main.to_owned(), if per.is_empty() { String::new() } else { format!("per_{per}") })
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

/// Other characters become underscores, several in a row one, none in front.
fn clean(unit: &str) -> String {
    let mut out = String::with_capacity(unit.len());
    for c in unit.chars() {
        match c {
            c if is_name_char(c) => out.push(c),
            _ if out.ends_with('_') => {}
            _ => out.push('_'),
        }
    }
    out.strip_prefix('_').map(str::to_owned).unwrap_or(out)
}

/// The unit as metadata has it.
pub(crate) fn unit_name(unit: &str) -> String {
    let (main, per) = unit_words(unit);
    let (main, per) = (clean(&main), clean(&per));
    let both = match (main.is_empty(), per.is_empty()) {
        (false, false) => format!("{main}_{per}"),
        (false, true) => main,
        _ => per,
    };
    let both = both.strip_prefix('_').unwrap_or(&both);
    both.strip_suffix('_').unwrap_or(both).to_owned()
}

/// The name of a metric.
///
/// # Errors
/// Nothing is left of it.
pub(crate) fn metric_name(name: &str, unit: &str, kind: Kind, translation: Translation) -> Result<String, String> {
    if !translation.escapes() {
        return Ok(if translation.adds_suffixes() { with_suffixes(name, unit, kind) } else { name.to_owned() });
    }
    let mut out = if translation.adds_suffixes() {
        escaped_with_suffixes(name, unit, kind)
    } else {
        let tokens = name.split(|c: char| !is_name_char(c) && c != '_').filter(|token| !token.is_empty());
        tokens.collect::<Vec<_>>().join("_")
    };
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    if out.is_empty() {
        return Err(format!("normalization for metric {name:?} resulted in empty name"));
    }
    if out != name && out.bytes().all(|b| b == b'_') {
        return Err(format!("normalization for metric {name:?} resulted in invalid name {out:?}"));
    }
    Ok(out)
}

fn escaped_with_suffixes(name: &str, unit: &str, kind: Kind) -> String {
    let mut tokens: Vec<&str> = name.split(|c| !is_name_char(c)).filter(|token| !token.is_empty()).collect();
    let (main, per) = unit_words(unit);
    let (main, per) = (clean(&main), clean(&per));
    let per = if per == "per_" { "" } else { per.strip_suffix('_').unwrap_or(&per) };
    let per = if tokens.contains(&per) { "" } else { per };
    let main = if tokens.contains(&main.as_str()) { "" } else { main.as_str() };
    let main = if per.is_empty() { main } else { main.strip_suffix('_').unwrap_or(main) };
    tokens.extend([main, per].into_iter().filter(|word| !word.is_empty()));
    let mut last = |word| {
        tokens.retain(|token| *token != word);
        tokens.push(word);
    };
    if kind == Kind::Counter {
        last("total");
    }
    if unit == "1" && kind == Kind::Gauge {
        last("ratio");
    }
    tokens.join("_")
}

/// Suffixes on a name that is not escaped; where they stand already they are not put twice.
fn with_suffixes(name: &str, unit: &str, kind: Kind) -> String {
    let (main, per) = unit_words(unit);
    let mut suffixes = Vec::new();
    if unit == "1" && kind == Kind::Gauge {
        suffixes.push("ratio");
    }
    if kind == Kind::Counter {
        suffixes.push("total");
    }
    if !per.is_empty() {
        suffixes.push(&per);
    }
    let mut out = name.to_owned();
    for suffix in &suffixes {
        if out.ends_with(suffix) && out.len() > suffix.len() + 1 {
            // The suffix and the delimiter before it, whichever that is.
            let end = out.len() - suffix.len();
            let delimiter = out.get(..end).and_then(|rest| rest.chars().next_back()).map_or(0, char::len_utf8);
            out.truncate(end - delimiter);
        }
    }
    if !main.is_empty() && !out.ends_with(&main) {
        out = format!("{out}_{main}");
    }
    for suffix in suffixes.into_iter().rev() {
        out = format!("{out}_{suffix}");
    }
    out
}

/// How names of labels are translated beyond the strategy; both as Prometheus has them by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LabelRules {
    pub(crate) escape: bool,
    /// `_a` becomes `key_a`.
    pub(crate) key_before_underscore: bool,
    /// `a..b` becomes `a__b`, not `a_b`.
    pub(crate) keep_underscores: bool,
}

/// The name of a label.
///
/// # Errors
/// It is empty, or nothing is left of it.
pub(crate) fn label_name(name: &str, rules: LabelRules) -> Result<Cow<'_, str>, String> {
    if name.is_empty() {
        return Err("label name is empty".into());
    }
    let only_underscores = |name: &str| name.bytes().all(|b| b == b'_');
    if !rules.escape {
        return match only_underscores(name) {
            true => Err(format!("label name {name:?} contains only underscores")),
            false => Ok(Cow::Borrowed(name)),
        };
    }
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && (rules.keep_underscores || !name.contains("__"));
    let out = if plain { Cow::Borrowed(name) } else { Cow::Owned(escaped_label(name, rules.keep_underscores)) };
    let out = if out.starts_with(|c: char| c.is_ascii_digit()) {
        Cow::Owned(format!("key_{out}"))
    } else if rules.key_before_underscore && out.starts_with('_') && !out.starts_with("__") {
        Cow::Owned(format!("key{out}"))
    } else {
        out
    };
    if only_underscores(&out) {
        return Err(format!("normalization for label name {name:?} resulted in invalid name {out:?}"));
    }
    Ok(out)
}

fn escaped_label(name: &str, keep_underscores: bool) -> String {
    if keep_underscores {
        return name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    }
    // Reserved names keep the two underscores on both sides.
    let reserved = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    let mut out = String::with_capacity(name.len());
    for c in reserved.unwrap_or(name).chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ if out.ends_with('_') => {}
            _ => out.push('_'),
        }
    }
    if reserved.is_some() { format!("__{out}__") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_as_prometheus_names_them() {
        use Translation::{
            NoTranslation, NoUtf8EscapingWithSuffixes as Utf8, UnderscoreEscapingWithSuffixes as Escape,
            UnderscoreEscapingWithoutSuffixes as Short,
        };
        for (name, unit, kind, translation, expect) in [
            ("http.server.duration", "s", Kind::Other, Escape, "http_server_duration_seconds"),
            ("http.server.duration", "s", Kind::Other, Short, "http_server_duration"),
            ("http.server.duration", "s", Kind::Other, Utf8, "http.server.duration_seconds"),
            ("http.server.duration", "s", Kind::Other, NoTranslation, "http.server.duration"),
            ("requests", "", Kind::Counter, Escape, "requests_total"),
            ("requests_total", "1", Kind::Counter, Escape, "requests_total"),
            ("total.of.requests", "{request}", Kind::Counter, Escape, "of_requests_total"),
            ("cpu.utilization", "1", Kind::Gauge, Escape, "cpu_utilization_ratio"),
            ("cpu.utilization", "1", Kind::Gauge, Utf8, "cpu.utilization_ratio"),
            ("net.io", "By/s", Kind::Gauge, Escape, "net_io_bytes_per_second"),
            ("net.io.bytes", "By", Kind::Counter, Escape, "net_io_bytes_total"),
            ("net.io.bytes.total", "By", Kind::Counter, Utf8, "net.io.bytes_total"),
            ("speed", "m/{packet}", Kind::Gauge, Escape, "speed_meters"),
            ("2xx", "", Kind::Gauge, Escape, "_2xx"),
            ("a..b__c", "", Kind::Gauge, Escape, "a_b_c"),
            ("a..b__c", "", Kind::Gauge, Short, "a_b__c"),
        ] {
            assert_eq!(metric_name(name, unit, kind, translation).as_deref(), Ok(expect), "{name} {translation:?}");
        }
        assert!(metric_name("...", "", Kind::Gauge, Escape).is_err());
        for (unit, expect) in
            [("By/s", "bytes_per_second"), ("1", ""), ("%", "percent"), ("{x}", ""), ("/s", "per_second")]
        {
            assert_eq!(unit_name(unit), expect);
        }
    }

    #[test]
    fn labels_are_named_as_prometheus_names_them() {
        let usual = LabelRules { escape: true, key_before_underscore: true, keep_underscores: true };
        let short = LabelRules { keep_underscores: false, ..usual };
        for (name, rules, expect) in [
            ("http.method", usual, "http_method"),
            ("a..b", usual, "a__b"),
            ("a..b", short, "a_b"),
            ("__a..b__", short, "__a_b__"),
            ("1st", usual, "key_1st"),
            ("_x", usual, "key_x"),
            ("__x", usual, "__x"),
            ("é.b", LabelRules { escape: false, ..usual }, "é.b"),
        ] {
            assert_eq!(label_name(name, rules).as_deref(), Ok(expect), "{name}");
        }
        assert!(label_name("", usual).is_err() && label_name("..", usual).is_err());
    }
}
