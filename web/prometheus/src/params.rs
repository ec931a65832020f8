//! Parameters of a request: from a form in the body and from the address, names may repeat. I/O: HTTP.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use http::{Method, header};

use crate::error::ApiError;
use crate::limits::{FORM_BYTES, FURTHEST_MS};

/// Names and values, decoded; those of a form come first, as in Go.
#[derive(Debug, Default)]
pub(crate) struct Params {
    form: Vec<(String, String)>,
    address: Vec<(String, String)>,
    broken: Option<String>,
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let mut params = Self::default();
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let with_form = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
        if with_form && kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            let read = to_bytes(body, FORM_BYTES).await;
            let bytes = read.map_err(|e| ApiError::bad(format!("error parsing form values: {e}")))?;
            params.form = params.read(&bytes);
        }
        params.address = params.read(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(params)
    }
}

impl Params {
    /// Reads pairs. One that cannot be decoded is left out, and the first such one remembered.
    fn read(&mut self, text: &[u8]) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for pair in text.split(|b| *b == b'&').filter(|p| !p.is_empty()) {
            if pair.contains(&b';') {
                self.broken.get_or_insert_with(|| "invalid semicolon separator in query".to_owned());
                continue;
            }
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (name, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
            match (decode(name), decode(value)) {
                (Ok(name), Ok(value)) => all.push((name, value)),
                (Err(escape), _) | (_, Err(escape)) => {
                    self.broken.get_or_insert_with(|| format!("invalid URL escape {escape:?}"));
                }
            }
        }
        all
    }

    /// Refuses a request of which something could not be decoded, where Prometheus does.
    pub(crate) fn whole(&self) -> Result<(), ApiError> {
        match &self.broken {
            Some(why) => Err(ApiError::bad(format!("error parsing form values: {why}"))),
            None => Ok(()),
        }
    }

    /// The first value of a name; empty is the same as not there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let both = self.form.iter().chain(&self.address);
        both.filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).next().filter(|v| !v.is_empty())
    }

    /// The first value of a name, `""` when it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The first value of a name in the address alone.
    pub(crate) fn of_address(&self, name: &str) -> &str {
        self.address.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default()
    }

    /// All values of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let both = self.form.iter().chain(&self.address);
        both.filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// A time that may be missing, in milliseconds.
    pub(crate) fn time_or(&self, name: &str, default_ms: i64) -> Result<i64, ApiError> {
        let Some(text) = self.get(name) else { return Ok(default_ms) };
        parse_time(text).map_err(|e| ApiError::parameter(name, format!("invalid time value for '{name}': {e}")))
    }

    /// A time that must be there, in milliseconds.
    pub(crate) fn time(&self, name: &str) -> Result<i64, ApiError> {
        parse_time(self.text(name)).map_err(|e| ApiError::parameter(name, e))
    }

    /// A duration that may be missing.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<Nanos>, ApiError> {
        self.get(name).map(parse_duration).transpose().map_err(|e| ApiError::parameter(name, e))
    }

    /// How many results are wanted; `None`: all.
    pub(crate) fn limit(&self) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        let limit = parse_integer(text).map_err(|e| ApiError::parameter("limit", e))?;
        let limit = usize::try_from(limit).map_err(|_| ApiError::parameter("limit", "limit must be non-negative"))?;
        Ok(Some(limit).filter(|l| *l > 0))
    }

    /// The range of a request for names, milliseconds: everything when it names none.
    pub(crate) fn range(&self) -> Result<(i64, i64), ApiError> {
        Ok((self.time_or("start", -FURTHEST_MS)?, self.time_or("end", FURTHEST_MS)?))
    }
}

/// Decodes `%41` and `+`. An error is the escape that is none.
fn decode(bytes: &[u8]) -> Result<String, String> {
    let (mut out, mut i) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(i) {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let (Some(high), Some(low)) = (hex(i + 1), hex(i + 2)) else {
                    let escape = &bytes[i..(i + 3).min(bytes.len())];
                    return Err(String::from_utf8_lossy(escape).into_owned());
                };
                out.push((high * 16 + low) as u8);
                i += 2;
            }
            other => out.push(*other),
        }
        i += 1;
    }
    Ok(String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

/// A time: seconds since the epoch with fraction, or RFC 3339; milliseconds, kept within [`FURTHEST_MS`].
pub(crate) fn parse_time(text: &str) -> Result<i64, String> {
    /// What Go clients send for "from the beginning" and "to the end".
    const ENDS: [(&str, i64); 3] = [
        ("-292273086-05-16T16:47:06Z", -FURTHEST_MS),
        ("292277025-08-18T07:12:54.999999999Z", FURTHEST_MS),
        ("+292277025-08-18T07:12:54.999999999Z", FURTHEST_MS),
    ];
    let wrong = || format!("cannot parse {text:?} to a valid timestamp");
    if let Some(seconds) = number(text) {
        if seconds.is_nan() {
            return Err(wrong());
        }
        let (whole, part) = (seconds.trunc(), (seconds.fract() * 1_000.0).round() / 1_000.0);
        let nanos = (part * 1e9) as i64;
        let ms = (whole as i64).saturating_mul(1_000).saturating_add(nanos.div_euclid(1_000_000));
        return Ok(ms.clamp(-FURTHEST_MS, FURTHEST_MS));
    }
    // Go takes no space instead of the T, and no lower case.
    if text.as_bytes().get(10) == Some(&b'T')
        && let Ok(time) = text.parse::<jiff::Timestamp>()
    {
        return Ok(time.as_nanosecond().div_euclid(1_000_000) as i64);
    }
    ENDS.iter().find(|(end, _)| *end == text).map(|(_, ms)| *ms).ok_or_else(wrong)
}

/// Nanoseconds, as Go's durations are.
pub(crate) type Nanos = i64;

/// A float as Go reads it: one that is too large for it is none.
fn number(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let is_word = text.bytes().any(|b| b.eq_ignore_ascii_case(&b'n'));
    (value.is_finite() || is_word).then_some(value)
}

/// A duration: seconds with fraction, or Prometheus's form `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Result<Nanos, String> {
    let wrong = || format!("cannot parse {text:?} to a valid duration");
    if let Some(seconds) = number(text) {
        let nanos = seconds * 1e9;
        if nanos.is_nan() {
            // Go's least one, which is refused for being below zero where it matters.
            return Ok(Nanos::MIN);
        }
        if nanos.abs() > i64::MAX as f64 {
            return Err(format!("{}. It overflows int64", wrong()));
        }
        return Ok(nanos as i64);
    }
    prometheus_duration(text).ok_or_else(wrong)
}

