//! A running Farero, asked from the command line: over its Unix socket, or by its address with a token. I/O: HTTP.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::arguments::Server;

/// How long the running Farero may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where the running Farero is, and how it knows who asks.
pub(crate) enum Running {
    /// Over the network, with a token.
    Address { url: String, token: Option<String> },
    /// On this machine; the operating system says who asks.
    Socket(PathBuf),
}

/// An answer, whatever it says.
pub(crate) struct Answered {
    /// Who answered, to show.
    pub(crate) by: String,
    /// The status, to show.
    pub(crate) status: String,
    pub(crate) body: String,
}

impl Running {
    /// The address where one is named or a token is given, else the socket.
    pub(crate) fn of(server: &Server) -> Result<Self> {
        let socket = server.socket.clone().unwrap_or_else(|| server.data.join("farero.sock"));
        // An empty variable is none, as in unit files that leave it so.
        let given = |value: &'_ Option<String>| value.clone().filter(|v| !v.is_empty());
        match (&given(&server.url), &given(&server.token)) {
            (Some(url), Some(token)) => {
                Ok(Self::Address { url: url.trim_end_matches('/').to_owned(), token: Some(token.clone()) })
            }
            (Some(_), None) => {
                bail!("a token is needed: make one on the page \"Settings\" and set FARERO_TOKEN or --token")
            }
            (None, Some(token)) if server.socket.is_none() => {
                Ok(Self::Address { url: "http://127.0.0.1:9810".to_owned(), token: Some(token.clone()) })
            }
            (None, _) => Ok(Self::Socket(socket)),
        }
    }

    /// JSON of the API.
    pub(crate) async fn ask(&self, path: &str) -> Result<Value> {
        self.send("GET", path, None).await
    }

    /// Tells the API something.
    pub(crate) async fn tell(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, Some(body)).await
    }

    /// Whatever the answer is. It may take as long as whoever answers lets it.
    pub(crate) async fn get(&self, path: &str) -> Result<Answered> {
        let (request, by) = self.request("GET", path)?;
        let answer = request.send().await;
        let answer = answer.with_context(|| format!("{by} does not answer; is Farero running there?"))?;
        Ok(Answered { by, status: answer.status().to_string(), body: answer.text().await? })
    }

    /// A request, and whom it goes to, to show.
    fn request(&self, method: &str, path: &str) -> Result<(run::HttpRequest, String)> {
        let method = method.parse()?;
        Ok(match self {
            Self::Address { url, token } => {
                let url = format!("{url}{path}");
                let request = run::http_client()?.request(method, &url);
                let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
                (request, url)
            }
            Self::Socket(socket) => {
                let shown = socket.display().to_string();
                if !socket.exists() {
                    bail!(
                        "there is no Farero at {shown}; name its data folder with --data, its socket with --socket, or its \
                         address with --url and a token"
                    );
                }
                (run::socket_client(socket)?.request(method, format!("http://farero{path}")), shown)
            }
        })
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (request, shown) = self.request(method, path)?;
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let answer = request.timeout(TIMEOUT).send().await;
        let answer = answer.with_context(|| format!("{shown} does not answer; is Farero running there?"))?;
        let status = answer.status();
        let body = answer.text().await?;
        if !status.is_success() {
            bail!("{shown} answered {status}: {body}");
        }
        serde_json::from_str(&body).with_context(|| format!("{shown} answered something else than JSON"))
    }
}
