//! A server that takes remote-write, as the target of an import: a running Farero, or another. I/O: HTTP.

mod there;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use kernel::secret::Secret;
use tokio::runtime::Handle;

use super::load::Held;
use super::{Sent, Target};

/// Samples of one request: what Prometheus's own queue sends at most, times five.
const SAMPLES_AT_ONCE: usize = 10_000;
/// Paths of remote-write and remote read, as Prometheus has them.
const WRITE: &str = "/api/v1/write";
const READ: &str = "/api/v1/read";
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A request is sent this often, when the server says "later" or cannot be reached.
const TRIES: u32 = 6;
/// The first wait before another try; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The server.
pub struct Remote {
    url: String,
    token: Option<Secret>,
    runtime: Handle,
}

impl Remote {
    /// A server by the address of its remote-write (`http://HOST:PORT/api/v1/write`) or by its own alone.
    pub fn new(url: &str, token: Option<Secret>, runtime: Handle) -> Self {
        let url = url.trim_end_matches('/');
        let whole = url.contains("/api/") || url.ends_with("/write") || url.ends_with("/push");
        let url = if whole { url.to_owned() } else { format!("{url}{WRITE}") };
        Self { url, token, runtime }
    }

    async fn post(&self, url: &str, version: (&'static str, &'static str), body: &[u8]) -> Result<Answered> {
        let request = crate::http_client()?.post(url).timeout(TIMEOUT);
        let request = request
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .header(version.0, version.1)
            .header("User-Agent", concat!("farero/", env!("CARGO_PKG_VERSION")))
            .body(body.to_vec());
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        let answer = request.send().await.with_context(|| format!("{url} cannot be reached"))?;
        let wait_s = answer.headers().get("Retry-After").and_then(|v| v.to_str().ok()?.parse().ok());
        let status = answer.status().as_u16();
        let body = answer.bytes().await.with_context(|| format!("the answer of {url} broke off"))?;
        Ok(Answered { status, wait_s, body: body.to_vec() })
    }

    /// Asks, and once more after a while when the server says "later" or cannot be reached.
    fn ask(&self, url: &str, version: (&'static str, &'static str), body: &[u8]) -> Result<Answered> {
        let mut wait = FIRST_WAIT;
        for turn in 1.. {
            let (sent, asked) = match self.runtime.block_on(self.post(url, version, body)) {
                Ok(answered) if matches!(answered.status, 429 | 500 | 502..=599) => {
                    (format!("{url} answers {}: {}", answered.status, answered.text()), answered.wait_s)
                }
                Ok(answered) => return Ok(answered),
                Err(error) => (format!("{error:#}"), None),
            };
            if turn >= TRIES {
                bail!("{sent}; what was written stays, and the same import goes on from there");
            }
            tracing::warn!(sent, turn, "sent once more after a while");
            std::thread::sleep(asked.map_or(wait, Duration::from_secs));
            wait *= 2;
        }
        bail!("no try was made")
    }
}

/// An answer of the server.
struct Answered {
    status: u16,
    /// Seconds to wait before the next try.
    wait_s: Option<u64>,
    body: Vec<u8>,
}

impl Answered {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }
}

impl Target for Remote {
    fn samples_at_once(&self) -> usize {
        SAMPLES_AT_ONCE
    }

    /// Asked over remote read, where the server has it beside its remote-write: old samples that are there already would be refused as too old.
    /// Where it has not, all of them are sent: what is there already counts as written, or as refused.
    fn mark_known(&self, range_ms: (i64, i64), held: &mut Held) -> Result<()> {
        let Some(base) = self.url.strip_suffix(WRITE).filter(|_| !held.labels().is_empty()) else { return Ok(()) };
        let url = format!("{base}{READ}");
        let answered =
            self.ask(&url, ("X-Prometheus-Remote-Read-Version", "0.1.0"), &there::request(range_ms, held))?;
        if answered.status != 200 {
            tracing::warn!(url, status = answered.status, "the server does not say what it has already");
        } else if let Err(error) = there::mark(&answered.body, held) {
            tracing::warn!(url, %error, "what the server has already cannot be read");
        }
        Ok(())
    }

    /// Of a request that was refused in part it is not known how much: all of it counts as refused.
    fn send(&mut self, body: Vec<u8>, samples: u64) -> Result<Sent> {
        let answered = self.ask(&self.url, ("X-Prometheus-Remote-Write-Version", "0.1.0"), &body)?;
        let text = answered.text();
        match answered.status {
            200..=299 => Ok(Sent { samples, text, ..Sent::default() }),
            400 => Ok(Sent { refused: samples.max(1), text, ..Sent::default() }),
            status => bail!("{} answers {status}: {text}", self.url),
        }
    }

    fn stretch_done(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