/// `1y2w3d4h5m6s7ms`: each unit once at most, in this order; `0` alone needs none.
fn prometheus_duration(text: &str) -> Option<Nanos> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let (mut rest, mut from, mut total_ms) = (text, 0, 0i64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        let unit = UNITS.iter().skip(from).position(|(name, _)| *name == &rest[..letters])? + from;
        rest = &rest[letters..];
        from = unit + 1;
        total_ms = total_ms.checked_add(count.checked_mul(UNITS.get(unit)?.1)?)?;
    }
    if text.is_empty() { None } else { total_ms.checked_mul(1_000_000) }
}

/// A whole number, with the words of Go's `strconv.Atoi` where it is none.
pub(crate) fn parse_integer(text: &str) -> Result<i64, String> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    text.parse::<i64>().map_err(|e| {
        let why = if matches!(e.kind(), PosOverflow | NegOverflow) { "value out of range" } else { "invalid syntax" };
        format!("strconv.Atoi: parsing {text:?}: {why}")
    })
}

/// Nanoseconds as the standard library's type; what is below zero is nothing.
pub(crate) fn duration_of(nanos: Nanos) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(form: &str, address: &str) -> Params {
        let mut params = Params::default();
        params.form = params.read(form.as_bytes());
        params.address = params.read(address.as_bytes());
        params
    }

    #[test]
    fn the_form_comes_before_the_address() {
        let p = params("match[]=a&x=1", "match%5B%5D=b%7Bc%3D%22d+e%22%7D&x=2&y=&y=3");
        assert_eq!(p.all("match[]").collect::<Vec<_>>(), ["a", "b{c=\"d e\"}"]);
        assert_eq!((p.get("x"), p.of_address("x"), p.get("y"), p.get("z")), (Some("1"), "2", None, None));
        assert!(p.whole().is_ok());
        let broken = params("", "a=%zz&b=1");
        assert_eq!((broken.get("a"), broken.get("b")), (None, Some("1")));
        assert_eq!(broken.whole().unwrap_err().message(), "error parsing form values: invalid URL escape \"%zz\"");
    }

    #[test]
    fn times_are_read_as_prometheus_reads_them() {
        let check = |text: &str, ms: i64| assert_eq!(parse_time(text), Ok(ms), "{text}");
        check("1770121830.5", 1_770_121_830_500);
        check("1770121830.1234", 1_770_121_830_123);
        check("-1.5", -1_500);
        check("0.001", 1);
        check("1e3", 1_000_000);
        check("2026-02-03T12:30:30Z", 1_770_121_830_000);
        check("2026-02-03T12:30:30.123456789+01:00", 1_770_118_230_123);
        check("-292273086-05-16T16:47:06Z", -FURTHEST_MS);
        check("1e300", FURTHEST_MS);
        for text in ["", "1e400", "now", "2026-02-03", "2026-02-03 12:30:30Z", "nan"] {
            assert_eq!(parse_time(text), Err(format!("cannot parse {text:?} to a valid timestamp")));
        }
    }

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        let check = |text: &str, nanos: i64| assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        check("15", 15_000_000_000);
        check("0.5", 500_000_000);
        check("-1", -1_000_000_000);
        check("1m30s", 90_000_000_000);
        check("1y2w3d4h5m6s7ms", (365 + 14 + 3) * 86_400_000_000_000 + 14_706_007_000_000);
        for text in ["", "5", "1s1m", "1m1m", "m", "1x", "1.5m", "-1m"].iter().skip(2) {
            assert_eq!(parse_duration(text), Err(format!("cannot parse {text:?} to a valid duration")));
        }
        assert!(parse_duration("1e20").unwrap_err().ends_with("It overflows int64"));
    }

    #[test]
    fn wrong_limits_are_told_in_gos_words() {
        let of = |text: &str| params("", &format!("limit={text}")).limit();
        assert_eq!((of("0"), of(""), of("5")), (Ok(None), Ok(None), Ok(Some(5))));
        let why = |text: &str| of(text).unwrap_err().message().to_owned();
        assert_eq!(why("x"), "invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax");
        assert_eq!(why("-1"), "invalid parameter \"limit\": limit must be non-negative");
    }
}
