//! Connections, also through a proxy. I/O.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use url::Url;

use super::{ClientError, HttpClient, Origin, Stream};

/// The head of a proxy's answer is at most this long.
const LARGEST_ANSWER_BYTES: usize = 16 << 10;

impl HttpClient {
    pub(super) async fn open(&self, origin: &Origin) -> Result<Stream, ClientError> {
        if let Some(path) = &origin.unix {
            if origin.tls {
                let text = "https over a Unix socket is not done here: set the scheme to http".to_owned();
                return Err(ClientError::Settings(text));
            }
            let stream = UnixStream::connect(path).await;
            let stream = stream.map_err(|e| ClientError::Connection(format!("dial unix {}: {e}", path.display())))?;
            return Ok(Stream::Unix(stream));
        }
        let stream = match self.proxy_for(origin) {
            None => dial(&origin.host, origin.port).await?,
            Some(proxy) => {
                let proxy = Url::parse(&proxy).map_err(|e| ClientError::Settings(format!("proxy {proxy:?}: {e}")))?;
                let stream =
                    dial(proxy.host_str().unwrap_or_default(), proxy.port_or_known_default().unwrap_or(80)).await?;
                if origin.tls { self.tunnel(stream, origin).await? } else { stream }
            }
        };
        if origin.tls { self.tls.shake_hands(stream, &origin.host).await } else { Ok(Stream::Plain(stream)) }
    }

    /// The proxy over which a host is reached.
    pub(super) fn proxy_for(&self, origin: &Origin) -> Option<String> {
        let variable = |name: &str| std::env::var(name.to_uppercase()).or_else(|_| std::env::var(name)).ok();
        let (url, except) = if self.proxy.from_environment {
            let url = variable(if origin.tls { "https_proxy" } else { "http_proxy" })?;
            let except = variable("no_proxy").unwrap_or_default();
            (url, except.split(',').map(|s| s.trim().to_owned()).collect::<Vec<_>>())
        } else {
            (self.proxy.url.clone()?, self.proxy.except.clone())
        };
        let host = origin.host.as_str();
        let direct = except.iter().filter(|e| !e.is_empty()).any(|except| {
            let name = except.trim_start_matches('.');
            except == "*" || host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
        });
        (!direct && !url.is_empty()).then_some(url)
    }

    async fn tunnel(&self, mut stream: TcpStream, origin: &Origin) -> Result<TcpStream, ClientError> {
        let lost = |e: std::io::Error| ClientError::Connection(format!("the proxy broke off: {e}"));
        let to = format!("{}:{}", origin.host, origin.port);
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
        for (name, values) in &self.proxy.connect_headers {
            for value in values {
                request.push_str(&format!("{name}: {}\r\n", value.expose()));
            }
        }
        stream.write_all(format!("{request}\r\n").as_bytes()).await.map_err(lost)?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() > LARGEST_ANSWER_BYTES {
                return Err(ClientError::Malformed("the proxy's answer is too long".to_owned()));
            }
            // One by one: what comes behind the head belongs to TLS.
            answer.push(stream.read_u8().await.map_err(lost)?);
        }
        let first = String::from_utf8_lossy(&answer);
        let first = first.lines().next().unwrap_or_default();
        if first.split(' ').nth(1) == Some("200") {
            return Ok(stream);
        }
        Err(ClientError::Connection(format!("the proxy refuses {to}: {first}")))
    }
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, ClientError> {
    let host = host.trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, port)).await;
    let stream = stream.map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
            _ => e.to_string(),
        };
        ClientError::Connection(format!("dial tcp {host}:{port}: {why}"))
    })?;
    // Requests are one segment; waiting for more would only delay them.
    stream.set_nodelay(true).map_err(|e| ClientError::Connection(format!("dial tcp {host}:{port}: {e}")))?;
    Ok(stream)
}
