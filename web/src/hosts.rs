//! Under which names this Farero answers. A page of a stranger can make a browser ask a machine of the inside network under
//! the stranger's own name ("DNS rebinding"); such a request is refused before anything looks at it. I/O: HTTP.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};

use crate::answer::Failure;
use crate::app::App;
use crate::serve::LocalPeer;

/// Paths whose permission does not hang on a name: the secret stands in the address, or they tell nothing but yes or no.
const OPEN: &[&str] = &["/ping/", "/-/"];

/// Names of this Farero. Addresses always pass: nobody can make a name of their own out of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Of names and URLs, the usual one first; what is empty or an address of every interface is left out.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut out: Vec<String> = Vec::new();
        for name in names {
            let authority = name.split_once("://").map_or(name, |(_, rest)| rest);
            let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
            let host = plain(authority);
            let everywhere = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
            if !host.is_empty() && !everywhere && !out.contains(&host) {
                out.push(host);
            }
        }
        Self(out)
    }

    /// Whether a host, as [`host_of`] gives it, is one of these, this machine's own, or an address.
    pub fn knows(&self, host: &str) -> bool {
        let host = plain(host);
        host.parse::<IpAddr>().is_ok() || host == "localhost" || host.ends_with(".localhost") || self.0.contains(&host)
    }

    /// The usual one.
    pub fn usual(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

/// Lower case, without port, brackets and the root's dot.
pub(crate) fn plain(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|b| b.is_ascii_digit()) && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => authority,
    };
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

/// The host that a request names, where it names exactly one.
pub fn host_of(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::HOST).iter();
    let host = all.next()?.to_str().ok()?;
    if all.next().is_some() || host.contains(['@', '/', ' ', ',']) { None } else { Some(host) }
}

/// Refuses requests under a name that is none of this Farero's.
pub(crate) async fn known_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(hosts) = &app.config.hosts else { return next.run(request).await };
    let path = request.uri().path();
    let local = request.extensions().get::<LocalPeer>().is_some();
    if local || OPEN.iter().any(|open| path.starts_with(open)) {
        return next.run(request).await;
    }
    match host_of(request.headers()) {
        Some(host) if hosts.knows(host) => next.run(request).await,
        Some(host) => {
            let shown: String = host.chars().filter(|c| c.is_ascii_graphic()).take(100).collect();
            tracing::debug!(host = %shown, "a request under a name that is none of this Farero's is refused");
            Failure::misdirected(format!(
                "this Farero does not answer as `{shown}`; start it with --public-url or --host for that name"
            ))
            .into_response()
        }
        None => Failure::invalid("a request must name exactly one host").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_names_that_are_known() {
        let hosts = Hosts::new(["https://farero.example:8443/x", "0.0.0.0:9810", "caja", "", "farero.example"]);
        assert_eq!(hosts, Hosts(vec!["farero.example".into(), "caja".into()]));
        for host in [
            "farero.example",
            "FARERO.example.:9810",
            "caja:80",
            "127.0.0.1:9810",
            "[::1]:9810",
            "10.1.2.3",
            "localhost:1",
        ] {
            assert!(hosts.knows(host), "{host}");
        }
        for host in
            ["evil.example", "farero.example.evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example"]
        {
            assert!(!hosts.knows(host), "{host}");
        }
    }

    #[test]
    fn a_request_names_exactly_one_host() {
        let headers = |all: &[&str]| {
            let mut out = HeaderMap::new();
            for host in all {
                out.append(header::HOST, host.parse().unwrap());
            }
            out
        };
        assert_eq!(host_of(&headers(&["a:1"])), Some("a:1"));
        assert_eq!(host_of(&headers(&["a", "b"])), None);
        assert_eq!(host_of(&headers(&["a@b"])), None);
        assert_eq!(host_of(&headers(&[])), None);
    }
}
