//! How Farero was started. Pure.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use kernel::secret::Secret;

use crate::ReceiveLimits;

/// How Farero was started.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folders of the plans.
    pub plans: Vec<PathBuf>,
    /// Folder for everything that Farero keeps.
    pub data: PathBuf,
    /// PostgreSQL for what must survive, instead of a file in `data`: a URL, may hold references.
    pub state: Option<Secret>,
    /// Where the pages are served.
    pub listen: SocketAddr,
    /// Address under which people reach the pages, for links in messages; made from `listen` when `None`.
    pub public_url: Option<String>,
    /// Environment to read the plans for.
    pub environment: Option<String>,
    /// Where secrets may come from.
    pub secrets: secrets::Settings,
    /// File with the log-in settings: providers.
    pub login: Option<PathBuf>,
    /// Whether `/metrics`, the Prometheus API and badges may be read without log-in.
    pub open_metrics: bool,
    /// TLS of its own; plain HTTP when `None`.
    pub tls: Option<Tls>,
    /// Where plain HTTP leads to HTTPS.
    pub redirect: Option<SocketAddr>,
    /// The Unix socket of the local command line.
    pub socket: Socket,
    /// Further names under which it answers.
    pub hosts: Vec<String>,
    /// Bounds of the series store.
    pub store: Store,
    /// What one sender of samples may bring, where its system's plan says nothing else.
    pub receive: ReceiveLimits,
}

/// Bounds of the series store. How long samples are kept stands in the plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// Bytes that blocks may take together, 0 without a limit; the oldest ones are deleted first.
    pub retention_bytes: u64,
    /// How much older than the newest sample of its group a sample may be that comes late.
    pub out_of_order_window: Duration,
    /// Most series in memory.
    pub series: usize,
}

impl Default for Store {
    /// Senders that were cut off for up to an hour catch up.
    fn default() -> Self {
        Self {
            retention_bytes: 0,
            out_of_order_window: Duration::from_secs(3_600),
            series: store_series::Options::default().series,
        }
    }
}

/// Where TLS gets its certificate.
#[derive(Clone, Debug)]
pub enum Tls {
    /// From files that somebody else renews.
    Files {
        /// The chain, PEM.
        certificate: PathBuf,
        /// Its key, PEM.
        key: PathBuf,
    },
    /// From an ACME authority.
    Acme(Acme),
}

/// A certificate from an ACME authority (RFC 8555).
#[derive(Clone, Debug)]
pub struct Acme {
    /// Names that the certificate is for.
    pub domains: Vec<String>,
    /// Whom the authority writes to.
    pub email: Option<String>,
    /// The authority's directory.
    pub directory: String,
    /// Who vouches for the authority itself, a PEM file, where it is one of the inside network.
    pub ca_file: Option<PathBuf>,
}

/// Directory of the ACME authority that is used when none is named.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// The Unix socket of the local command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Socket {
    /// None.
    None,
    /// `farero.sock` in the data folder; left out, loudly, where it cannot be made.
    #[default]
    Usual,
    /// There; not starting where it cannot be made.
    At(PathBuf),
}

impl Config {
    /// With what is usual.
    pub fn new(plans: Vec<PathBuf>, data: PathBuf, listen: SocketAddr) -> Self {
        Self {
            plans,
            data,
            state: None,
            listen,
            public_url: None,
            environment: None,
            secrets: secrets::Settings::with([]),
            login: None,
            open_metrics: false,
            tls: None,
            redirect: None,
            socket: Socket::default(),
            hosts: Vec::new(),
            store: Store::default(),
            receive: ReceiveLimits::default(),
        }
    }

    /// The address for links.
    pub fn base_url(&self) -> String {
        match (&self.public_url, &self.tls) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, None) => format!("http://{}", self.listen),
            (None, Some(tls)) => {
                let domain = match tls {
                    Tls::Acme(acme) => acme.domains.first(),
                    Tls::Files { .. } => None,
                };
                match (domain, self.listen.port()) {
                    (Some(domain), 443) => format!("https://{domain}"),
                    (Some(domain), port) => format!("https://{domain}:{port}"),
                    (None, _) => format!("https://{}", self.listen),
                }
            }
        }
    }

    /// Whether people reach it over TLS, its own or that of something before it.
    pub fn is_https(&self) -> bool {
        self.base_url().starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_for_links_follows_from_how_it_is_reached() {
        let usual = Config::new(Vec::new(), PathBuf::new(), SocketAddr::from(([127, 0, 0, 1], 9810)));
        assert_eq!(usual.base_url(), "http://127.0.0.1:9810");
        let acme =
            Acme { domains: vec!["farero.example".into()], email: None, directory: LETS_ENCRYPT.into(), ca_file: None };
        let own = Config { tls: Some(Tls::Acme(acme)), ..usual.clone() };
        assert_eq!(own.base_url(), "https://farero.example:9810");
        assert!(own.is_https());
        let named = Config { public_url: Some("https://farero.example/".into()), ..usual };
        assert_eq!(named.base_url(), "https://farero.example");
    }
}
