//! Passkeys (W3C Web Authentication, level 2 with what level 3 made clearer): what a browser is asked, and what of its answer is
//! believed. Pure.
//!
//! Farero asks for discoverable credentials and always for user verification, so that a passkey is possession and knowledge (or
//! body) in one and nobody types a name. Attestation is not asked for: which brand of key someone owns decides nothing here.
//!
//! A challenge is good once and for minutes; keeping it so is the caller's part, who stores it.

mod answer;
mod cbor;
mod cose;
mod data;

use serde_json::{Value, json};
use url::Url;

pub use answer::{Asserted, AssertionAnswer, Registered, RegistrationAnswer, verify_assertion, verify_registration};
pub use cose::PublicKey;

use crate::to_base64;

/// Bytes of a challenge (the specification asks for at least 16).
pub const CHALLENGE_BYTES: usize = 32;

/// Bytes of an account's handle inside passkeys: the most that is allowed, random, so that it tells nothing.
pub const HANDLE_BYTES: usize = 64;

/// Longest credential id that is stored (level 3, 4: at most 1023 bytes).
pub const CREDENTIAL_BYTES: usize = 1_023;

/// Bytes of one part of a browser's answer: real ones have some hundred, with a large attestation some thousand.
pub const PART_BYTES: usize = 16 * 1_024;

/// Milliseconds a browser waits for its person.
pub const TIMEOUT_MS: u32 = 120_000;

/// Why a browser's answer is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebAuthnError {
    /// It cannot be read.
    #[error("the browser's answer cannot be read: {0}")]
    Malformed(&'static str),
    /// It was made for another site, another question, or another act.
    #[error("the browser's answer is for another {0}")]
    Foreign(&'static str),
    /// The device did not look at its person: no PIN, no finger, no face.
    #[error("the device did not verify its person; choose one with a PIN, a finger or a face")]
    Unverified,
    /// The key speaks an algorithm that was not asked for.
    #[error("the device uses an algorithm that was not offered")]
    Algorithm,
    /// The signature is wrong.
    #[error("the signature does not belong to this passkey")]
    Signature,
    /// The count of uses went back: there may be a copy of the key.
    #[error(
        "the passkey's count went back from {stored} to {given}: there may be a copy of it; remove it and register a new one"
    )]
    Copied {
        /// The count known.
        stored: u32,
        /// The count that came.
        given: u32,
    },
}

/// The site that passkeys belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The relying party's id: a host name.
    pub id: String,
    /// The origin that pages are served from, as browsers write it.
    pub origin: String,
}

impl Site {
    /// Of the address under which people reach Farero. `None` when browsers allow no passkeys there: they want a host name (an IP
    /// address is none) and TLS, but for `localhost`.
    pub fn of(base_url: &str) -> Option<Self> {
        let url = Url::parse(base_url).ok()?;
        let url::Host::Domain(host) = url.host()? else { return None };
        let local = host == "localhost" || host.ends_with(".localhost");
        let origin = url.origin();
        (url.scheme() == "https" || (url.scheme() == "http" && local))
            .then(|| Self { id: host.to_owned(), origin: origin.ascii_serialization() })
    }
}

/// A fresh challenge.
pub fn challenge() -> [u8; CHALLENGE_BYTES] {
    rand::random()
}

/// A fresh handle of an account.
pub fn handle() -> String {
    to_base64(&rand::random::<[u8; HANDLE_BYTES]>())
}

/// What the browser is asked to register; byte strings are base64url. `known`: the account's passkeys, so that a device is not
/// registered twice.
pub fn creation_options(site: &Site, challenge: &[u8], handle: &str, name: &str, known: &[String]) -> Value {
    let algorithms: Vec<Value> =
        cose::ALGORITHMS.iter().map(|alg| json!({ "type": "public-key", "alg": alg })).collect();
    let exclude: Vec<Value> = known.iter().map(|id| json!({ "type": "public-key", "id": id })).collect();
    json!({
        "rp": { "id": site.id, "name": "Farero" },
        "user": { "id": handle, "name": name, "displayName": name },
        "challenge": to_base64(challenge),
        "pubKeyCredParams": algorithms,
        "timeout": TIMEOUT_MS,
        "excludeCredentials": exclude,
        "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
        "attestation": "none",
    })
}

/// What the browser is asked for a log-in. No passkey is named: the device offers those it has for this site. `allowed` narrows it to
/// an account's own, for proving again who one is.
pub fn request_options(site: &Site, challenge: &[u8], allowed: &[String]) -> Value {
    let allow: Vec<Value> = allowed.iter().map(|id| json!({ "type": "public-key", "id": id })).collect();
    json!({
        "rpId": site.id,
        "challenge": to_base64(challenge),
        "timeout": TIMEOUT_MS,
        "allowCredentials": allow,
        "userVerification": "required",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_host_name_and_tls() {
        let check = |url: &str, expect: Option<(&str, &str)>| {
            let site = Site::of(url);
            assert_eq!(site.as_ref().map(|s| (s.id.as_str(), s.origin.as_str())), expect, "{url}");
        };
        check("https://farero.example.org", Some(("farero.example.org", "https://farero.example.org")));
        check("https://farero.example.org:8443/x", Some(("farero.example.org", "https://farero.example.org:8443")));
        check("http://localhost:9810", Some(("localhost", "http://localhost:9810")));
        check("http://farero.example.org", None);
        check("https://10.0.0.3", None);
        check("http://127.0.0.1:9810", None);
        check("nonsense", None);
    }

    #[test]
    fn the_browser_is_asked_for_verified_discoverable_passkeys_without_attestation() {
        let site = Site::of("https://farero.example.org").unwrap();
        let asked = creation_options(&site, &challenge(), &handle(), "ana", &["AQID".to_owned()]);
        assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(asked["attestation"], "none");
        assert_eq!(asked["excludeCredentials"][0]["id"], "AQID");
        assert_eq!(crate::from_base64(asked["user"]["id"].as_str().unwrap()).unwrap().len(), HANDLE_BYTES);
        let asked = request_options(&site, &challenge(), &[]);
        assert_eq!(asked["allowCredentials"], serde_json::json!([]));
        assert_eq!(asked["userVerification"], "required");
    }
}
