//! TLS as `tls_config` wants it: authorities, client certificates, names, versions. I/O: reads files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use observe_tls::{Judge, any_certificate, provider};
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{ClientError, Stream};
use crate::config::{SecretValue, TlsConfig, TlsVersion};

/// Files and when they were written.
type Written = Vec<(PathBuf, Option<SystemTime>)>;

/// Makes TLS connections; files are read again when they have changed.
#[derive(Debug)]
pub(super) struct TlsClient {
    config: TlsConfig,
    built: Mutex<Option<(Written, Arc<ClientConfig>)>>,
}

impl TlsClient {
    pub(super) const fn new(config: TlsConfig) -> Self {
        Self { config, built: Mutex::new(None) }
    }

    pub(super) async fn shake_hands(&self, stream: TcpStream, host: &str) -> Result<Stream, ClientError> {
        let name = self.config.server_name.as_deref().unwrap_or(host).to_owned();
        let server = ServerName::try_from(name.clone());
        let server = server.map_err(|e| ClientError::Settings(format!("tls: server name {name:?}: {e}")))?;
        let config = self.current()?;
        let stream = TlsConnector::from(config).connect(server, stream).await;
        stream.map(|s| Stream::Tls(Box::new(s))).map_err(|e| ClientError::Connection(format!("tls: {e}")))
    }

    fn current(&self) -> Result<Arc<ClientConfig>, ClientError> {
        let key = match &self.config.key {
            Some(SecretValue::File(path)) => Some(path),
            _ => None,
        };
        let files = [self.config.ca_file.as_ref(), self.config.cert_file.as_ref(), key];
        let written: Written = files
            .into_iter()
            .flatten()
            .map(|path| (path.clone(), std::fs::metadata(path).and_then(|m| m.modified()).ok()))
            .collect();
        let mut built = self.built.lock();
        if let Some((before, config)) = built.as_ref()
            && *before == written
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(tls_config(&self.config).map_err(ClientError::Settings)?);
        *built = Some((written, Arc::clone(&config)));
        Ok(config)
    }
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("unable to read {what} {}: {e}", path.display()))
}

/// TLS as a configuration wants it, for clients of other rooms too; files are read now.
///
/// # Errors
/// A file cannot be read or used, or no version of TLS is left.
pub fn tls_config(config: &TlsConfig) -> Result<ClientConfig, String> {
    let allowed = |version: TlsVersion| config.min_version != Some(TlsVersion::Tls13) || version == TlsVersion::Tls13;
    let allowed = |version: TlsVersion| {
        allowed(version) && (config.max_version != Some(TlsVersion::Tls12) || version == TlsVersion::Tls12)
    };
    let mut versions: Vec<&'static rustls::SupportedProtocolVersion> = Vec::new();
    if allowed(TlsVersion::Tls13) {
        versions.push(&rustls::version::TLS13);
    }
    if allowed(TlsVersion::Tls12) {
        versions.push(&rustls::version::TLS12);
    }
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&versions);
    let builder = builder.map_err(|e| format!("tls: min_version and max_version leave nothing: {e}"))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(judge(config)?);
    let cert = match (&config.cert, &config.cert_file) {
        (Some(pem), _) => Some(pem.clone().into_bytes()),
        (None, Some(path)) => Some(read(path, "specified client cert")?),
        (None, None) => None,
    };
    let key = match &config.key {
        Some(SecretValue::Inline(pem)) => Some(pem.expose().as_bytes().to_vec()),
        Some(SecretValue::File(path)) => Some(read(path, "specified client key")?),
        None => None,
    };
    let (Some(cert), Some(key)) = (cert, key) else { return Ok(builder.with_no_client_auth()) };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert).collect();
    let chain = chain.map_err(|e| format!("unable to use specified client cert: {e}"))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|e| format!("unable to use specified client key: {e}"))?;
    builder.with_client_auth_cert(chain, key).map_err(|e| format!("unable to use specified client cert: {e}"))
}

/// Who says whether a target's certificate is accepted.
fn judge(config: &TlsConfig) -> Result<Arc<dyn ServerCertVerifier>, String> {
    if config.insecure_skip_verify {
        return Ok(any_certificate());
    }
    let pem = match (&config.ca, &config.ca_file) {
        (Some(pem), _) => pem.clone().into_bytes(),
        (None, Some(path)) => read(path, "CA cert")?,
        (None, None) => {
            let advice = "this machine has no certificate authorities: install ca-certificates, or name a ca_file";
            return Ok(Arc::new(Judge::native().map_err(|_| advice)?));
        }
    };
    Ok(Arc::new(Judge::of_pem(&pem).map_err(|e| format!("unable to use specified CA cert: {e}"))?))
}
