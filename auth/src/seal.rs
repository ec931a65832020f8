//! Seals secrets that must be readable again (one-time-code secrets) and marks texts as ours. I/O: the key file.
//!
//! The key lies beside the database, not in it: who copies only the database reads no secret of anybody. ChaCha20-Poly1305
//! (RFC 8439) with random nonces; the marks are HMAC-SHA-256.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

use crate::{from_base64, to_base64};

/// Bytes of the key.
const KEY_BYTES: usize = 32;

/// Name of the key file in the data folder.
pub const FILE_NAME: &str = "login.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file cannot be read or written.
    #[error(
        "{path}: the key of the log-in's secrets cannot be {doing}: {why}; let the user that runs Farero own the data folder"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// Read or made.
        doing: &'static str,
        /// Why not.
        why: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "{path}: this is no key of the log-in's secrets; put the file of a backup back, or move it away: then everybody sets up one-time codes anew"
    )]
    Broken {
        /// The file.
        path: PathBuf,
    },
}

/// Seals and marks.
pub struct Sealer {
    sealing: Option<LessSafeKey>,
    marking: hmac::Key,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// With a key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let sealing = hmac::sign(&root, b"farero login sealing v1");
        let marking = hmac::sign(&root, b"farero login marking v1");
        Self {
            // A key of 32 bytes is never refused; without one nothing is sealed and nothing opens.
            sealing: UnboundKey::new(&CHACHA20_POLY1305, sealing.as_ref()).ok().map(LessSafeKey::new),
            marking: hmac::Key::new(hmac::HMAC_SHA256, marking.as_ref()),
        }
    }

    /// With the key in a data folder; made on the first start, readable by its owner only.
    ///
    /// # Errors
    /// The file cannot be read or made, or holds no key.
    pub fn at(folder: &Path) -> Result<Self, SealError> {
        let path = folder.join(FILE_NAME);
        let failed = |doing: &'static str| {
            let path = path.clone();
            move |why| SealError::Io { path, doing, why }
        };
        match OpenOptions::new().read(true).open(&path) {
            Ok(file) => {
                let mut text = String::new();
                file.take(1_024).read_to_string(&mut text).map_err(failed("read"))?;
                let key = from_base64(text.trim()).and_then(|k| <[u8; KEY_BYTES]>::try_from(k).ok());
                key.map(|k| Self::new(&k)).ok_or(SealError::Broken { path: path.clone() })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key: [u8; KEY_BYTES] = rand::random();
                let mut file =
                    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed("made"))?;
                writeln!(file, "{}", to_base64(&key)).and_then(|()| file.sync_all()).map_err(failed("made"))?;
                Ok(Self::new(&key))
            }
            Err(error) => Err(failed("read")(error)),
        }
    }

    /// Seals bytes for a purpose: only [`Sealer::open`] with the same purpose gives them back.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> String {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = plain.to_vec();
        let done = self.sealing.as_ref().map(|key| {
            key.seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
        });
        match done {
            Some(Ok(())) => to_base64(&[&nonce[..], &sealed].concat()),
            // Sealing fails only for gigabytes; nothing readable must come out of it.
            _ => String::new(),
        }
    }

    /// Opens what was sealed for a purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = from_base64(sealed)?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let plain = self.sealing.as_ref()?.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut rest).ok()?;
        Some(plain.to_vec())
    }

    /// A mark that shows later that a text came from here.
    pub fn mark(&self, text: &str) -> String {
        to_base64(hmac::sign(&self.marking, text.as_bytes()).as_ref())
    }

    /// Whether a mark belongs to a text.
    pub fn is_marked(&self, text: &str, mark: &str) -> bool {
        from_base64(mark).is_some_and(|m| hmac::verify(&self.marking, text.as_bytes(), &m).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_only() {
        let (sealer, other) = (Sealer::new(&[7; 32]), Sealer::new(&[8; 32]));
        let sealed = sealer.seal("totp 1", b"llave");
        assert_eq!(sealer.open("totp 1", &sealed).as_deref(), Some(&b"llave"[..]));
        assert_eq!(sealer.open("totp 2", &sealed), None);
        assert_eq!(other.open("totp 1", &sealed), None);
        assert_ne!(sealer.seal("totp 1", b"llave"), sealed, "a nonce is used once");
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(sealer.open("totp 1", &changed), None, "a changed byte at {at}");
        }
    }

    #[test]
    fn marks_are_of_one_text() {
        let sealer = Sealer::new(&[7; 32]);
        let mark = sealer.mark("1.abc");
        assert!(sealer.is_marked("1.abc", &mark));
        assert!(!sealer.is_marked("2.abc", &mark) && !sealer.is_marked("1.abc", ""));
    }

    #[test]
    fn sec_12_the_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = Sealer::at(folder.path()).unwrap().seal("x", b"uno");
        assert_eq!(Sealer::at(folder.path()).unwrap().open("x", &sealed).as_deref(), Some(&b"uno"[..]));
        let path = folder.path().join(FILE_NAME);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "algo").unwrap();
        let error = Sealer::at(folder.path()).unwrap_err().to_string();
        assert!(error.contains("put the file of a backup back"), "{error}");
    }
}
