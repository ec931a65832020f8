//! One HTTP request to a receiver, and what its answer means for the outbox. I/O.

use kernel::message::AttemptResult;
use kernel::secret::{ResolveError, Resolver, Secret, Text};
use plan_model::Outgoing;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};

use super::{Receivers, Trouble};
use crate::outgoing;

/// At most this much of a receiver's answer is read; it is cut to what is kept only after secrets were taken out, so that
/// no half of one is left at the end.
const READ_BYTES: usize = 8 * 1024;

/// A place to send requests to: the URL is a secret with most receivers, so it is never printed.
pub(super) struct Endpoint {
    url: Url,
    method: Method,
    headers: HeaderMap,
    /// Where the plan lets messages go.
    outgoing: Outgoing,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.url.host_str().unwrap_or("?"))
    }
}

impl Endpoint {
    /// A POST to a URL from the plan.
    pub(super) fn post(url: &Text, with: &Receivers<'_>) -> Result<Self, Trouble> {
        Self::of_secret(&url.resolve(with.resolver)?, with)
    }

    /// A POST to a URL that is known already.
    pub(super) fn of_secret(url: &Secret, with: &Receivers<'_>) -> Result<Self, Trouble> {
        let parsed = Url::parse(url.expose().trim())
            .map_err(|e| Trouble::Settings(format!("the URL is none ({e}): it must begin with https:// or http://")))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(Trouble::Settings("the URL must begin with https:// or http:// and name a host".to_owned()));
        }
        let outgoing = with.plan.outgoing.clone();
        let (host, port) = (parsed.host_str().unwrap_or_default(), parsed.port_or_known_default().unwrap_or(0));
        outgoing::check(host, port, &outgoing).map_err(|e| Trouble::Settings(e.to_string()))?;
        Ok(Self { url: parsed, method: Method::POST, headers: HeaderMap::new(), outgoing })
    }

    /// With another method.
    pub(super) fn method(mut self, method: &str) -> Result<Self, Trouble> {
        self.method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Trouble::Settings(format!("`{method}` is not an HTTP method")))?;
        Ok(self)
    }

    /// With one more header; its value may be a secret.
    pub(super) fn header(mut self, name: &str, value: &str) -> Result<Self, Trouble> {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Trouble::Settings(format!("`{name}` is not a header name")))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| Trouble::Settings(format!("the value of header `{name}` has characters that HTTP forbids")))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// With headers from the plan.
    pub(super) fn headers<'a>(
        mut self,
        headers: impl IntoIterator<Item = (&'a String, &'a Text)>,
        resolver: &dyn Resolver,
    ) -> Result<Self, Trouble> {
        for (name, value) in headers {
            let value = value.resolve(resolver).map_err(|e: ResolveError| Trouble::Reference(e))?;
            self = self.header(name, value.expose())?;
        }
        Ok(self)
    }

    /// The URL, for receivers that want parts of the message in it.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Sends a body of a type, with the idempotency key as a header, and says what became of it.
    pub(super) async fn send(&self, content_type: &str, body: Vec<u8>, key: &str) -> AttemptResult {
        self.send_to(self.url.clone(), content_type, body, key, &[]).await
    }

    /// Sends JSON.
    pub(super) async fn send_json(&self, body: &serde_json::Value, key: &str) -> AttemptResult {
        self.send("application/json", body.to_string().into_bytes(), key).await
    }

    /// As [`Endpoint::send`], to another URL of the same receiver and with headers of this message.
    pub(super) async fn send_to(
        &self,
        url: Url,
        content_type: &str,
        body: Vec<u8>,
        key: &str,
        headers: &[(&'static str, String)],
    ) -> AttemptResult {
        let client = match outgoing::client_for(&url, &self.outgoing) {
            Ok(client) => client,
            Err(error) => return AttemptResult::Refused { error },
        };
        let mut request = client.request(self.method.clone(), url).headers(self.headers.clone());
        if !body.is_empty() {
            request = request.header("content-type", content_type).body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.header("idempotency-key", key).send().await {
            Ok(response) => judge(response).await,
            Err(error) => AttemptResult::Postponed { error: describe(error), retry_after_s: None },
        }
    }
}

/// What an error of the client says, without the URL (it is a secret) and with its causes.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// 2xx is taken; 408, 425, 429 and 5xx may pass later; all else is refused for good (RFC 9110 sections 15.5, 15.6; RFC 6585).
async fn judge(response: Response) -> AttemptResult {
    let status = response.status();
    let retry_after_s = retry_after(&response);
    let answer = first_bytes(response).await;
    let line = if answer.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {answer}") };
    let later = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    if status.is_success() {
        AttemptResult::Taken { answer: line }
    } else if later {
        AttemptResult::Postponed { error: line, retry_after_s }
    } else {
        // What to do stands first: the answer may be long, and is cut.
        let help = "check the channel's URL, token and settings";
        let said = if answer.is_empty() { String::new() } else { format!(": {answer}") };
        AttemptResult::Refused { error: format!("HTTP {status}; {help}{said}") }
    }
}

/// `Retry-After` in seconds; the form with a date is rare and left to the usual back-off.
fn retry_after(response: &Response) -> Option<u64> {
    response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()
}

async fn first_bytes(mut response: Response) -> String {
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < READ_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(READ_BYTES);
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
