//! Secrets that are shown once and stored as hashes. Pure but for randomness.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// 256 random bits, written for URLs and cookies.
pub(crate) fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of a secret. A fast hash is right here: the secrets are random, nothing can be guessed.
pub(crate) fn hash(secret: &str) -> String {
    digest(&["farero-secret", secret])
}

/// What a session's forms send back: bound to the session, useless without it.
pub(crate) fn csrf(session_secret: &str) -> String {
    digest(&["farero-csrf", session_secret])
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0u8, |diff, (x, y)| diff | (x ^ y)) == 0
}
