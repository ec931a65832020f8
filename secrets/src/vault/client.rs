//! Requests to Vault and what its answers mean. I/O: HTTP.

use std::path::Path;
use std::time::Duration;

use kernel::secret::Secret;
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::Value;

use super::{Place, Read};
use crate::keyed::Keyed;

/// One request may take this long: Vault answers from memory.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer may have this many bytes; Vault's own limit for one secret is half of it.
const ANSWER_BYTES: usize = 2 << 20;

/// Why Vault gave nothing.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct VaultError {
    text: String,
    status: Option<StatusCode>,
}

impl VaultError {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), status: None }
    }

    /// Whether the token may not: it is revoked, or its policy says no.
    pub(super) fn is_denied(&self) -> bool {
        self.status == Some(StatusCode::FORBIDDEN)
    }
}

/// The HTTP client, by rustls with ring; redirects are not followed, so that a token goes to the named host only.
pub(super) fn http(ca_file: Option<&Path>) -> Result<Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    match ca_file {
        Some(path) => {
            use rustls::pki_types::pem::PemObject as _;
            let unreadable =
                |e: &dyn std::fmt::Display| format!("Vault's certificate authority {}: {e}", path.display());
            for certificate in rustls::pki_types::CertificateDer::pem_file_iter(path).map_err(|e| unreadable(&e))? {
                roots.add(certificate.map_err(|e| unreadable(&e))?).map_err(|e| unreadable(&e))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("Farero/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        // Each read runs on a runtime of its own, so no connection outlives it.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|e| format!("the HTTP client for Vault cannot be made: {e}"))
}

/// Vault's HTTP API at one address.
pub(super) struct Api<'s> {
    http: Client,
    base: Url,
    namespace: Option<&'s str>,
}

impl<'s> Api<'s> {
    pub(super) fn new(http: Client, address: &str, namespace: Option<&'s str>) -> Result<Self, String> {
        let base = Url::parse(address).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        let base = base.ok_or_else(|| format!("VAULT_ADDR is `{address}`, which is no http:// or https:// address"))?;
        Ok(Self { http, base, namespace: namespace.filter(|n| !n.is_empty()) })
    }

    /// The newest version of a secret.
    pub(super) async fn read(&self, place: &Place, token: &Secret) -> Result<Read, VaultError> {
        let path = format!("{}/data/{}", place.mount, place.path);
        let answer = self.ask(Method::GET, &path, Some(token), None).await.map_err(|error| match error.status {
            Some(StatusCode::NOT_FOUND) => VaultError::new(format!(
                "Vault has no secret `{}` under `{}`, or its newest version is deleted; is `{}` an engine of key-value version 2?",
                place.path, place.mount, place.mount
            )),
            Some(StatusCode::FORBIDDEN) => VaultError {
                text: format!("Vault refuses (403): the token is not good, or its policy does not allow `read` on `{path}`"),
                ..error
            },
            _ => error,
        })?;
        let data = answer["data"]["data"].as_object().ok_or_else(|| {
            VaultError::new(format!(
                "`{}` is not an engine of key-value version 2, or the secret is empty",
                place.mount
            ))
        })?;
        let mut values = Keyed::new();
        data.iter().for_each(|(key, value)| flatten(value, key, &mut values));
        let life = answer["lease_duration"].as_u64().filter(|s| *s > 0).map(Duration::from_secs);
        Ok(Read { values, life })
    }

    /// One request; the answer's JSON.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Option<&Value>,
    ) -> Result<Value, VaultError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| VaultError::new("VAULT_ADDR cannot have a path put behind it"))?
            .pop_if_empty()
            .push("v1")
            .extend(path.split('/'));
        let mut request = self.http.request(method, url).header("x-vault-request", "true");
        if let Some(token) = token {
            let mut value = reqwest::header::HeaderValue::from_str(token.expose().trim())
                .map_err(|_| VaultError::new("Vault's token holds what no header can hold"))?;
            value.set_sensitive(true);
            request = request.header("x-vault-token", value);
        }
        if let Some(namespace) = self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| {
            let reason = describe(&error);
            VaultError::new(format!("Vault at {} does not answer: {reason}", self.base.host_str().unwrap_or("?")))
        })?;
        self.judge(answer).await
    }

    async fn judge(&self, mut answer: reqwest::Response) -> Result<Value, VaultError> {
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| VaultError::new(describe(&e)))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_BYTES {
                return Err(VaultError::new(format!("Vault's answer has more than {ANSWER_BYTES} bytes")));
            }
        }
        let json: Option<Value> = serde_json::from_slice(&bytes).ok();
        if status.is_success() {
            return match (json, bytes.is_empty()) {
                (Some(json), _) => Ok(json),
                (None, true) => Ok(Value::Null),
                (None, false) => {
                    Err(VaultError::new("Vault answered with something else than JSON; is VAULT_ADDR right?"))
                }
            };
        }
        // Vault's own errors hold no secrets: they name paths and what is wrong.
        let said = json
            .as_ref()
            .and_then(|j| j["errors"].as_array())
            .map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ").replace(['\n', '\t'], " "));
        let said = said.filter(|s| !s.is_empty()).map_or_else(String::new, |s| format!(": {s}"));
        let text = match status {
            StatusCode::SERVICE_UNAVAILABLE => format!("Vault is sealed or starting (503){said}; unseal it"),
            StatusCode::TOO_MANY_REQUESTS => "Vault asks for fewer requests (429); it is asked again later".to_owned(),
            StatusCode::FORBIDDEN => format!("Vault refuses (403){said}"),
            status if status.is_redirection() => {
                format!("Vault sends elsewhere ({status}); name that address in VAULT_ADDR")
            }
            status => format!("Vault answered {status}{said}"),
        };
        Err(VaultError { text, status: Some(status) })
    }
}

fn flatten(value: &Value, path: &str, out: &mut Keyed) {
    match value {
        Value::Null => {}
        Value::Object(map) => map.iter().for_each(|(key, value)| flatten(value, &format!("{path}.{key}"), out)),
        Value::Array(all) => all.iter().enumerate().for_each(|(i, value)| flatten(value, &format!("{path}.{i}"), out)),
        Value::String(text) => {
            out.insert(path.to_owned(), Secret::new(text.clone()));
        }
        other => {
            out.insert(path.to_owned(), Secret::new(other.to_string()));
        }
    }
}

/// What an error of the client says, with its causes and without the URL.
fn describe(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { String::new() };
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    if text.is_empty() { "the connection broke off".to_owned() } else { text }
}
