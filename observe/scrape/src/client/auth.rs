//! Credentials and headers of a request: files are read each time, so that they can be changed. I/O.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{ClientError, HttpClient, Request};
use crate::config::{Authorization, HttpConfig, OAuth2, SecretValue};

/// A token that says nothing of its end is asked for again after this.
const USUAL_LIFE: Duration = Duration::from_secs(3600);
/// A token is renewed so long before its end.
const SPARE_LIFE: Duration = Duration::from_secs(10);
/// A token server has so long to answer.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How a job shows who asks.
#[derive(Debug)]
pub(super) struct Auth {
    config: HttpConfig,
    oauth2: Option<Box<Tokens>>,
}

#[derive(Debug)]
struct Tokens {
    config: OAuth2,
    client: HttpClient,
    current: tokio::sync::Mutex<Option<(String, Instant)>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<u64>,
}

fn value(secret: &SecretValue) -> Result<String, ClientError> {
    let text = match secret {
        SecretValue::Inline(secret) => secret.expose().to_owned(),
        SecretValue::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => text.trim().to_owned(),
            Err(e) => return Err(ClientError::Settings(format!("unable to read file {}: {e}", path.display()))),
        },
    };
    if text.contains(['\r', '\n']) {
        return Err(ClientError::Settings("a credential or header has a line end in it".to_owned()));
    }
    Ok(text)
}

/// The headers that show who asks, for clients of other rooms: `basic_auth`, `authorization` and `http_headers`, their files read
/// now. Tokens of `oauth2` are not among them.
///
/// # Errors
/// A file cannot be read, or a value has a line end in it.
pub fn request_headers(config: &HttpConfig) -> Result<Vec<(String, String)>, String> {
    let read = || {
        let mut out = Vec::new();
        if let Some(basic) = &config.basic_auth {
            let password = basic.password.as_ref().map(value).transpose()?.unwrap_or_default();
            let both = STANDARD.encode(format!("{}:{password}", value(&basic.username)?));
            out.push(("Authorization".to_owned(), format!("Basic {both}")));
        }
        if let Some(Authorization { kind, credentials }) = &config.authorization {
            let credentials = credentials.as_ref().map(value).transpose()?.unwrap_or_default();
            out.push(("Authorization".to_owned(), format!("{kind} {credentials}")));
        }
        for header in &config.headers {
            for secret in &header.values {
                out.push((header.name.clone(), value(secret)?));
            }
        }
        Ok(out)
    };
    read().map_err(|e: ClientError| e.to_string())
}

impl Auth {
    pub(super) fn new(config: &HttpConfig) -> Self {
        let oauth2 = config.oauth2.clone().map(|oauth2| {
            let http = HttpConfig { tls: oauth2.tls.clone(), proxy: oauth2.proxy.clone(), ..HttpConfig::default() };
            Box::new(Tokens { client: HttpClient::new(&http), config: oauth2, current: tokio::sync::Mutex::new(None) })
        });
        Self { config: config.clone(), oauth2 }
    }

    /// Lines for the head of a request.
    pub(super) async fn header(&self) -> Result<String, ClientError> {
        let mut out = String::new();
        for (name, value) in request_headers(&self.config).map_err(ClientError::Settings)? {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(tokens) = &self.oauth2 {
            // Boxed: the token's own request goes through a client too.
            let token = Box::pin(tokens.token()).await?;
            out.push_str(&format!("Authorization: {token}\r\n"));
        }
        Ok(out)
    }
}

impl Tokens {
    fn form(&self) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !self.config.scopes.is_empty() {
            form.append_pair("scope", &self.config.scopes.join(" "));
        }
        for (name, value) in &self.config.endpoint_params {
            form.append_pair(name, value);
        }
        form.finish()
    }

    async fn token(&self) -> Result<String, ClientError> {
        let mut current = self.current.lock().await;
        if let Some((token, end)) = current.as_ref()
            && Instant::now() < *end
        {
            return Ok(token.clone());
        }
        let secret = self.config.client_secret.as_ref().map(value).transpose()?.unwrap_or_default();
        let form = self.form();
        // RFC 6749 section 2.3.1: identifier and secret are form-encoded before they are joined.
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let both = STANDARD.encode(format!("{}:{}", encoded(&self.config.client_id), encoded(&secret)));
        let authorization = format!("Basic {both}");
        let headers = [("Authorization", authorization.as_str()), ("Accept", "application/json")];
        let request = Request::post_form(&self.config.token_url, &headers, &form)?;
        let failed = |e: ClientError| ClientError::Connection(format!("oauth2: cannot fetch token: {e}"));
        let (_, body) = self.client.get(&request, TOKEN_TIMEOUT).await.map_err(failed)?;
        let answer: TokenAnswer = serde_json::from_slice(&body)
            .map_err(|e| ClientError::Malformed(format!("oauth2: cannot parse the token server's answer: {e}")))?;
        let kind = answer.token_type.filter(|t| !t.eq_ignore_ascii_case("bearer")).unwrap_or_else(|| "Bearer".into());
        let token = format!("{kind} {}", answer.access_token);
        let life = answer.expires_in.map_or(USUAL_LIFE, Duration::from_secs).saturating_sub(SPARE_LIFE);
        *current = Some((token.clone(), Instant::now() + life));
        Ok(token)
    }
}
