//! TLS by rustls: certificates that can be replaced while connections go on, and an ACME authority's questions. I/O: TLS.
//!
//! Invariants: a certificate is put in use only with its key, before its end, and whole; one that is refused leaves the
//! old one in use and the reason to be seen; connections that are open go on with what they began with.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use kernel::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The protocol in which an ACME authority asks over TLS (RFC 8737).
const ACME: &[u8] = b"acme-tls/1";

/// Certificates of a chain that are read; public ones have two or three.
const MOST_CERTIFICATES: usize = 16;

/// Why a certificate is not put in use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// What is known of the certificate in use, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateState {
    /// For which names it is.
    pub names: Vec<String>,
    /// When its life began.
    pub begins_at: Option<Timestamp>,
    /// When it ends; `None` while there is none.
    pub ends_at: Option<Timestamp>,
    /// When it was put in use.
    pub since: Option<Timestamp>,
    /// Why the last try to replace it failed, since then.
    pub error: Option<String>,
    /// How often a new one was put in use.
    pub changes: u64,
    /// How often a new one was refused.
    pub refusals: u64,
}

/// What is asked of those who come, beside what is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// Authorities (PEM) whose certificates clients may show; `None`: nobody is asked for one.
    pub client_ca: Option<Vec<u8>>,
    /// Whether nobody comes in without.
    pub clients_required: bool,
    /// Whether only TLS 1.3 is spoken.
    pub only_1_3: bool,
    /// Whether only TLS 1.2 is spoken.
    pub only_1_2: bool,
}

impl Demands {
    fn versions(&self) -> Vec<&'static rustls::SupportedProtocolVersion> {
        match (self.only_1_3, self.only_1_2) {
            (true, _) => vec![&rustls::version::TLS13],
            (_, true) => vec![&rustls::version::TLS12],
            _ => vec![&rustls::version::TLS13, &rustls::version::TLS12],
        }
    }
}

/// Verifies certificates of clients against authorities.
fn clients(
    pem: &[u8],
    required: bool,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    let bad =
        |e: &dyn fmt::Display| TlsError(format!("the authority of the clients' certificates cannot be used: {e}"));
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|e| bad(&e))?).map_err(|e| bad(&e))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|e| bad(&e))
}

#[derive(Default)]
struct Inner {
    key: Option<Arc<CertifiedKey>>,
    state: CertificateState,
    /// Certificates that answer an ACME authority, by name.
    challenges: HashMap<String, Arc<CertifiedKey>>,
    /// Answers to an ACME authority over HTTP, by token.
    answers: HashMap<String, String>,
}

/// The certificate of this Farero. Share it in an [`Arc`].
pub struct Certificates {
    inner: Arc<Resolver>,
    acceptor: TlsAcceptor,
}

#[derive(Default)]
struct Resolver(RwLock<Inner>);

impl Certificates {
    /// Without a certificate yet.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine.
    pub fn new() -> Result<Self, TlsError> {
        Self::with(&Demands::default())
    }

    /// Without a certificate yet, and with demands of those who come.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine, or the clients' authority is none.
    pub fn with(demands: &Demands) -> Result<Self, TlsError> {
        let inner: Arc<Resolver> = Arc::default();
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&demands.versions())
            .map_err(|e| TlsError(format!("TLS cannot be set up: {e}")))?;
        let config = match &demands.client_ca {
            None => config.with_no_client_auth(),
            Some(pem) => config.with_client_cert_verifier(clients(pem, demands.clients_required, provider)?),
        };
        let mut config = config.with_cert_resolver(inner.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME.to_vec()];
        Ok(Self { inner, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Reads a chain and its key (PEM) and puts them in use.
    ///
    /// # Errors
    /// They cannot be read or used; what was in use stays, and the reason stands in [`Certificates::state`].
    pub fn load(&self, chain: &Path, key: &Path, now: Timestamp) -> Result<(), TlsError> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|e| TlsError(format!("{} cannot be read: {e}", path.display())));
        let read = read(chain).and_then(|chain_pem| Ok((chain_pem, read(key)?)));
        match read {
            Ok((chain_pem, key_pem)) => self.put(&chain_pem, &key_pem, now),
            Err(error) => Err(self.refuse(error)),
        }
    }

    /// Puts a chain and its key (PEM) in use.
    ///
    /// # Errors
    /// As [`Certificates::load`].
    pub fn put(&self, chain: &[u8], key: &[u8], now: Timestamp) -> Result<(), TlsError> {
        match certified(chain, key, now) {
            Ok((key, facts)) => {
                let mut inner = self.inner.write();
                let (changes, refusals) = (inner.state.changes + 1, inner.state.refusals);
                inner.state = CertificateState { since: Some(now), changes, refusals, ..facts };
                inner.key = Some(Arc::new(key));
                Ok(())
            }
            Err(error) => Err(self.refuse(error)),
        }
    }

    /// Notes why a new certificate could not be had.
    pub fn refuse(&self, error: TlsError) -> TlsError {
        let mut inner = self.inner.write();
        inner.state.refusals += 1;
        inner.state.error = Some(error.to_string());
        error
    }

    /// As [`Certificates::refuse`], in the words of whoever tried.
    pub fn failed(&self, why: impl Into<String>) {
        self.refuse(TlsError(why.into()));
    }

    /// What is known of the certificate in use.
    pub fn state(&self) -> CertificateState {
        self.inner.read().state.clone()
    }

