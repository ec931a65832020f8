//! Whom checks and scrapes trust over TLS: the machine's authorities, those of a file, a certificate that is named itself. I/O: reads
//! the machine's authorities, once.
//!
//! One place says who is trusted, so that a check and a scrape of the same address never disagree.

mod any;
mod judge;

use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};

pub use any::any_certificate;
pub use judge::{Judge, NoAuthorities, is_authority};

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));

static NATIVE: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
});

/// The cryptography that all connections share.
pub fn provider() -> Arc<CryptoProvider> {
    PROVIDER.clone()
}

/// The certificate authorities of this machine, read once and shared; empty where there are none.
pub fn native_roots() -> Arc<RootCertStore> {
    NATIVE.clone()
}
