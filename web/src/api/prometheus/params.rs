//! Parameters of a request: from the address and from a form in the body, names may repeat. I/O: HTTP.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use http::header;
use kernel::Timestamp;

use super::ApiError;
use crate::limits::BODY_BYTES;

/// Names and values, decoded.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let mut all = parse(parts.uri.query().unwrap_or_default());
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let read = to_bytes(body, BODY_BYTES).await;
            let bytes = read.map_err(|e| ApiError::bad(format!("the form cannot be read: {e}")))?;
            all.extend(parse(&String::from_utf8_lossy(&bytes)));
        }
        Ok(Self(all))
    }
}

fn parse(text: &str) -> Vec<(String, String)> {
    let pair = |p: &str| {
        let (name, value) = p.split_once('=').unwrap_or((p, ""));
        (decode(name), decode(value))
    };
    text.split('&').filter(|p| !p.is_empty()).map(pair).collect()
}

fn decode(text: &str) -> String {
    let (bytes, mut out, mut i) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[i], hex(i + 1), hex(i + 2)) {
            (b'+', ..) => out.push(b' '),
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                i += 2;
            }
            (byte, ..) => out.push(byte),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Params {
    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// All values of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The value of a name that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::bad(format!("invalid parameter \"{name}\": it is missing")))
    }

    /// A time: seconds since the epoch or RFC 3339.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let wrong =
            || ApiError::bad(format!("invalid parameter \"{name}\": cannot parse \"{text}\" to a valid timestamp"));
        if let Ok(seconds) = text.parse::<f64>() {
            let ms = (seconds * 1_000.0).round();
            // Beyond this the milliseconds are not exact, and no series reaches there.
            return if ms.abs() < 9.0e15 { Ok(Some(Timestamp::from_millis(ms as i64))) } else { Err(wrong()) };
        }
        Timestamp::parse(text).map(Some).map_err(|_| wrong())
    }

    /// A duration: seconds, or Prometheus's form.
    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let wrong =
            || ApiError::bad(format!("invalid parameter \"{name}\": cannot parse \"{text}\" to a valid duration"));
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).map(Some).map_err(|_| wrong());
        }
        text.parse::<kernel::Duration>().map(|d| Some(d.std())).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_are_read_as_prometheus_reads_them() {
        let params = Params(parse(
            "t=1770121830.5&r=2026-02-03T12:30:30Z&s=15&d=1m30s&match%5B%5D=up&match[]=a%7Bb%3D%22c+d%22%7D&x=nan",
        ));
        assert_eq!(params.time("t").unwrap(), Some(Timestamp::from_millis(1_770_121_830_500)));
        assert_eq!(params.time("r").unwrap(), Some(Timestamp::from_secs(1_770_121_830)));
        assert_eq!(params.duration("s").unwrap(), Some(Duration::from_secs(15)));
        assert_eq!(params.duration("d").unwrap(), Some(Duration::from_secs(90)));
        assert_eq!(params.all("match[]").collect::<Vec<_>>(), ["up", "a{b=\"c d\"}"]);
        assert!(params.time("x").is_err() && params.duration("x").is_err() && params.need("query").is_err());
    }
}
