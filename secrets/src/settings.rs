//! Where secrets may come from, as said on start. Pure.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use kernel::secret::Text;

/// Name of the systemd credential that holds the age identity, where no file is named.
pub const AGE_CREDENTIAL: &str = "age-identity";

/// Where secrets may come from.
#[derive(Clone, Default)]
pub struct Settings {
    /// Values beside the environment's variables (the demo gives some); they come first.
    pub given: HashMap<String, String>,
    /// File with the age identity that opens encrypted files.
    pub age_identity: Option<PathBuf>,
    /// Folder of systemd's credentials (`$CREDENTIALS_DIRECTORY`).
    pub credentials: Option<PathBuf>,
    /// HashiCorp Vault.
    pub vault: VaultSettings,
}

impl Settings {
    /// With values beside the environment's, and systemd's credentials where the service has some.
    pub fn with(given: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            given: given.into_iter().collect(),
            credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            ..Self::default()
        }
    }
}

impl Settings {
    /// As the environment says alone, for commands without options of their own.
    pub fn of_environment() -> Self {
        let value = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let text = |name: &str| value(name).map(Text::new);
        Self {
            age_identity: value("FARERO_AGE_IDENTITY").map(PathBuf::from),
            vault: VaultSettings {
                address: value("VAULT_ADDR"),
                namespace: value("VAULT_NAMESPACE"),
                ca_file: value("VAULT_CACERT").map(PathBuf::from),
                token: text("VAULT_TOKEN"),
                role_id: text("FARERO_VAULT_ROLE_ID"),
                secret_id: text("FARERO_VAULT_SECRET_ID"),
                approle_mount: value("FARERO_VAULT_APPROLE_MOUNT"),
            },
            ..Self::with([])
        }
    }
}

/// How HashiCorp Vault is reached. Token, role and secret may be references to the environment, a file or a credential.
#[derive(Clone, Default)]
pub struct VaultSettings {
    /// `https://vault.example:8200`.
    pub address: Option<String>,
    /// Namespace, with Vault Enterprise.
    pub namespace: Option<String>,
    /// Certificate authority of the server, a PEM file, where it is not a public one.
    pub ca_file: Option<PathBuf>,
    /// A token.
    pub token: Option<Text>,
    /// AppRole: the role's id.
    pub role_id: Option<Text>,
    /// AppRole: the secret's id.
    pub secret_id: Option<Text>,
    /// Where AppRole is mounted; `approle` when left out.
    pub approle_mount: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("age_identity", &self.age_identity)
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VaultSettings {
    /// Without token, role and secret: they may have been written out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultSettings")
            .field("address", &self.address)
            .field("namespace", &self.namespace)
            .field("approle", &self.role_id.is_some())
            .finish_non_exhaustive()
    }
}
