//! Checkpoints: where the chain stood at a time, signed with Ed25519 (RFC 8032). Pure: the key is an argument.

use base64::Engine as _;
use ed25519_dalek::Signer as _;
use kernel::Timestamp;
use kernel::trail::{Hash, Head};
use serde::{Deserialize, Serialize};

use crate::hex::{as_hex, decode, encode};

/// What a signed checkpoint begins with, so that its signature can never be one of anything else.
const DOMAIN: &[u8] = b"farero.trail.checkpoint.v1\0";

/// First line of a key's file.
const KEY_FILE: &str = "farero trail signing key v1: whoever has it can sign in this Farero's name";

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);
as_hex!(PublicKey, 32);

/// A signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);
as_hex!(Signature, 64);

/// The key that signs checkpoints. Never printed: `{:?}` shows the public half.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Why a file is no signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no signing key of a trail (two lines, the second of 64 hexadecimal digits): put the file back from a backup, or move \
     it away and let Farero make a new key, which the trail will tell"
)]
pub struct SigningKeyError;

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(of {:?})", self.public())
    }
}

impl SigningKey {
    /// From 32 random bytes; the same bytes give the same key.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// From the text of its file.
    ///
    /// # Errors
    /// [`SigningKeyError`] for any other text.
    pub fn read(text: &str) -> Result<Self, SigningKeyError> {
        let mut lines = text.lines();
        let seed = match (lines.next(), lines.next(), lines.next()) {
            (Some(KEY_FILE), Some(seed), None) => decode::<32>(seed),
            _ => None,
        };
        seed.map(|s| Self::from_seed(&s)).ok_or(SigningKeyError)
    }

    /// The text of its file: secret.
    pub fn write(&self) -> String {
        format!("{KEY_FILE}\n{}\n", encode(self.0.as_bytes()))
    }

    /// The half that everybody may know.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs where a chain stands; `count` is the number of entries that are kept.
    pub fn sign(&self, head: Head, count: u64, at: Timestamp) -> SignedCheckpoint {
        let checkpoint = Checkpoint { at, count, hash: head.hash, key: self.public(), sequence: head.sequence };
        let signature = Signature(self.0.sign(&checkpoint.message()).to_bytes());
        SignedCheckpoint { checkpoint, signature }
    }
}

impl PublicKey {
    /// The key in the form that other programs read (`openssl pkey -pubin`): PEM of a SubjectPublicKeyInfo (RFC 8410).
    pub fn to_pem(&self) -> String {
        const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let der: Vec<u8> = PREFIX.into_iter().chain(self.0).collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            base64::engine::general_purpose::STANDARD.encode(der)
        )
    }
}

/// Where the chain stood at a time. The fields stand in the order of their names: serialized they are canonical JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// When it was signed.
    pub at: Timestamp,
    /// How many entries were kept then.
    pub count: u64,
    /// Hash of the last entry.
    pub hash: Hash,
    /// The key that signs.
    pub key: PublicKey,
    /// Number of the last entry.
    pub sequence: u64,
}

impl Checkpoint {
    /// What is signed: a domain tag and the canonical JSON.
    pub fn message(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        [DOMAIN, &json].concat()
    }
}

/// A checkpoint with its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// By the key that the checkpoint names.
    pub signature: Signature,
}

impl SignedCheckpoint {
    /// Whether the key that it names signed it. Whether that key is the right one is another question.
    pub fn is_signed(&self) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        ed25519_dalek::VerifyingKey::from_bytes(&self.checkpoint.key.0)
            .is_ok_and(|key| key.verify_strict(&self.checkpoint.message(), &signature).is_ok())
    }

    /// One line of JSON, as it stands in files.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From a line of JSON; `None` unless it is spelled as [`SignedCheckpoint::to_line`] does.
    pub fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str::<Self>(line).ok().filter(|read| read.to_line() == line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    #[test]
    fn rfc_8032_first_vector() {
        let seed = decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(SigningKey::from_seed(&seed).public().to_string(), public);
    }

    #[test]
    fn a_key_comes_back_from_its_file_and_never_prints() {
        let key = key();
        let text = key.write();
        assert_eq!(SigningKey::read(&text).unwrap().public(), key.public());
        let secret = text.lines().nth(1).unwrap();
        assert!(!format!("{key:?}").contains(&secret[..8]));
        for wrong in ["", "x\ny\n", &text.to_uppercase(), &format!("{text}more\n")] {
            assert_eq!(SigningKey::read(wrong).err(), Some(SigningKeyError));
        }
    }

    #[test]
    fn sec_12_a_checkpoint_is_signed_as_a_whole() {
        let head = Head { sequence: 9, hash: Hash::of(b"x") };
        let signed = key().sign(head, 9, Timestamp::from_secs(1_790_000_000));
        assert!(signed.is_signed());
        assert_eq!(SignedCheckpoint::from_line(&signed.to_line()), Some(signed));
        assert_eq!(SignedCheckpoint::from_line(&signed.to_line().replace(':', ": ")), None);
        let change = |edit: fn(&mut SignedCheckpoint)| {
            let mut other = signed;
            edit(&mut other);
            assert!(!other.is_signed(), "{other:?}");
        };
        change(|s| s.checkpoint.sequence = 8);
        change(|s| s.checkpoint.count = 8);
        change(|s| s.checkpoint.hash = Hash::ZERO);
        change(|s| s.checkpoint.at = Timestamp::from_secs(0));
        change(|s| s.checkpoint.key = SigningKey::from_seed(&[8; 32]).public());
        change(|s| s.signature.0[63] ^= 1);
    }

    #[test]
    fn pem_is_what_openssl_writes() {
        // openssl genpkey -algorithm ed25519 …: RFC 8410, section 10.1.
        let bytes = decode("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1").unwrap();
        let expect = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        assert_eq!(PublicKey(bytes).to_pem().lines().nth(1), Some(expect));
    }
}
