//! Who says whether a certificate is accepted. Pure.

use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::{native_roots, provider};

/// There is nobody to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAuthorities;

/// The verifier of the machine's authorities; `None` where there are none.
static NATIVE: LazyLock<Option<Arc<WebPkiServerVerifier>>> = LazyLock::new(|| verifier_of(native_roots()));

fn verifier_of(roots: Arc<RootCertStore>) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(roots, provider()).build().ok()
}

/// Judges the chain of a server: during the handshake, as a verifier of rustls, or after it.
#[derive(Debug)]
pub struct Judge {
    authorities: Arc<WebPkiServerVerifier>,
    /// Certificates that are named themselves. A server may show one of them as its own, as self-signed ones do.
    named: Vec<CertificateDer<'static>>,
}

impl Judge {
    /// Of the machine's authorities.
    ///
    /// # Errors
    /// It has none.
    pub fn native() -> Result<Self, NoAuthorities> {
        Ok(Self { authorities: NATIVE.clone().ok_or(NoAuthorities)?, named: Vec::new() })
    }

    /// Of the certificates in a text in PEM form, and of nobody else.
    ///
    /// # Errors
    /// It holds something else than certificates, or none.
    pub fn of_pem(pem: &[u8]) -> Result<Self, String> {
        let (mut roots, mut named) = (RootCertStore::empty(), Vec::new());
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|e| format!("it holds something else than certificates: {e}"))?;
            named.push(certificate.clone());
            roots.add(certificate).map_err(|e| format!("it holds a certificate that cannot be used: {e}"))?;
        }
        let none = || "it holds no certificate in PEM form".to_owned();
        Ok(Self { authorities: verifier_of(Arc::new(roots)).ok_or_else(none)?, named })
    }

    /// Whether a chain is good for a name at a time.
    ///
    /// # Errors
    /// It is not: rustls's reason.
    pub fn verify(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        match self.authorities.verify_server_cert(own, others, name, &[], now) {
            // A certificate that is named is trusted as it is; it holds today, or that would be the error; what is left is its
            // name.
            Err(error) if is_authority(&error) && self.named.contains(own) => {
                verify_server_name(&ParsedCertificate::try_from(own)?, name)
            }
            verdict => verdict.map(|_| ()),
        }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(own, others, name, now).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Whether a certificate is refused because it is an authority's.
pub fn is_authority(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Other(other)) if other.to_string().contains("CaUsedAsEndEntity"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn chk_09_a_self_signed_certificate_that_is_named_is_accepted() {
        let made = |name: &str| {
            let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
            // As `openssl req -x509` makes them.
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2040, 1, 1);
            params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
        };
        let (own, other) = (made("shop.example"), made("shop.example"));
        let judge = Judge::of_pem(own.pem().as_bytes()).unwrap();
        let check = |certificate: &rcgen::Certificate, name: &'static str, year: u64| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_556_952));
            judge.verify(certificate.der(), &[], &ServerName::try_from(name).unwrap(), now)
        };
        use CertificateError as Why;
        assert_eq!(check(&own, "shop.example", 2026), Ok(()));
        assert!(matches!(
            check(&own, "other.example", 2026),
            Err(Error::InvalidCertificate(Why::NotValidForNameContext { .. }))
        ));
        assert!(matches!(
            check(&own, "shop.example", 2041),
            Err(Error::InvalidCertificate(Why::ExpiredContext { .. }))
        ));
        assert!(matches!(
            check(&own, "shop.example", 2019),
            Err(Error::InvalidCertificate(Why::NotValidYetContext { .. }))
        ));
        assert!(check(&other, "shop.example", 2026).is_err_and(|e| is_authority(&e)), "another one of the same name");
    }

    #[test]
    fn texts_without_certificates_are_refused() {
        assert_eq!(Judge::of_pem(b"nothing").unwrap_err(), "it holds no certificate in PEM form");
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Judge::of_pem(broken).unwrap_err().contains("cannot be used"));
    }
}
