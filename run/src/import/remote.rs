//! A server that takes remote-write, as the target of an import: a running Farero, or another. I/O: HTTP.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use kernel::secret::Secret;
use tokio::runtime::Handle;

use super::load::Held;
use super::{Sent, Target};

/// Samples of one request: what Prometheus's own queue sends at most, times five.
const SAMPLES_AT_ONCE: usize = 10_000;
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
        let url = if whole { url.to_owned() } else { format!("{url}/api/v1/write") };
        Self { url, token, runtime }
    }

    async fn post(&self, body: &[u8]) -> Result<(u16, Option<u64>, String)> {
        let request = crate::http_client()?.post(&self.url).timeout(TIMEOUT);
        let request = request
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0")
            .header("User-Agent", concat!("farero/", env!("CARGO_PKG_VERSION")))
            .body(body.to_vec());
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        let answer = request.send().await.with_context(|| format!("{} cannot be reached", self.url))?;
        let wait = answer.headers().get("Retry-After").and_then(|v| v.to_str().ok()?.parse().ok());
        let status = answer.status().as_u16();
        Ok((status, wait, answer.text().await.unwrap_or_default()))
    }
}

impl Target for Remote {
    fn samples_at_once(&self) -> usize {
        SAMPLES_AT_ONCE
    }

    /// The server knows itself: what is there already counts as written.
    fn mark_known(&self, _range_ms: (i64, i64), _held: &mut Held) -> Result<()> {
        Ok(())
    }

    /// Of a request that was refused in part it is not known how much: all of it counts as refused.
    fn send(&mut self, body: Vec<u8>, samples: u64) -> Result<Sent> {
        let mut wait = FIRST_WAIT;
        for turn in 1.. {
            let (sent, asked) = match self.runtime.block_on(self.post(&body)) {
                Ok((200..=299, _, text)) => return Ok(Sent { samples, text, ..Sent::default() }),
                Ok((400, _, text)) => return Ok(Sent { refused: samples.max(1), text, ..Sent::default() }),
                Ok((status @ (429 | 500..=599), asked, text)) => {
                    (format!("{} answers {status}: {}", self.url, text.trim()), asked)
                }
                Ok((status, _, text)) => bail!("{} answers {status}: {}", self.url, text.trim()),
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

    fn stretch_done(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
