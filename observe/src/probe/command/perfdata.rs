//! Performance data of Nagios plugins. Pure.
//!
//! `'label'=value[unit];[warn];[crit];[min];[max]`, separated by spaces, after the first `|` of the first line and after
//! the next `|` of the further lines (Nagios Plugin Development Guidelines, "Performance data"). Values come in base
//! units: seconds, bytes (1 KB = 1,024 bytes, as the plugins count), percent as it is.

use kernel::probe::Reading;

/// Most values taken from one output.
const MOST_VALUES: usize = 64;

/// One value with its unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PerfValue {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// `seconds`, `bytes`, `percent`, `total` (a counter), the plugin's own word, or empty.
    pub(crate) unit: String,
}

impl PerfValue {
    pub(crate) fn into_reading(self) -> Reading {
        let reading = Reading::new("farero_command_value", self.value).label("label", self.label);
        if self.unit.is_empty() { reading } else { reading.label("unit", self.unit) }
    }
}

/// All values of an output; what cannot be read is left out.
pub(crate) fn parse_output(output: &str) -> Vec<PerfValue> {
    let (first, rest) = output.split_once('\n').unwrap_or((output, ""));
    let of = |text: &str| text.split_once('|').map(|(_, data)| data.to_owned()).unwrap_or_default();
    let data = format!("{} {}", of(first), of(rest));
    let mut out: Vec<PerfValue> = Vec::new();
    let mut rest = data.as_str();
    while let Some((item, tail)) = next_item(rest)
        && out.len() < MOST_VALUES
    {
        rest = tail;
        if let Some(value) = parse_item(&item.0, item.1)
            && !out.iter().any(|v| v.label == value.label)
        {
            out.push(value);
        }
    }
    out
}

/// Label and the word behind `=`, and what follows; `None` at the end.
fn next_item(text: &str) -> Option<((String, &str), &str)> {
    let text = text.trim_start();
    let (label, rest) = match text.strip_prefix('\'') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let at = text.find('=')?;
            (text[..at].trim().to_owned(), &text[at..])
        }
    };
    let rest = rest.strip_prefix('=')?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    Some(((label, &rest[..end]), &rest[end..]))
}

/// Up to the closing quote; two quotes stand for one.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut label = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('\'')?;
        label.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                label.push('\'');
                rest = more;
            }
            None => return Some((label, rest)),
        }
    }
}

fn parse_item(label: &str, text: &str) -> Option<PerfValue> {
    let value = text.split(';').next()?;
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | 'e' | 'E');
    let mut end = value.find(|c| !is_number(c)).unwrap_or(value.len());
    // `5E` is five and a unit, `5E3` a number.
    while end > 0 && !value.as_bytes()[end - 1].is_ascii_digit() {
        end -= 1;
    }
    let number: f64 = value[..end].replace(',', ".").parse().ok()?;
    let (factor, unit) = base_unit(&value[end..]);
    (!label.is_empty()).then(|| PerfValue { label: label.to_owned(), value: number * factor, unit: unit.to_owned() })
}

fn base_unit(unit: &str) -> (f64, &str) {
    let kilo = |power: i32| 1_024_f64.powi(power);
    match unit {
        "s" => (1.0, "seconds"),
        "ms" => (1e-3, "seconds"),
        "us" => (1e-6, "seconds"),
        "ns" => (1e-9, "seconds"),
        "%" => (1.0, "percent"),
        "c" => (1.0, "total"),
        "B" => (1.0, "bytes"),
        "KB" | "kB" | "KiB" => (kilo(1), "bytes"),
        "MB" | "MiB" => (kilo(2), "bytes"),
        "GB" | "GiB" => (kilo(3), "bytes"),
        "TB" | "TiB" => (kilo(4), "bytes"),
        "PB" | "PiB" => (kilo(5), "bytes"),
        other => (1.0, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expect: &[(&str, f64, &str)]) {
        let got = parse_output(output);
        let got: Vec<_> = got.iter().map(|v| (v.label.as_str(), v.value, v.unit.as_str())).collect();
        assert_eq!(got, expect, "{output}");
    }

    #[test]
    fn performance_data_of_real_plugins() {
        check("PING OK|rta=0.04ms;100;500;0 pl=0%;20;60", &[("rta", 0.00004, "seconds"), ("pl", 0.0, "percent")]);
        check("DISK OK|/=2MB;48;51;0;58 /boot=1KB", &[("/", 2_097_152.0, "bytes"), ("/boot", 1_024.0, "bytes")]);
        check("OK|'it''s a load'=1,5;;; errors=12c", &[("it's a load", 1.5, ""), ("errors", 12.0, "total")]);
        check("OK|a=1\nlong text\nmore|b=2\nc=3", &[("a", 1.0, ""), ("b", 2.0, ""), ("c", 3.0, "")]);
        check("OK|unknown=U;1;2 good=-1.5e3queries", &[("good", -1500.0, "queries")]);
        check("OK|a=1 a=2", &[("a", 1.0, "")]);
        check("OK without", &[]);
        check("OK|=5 'open=3", &[]);
    }

    proptest::proptest! {
        #[test]
        fn never_breaks_on_any_output(output in "[ -~\n|'=;]{0,200}") {
            assert!(parse_output(&output).len() <= MOST_VALUES);
        }
    }
}
