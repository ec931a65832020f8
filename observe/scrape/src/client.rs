//! Speaks HTTP/1.1 to targets and to what lists them: one keep-alive connection each, bodies into reused buffers. I/O.
//!
//! A client of our own, as scraping is the hot path: a request is bytes that were made once, and a body is read where it is
//! parsed, so a connection keeps no memory between scrapes. The head is read by `httparse`.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use url::Url;

use crate::config::HttpConfig;

mod auth;
mod connect;
mod reply;
mod stream;
mod tls;

pub(crate) use reply::{Head, unpack};
pub(crate) use stream::Stream;

pub use auth::request_headers;
pub use tls::tls_config;

use auth::Auth;
use tls::TlsClient;

/// Redirects that are followed, as in Go.
const MOST_REDIRECTS: usize = 10;

/// Bodies larger than this are refused even where no limit is set: they would fill memory.
pub(crate) const LARGEST_BODY_BYTES: u64 = 512 << 20;

/// What happened instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection, or it broke off.
    #[error("{0}")]
    Connection(String),
    /// The URL or the settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// What came back is no HTTP.
    #[error("malformed HTTP response: {0}")]
    Malformed(String),
    /// Another status than 200.
    #[error("server returned HTTP status {0}")]
    Status(String),
    /// More bytes than allowed.
    #[error("body size limit exceeded")]
    BodyLimit,
    /// It took too long.
    #[error("context deadline exceeded")]
    Timeout,
}

/// Who is asked, over what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As it stands in the URL.
    pub(crate) authority: String,
    /// A socket in the file system instead of a host.
    pub(crate) unix: Option<std::path::PathBuf>,
}

impl Origin {
    pub(crate) fn of(url: &Url) -> Result<Self, ClientError> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(ClientError::Settings(format!("unsupported protocol scheme {other:?}"))),
        };
        let host = url.host_str().ok_or_else(|| ClientError::Settings(format!("{url} names no host")))?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let port = url.port_or_known_default().unwrap_or(80);
        let host = host.trim_matches(['[', ']']).to_owned();
        Ok(Self { tls, host, port, authority, unix: None })
    }

    /// Whether packing would only cost time.
    pub(crate) fn is_loopback(&self) -> bool {
        self.unix.is_some()
            || self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// A request that is ready but for its credentials.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    url: Url,
    origin: Origin,
    /// Everything but the request line, `Host` and credentials.
    headers: String,
    method: &'static str,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(url: &str, headers: &[(&str, &str)]) -> Result<Self, ClientError> {
        let url = Url::parse(url).map_err(|e| ClientError::Settings(format!("parse {url:?}: {e}")))?;
        let origin = Origin::of(&url)?;
        let user_agent = ("User-Agent", concat!("Farero/", env!("CARGO_PKG_VERSION")));
        let lines = std::iter::once(&user_agent).chain(headers);
        let headers = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Ok(Self { url, origin, headers, method: "GET", body: Vec::new() })
    }

    /// A form, for tokens.
    pub(crate) fn post_form(url: &str, headers: &[(&str, &str)], form: &str) -> Result<Self, ClientError> {
        let length = form.len().to_string();
        let mut all = headers.to_vec();
        all.extend([("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", length.as_str())]);
        Ok(Self { method: "POST", body: form.as_bytes().to_vec(), ..Self::get(url, &all)? })
    }

    /// The same over a socket in the file system.
    pub(crate) fn over_unix(mut self, path: &std::path::Path) -> Self {
        self.origin.unix = Some(path.to_owned());
        self
    }

    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    fn bytes(&self, auth: &str, whole_url: bool) -> Vec<u8> {
        let target = match (whole_url, self.url.query()) {
            (true, _) => self.url.as_str().split('#').next().unwrap_or_default().to_owned(),
            (false, Some(query)) => format!("{}?{query}", self.url.path()),
            (false, None) => self.url.path().to_owned(),
        };
        let Self { method, headers, origin, .. } = self;
        let mut out =
            format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{headers}{auth}\r\n", origin.authority).into_bytes();
        out.extend_from_slice(&self.body);
        out
    }

    fn redirected(&self, location: &str) -> Result<Self, ClientError> {
        let url = self.url.join(location);
        let url =
            url.map_err(|e| ClientError::Malformed(format!("failed to parse Location header {location:?}: {e}")))?;
        let origin = Origin::of(&url)?;
        Ok(Self { url, origin, headers: self.headers.clone(), method: "GET", body: Vec::new() })
    }
}

