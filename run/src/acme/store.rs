//! What ACME needs to keep: `acme/` in the data folder, for this user alone. I/O: files.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use instant_acme::AccountCredentials;
use kernel::Timestamp;
use kernel::hash::fnv1a;
use web::tls::Certificates;

use super::AcmeError;

/// The folder.
pub(super) struct Store(PathBuf);

impl Store {
    pub(super) fn of(data: &Path) -> Self {
        Self(data.join("acme"))
    }

    fn account_path(&self, directory: &str) -> PathBuf {
        self.0.join(format!("account-{:016x}.json", fnv1a(directory.bytes())))
    }

    /// The account with an authority, where there is one.
    pub(super) fn account(&self, directory: &str) -> Option<AccountCredentials> {
        let text = std::fs::read_to_string(self.account_path(directory)).ok()?;
        match serde_json::from_str(&text) {
            Ok(credentials) => Some(credentials),
            Err(error) => {
                tracing::warn!(%error, "the account with the ACME authority cannot be read; a new one is made");
                None
            }
        }
    }

    pub(super) fn keep_account(&self, directory: &str, credentials: &AccountCredentials) -> Result<(), AcmeError> {
        let failed = |why| AcmeError::Store { what: "the account with the ACME authority", why };
        let text = serde_json::to_string_pretty(credentials).map_err(|e| failed(e.into()))?;
        self.write(&self.account_path(directory), &text).map_err(failed)
    }

    pub(super) fn keep_certificate(&self, chain: &str, key: &str) -> Result<(), AcmeError> {
        // One file, so that chain and key are replaced together.
        let failed = |why| AcmeError::Store { what: "the certificate", why };
        self.write(&self.0.join("certificate.pem"), &format!("{key}{chain}")).map_err(failed)
    }

    fn write(&self, path: &Path, text: &str) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let fresh = path.with_extension("new");
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        std::fs::File::open(&self.0)?.sync_all()
    }
}

/// Puts the certificate of before in use, where there is one that is still good.
pub fn use_kept(data: &Path, certificates: &Certificates, now: Timestamp) {
    let path = Store::of(data).0.join("certificate.pem");
    let Ok(pem) = std::fs::read(&path) else { return };
    if let Err(error) = certificates.put(&pem, &pem, now) {
        tracing::warn!(%error, "the certificate of before is not used; a new one is ordered");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn sec_12_what_is_kept_is_for_this_user_alone_and_is_used_again() {
        let data = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        Store::of(data.path()).keep_certificate(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&data.path().join("acme")), mode(&data.path().join("acme/certificate.pem"))), (0o700, 0o600));
        let certificates = Certificates::new().unwrap();
        use_kept(data.path(), &certificates, Timestamp::from_secs(1_790_000_000));
        assert_eq!(certificates.state().names, ["a.example"]);
        assert!(Store::of(data.path()).account("https://acme.example").is_none());
    }
}
