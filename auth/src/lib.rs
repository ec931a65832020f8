//! How people prove who they are: codes, recovery codes, passkeys, OIDC, passwords that are too common, waits after failures.
//! I/O: HTTP in [`oidc`] and one key file in [`seal`]; all else is pure but for randomness.
//!
//! This room speaks protocols and decides whether a proof holds. It knows no pages, no sessions and no database: challenges,
//! secrets and counters are handed to it and what follows is handed back.
//!
//! Invariants, each with a test:
//! 1. A one-time code is taken once: the step it belongs to must be newer than the last that was taken.
//! 2. Nothing of a passkey's answer is believed before challenge, origin, site and signature have been checked.
//! 3. An ID token is believed only with the issuer's signature, this client as audience, and the nonce of this log-in.
//! 4. No parser of this room panics, whatever it is fed (`fuzz/`).

pub mod common;
pub mod credentials;
pub mod oidc;
pub mod qr;
pub mod recovery;
pub mod seal;
pub mod throttle;
pub mod totp;
pub mod webauthn;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Writes bytes as URL-safe base64 without padding, as WebAuthn and JOSE do.
pub fn to_base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads URL-safe base64 without padding.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Whether two byte strings are equal, in a time that does not tell where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0u8, |diff, (x, y)| diff | (x ^ y)) == 0
}
