//! A TLS endpoint whose certificate can be exchanged while it runs. I/O.

use std::sync::Arc;

use anyhow::{Context, Result};
use parking_lot::RwLock;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Days that a good certificate is valid.
const GOOD_DAYS: i64 = 90;
/// Days that the short one is valid: inside the plan's 7.
const SHORT_DAYS: i64 = 3;

#[derive(Debug)]
pub(crate) struct Endpoint {
    port: u16,
    config: Arc<RwLock<Arc<ServerConfig>>>,
    task: JoinHandle<()>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Endpoint {
    pub(crate) async fn start() -> Result<Self> {
        let config = Arc::new(RwLock::new(server_config(GOOD_DAYS)?));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(serve(listener, config.clone()));
        Ok(Self { port, config, task })
    }

    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    pub(crate) fn show_short(&self) -> Result<()> {
        *self.config.write() = server_config(SHORT_DAYS)?;
        Ok(())
    }

    pub(crate) fn show_good(&self) -> Result<()> {
        *self.config.write() = server_config(GOOD_DAYS)?;
        Ok(())
    }
}

async fn serve(listener: TcpListener, config: Arc<RwLock<Arc<ServerConfig>>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let acceptor = TlsAcceptor::from(config.read().clone());
        tokio::spawn(async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        });
    }
}

fn server_config(days: i64) -> Result<Arc<ServerConfig>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let end = i64::try_from(now)? + days * 86_400;
    let date = jiff::Timestamp::from_second(end)?.to_zoned(jiff::tz::TimeZone::UTC);
    let part = |n: i8| u8::try_from(n).unwrap_or(1);
    // rcgen takes whole days; the end is midnight of that day.
    params.not_after = rcgen::date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()));
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .context("the demo's certificate cannot be used")?;
    Ok(Arc::new(config))
}
