//! Attribute values as text, as OpenTelemetry's collector writes them. Pure.

use std::borrow::Cow;

use serde_json::Value as Json;

/// Arrays and maps within one another at most.
pub(crate) const DEPTH: usize = 32;

/// A number as JavaScript would write it: with an exponent when it is very small or large.
pub(crate) fn double_text(v: f64) -> String {
    if !v.is_finite() {
        return go_float(v);
    }
    let size = v.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{v:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    v.to_string()
}

/// A number without an exponent, infinities as Prometheus writes them.
pub(crate) fn go_float(v: f64) -> String {
    match v {
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        v => v.to_string(),
    }
}

/// A value that is read: text already, or a structure that is written as JSON where it is used.
#[derive(Debug)]
pub(crate) enum AnyValue<'a> {
    Text(Cow<'a, str>),
    Json(Json),
}

impl<'a> AnyValue<'a> {
    /// The value of a label.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text,
            Self::Json(Json::Array(all)) => Cow::Owned(json_text(&Json::Array(all))),
            Self::Json(Json::Object(all)) => Cow::Owned(json_text(&Json::Object(all))),
            Self::Json(Json::Bool(v)) => Cow::Owned(v.to_string()),
            Self::Json(Json::Number(v)) => {
                let double = v.as_f64().filter(|_| v.is_f64());
                Cow::Owned(double.map_or_else(|| v.to_string(), double_text))
            }
            Self::Json(Json::String(text)) => Cow::Owned(text),
            Self::Json(Json::Null) => Cow::Borrowed(""),
        }
    }

    /// The value within a structure.
    pub(crate) fn json(self) -> Json {
        match self {
            Self::Text(text) => Json::String(text.into_owned()),
            Self::Json(json) => json,
        }
    }
}

/// JSON as Go writes it: `<`, `>` and `&` escaped.
fn json_text(json: &Json) -> String {
    json.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A structure's members, sorted by name as Go writes them.
pub(crate) fn object(mut members: Vec<(String, Json)>) -> Json {
    members.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(members.into_iter().collect())
}

/// Bytes as base 64, as they stand in JSON.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let all = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = DIGITS.get((all >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_collector_does() {
        let all = [(1.0, "1"), (0.5, "0.5"), (1e21, "1e+21"), (1e-7, "1e-7"), (-2.5e22, "-2.5e+22"), (0.0, "0")];
        for (v, text) in all {
            assert_eq!(double_text(v), text);
        }
        assert_eq!((go_float(f64::INFINITY), go_float(0.25)), ("+Inf".into(), "0.25".into()));
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes), text);
        }
        let members = object(vec![("b".into(), Json::from("<x>")), ("a".into(), Json::from(1))]);
        assert_eq!(AnyValue::Json(members).text(), r#"{"a":1,"b":"\u003cx\u003e"}"#);
    }
}
