//! Where the database is: a `postgres://` URL, its password kept out of sight. I/O (reads certificates).
//!
//! TLS is verified whenever it is used; the driver's `prefer`, which accepts anybody's certificate or none, is not
//! offered. Without `sslmode` TLS is required, except on this machine (loopback, Unix socket), where it is not used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

use crate::StateError;

/// Longest wait for a connection to one address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes that were sent and not taken for this long mean that the other side is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
/// A quiet connection is probed after this long, then this often, this many times.
const QUIET: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);

/// A database on a PostgreSQL server.
#[derive(Clone)]
pub struct PostgresUrl {
    config: Box<Config>,
    roots: Option<PathBuf>,
}

impl PostgresUrl {
    /// Whether a text is meant to be such a URL.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// From `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`.
    ///
    /// # Errors
    /// It cannot be read, or asks for what is not offered. The error does not quote the URL: it may hold a password.
    pub fn parse(url: &str) -> Result<Self, StateError> {
        let refused = |reason: String| StateError::Url { reason };
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut rest = Vec::new();
        let (mut mode, mut roots) = (None, None);
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => {
                    let decoded = form_urlencoded::parse(value.as_bytes()).next();
                    roots = decoded.map(|(path, _)| PathBuf::from(path.as_ref()));
                }
                _ => rest.push(pair),
            }
        }
        let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config = Config::from_str(&plain)
            .map_err(|e| refused(std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string)))?;
        if config.get_hosts().is_empty() {
            return Err(refused("it names no host".to_owned()));
        }
        let tls = match mode {
            None if config.get_hosts().iter().all(is_here) => SslMode::Disable,
            None | Some("require" | "verify-full") => SslMode::Require,
            Some("disable") => SslMode::Disable,
            Some(other) => {
                return Err(refused(format!(
                    "sslmode `{other}` does not say who listens: use require (TLS, certificate verified) or disable"
                )));
            }
        };
        config.ssl_mode(tls).connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(SEND_TIMEOUT);
        config.keepalives_idle(QUIET.0).keepalives_interval(QUIET.1).keepalives_retries(QUIET.2);
        Ok(Self { config: Box::new(config), roots })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// TLS that trusts the system's authorities, or those of `sslrootcert` and nobody else.
    pub(super) fn tls(&self) -> Result<MakeRustlsConnect, StateError> {
        let mut roots = RootCertStore::empty();
        if self.config.get_ssl_mode() != SslMode::Disable {
            match &self.roots {
                Some(path) => add_file(&mut roots, path)?,
                None => {
                    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| StateError::Url { reason: format!("TLS cannot be set up: {e}") })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), StateError> {
    let refused = |e: &dyn fmt::Display| StateError::Url {
        reason: format!("sslrootcert {} cannot be used: {e}", path.display()),
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| refused(&e))? {
        roots.add(certificate.map_err(|e| refused(&e))?).map_err(|e| refused(&e))?;
    }
    if roots.is_empty() { Err(refused(&"there is no certificate in it")) } else { Ok(()) }
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Without the password and without parameters.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let port = self.config.get_ports().get(place).or(self.config.get_ports().first()).copied().unwrap_or(5432);
            let comma = if place > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(path) => write!(f, "{comma}{}:{port}", path.display())?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().or(self.config.get_user()).unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_required_where_the_server_is_elsewhere() {
        let check = |url: &str, expect: Result<SslMode, &str>| match (PostgresUrl::parse(url), expect) {
            (Ok(url), Ok(mode)) => assert_eq!(url.config.get_ssl_mode(), mode),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{url}: {got:?}"),
        };
        check("postgres://farero:pw@db.example/farero", Ok(SslMode::Require));
        check("postgres://farero:pw@127.0.0.1:5433/farero", Ok(SslMode::Disable));
        check("postgresql:///farero?host=/run/postgresql", Ok(SslMode::Disable));
        check("postgres://db.example/farero?sslmode=disable", Ok(SslMode::Disable));
        check("postgres://localhost/farero?sslmode=verify-full", Ok(SslMode::Require));
        check("postgres://db.example/farero?sslmode=prefer", Err("does not say who listens"));
        check("postgres:///farero", Err("names no host"));
        check("postgres://db.example:x/farero", Err("port"));
    }

    #[test]
    fn the_password_is_never_shown() {
        let url = PostgresUrl::parse("postgres://farero:hunter22@db.example:5433/state?connect_timeout=3").unwrap();
        assert_eq!(url.to_string(), "postgres://farero@db.example:5433/state");
        assert_eq!(format!("{url:?}"), url.to_string());
        let error = PostgresUrl::parse("postgres://farero:hunter22@h/db?sslmode=allow").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter22"));
    }
}
