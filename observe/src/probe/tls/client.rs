//! TLS for every probe that speaks it: shake hands first, write down the facts, then judge. I/O.
//!
//! During the handshake any chain of certificates is accepted, so that an expired or unknown one can still be read;
//! directly after it the chain is judged by rustls's own verifier, and a probe gets the stream only when it passes.
//! The signature over the handshake is always verified by rustls: that the peer holds the certificate's key is never
//! taken on trust.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::probe::Phase;
use observe_tls::{Judge, any_certificate, provider};
use plan_model::check::net::TlsSettings;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::facts::{Chain, certificate_error, handshake_error};
use crate::probe::dial::Host;
use crate::probe::{Attempt, PrepareError, Preparing};

/// Protocols offered by ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// None.
    Nothing,
    /// HTTP/2, else HTTP/1.1.
    Http,
    /// HTTP/1.1 alone (WebSocket).
    Http1,
    /// HTTP/2 alone (gRPC).
    Http2,
}

impl Offer {
    fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Self::Nothing => vec![],
            Self::Http => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::Http2 => vec![b"h2".to_vec()],
        }
    }
}

/// Ready to shake hands with any number of peers.
pub(crate) struct TlsClient {
    connector: TlsConnector,
    /// `None`: any certificate is accepted.
    judge: Option<Judge>,
    server_name: Option<ServerName<'static>>,
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl TlsClient {
    /// From a check's settings.
    pub(crate) fn prepare(settings: &TlsSettings, offer: Offer, with: &Preparing<'_>) -> Result<Self, PrepareError> {
        let config = shared_config(settings, offer)?;
        let judge = match &settings.ca_file {
            _ if settings.insecure => None,
            Some(path) => Some(judge_from_file(with.resolve(path)?.expose())?),
            None => {
                let advice = "this machine has no certificate authorities: install ca-certificates, or name a ca_file";
                Some(Judge::native().map_err(|_| PrepareError::unusable("tls", advice))?)
            }
        };
        let server_name = match &settings.server_name {
            Some(name) => {
                let name = with.resolve(name)?.expose().to_owned();
                let bad = |_| PrepareError::unusable("tls.server_name", "it is neither a host name nor an address");
                Some(ServerName::try_from(name).map_err(bad)?)
            }
            None => None,
        };
        Ok(Self { connector: TlsConnector::from(config), judge, server_name })
    }

    /// The name that the certificate has to be made for: the one in the settings, else the host's.
    fn name_for(&self, host: &Host) -> Result<ServerName<'static>, String> {
        match (&self.server_name, host) {
            (Some(name), _) => Ok(name.clone()),
            (None, Host::Address(address)) => Ok(ServerName::IpAddress((*address).into())),
            (None, Host::Name(name)) => {
                ServerName::try_from(name.to_string()).map_err(|_| format!("no certificate can be made for {name}"))
            }
        }
    }

    /// Shakes hands, writes down certificate, protocol and cipher, and judges. Measures the phase `tls`.
    pub(crate) async fn shake_hands<S>(
        &self,
        stream: S,
        host: &Host,
        attempt: &Attempt,
    ) -> Result<(TlsStream<S>, Chain), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        attempt.begin(Phase::Tls);
        let name = self.name_for(host)?;
        let stream = self.connector.connect(name.clone(), stream).await.map_err(|e| handshake_error(&e))?;
        let (_, session) = stream.get_ref();
        let certificates = session.peer_certificates().unwrap_or_default();
        let chain = Chain::read(certificates);
        let verdict = self.judge(certificates, &name, attempt);
        chain.record(attempt, session, verdict.is_ok());
        verdict?;
        Ok((stream, chain))
    }

    fn judge(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>, attempt: &Attempt) -> Result<(), String> {
        let Some(judge) = &self.judge else { return Ok(()) };
        let Some((own, others)) = chain.split_first() else { return Err("the server sent no certificate".to_owned()) };
        let seconds = u64::try_from(attempt.now().as_millis()).unwrap_or(0) / 1_000;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        judge.verify(own, others, name, now).map_err(|e| certificate_error(&e))
    }
}

/// What is offered, whether TLS 1.3 is the minimum, and the configuration for it.
type SharedConfig = ((Offer, bool), Arc<ClientConfig>);

/// The configurations made so far, eight at most: one for each offer and each minimum version. Checks share them.
static CONFIGS: Mutex<Vec<SharedConfig>> = Mutex::new(Vec::new());

fn shared_config(settings: &TlsSettings, offer: Offer) -> Result<Arc<ClientConfig>, PrepareError> {
    let is_new_only = match settings.min_version.as_deref() {
        None | Some("1.2") => false,
        Some("1.3") => true,
        Some(_) => return Err(PrepareError::unusable("tls.min_version", "write 1.2 or 1.3")),
    };
    let mut configs = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, config)) = configs.iter().find(|(key, _)| *key == (offer, is_new_only)) {
        return Ok(config.clone());
    }
    let versions: &[_] = if is_new_only { &[&TLS13] } else { &[&TLS13, &TLS12] };
    let config = Arc::new(new_config(offer, versions)?);
    configs.push(((offer, is_new_only), config.clone()));
    Ok(config)
}

fn new_config(offer: Offer, versions: &[&'static SupportedProtocolVersion]) -> Result<ClientConfig, PrepareError> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_protocol_versions(versions).map_err(|e| PrepareError::unusable("tls", e))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(any_certificate());
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = offer.protocols();
    // Each check measures a whole handshake and sees the certificate that is served now.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn judge_from_file(path: &str) -> Result<Judge, PrepareError> {
    let bad = |why: String| PrepareError::unusable("tls.ca_file", why);
    let pem = std::fs::read(path).map_err(|e| bad(format!("it cannot be read: {e}")))?;
    Judge::of_pem(&pem).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chk_09_a_self_signed_certificate_that_the_plan_names_is_accepted() {
        let made = |name: &str| {
            let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
            // As `openssl req -x509` makes them.
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2040, 1, 1);
            params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
        };
        let (own, other) = (made("shop.example"), made("shop.example"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), own.pem()).unwrap();
        let judge = judge_from_file(file.path().to_str().unwrap()).unwrap();
        let check = |certificate: &rcgen::Certificate, name: &'static str, year: u64, expect: &str| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_556_952));
            let verdict = judge.verify(certificate.der(), &[], &ServerName::try_from(name).unwrap(), now);
            let told = verdict.map_or_else(|e| certificate_error(&e), |()| "accepted".to_owned());
            assert!(told.contains(expect), "{name} in {year}: {told}");
        };
        check(&own, "shop.example", 2026, "accepted");
        check(&own, "other.example", 2026, "made for another name");
        check(&own, "shop.example", 2041, "expired");
        check(&own, "shop.example", 2019, "valid only from 2020");
        check(&other, "shop.example", 2026, "self-signed");
    }
}
