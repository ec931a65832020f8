//! Files encrypted with age (<https://age-encryption.org/v1>) that hold values under keys. I/O: reads and writes them.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{Identity, IdentityFile, Recipient};
use kernel::secret::Secret;

use crate::keyed::{Form, Keyed};
use crate::local;
use crate::settings::{AGE_CREDENTIAL, Settings};

/// An encrypted file may have this many bytes: it holds a team's secrets, not its data.
const FILE_BYTES: u64 = 1 << 20;

/// The file with an identity: where it was said to be, else systemd's credential of that name.
///
/// # Errors
/// No identity is known, with what to do.
pub fn identity_path(settings: &Settings) -> Result<PathBuf, String> {
    if let Some(path) = &settings.age_identity {
        return Ok(path.clone());
    }
    match local::credential_path(AGE_CREDENTIAL, settings) {
        Ok(path) if path.exists() => Ok(path),
        _ => Err(format!(
            "no age identity is known; name its file with --age-identity or FARERO_AGE_IDENTITY, or give the service the \
             systemd credential `{AGE_CREDENTIAL}`"
        )),
    }
}

/// A file with identities, read. Its text is a secret.
fn identities(path: &Path) -> Result<IdentityFile<age::NoCallbacks>, String> {
    let text = local::file(path).map_err(|e| format!("the age identity {}: {e}", path.display()))?;
    IdentityFile::from_buffer(text.as_bytes())
        .map_err(|e| format!("the age identity {} holds none (AGE-SECRET-KEY-1…): {e}", path.display()))
}

/// A file's values by key.
pub(crate) fn read(path: &Path, identity: &Path) -> Result<Keyed, String> {
    let text = open(path, identity)?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Form::of(&name).read(text.expose())
}

/// The keys of a file, sorted.
///
/// # Errors
/// As [`open`], or it holds no values under keys.
pub fn list(path: &Path, identity: &Path) -> Result<Vec<String>, String> {
    Ok(read(path, identity)?.into_keys().collect())
}

/// A file's text.
///
/// # Errors
/// The file or the identity cannot be read, or the identity does not open the file.
pub fn open(path: &Path, identity: &Path) -> Result<Secret, String> {
    let sealed = local::bytes(path, FILE_BYTES)?;
    let identities = identities(identity)?.into_identities().map_err(|e| e.to_string())?;
    let wrong = |e: age::DecryptError| match e {
        age::DecryptError::NoMatchingKeys => {
            "the identity does not open it: it was encrypted for others; encrypt it again for this recipient too"
                .to_owned()
        }
        other => format!("it is not encrypted with age, or damaged: {other}"),
    };
    let decryptor = age::Decryptor::new_buffered(ArmoredReader::new(sealed.as_slice())).map_err(wrong)?;
    let mut reader = decryptor.decrypt(identities.iter().map(|i| &**i as &dyn Identity)).map_err(wrong)?;
    let mut text = String::new();
    reader.read_to_string(&mut text).map_err(|e| format!("it is damaged, or no text in UTF-8: {e}"))?;
    Ok(Secret::new(text))
}

/// Encrypts a text for recipients, armoured, so that it can be compared and mailed.
///
/// # Errors
/// There is no recipient, or one is none.
pub fn seal(text: &Secret, recipients: &[String]) -> Result<String, String> {
    let parsed: Result<Vec<age::x25519::Recipient>, String> = recipients
        .iter()
        .map(|r| r.parse().map_err(|e| format!("`{r}` is not an age recipient (age1…): {e}")))
        .collect();
    let parsed = parsed?;
    let failed = |e: std::io::Error| format!("it cannot be encrypted: {e}");
    let encryptor = age::Encryptor::with_recipients(parsed.iter().map(|r| r as &dyn Recipient))
        .map_err(|e| format!("{e}; name a recipient with --recipient age1…, or an identity with --age-identity"))?;
    let mut out = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut out, Format::AsciiArmor).map_err(failed)?;
    let mut writer = encryptor.wrap_output(armor).map_err(failed)?;
    writer.write_all(text.expose().as_bytes()).map_err(failed)?;
    writer.finish().and_then(ArmoredWriter::finish).map_err(failed)?;
    String::from_utf8(out).map_err(|e| format!("it cannot be encrypted: {e}"))
}

/// The recipients that belong to an identity.
///
/// # Errors
/// The identity cannot be read.
pub fn recipients(identity: &Path) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    identities(identity)?.write_recipients_file(&mut out).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&out).lines().map(ToOwned::to_owned).collect())
}

/// A new identity and its recipient.
pub fn new_identity() -> (Secret, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    (Secret::new(identity.to_string().expose_secret().to_owned()), recipient)
}

/// A file's text with one key of its top level set.
///
/// # Errors
/// The key cannot be set without changing more than its line.
pub fn set(path: &Path, text: &Secret, key: &str, value: &Secret) -> Result<Secret, String> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Form::of(&name).set(text.expose(), key, value.expose()).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_a_file_opens_with_its_identity_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let key = |name: &str| {
            let (identity, recipient) = new_identity();
            let path = folder.path().join(name);
            std::fs::write(&path, format!("# created by a test\n{}\n", identity.expose())).unwrap();
            (path, recipient)
        };
        let ((mine, recipient), (other, _)) = (key("mine"), key("other"));
        assert_eq!(recipients(&mine).unwrap(), std::slice::from_ref(&recipient));
        let file = folder.path().join("secrets.yaml.age");
        let sealed = seal(&Secret::new("db: { password: hunter22 }\n".into()), &[recipient]).unwrap();
        assert!(sealed.starts_with("-----BEGIN AGE") && !sealed.contains("hunter22"));
        std::fs::write(&file, &sealed).unwrap();
        assert_eq!(read(&file, &mine).unwrap()["db.password"].expose(), "hunter22");
        assert!(open(&file, &other).unwrap_err().contains("encrypted for others"));
        let mut damaged = sealed.into_bytes();
        let middle = damaged.len() - 60;
        damaged[middle] = if damaged[middle] == b'A' { b'B' } else { b'A' };
        std::fs::write(&file, damaged).unwrap();
        assert!(open(&file, &mine).unwrap_err().contains("damaged"));
        std::fs::write(&file, "db: x\n").unwrap();
        assert!(open(&file, &mine).unwrap_err().contains("not encrypted with age"));
        assert!(seal(&Secret::default(), &[]).unwrap_err().contains("--recipient"));
        assert!(seal(&Secret::default(), &["age1x".into()]).unwrap_err().contains("not an age recipient"));
    }
}