/// Reaches targets of a job as it says.
#[derive(Debug)]
pub(crate) struct HttpClient {
    follow_redirects: bool,
    same_host: bool,
    tls: TlsClient,
    auth: Auth,
    proxy: crate::config::Proxy,
}

impl HttpClient {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        Self {
            follow_redirects: config.follow_redirects,
            same_host: config.same_host,
            tls: TlsClient::new(config.tls.clone()),
            auth: Auth::new(config),
            proxy: config.proxy.clone(),
        }
    }

    /// Asks, over the kept connection if there is one, and reads the body into `buffer`.
    pub(crate) async fn fetch(
        &self,
        request: &Request,
        kept: &mut Option<Stream>,
        buffer: &mut Vec<u8>,
        limit: u64,
    ) -> Result<Head, ClientError> {
        let auth = self.auth.header().await?;
        if let Some(mut stream) = kept.take() {
            match self.ask(request, &auth, &mut stream, buffer, limit).await {
                Ok(head) if !is_redirect(head.status) || !self.follow_redirects => {
                    *kept = head.keep_alive.then_some(stream);
                    return Ok(head);
                }
                Ok(_) => {}
                // The other side may have closed it meanwhile: a fresh one decides.
                Err(ClientError::Connection(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut stream = self.open(&request.origin).await?;
        let mut head = self.ask(request, &auth, &mut stream, buffer, limit).await?;
        let mut current = None;
        for _ in 0..MOST_REDIRECTS {
            let Some(location) = head.location.take().filter(|_| self.follow_redirects && is_redirect(head.status))
            else {
                break;
            };
            let next = current.as_ref().unwrap_or(request).redirected(&location)?;
            if self.same_host && next.origin.host != request.origin.host {
                let text = format!("redirected to another host, {}: name that address itself", next.origin.authority);
                return Err(ClientError::Connection(text));
            }
            // Credentials are for who was asked first.
            let auth = if next.origin.authority == request.origin.authority { auth.as_str() } else { "" };
            let mut stream = self.open(&next.origin).await?;
            head = self.ask(&next, auth, &mut stream, buffer, limit).await?;
            current = Some(next);
        }
        if current.is_some() && self.follow_redirects && is_redirect(head.status) && head.location.is_some() {
            return Err(ClientError::Connection(format!("stopped after {MOST_REDIRECTS} redirects")));
        }
        if current.is_none() {
            *kept = head.keep_alive.then_some(stream);
        }
        Ok(head)
    }

    async fn ask(
        &self,
        request: &Request,
        auth: &str,
        stream: &mut Stream,
        buffer: &mut Vec<u8>,
        limit: u64,
    ) -> Result<Head, ClientError> {
        let lost = |e: std::io::Error| ClientError::Connection(format!("the connection broke off: {e}"));
        let whole = self.proxy_for(&request.origin).is_some() && !request.origin.tls;
        stream.write_all(&request.bytes(auth, whole)).await.map_err(lost)?;
        reply::read(stream, buffer, limit.min(LARGEST_BODY_BYTES)).await
    }

    /// Asks once, over a connection of its own, and gives the whole body unpacked; only status 200 is an answer.
    pub(crate) async fn get(&self, request: &Request, timeout: Duration) -> Result<(Head, Vec<u8>), ClientError> {
        let (mut buffer, mut kept) = (Vec::new(), None);
        let asked = self.fetch(request, &mut kept, &mut buffer, LARGEST_BODY_BYTES);
        let head = tokio::time::timeout(timeout, asked).await.map_err(|_| ClientError::Timeout)??;
        if head.status != 200 {
            return Err(ClientError::Status(head.status_line()));
        }
        let mut out = Vec::new();
        let body = unpack(&head, head.body.slice(&buffer), LARGEST_BODY_BYTES, &mut out)?;
        let body = body.to_vec();
        Ok((head, body))
    }

    /// Asks for something that goes on and on; gives it line by line.
    pub(crate) async fn lines(&self, request: &Request) -> Result<Lines, ClientError> {
        let auth = self.auth.header().await?;
        let mut stream = self.open(&request.origin).await?;
        let lost = |e: std::io::Error| ClientError::Connection(format!("the connection broke off: {e}"));
        stream.write_all(&request.bytes(&auth, false)).await.map_err(lost)?;
        let (head, rest) = reply::read_head(&mut stream).await?;
        if head.status != 200 {
            return Err(ClientError::Status(head.status_line()));
        }
        Ok(Lines::new(BufReader::new(stream), rest, head.chunked))
    }
}

pub(crate) use reply::Lines;

const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

#[cfg(test)]
mod tests;
