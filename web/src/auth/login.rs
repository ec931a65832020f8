//! What a log-in needs beside the database: the key that seals secrets, the site of passkeys, the providers. I/O: through its parts.

use std::sync::Arc;

use ::auth::oidc::Provider;
use ::auth::seal::Sealer;
use ::auth::webauthn::Site;

/// What a log-in needs.
#[derive(Clone)]
pub struct Login {
    /// Seals secrets that must be readable again.
    pub sealer: Arc<Sealer>,
    /// Where passkeys belong to; `None` where browsers allow none.
    pub site: Option<Site>,
    /// Providers, in the order of their buttons.
    pub providers: Arc<[Provider]>,
}

impl Login {
    /// With a key and providers, for the address under which people reach Farero.
    pub fn new(sealer: Sealer, base_url: &str, providers: Vec<Provider>) -> Self {
        Self { sealer: Arc::new(sealer), site: Site::of(base_url), providers: providers.into() }
    }

    /// With a key that ends with the process: for tests and galleries.
    pub fn passing(base_url: &str) -> Self {
        Self::new(Sealer::new(&rand::random()), base_url, Vec::new())
    }

    /// A provider by its name.
    pub(crate) fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|p| p.name() == name)
    }
}
