//! CBOR as authenticators write it (CTAP2's canonical form), read with limits. Pure.

use ciborium::Value;

use super::WebAuthnError;

/// Attestation objects are maps in maps; deeper is no authenticator's.
const MOST_DEEP: usize = 8;

/// One value from the beginning of `bytes`, and what follows it.
pub(super) fn read_first(bytes: &[u8]) -> Result<(Value, &[u8]), WebAuthnError> {
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MOST_DEEP)
        .map_err(|_| WebAuthnError::Malformed("a part is no CBOR"))?;
    Ok((value, rest))
}

/// One value and nothing after it.
pub(super) fn read_whole(bytes: &[u8]) -> Result<Value, WebAuthnError> {
    match read_first(bytes)? {
        (value, []) => Ok(value),
        _ => Err(WebAuthnError::Malformed("something follows the CBOR")),
    }
}

/// The entries of a map whose keys are all different.
pub(super) fn entries(value: Value) -> Result<Vec<(Value, Value)>, WebAuthnError> {
    let Value::Map(entries) = value else { return Err(WebAuthnError::Malformed("a CBOR map is missing")) };
    let twice = entries.iter().enumerate().any(|(i, (key, _))| entries.iter().take(i).any(|(other, _)| other == key));
    if twice { Err(WebAuthnError::Malformed("a CBOR map names a key twice")) } else { Ok(entries) }
}

/// Takes the value of a text key.
pub(super) fn take(entries: &mut Vec<(Value, Value)>, name: &str) -> Option<Value> {
    let at = entries.iter().position(|(key, _)| key.as_text() == Some(name))?;
    Some(entries.swap_remove(at).1)
}

/// The value of a numbered key.
pub(super) fn numbered(entries: &[(Value, Value)], number: i64) -> Option<&Value> {
    entries.iter().find(|(key, _)| as_number(key) == Some(number)).map(|(_, value)| value)
}

/// A value as a number.
pub(super) fn as_number(value: &Value) -> Option<i64> {
    value.as_integer().and_then(|n| i64::try_from(n).ok())
}
