//! The ways in, opened: the address of the pages, TLS, the redirect to it, the Unix socket. I/O: sockets, files.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use kernel::Timestamp;
use tokio::net::TcpListener;
use web::Door;
use web::hosts::Hosts;
use web::serve::Redirect;
use web::tls::Certificates;

use crate::config::{Config, Socket, Tls};

mod socket;

/// The ways in, and what belongs to them.
pub struct Doors {
    /// To be served.
    pub doors: Vec<Door>,
    /// Where the pages are.
    pub address: SocketAddr,
    /// Its own certificate, where it speaks TLS itself.
    pub certificates: Option<Arc<Certificates>>,
    /// Names under which it answers.
    pub hosts: Arc<Hosts>,
    /// The Unix socket, to be taken away at the end.
    pub socket: Option<PathBuf>,
}

/// Opens every way in that is configured; the listening address with it, for port 0 becomes a port.
///
/// # Errors
/// An address is taken, the certificate cannot be used, or the socket that was asked for cannot be made.
pub async fn open(config: &Config, now: Timestamp) -> Result<Doors> {
    let listener = listen(config.listen, "--listen").await?;
    let address = listener.local_addr()?;
    let hosts = Arc::new(names(config));
    let certificates = config.tls.as_ref().map(|tls| certificates(tls, config, now)).transpose()?;
    let mut doors = Vec::new();
    if let (Some(at), Some(certificates)) = (config.redirect, &certificates) {
        let redirect = Redirect { port: address.port(), hosts: hosts.clone(), certificates: certificates.clone() };
        doors.push(Door::Redirect(listen(at, "--http-redirect").await?, redirect));
    }
    doors.push(match &certificates {
        Some(certificates) => Door::Tls(listener, certificates.clone()),
        None => Door::Plain(listener),
    });
    let socket = match &config.socket {
        Socket::None => None,
        Socket::At(path) => Some((socket::bind(path)?, path.clone())),
        Socket::Usual => {
            let path = config.data.join(socket::NAME);
            match crate::folder::make_private(&config.data).map_err(Into::into).and_then(|()| socket::bind(&path)) {
                Ok(listener) => Some((listener, path)),
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "there is no Unix socket: `farero status` needs a token");
                    None
                }
            }
        }
    };
    let (socket, path) = socket.unzip();
    doors.extend(socket.map(Door::Socket));
    Ok(Doors { doors, address, certificates, hosts, socket: path })
}

async fn listen(at: SocketAddr, option: &str) -> Result<TcpListener> {
    TcpListener::bind(at).await.with_context(|| format!("{at} cannot be listened on; choose another with {option}"))
}

/// The names under which it answers: as people reach it, as was said on start, as its certificate says, as the machine is called.
fn names(config: &Config) -> Hosts {
    let base = config.public_url.clone();
    let domains = match &config.tls {
        Some(Tls::Acme(acme)) => acme.domains.clone(),
        _ => Vec::new(),
    };
    let machine = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let listen = config.listen.to_string();
    Hosts::new(
        base.iter().chain(&domains).chain(&config.hosts).chain(&machine).map(String::as_str).chain([listen.as_str()]),
    )
}

fn certificates(tls: &Tls, config: &Config, now: Timestamp) -> Result<Arc<Certificates>> {
    let certificates = Certificates::new()?;
    match tls {
        // One that cannot be used on start is an error: there is no old one to go on with.
        Tls::Files { certificate, key } => certificates
            .load(certificate, key, now)
            .with_context(|| format!("--tls-cert {} with --tls-key {}", certificate.display(), key.display()))?,
        Tls::Acme(_) => crate::acme::use_kept(&config.data, &certificates, now),
    }
    Ok(Arc::new(certificates))
}
