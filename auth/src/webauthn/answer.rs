//! A browser's whole answer to a registration or a log-in, checked step by step (level 2, sections 7.1 and 7.2). Pure.

use ciborium::Value;
use serde::Deserialize;

use super::cbor::{as_number, entries, read_whole, take};
use super::cose::PublicKey;
use super::data::{check_authenticator_data, check_client_data};
use super::{PART_BYTES, Site, WebAuthnError};
use crate::{from_base64, to_base64};

/// What the page's script sends after a registration; byte strings are base64url.
#[derive(Clone, Debug, Deserialize)]
pub struct RegistrationAnswer {
    /// Id of the new credential.
    pub id: String,
    /// `clientDataJSON`.
    pub client_data: String,
    /// `attestationObject`.
    pub attestation: String,
}

/// What the page's script sends for a log-in; byte strings are base64url.
#[derive(Clone, Debug, Deserialize)]
pub struct AssertionAnswer {
    /// Id of the credential.
    pub id: String,
    /// `clientDataJSON`.
    pub client_data: String,
    /// `authenticatorData`.
    pub authenticator_data: String,
    /// `signature`.
    pub signature: String,
    /// `userHandle`: the account's, as it was registered.
    #[serde(default)]
    pub user_handle: String,
}

/// A passkey to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its id, base64url.
    pub id: String,
    /// Its public key, as COSE in base64url.
    pub public_key: String,
    /// How often it was used; 0 where the device does not count.
    pub count: u32,
    /// Whether a copy is kept elsewhere, by a password manager or the phone's maker.
    pub backed_up: bool,
}

/// A log-in that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// The new count of uses, to be stored.
    pub count: u32,
    /// Whether a copy is kept elsewhere now.
    pub backed_up: bool,
}

fn part(text: &str) -> Result<Vec<u8>, WebAuthnError> {
    if text.len() > PART_BYTES * 4 / 3 {
        return Err(WebAuthnError::Malformed("a part is too long"));
    }
    // Some scripts pad, some do not.
    from_base64(text.trim_end_matches('=')).ok_or(WebAuthnError::Malformed("a part is no base64"))
}

/// Checks the answer to a registration.
///
/// # Errors
/// It is not to be believed; the error says why.
pub fn verify_registration(
    site: &Site,
    challenge: &[u8],
    answer: &RegistrationAnswer,
) -> Result<Registered, WebAuthnError> {
    let client_hash = check_client_data(&part(&answer.client_data)?, "webauthn.create", challenge, site)?;
    let mut object = entries(read_whole(&part(&answer.attestation)?)?)?;
    let mut text = |name| take(&mut object, name).ok_or(WebAuthnError::Malformed("the attestation lacks a part"));
    let (format, statement, signed) = (text("fmt")?, text("attStmt")?, text("authData")?);
    let signed = signed.as_bytes().ok_or(WebAuthnError::Malformed("the authenticator's data are no bytes"))?;
    let data = check_authenticator_data(signed, site)?;
    let credential = data.credential.ok_or(WebAuthnError::Malformed("no credential came"))?;
    let key = PublicKey::read(credential.key)?;
    if part(&answer.id)? != credential.id {
        return Err(WebAuthnError::Foreign("credential"));
    }
    check_statement(&format, statement, &key, &[signed.as_slice(), &client_hash].concat())?;
    Ok(Registered {
        id: to_base64(credential.id),
        public_key: to_base64(credential.key),
        count: data.count,
        backed_up: data.backed_up,
    })
}

/// No attestation was asked for, so there is none, or the device vouches for itself (level 2, 8.2: self attestation).
fn check_statement(format: &Value, statement: Value, key: &PublicKey, signed: &[u8]) -> Result<(), WebAuthnError> {
    let mut statement = entries(statement)?;
    match format.as_text() {
        Some("none") if statement.is_empty() => Ok(()),
        Some("packed") => {
            let algorithm = take(&mut statement, "alg").as_ref().and_then(as_number);
            let signature = take(&mut statement, "sig").and_then(|s| s.into_bytes().ok());
            match (algorithm, signature) {
                (Some(a), Some(s)) if a == key.algorithm() && statement.is_empty() => key.verify(signed, &s),
                _ => Err(WebAuthnError::Malformed("an attestation came that was not asked for")),
            }
        }
        _ => Err(WebAuthnError::Malformed("an attestation came that was not asked for")),
    }
}

/// Checks the answer to a log-in against the stored passkey.
///
/// # Errors
/// It is not to be believed; the error says why.
pub fn verify_assertion(
    site: &Site,
    challenge: &[u8],
    public_key: &str,
    stored_count: u32,
    answer: &AssertionAnswer,
) -> Result<Asserted, WebAuthnError> {
    let client_hash = check_client_data(&part(&answer.client_data)?, "webauthn.get", challenge, site)?;
    let signed = part(&answer.authenticator_data)?;
    let data = check_authenticator_data(&signed, site)?;
    let key = PublicKey::read(&part(public_key)?)?;
    key.verify(&[signed.as_slice(), &client_hash].concat(), &part(&answer.signature)?)?;
    if (data.count != 0 || stored_count != 0) && data.count <= stored_count {
        return Err(WebAuthnError::Copied { stored: stored_count, given: data.count });
    }
    Ok(Asserted { count: data.count, backed_up: data.backed_up })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