    /// Answers an ACME authority over TLS for a name with a certificate and its key (DER; RFC 8737), until [`Certificates::end_challenges`].
    ///
    /// # Errors
    /// The certificate cannot be used.
    pub fn challenge(&self, name: &str, certificate: Vec<u8>, key: Vec<u8>) -> Result<(), TlsError> {
        let bad = |e: &dyn fmt::Display| TlsError(format!("the answer to the ACME authority cannot be made: {e}"));
        let key = PrivateKeyDer::try_from(key).map_err(|e| bad(&e))?;
        let chain = vec![CertificateDer::from(certificate)];
        // Not looked at further: its critical extension (RFC 8737) is one that only the authority understands.
        let key = CertifiedKey::new(chain, ring::sign::any_supported_type(&key).map_err(|e| bad(&e))?);
        self.inner.write().challenges.insert(name.to_ascii_lowercase(), Arc::new(key));
        Ok(())
    }

    /// Answers an ACME authority over HTTP (RFC 8555, section 8.3), until [`Certificates::end_challenges`].
    pub fn answer(&self, token: &str, answer: &str) {
        self.inner.write().answers.insert(token.to_owned(), answer.to_owned());
    }

    /// The answer for a token.
    pub(crate) fn http_answer(&self, token: &str) -> Option<String> {
        self.inner.read().answers.get(token).cloned()
    }

    /// Answers no ACME authority any more.
    pub fn end_challenges(&self) {
        let mut inner = self.inner.write();
        inner.challenges.clear();
        inner.answers.clear();
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = self.acceptor.accept(stream).await?;
        // That an ACME authority saw the certificate is all that it wanted (RFC 8737, section 3).
        if stream.get_ref().1.alpn_protocol() == Some(ACME) {
            return Err(std::io::Error::other("an ACME authority has seen its answer"));
        }
        Ok(stream)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state().fmt(f)
    }
}

impl Resolver {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let inner = self.read();
        let acme = hello.alpn().is_some_and(|mut all| all.next() == Some(ACME) && all.next().is_none());
        if acme { inner.challenges.get(&hello.server_name()?.to_ascii_lowercase()).cloned() } else { inner.key.clone() }
    }
}

/// A chain and its key, checked: readable, belonging together, not over.
fn certified(chain: &[u8], key: &[u8], now: Timestamp) -> Result<(CertifiedKey, CertificateState), TlsError> {
    let bad = |what: &str, e: &dyn fmt::Display| TlsError(format!("{what}: {e}"));
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(chain).take(MOST_CERTIFICATES).collect();
    let chain = chain.map_err(|e| bad("the certificate is not PEM", &e))?;
    let first =
        chain.first().ok_or_else(|| TlsError("the file holds no certificate (PEM) before its end".to_owned()))?;
    let state = facts(first)?;
    if let Some(ends) = state.ends_at.filter(|ends| *ends <= now) {
        return Err(TlsError(format!("the certificate ended on {ends}; renew it")));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| bad("the key is no private key in PEM", &e))?;
    // Refuses a key that is not the certificate's.
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|e| bad("certificate and key do not belong together, or are of a kind that TLS does not use", &e))?;
    Ok((certified, state))
}

fn facts(certificate: &CertificateDer<'_>) -> Result<CertificateState, TlsError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|e| TlsError(format!("the certificate cannot be read: {e}")))?;
    let names = parsed.subject_alternative_name().ok().flatten().map(|names| {
        let named = names.value.general_names.iter().filter_map(|name| match name {
            x509_parser::extensions::GeneralName::DNSName(name) => Some((*name).to_owned()),
            x509_parser::extensions::GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        });
        named.collect()
    });
    Ok(CertificateState {
        names: names.unwrap_or_default(),
        begins_at: Some(Timestamp::from_secs(parsed.validity().not_before.timestamp())),
        ends_at: Some(Timestamp::from_secs(parsed.validity().not_after.timestamp())),
        ..CertificateState::default()
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|b| std::net::Ipv4Addr::from(b).to_string()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|b| std::net::Ipv6Addr::from(b).to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str) -> (String, String) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn sec_12_only_a_good_certificate_is_put_in_use_and_the_old_one_stays() {
        let certificates = Certificates::new().unwrap();
        let now = Timestamp::from_secs(1_790_000_000);
        let ((one, one_key), (two, two_key)) = (pair("one.example"), pair("two.example"));
        certificates.put(one.as_bytes(), one_key.as_bytes(), now).unwrap();
        assert_eq!(certificates.state().names, ["one.example"]);
        let check = |chain: &str, key: &str, now: Timestamp, part: &str| {
            let error = certificates.put(chain.as_bytes(), key.as_bytes(), now).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
            let state = certificates.state();
            assert_eq!((state.names, state.error), (vec!["one.example".to_owned()], Some(error)));
        };
        check(&two, &one_key, now, "do not belong together");
        check("", &two_key, now, "holds no certificate");
        check(&two, "", now, "no private key");
        check(&two[..two.len() / 2], &two_key, now, "certificate");
        check(&two, &two_key, Timestamp::from_secs(99_000_000_000), "ended on");
        assert!(certificates.load(Path::new("/does/not/exist"), Path::new("/neither"), now).is_err());
        certificates.put(two.as_bytes(), two_key.as_bytes(), now).unwrap();
        let state = certificates.state();
        assert_eq!((state.names, state.error, state.changes, state.refusals), (vec!["two.example".into()], None, 2, 6));
    }
}
