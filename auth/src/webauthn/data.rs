//! The two signed parts of an answer: the browser's data and the authenticator's data. Pure.

use ring::digest::{SHA256, digest};
use serde::Deserialize;

use super::cbor::{entries, read_first};
use super::{CREDENTIAL_BYTES, Site, WebAuthnError};
use crate::{from_base64, same};

/// What the browser says it did (`CollectedClientData`).
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

/// Checks the browser's data and gives its hash, which is part of what is signed.
pub(super) fn check_client_data(
    bytes: &[u8],
    kind: &str,
    challenge: &[u8],
    site: &Site,
) -> Result<Vec<u8>, WebAuthnError> {
    let data: ClientData =
        serde_json::from_slice(bytes).map_err(|_| WebAuthnError::Malformed("the client data are no JSON"))?;
    if data.kind != kind {
        return Err(WebAuthnError::Foreign("act"));
    }
    if !from_base64(&data.challenge).is_some_and(|c| same(&c, challenge)) {
        return Err(WebAuthnError::Foreign("question: it was asked too long ago or answered already"));
    }
    // Pages of Farero are never framed, so an answer from inside another page is not for it.
    if data.origin != site.origin || data.cross_origin || data.top_origin.is_some_and(|t| t != site.origin) {
        return Err(WebAuthnError::Foreign("site"));
    }
    Ok(digest(&SHA256, bytes).as_ref().to_vec())
}

/// Bits of the flags' byte.
mod flag {
    pub(super) const PRESENT: u8 = 1;
    pub(super) const VERIFIED: u8 = 1 << 2;
    pub(super) const MAY_BE_BACKED_UP: u8 = 1 << 3;
    pub(super) const BACKED_UP: u8 = 1 << 4;
    pub(super) const CREDENTIAL: u8 = 1 << 6;
    pub(super) const EXTENSIONS: u8 = 1 << 7;
}

/// What the authenticator says.
pub(super) struct AuthenticatorData<'a> {
    /// How often the key was used; 0 where it is not counted.
    pub(super) count: u32,
    /// Whether a copy of the key is kept elsewhere (a synchronised passkey).
    pub(super) backed_up: bool,
    /// The new credential, at a registration.
    pub(super) credential: Option<Credential<'a>>,
}

/// A new credential.
pub(super) struct Credential<'a> {
    pub(super) id: &'a [u8],
    /// The public key as it was written.
    pub(super) key: &'a [u8],
}

/// Reads authenticator data and checks site, presence and verification.
pub(super) fn check_authenticator_data<'a>(
    bytes: &'a [u8],
    site: &Site,
) -> Result<AuthenticatorData<'a>, WebAuthnError> {
    let short = WebAuthnError::Malformed("the authenticator's data are too short");
    let (site_hash, rest) = bytes.split_at_checked(32).ok_or_else(|| short.clone())?;
    let (&[flags, c0, c1, c2, c3], rest) = rest.split_first_chunk::<5>().ok_or_else(|| short.clone())?;
    if !same(site_hash, digest(&SHA256, site.id.as_bytes()).as_ref()) {
        return Err(WebAuthnError::Foreign("site"));
    }
    let has = |bit: u8| flags & bit != 0;
    if !has(flag::PRESENT) || !has(flag::VERIFIED) {
        return Err(WebAuthnError::Unverified);
    }
    if has(flag::BACKED_UP) && !has(flag::MAY_BE_BACKED_UP) {
        return Err(WebAuthnError::Malformed("its flags contradict one another"));
    }
    let (credential, rest) = if has(flag::CREDENTIAL) {
        let (credential, rest) = read_credential(rest).ok_or(short)?;
        (Some(credential?), rest)
    } else {
        (None, rest)
    };
    let rest = if has(flag::EXTENSIONS) {
        let (extensions, rest) = read_first(rest)?;
        entries(extensions)?;
        rest
    } else {
        rest
    };
    if !rest.is_empty() {
        return Err(WebAuthnError::Malformed("something follows the authenticator's data"));
    }
    Ok(AuthenticatorData { count: u32::from_be_bytes([c0, c1, c2, c3]), backed_up: has(flag::BACKED_UP), credential })
}

type Read<'a> = (Result<Credential<'a>, WebAuthnError>, &'a [u8]);

/// The attested credential: the model's number, the id with its length, the public key. `None`: too short.
fn read_credential(bytes: &[u8]) -> Option<Read<'_>> {
    let (_model, rest) = bytes.split_at_checked(16)?;
    let (&[high, low], rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (id, rest) = rest.split_at_checked(length)?;
    if length == 0 || length > CREDENTIAL_BYTES {
        return Some((Err(WebAuthnError::Malformed("the credential's id has no allowed length")), rest));
    }
    Some(match read_first(rest) {
        Ok((_, after)) => (Ok(Credential { id, key: &rest[..rest.len() - after.len()] }), after),
        Err(error) => (Err(error), rest),
    })
}
