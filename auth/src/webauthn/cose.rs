//! Public keys of passkeys (COSE, RFC 9052 and 9053) and their signatures. Pure.

use ciborium::Value;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::WebAuthnError;
use super::cbor::{as_number, entries, numbered, read_whole};

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// Algorithms that are offered, the best first: ES256 is in every phone and key, EdDSA in newer ones, RS256 in older Windows.
pub(super) const ALGORITHMS: [i64; 3] = [EDDSA, ES256, RS256];

/// A passkey's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA over P-256 with SHA-256: the uncompressed point.
    Es256(Vec<u8>),
    /// Ed25519.
    EdDsa(Vec<u8>),
    /// RSASSA-PKCS1-v1_5 with SHA-256: modulus and exponent.
    Rs256 {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads a COSE key.
    ///
    /// # Errors
    /// It is none, or of an algorithm that was not offered.
    pub fn read(cose: &[u8]) -> Result<Self, WebAuthnError> {
        Self::of(read_whole(cose)?)
    }

    pub(super) fn of(value: Value) -> Result<Self, WebAuthnError> {
        let map = entries(value)?;
        let number = |key| numbered(&map, key).and_then(as_number);
        let bytes = |key, length: Option<usize>| {
            let found = numbered(&map, key).and_then(Value::as_bytes);
            let fits = found.filter(|b| length.is_none_or(|l| b.len() == l));
            fits.ok_or(WebAuthnError::Malformed("a part of the public key is missing"))
        };
        match (number(1), number(3), number(-1)) {
            // Key type EC2 on P-256; the point uncompressed (SEC 1, 2.3.3).
            (Some(2), Some(ES256), Some(1)) => {
                let (x, y) = (bytes(-2, Some(32))?, bytes(-3, Some(32))?);
                Ok(Self::Es256([&[4], x.as_slice(), y.as_slice()].concat()))
            }
            // Key type OKP, curve Ed25519.
            (Some(1), Some(EDDSA), Some(6)) => Ok(Self::EdDsa(bytes(-2, Some(32))?.clone())),
            (Some(3), Some(RS256), _) => Ok(Self::Rs256 { n: bytes(-1, None)?.clone(), e: bytes(-2, None)?.clone() }),
            _ => Err(WebAuthnError::Algorithm),
        }
    }

    /// The number of its algorithm.
    pub(super) const fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => ES256,
            Self::EdDsa(_) => EDDSA,
            Self::Rs256 { .. } => RS256,
        }
    }

    /// Whether a signature over a message is this key's.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), WebAuthnError> {
        let verified = match self {
            Self::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature),
            Self::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        verified.map_err(|_| WebAuthnError::Signature)
    }
}
