//! Numbers in JSON that JSON has no word for: NaN and the infinities, written as Prometheus writes them. Pure.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// Serializes finite numbers as numbers, the others as `"NaN"`, `"+Inf"`, `"-Inf"`. For `#[serde(with = "…")]`.
///
/// # Errors
/// What the serializer says.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f64(*value)
    } else if value.is_nan() {
        serializer.serialize_str("NaN")
    } else {
        serializer.serialize_str(if *value > 0.0 { "+Inf" } else { "-Inf" })
    }
}

/// The way back.
///
/// # Errors
/// Neither a number nor one of the three words.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(Number)
}

struct Number;

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, \"NaN\", \"+Inf\" or \"-Inf\"")
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<f64, E> {
        Ok(v)
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<f64, E> {
        Ok(v as f64)
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<f64, E> {
        Ok(v as f64)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<f64, E> {
        match v {
            "NaN" => Ok(f64::NAN),
            "+Inf" => Ok(f64::INFINITY),
            "-Inf" => Ok(f64::NEG_INFINITY),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::probe::Reading;

    #[test]
    fn every_number_comes_back() {
        for value in [0.0, 1.0, -2.5, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let text = serde_json::to_string(&Reading::new("m", value)).unwrap();
            let back: Reading = serde_json::from_str(&text).unwrap();
            assert!(back.value == value || (back.value.is_nan() && value.is_nan()), "{text}");
        }
        assert!(serde_json::from_str::<Reading>(r#"{"metric":"m","value":"high"}"#).is_err());
    }
}
