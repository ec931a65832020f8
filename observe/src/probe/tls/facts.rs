//! What a TLS handshake shows: the chain of certificates, the protocol, and refusals in words. Pure.

use std::io;

use kernel::Timestamp;
use kernel::probe::Reading;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConnection, Error, ProtocolVersion};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::probe::Attempt;

/// Of a certificate at most this many names are shown as evidence: some hold hundreds.
const MOST_NAMES: usize = 10;

/// The certificates that a server sent, its own first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain(Vec<Link>);

/// One certificate of a chain.
#[derive(Clone, Debug, PartialEq)]
struct Link {
    subject: String,
    issuer: String,
    names: Vec<String>,
    not_after: Timestamp,
}

impl Chain {
    /// Reads the certificates; one that cannot be read is left out.
    pub(crate) fn read(certificates: &[CertificateDer<'_>]) -> Self {
        Self(certificates.iter().filter_map(|der| Link::read(der)).collect())
    }

    /// When the first of all the certificates ends.
    pub(crate) fn earliest_end(&self) -> Option<Timestamp> {
        self.0.iter().map(|link| link.not_after).min()
    }

    /// When the first of those certificates ends that the server's own one rests on: what else the server sent along
    /// does not count.
    fn path_end(&self) -> Option<Timestamp> {
        let mut link = self.0.first()?;
        let mut end = link.not_after;
        for _ in 1..self.0.len() {
            let Some(next) = self.0.iter().find(|l| l.subject == link.issuer && l.subject != link.subject) else {
                break;
            };
            end = end.min(next.not_after);
            link = next;
        }
        Some(end)
    }

    /// Writes everything down, under blackbox_exporter's names.
    pub(crate) fn record(&self, attempt: &Attempt, session: &ClientConnection, is_trusted: bool) {
        if let (Some(earliest), Some(path)) = (self.earliest_end(), self.path_end()) {
            attempt.read(Reading::new("probe_ssl_earliest_cert_expiry", earliest.as_secs_f64()));
            let path = if is_trusted { path.as_secs_f64() } else { 0.0 };
            attempt.read(Reading::new("probe_ssl_last_chain_expiry_timestamp_seconds", path));
        }
        if let Some(own) = self.0.first() {
            own.record(attempt);
        }
        attempt.fact("certificate chain", self.0.len().to_string());
        let version = session.protocol_version().map_or("unknown", version_text);
        attempt.fact("protocol", version);
        attempt.read(Reading::new("probe_tls_version_info", 1.0).label("version", version));
        if let Some(suite) = session.negotiated_cipher_suite() {
            let cipher = suite.suite().as_str().unwrap_or("unknown").replace("TLS13_", "TLS_");
            attempt.read(Reading::new("probe_tls_cipher_info", 1.0).label("cipher", cipher.clone()));
            attempt.fact("cipher", cipher);
        }
    }
}

impl Link {
    fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten().map_or_else(Vec::new, |san| {
            san.value.general_names.iter().filter_map(name_text).take(MOST_NAMES).collect()
        });
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names,
            not_after: Timestamp::from_secs(certificate.validity().not_after.timestamp()),
        })
    }

    fn record(&self, attempt: &Attempt) {
        attempt.fact("certificate", self.subject.clone());
        attempt.fact("certificate issuer", self.issuer.clone());
        attempt.fact("certificate names", self.names.join(", "));
        attempt.fact("certificate ends", self.not_after.to_string());
        attempt.fact("certificate days left", format!("{:.1}", days_between(attempt.now(), self.not_after)));
    }
}

/// Days from one time to another, negative when the other is before.
fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_secs_f64() - from.as_secs_f64()) / 86_400.0
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => Some(std::net::IpAddr::from(v4).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|v6| std::net::IpAddr::from(v6).to_string()),
        },
        _ => None,
    }
}

/// As OpenSSL and blackbox_exporter write it.
fn version_text(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "unknown",
    }
}

/// Why a handshake failed, in words.
pub(crate) fn handshake_error(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => tls_error(inner),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection during the TLS handshake: does it speak TLS on this port?".to_owned()
        }
        None => format!("the TLS handshake broke off: {error}"),
    }
}

fn tls_error(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(_) => certificate_error(error),
        Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        Error::PeerIncompatible(_)
        | Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
            format!("no common TLS protocol or cipher: the server is older than the accepted minimum ({error})")
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server has no certificate for this name".to_owned()
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a certificate of the client".to_owned()
        }
        other => format!("the TLS handshake failed: {other}"),
    }
}

/// Why a chain of certificates is not accepted, in words.
pub(crate) fn certificate_error(error: &Error) -> String {
    let Error::InvalidCertificate(reason) = error else { return format!("the certificate cannot be checked: {error}") };
    match reason {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate expired on {}", time_text(*not_after))
        }
        CertificateError::Expired => "the certificate expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate is valid only from {} on", time_text(*not_before))
        }
        CertificateError::NotValidYet => "the certificate is not valid yet".to_owned(),
        CertificateError::UnknownIssuer => {
            "the certificate's issuer is unknown: no trusted authority signed it, or the server does not send the whole chain"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented = presented.iter().take(MOST_NAMES).map(|n| bare_name(n)).collect::<Vec<_>>().join(", ");
            format!("the certificate is made for another name: {} expected, {presented} found", server_name(expected))
        }
        CertificateError::NotValidForName => "the certificate is made for another name".to_owned(),
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::BadSignature => "the certificate's signature is wrong".to_owned(),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the certificate is self-signed, and no ca_file names it".to_owned()
        }
        other => format!("the certificate is not accepted: {other}"),
    }
}

/// `DnsName("a.example")` as `a.example`.
fn bare_name(presented: &str) -> &str {
    presented.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"')).map_or(presented, |(name, _)| name)
}

fn server_name(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

fn time_text(time: UnixTime) -> String {
    Timestamp::from_secs(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)).to_string()
}
