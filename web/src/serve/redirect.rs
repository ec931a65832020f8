//! HTTP beside HTTPS: tells browsers where HTTPS is, and answers an ACME authority (RFC 8555, section 8.3). I/O: HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};

use crate::hosts::{Hosts, host_of, plain};
use crate::tls::Certificates;

/// Where HTTPS is.
#[derive(Clone)]
pub struct Redirect {
    /// Port of the HTTPS door.
    pub port: u16,
    /// Names that this Farero has; the first one is used for requests that name none of them.
    pub hosts: Arc<Hosts>,
    /// Where an ACME authority's questions are answered from.
    pub certificates: Arc<Certificates>,
}

impl Redirect {
    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/acme-challenge/{token}", get(challenge))
            .fallback(elsewhere)
            .with_state(self.clone())
    }

    /// The HTTPS address of a request; never one that a stranger named.
    fn target(&self, headers: &HeaderMap, path: &str) -> Option<String> {
        let asked = host_of(headers).filter(|host| self.hosts.knows(host));
        let host = asked.map(plain).or_else(|| self.hosts.usual().map(ToOwned::to_owned))?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let port = if self.port == 443 { String::new() } else { format!(":{}", self.port) };
        Some(format!("https://{host}{port}{path}"))
    }
}

async fn challenge(State(redirect): State<Redirect>, Path(token): Path<String>) -> Response {
    match redirect.certificates.http_answer(&token) {
        Some(answer) => ([(header::CONTENT_TYPE, "application/octet-stream")], answer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn elsewhere(State(redirect): State<Redirect>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    match redirect.target(request.headers(), path) {
        // 308 keeps method and body (RFC 9110, section 15.4.9).
        Some(to) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response(),
        None => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}
