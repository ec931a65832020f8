//! The two questions asked of Docker's API, over a Unix socket or TCP. I/O.

use std::path::PathBuf;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use kernel::secret::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::container::{COMPOSE_PROJECT, COMPOSE_SERVICE, Container, parse_list};
use crate::probe::PrepareError;

/// Longest answer taken: a container with a thousand mounts stays far below.
const MOST_ANSWER_BYTES: usize = 4 << 20;

/// Where Docker listens.
#[derive(Debug)]
pub(super) enum Docker {
    Unix(PathBuf),
    Tcp(Secret),
}

/// Why Docker gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("there is no container {0}: see `docker ps -a`")]
    NoContainer(String),
    #[error("no Docker listens there ({0}): is it installed and started, and is the socket's path right?")]
    Absent(std::io::Error),
    #[error("Docker's socket may not be opened ({0}): let the user that Farero runs as join the group `docker`")]
    Forbidden(std::io::Error),
    #[error("Docker did not answer as it should: {0}")]
    Failed(String),
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Self::Forbidden(error),
            _ => Self::Absent(error),
        }
    }
}

impl Docker {
    /// From `unix:///path` or `tcp://host:port` (without TLS), as in `DOCKER_HOST`.
    pub(super) fn parse(address: &str) -> Result<Self, PrepareError> {
        if let Some(path) = address.strip_prefix("unix://").filter(|p| p.starts_with('/')) {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        match address.strip_prefix("tcp://").or_else(|| address.strip_prefix("http://")) {
            Some(host) if host.contains(':') => Ok(Self::Tcp(Secret::new(host.trim_end_matches('/').to_owned()))),
            _ => Err(PrepareError::unusable("docker", "write unix:///path/to/docker.sock or tcp://host:port")),
        }
    }

    /// One container by its name or id.
    pub(super) async fn container(&self, name: &str) -> Result<Container, ApiError> {
        let (status, body) = self.get(&format!("/containers/{}/json", percent(name))).await?;
        match status {
            200 => Container::parse(&body).map_err(|e| ApiError::Failed(e.to_string())),
            404 => Err(ApiError::NoContainer(name.to_owned())),
            _ => Err(refused(status, &body)),
        }
    }

    /// The ids of the containers of a Compose service, running or not.
    pub(super) async fn service(&self, service: &str, project: Option<&str>) -> Result<Vec<String>, ApiError> {
        let mut labels = vec![format!("{COMPOSE_SERVICE}={service}")];
        labels.extend(project.map(|p| format!("{COMPOSE_PROJECT}={p}")));
        let filters = serde_json::json!({ "label": labels }).to_string();
        let (status, body) = self.get(&format!("/containers/json?all=true&filters={}", percent(&filters))).await?;
        match status {
            200 => parse_list(&body).map_err(|e| ApiError::Failed(e.to_string())),
            _ => Err(refused(status, &body)),
        }
    }

    async fn get(&self, path: &str) -> Result<(u16, Bytes), ApiError> {
        match self {
            Self::Unix(socket) => get(UnixStream::connect(socket).await?, path).await,
            Self::Tcp(address) => get(TcpStream::connect(address.expose()).await?, path).await,
        }
    }
}

/// One request on one connection. Without a version in the path Docker answers in its own.
async fn get(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    path: &str,
) -> Result<(u16, Bytes), ApiError> {
    let failed = |e: &dyn std::fmt::Display| ApiError::Failed(e.to_string());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
    let request = http::Request::get(path).header(http::header::HOST, "docker").body(Empty::<Bytes>::new());
    let asking = async {
        let response = sender.send_request(request.map_err(|e| failed(&e))?).await.map_err(|e| failed(&e))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MOST_ANSWER_BYTES).collect().await.map_err(|e| failed(&e))?;
        Ok((status, body.to_bytes()))
    };
    // The connection is driven beside the question and ends with it: nothing is left running when this is dropped.
    tokio::pin!(connection);
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => answer,
        ended = &mut connection => match ended {
            Ok(()) => asking.await,
            Err(e) => Err(failed(&e)),
        },
    }
}

/// Docker explains itself as `{"message": "…"}`.
fn refused(status: u16, body: &[u8]) -> ApiError {
    let message = serde_json::from_slice::<serde_json::Value>(body).ok();
    let message = message.as_ref().and_then(|v| v.get("message")?.as_str()).unwrap_or("it gave no reason");
    ApiError::Failed(format!("HTTP {status}: {message}"))
}

/// Percent-encodes everything but what every part of a URL may hold.
fn percent(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_in_docker_host() {
        assert!(matches!(Docker::parse("unix:///run/docker.sock"), Ok(Docker::Unix(p)) if p.ends_with("docker.sock")));
        assert!(matches!(Docker::parse("tcp://10.0.0.1:2375"), Ok(Docker::Tcp(_))));
        assert!(Docker::parse("ssh://host").is_err());
        assert!(Docker::parse("unix://relative").is_err());
        assert_eq!(percent(r#"{"a":["b=c"]}"#), "%7B%22a%22%3A%5B%22b%3Dc%22%5D%7D");
    }
}
