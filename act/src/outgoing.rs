//! The one door for everything whose address a plan chooses: channels, the watchdog. I/O: DNS, HTTP.
//!
//! Invariant: nothing is sent to this machine's loopback, to link-local, metadata, multicast or reserved addresses unless
//! the plan names the host under `outgoing: { allow: […] }`. An address in a URL is looked at before anything is sent; a
//! name is looked at after it was resolved, in the resolver that the connection itself uses, so that a name cannot lead
//! elsewhere between the look and the connection ("DNS rebinding"). Redirects are not followed.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use plan_model::Outgoing;
use plan_model::outgoing::{refused_address, refused_name};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};

use crate::notify::TRY_TIMEOUT;

/// Of several addresses of a mail server, each may take this long to accept; then the next one is tried.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Why there is no HTTP client.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct ClientError(String);

/// Why nothing is sent to a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{host}` is {why}, where Farero sends nothing; if that is meant, write `outgoing: {{ allow: [\"{host}\"] }}` into the plan"
)]
pub struct Refused {
    /// The host as the plan names it.
    pub host: String,
    /// What it is.
    pub why: &'static str,
}

/// The HTTP client for a URL that a plan chose: one that looks at every address that it connects to, unless the plan
/// allows the host by name.
///
/// # Errors
/// The URL's host is refused as it is written, or TLS cannot be set up on this machine.
pub fn client_for(url: &Url, outgoing: &Outgoing) -> Result<&'static Client, String> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
    if outgoing.allows(host, port) {
        return http_client().map_err(|e| e.to_string());
    }
    check(host, port, outgoing).map_err(|e| e.to_string())?;
    guarded_client().map_err(|e| e.to_string())
}

/// Refuses a host as it is written, where that tells enough.
///
/// # Errors
/// The host is this machine, a reserved address, or a metadata service, and the plan does not allow it.
pub fn check(host: &str, port: u16, outgoing: &Outgoing) -> Result<(), Refused> {
    match outgoing.refuses(host, port) {
        Some(why) => Err(Refused { host: host.to_owned(), why }),
        None => Ok(()),
    }
}

/// The client that connects anywhere: for what the person at the command line names, and for hosts that a plan allows.
///
/// # Errors
/// TLS cannot be set up on this machine.
pub fn http_client() -> Result<&'static Client, ClientError> {
    static CLIENT: OnceLock<Result<Client, ClientError>> = OnceLock::new();
    CLIENT.get_or_init(|| build(None)).as_ref().map_err(Clone::clone)
}

/// A client that speaks over a Unix socket, whatever the URL's host.
///
/// # Errors
/// TLS cannot be set up on this machine.
pub fn socket_client(path: &std::path::Path) -> Result<Client, ClientError> {
    let builder = Client::builder().tls_backend_preconfigured(tls().map_err(ClientError)?).unix_socket(path);
    builder.build().map_err(|e| ClientError(e.to_string()))
}

fn guarded_client() -> Result<&'static Client, ClientError> {
    static CLIENT: OnceLock<Result<Client, ClientError>> = OnceLock::new();
    CLIENT.get_or_init(|| build(Some(Arc::new(Guarded)))).as_ref().map_err(Clone::clone)
}

/// Calls a URL that a plan chose with GET.
///
/// # Errors
/// The host is refused, does not answer within `limit`, or answers with an error; without the URL, which may be a secret.
pub async fn call(url: &str, outgoing: &Outgoing, limit: Duration) -> Result<(), String> {
    let url: Url =
        url.trim().parse().map_err(|_| "the URL is none: it must begin with https:// or http://".to_owned())?;
    let answer = client_for(&url, outgoing)?.get(url).timeout(limit).send().await;
    match answer.and_then(reqwest::Response::error_for_status) {
        Ok(_) => Ok(()),
        Err(error) => Err(crate::notify::describe(error)),
    }
}

