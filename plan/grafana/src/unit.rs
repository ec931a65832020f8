//! Grafana's units as a plan has them. Pure.

use plan_model::dashboard::Unit;

/// Grafana's words beside the plan's.
const WORDS: [(&str, &str); 78] = [
    ("none", "none"),
    ("string", "none"),
    ("short", "short"),
    ("sishort", "short"),
    ("locale", "none"),
    ("sci", "short"),
    ("percent", "percent"),
    ("percentunit", "ratio"),
    ("bool", "yes_no"),
    ("bool_yes_no", "yes_no"),
    ("bool_on_off", "yes_no"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("µs", "microseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("m", "minutes"),
    ("h", "hours"),
    ("d", "days"),
    ("dtdurations", "seconds"),
    ("dtdurationms", "milliseconds"),
    ("dthms", "seconds"),
    ("dtdhms", "seconds"),
    ("clocks", "seconds"),
    ("clockms", "milliseconds"),
    ("dateTimeAsIso", "timestamp_ms"),
    ("dateTimeAsIsoNoDateIfToday", "timestamp_ms"),
    ("dateTimeAsUS", "timestamp_ms"),
    ("dateTimeAsSystem", "timestamp_ms"),
    ("dateTimeAsLocal", "timestamp_ms"),
    ("dateTimeFromNow", "timestamp_ms"),
    ("bytes", "bytes"),
    ("decbytes", "decimal_bytes"),
    ("bits", "bits"),
    ("decbits", "bits"),
    ("kbytes", "kibibytes"),
    ("deckbytes", "kibibytes"),
    ("mbytes", "mebibytes"),
    ("decmbytes", "mebibytes"),
    ("gbytes", "gibibytes"),
    ("decgbytes", "gibibytes"),
    ("Bps", "decimal_bytes_per_second"),
    ("binBps", "bytes_per_second"),
    ("bps", "bits_per_second"),
    ("binbps", "bits_per_second"),
    ("bytes/sec", "bytes_per_second"),
    ("pps", "packets_per_second"),
    ("cps", "per_second"),
    ("ops", "operations_per_second"),
    ("reqps", "requests_per_second"),
    ("rps", "reads_per_second"),
    ("wps", "writes_per_second"),
    ("iops", "operations_per_second"),
    ("eps", "per_second"),
    ("mps", "per_second"),
    ("recps", "per_second"),
    ("rowsps", "per_second"),
    ("cpm", "per_minute"),
    ("opm", "per_minute"),
    ("reqpm", "requests_per_minute"),
    ("rpm", "per_minute"),
    ("wpm", "per_minute"),
    ("mpm", "per_minute"),
    ("epm", "per_minute"),
    ("recpm", "per_minute"),
    ("hertz", "hertz"),
    ("rothz", "hertz"),
    ("celsius", "celsius"),
    ("volt", "volts"),
    ("amp", "amperes"),
    ("watt", "watts"),
    ("currencyUSD", "usd"),
    ("currencyEUR", "eur"),
    ("currencyPEN", "pen"),
    ("humidity", "percent"),
    ("hex", "none"),
    ("ops/s", "operations_per_second"),
    ("req/s", "requests_per_second"),
];

/// A unit; `None` when a plan has none for it.
pub fn unit(word: &str) -> Option<Unit> {
    let text = |rest: &str| rest.trim().to_owned();
    if let Some(rest) = word.strip_prefix("suffix:").map(text).filter(|t| !t.is_empty()) {
        return Some(Unit::Suffix(rest));
    }
    if let Some(rest) =
        word.strip_prefix("prefix:").or_else(|| word.strip_prefix("currency:")).map(text).filter(|t| !t.is_empty())
    {
        return Some(Unit::Prefix(rest));
    }
    if let Some((_, known)) = WORDS.iter().find(|(w, _)| *w == word) {
        return Some(Unit::known(known));
    }
    // Any other text stands behind the number, as in Grafana; words of its list that are not known here do not.
    let is_own =
        word.chars().count() <= 12 && !word.contains(':') && !word.starts_with("currency") && !word.starts_with("time");
    is_own.then(|| Unit::Suffix(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_to_a_unit_that_there_is() {
        for (word, known) in WORDS {
            assert_eq!(Unit::known(known).as_text(), known, "{word}");
        }
        assert_eq!(unit("suffix: req"), Some(Unit::Suffix("req".into())));
        assert_eq!(unit("percentunit"), Some(Unit::known("ratio")));
        assert_eq!(unit("time:YYYY"), None);
    }
}