/// The addresses of a host that may be connected to, for what speaks no HTTP: the connection is made to one of these and
/// to no other.
///
/// # Errors
/// The name cannot be resolved, or leads only where nothing is sent.
pub async fn addresses(host: &str, port: u16, outgoing: &Outgoing) -> Result<Vec<SocketAddr>, String> {
    check(host, port, outgoing).map_err(|e| e.to_string())?;
    let all = look_up(host, port).await.map_err(|e| format!("`{host}` cannot be resolved: {e}"))?;
    if outgoing.allows(host, port) { Ok(all) } else { without_refused(host, all).map_err(|e| e.to_string()) }
}

/// The first of some addresses that accepts a connection; the only one is not asked first.
pub async fn reachable(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    if let [only] = addresses {
        return Some(*only);
    }
    for address in addresses {
        let connecting = tokio::net::TcpStream::connect(address);
        if tokio::time::timeout(CONNECT_LIMIT, connecting).await.is_ok_and(|c| c.is_ok()) {
            return Some(*address);
        }
    }
    addresses.first().copied()
}

async fn look_up(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((host, port)).await?.take(MOST_ADDRESSES).collect())
}

fn without_refused(host: &str, mut all: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
    let mut why = "a name without an address";
    all.retain(|address| match refused_address(address.ip()) {
        Some(reason) => {
            why = reason;
            false
        }
        None => true,
    });
    if all.is_empty() { Err(Refused { host: host.to_owned(), why }) } else { Ok(all) }
}

/// The resolver of the guarded client.
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str();
            if let Some(why) = refused_name(host) {
                return Err(Refused { host: host.to_owned(), why }.into());
            }
            let all = look_up(host, 0).await?;
            let addresses: Addrs = Box::new(without_refused(host, all)?.into_iter());
            Ok(addresses)
        })
    }
}

fn build(resolver: Option<Arc<Guarded>>) -> Result<Client, ClientError> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls().map_err(ClientError)?)
        .user_agent(concat!("Farero/", env!("CARGO_PKG_VERSION")))
        .timeout(TRY_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    if let Some(resolver) = resolver {
        builder = builder.dns_resolver(resolver);
    }
    builder.build().map_err(|e| ClientError(e.to_string()))
}

/// TLS by rustls with ring, trusting the certificate authorities of this machine.
fn tls() -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(hosts: &[&str]) -> Outgoing {
        Outgoing { allow: hosts.iter().map(|h| (*h).to_owned()).collect() }
    }

    #[tokio::test]
    async fn sec_12_addresses_are_looked_at_after_they_were_resolved() {
        // Every machine resolves this name to loopback, and `refused_name` does not know it.
        let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        let local = hosts
            .lines()
            .filter(|l| l.starts_with("127."))
            .flat_map(|l| l.split_whitespace().skip(1))
            .find(|n| refused_name(n).is_none());
        if let Some(name) = local {
            let error = addresses(name, 25, &allow(&[])).await.unwrap_err();
            assert!(error.contains("loopback"), "{error}");
            assert!(!addresses(name, 25, &allow(&[name])).await.unwrap().is_empty());
        }
        let all = |ips: &[&str]| ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 25)).collect::<Vec<_>>();
        assert_eq!(without_refused("h", all(&["127.0.0.1", "10.0.0.5"])).unwrap(), all(&["10.0.0.5"]));
        assert_eq!(
            without_refused("h", all(&["::ffff:169.254.169.254"])).unwrap_err().why,
            "the cloud's metadata service"
        );
        assert_eq!(without_refused("h", Vec::new()).unwrap_err().why, "a name without an address");
    }

    #[tokio::test]
    async fn sec_12_an_address_in_a_url_is_looked_at_in_every_spelling() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::ffff:7f00:1]/",
            "http://localhost:1/",
        ] {
            let url: Url = url.parse().unwrap();
            let error = client_for(&url, &allow(&[])).unwrap_err();
            assert!(error.contains("outgoing: { allow:"), "{url}: {error}");
        }
        assert!(client_for(&"http://127.0.0.1:80/".parse().unwrap(), &allow(&["127.0.0.1:80"])).is_ok());
        assert!(client_for(&"http://10.0.0.5/".parse().unwrap(), &allow(&[])).is_ok());
    }
}
