//! The provider's documents: where its doors are and which keys it signs with. I/O: HTTP.

use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreProviderMetadata};
use openidconnect::{HttpRequest, HttpResponse, IssuerUrl};
use reqwest::Client;
use serde::Deserialize;

use super::{ANSWER_BYTES, OidcError, REQUEST_TIME};

/// The HTTP client for providers. Their addresses stand in the installation's own settings, so none is forbidden; redirects are not
/// followed, so that no other address is reached by them.
///
/// # Errors
/// TLS cannot be set up on this machine.
pub fn client() -> Result<Client, OidcError> {
    let failed = |why: String| OidcError::Provider { doing: "setting TLS up", issuer: "providers".to_owned(), why };
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = Client::builder().tls_backend_preconfigured(tls).timeout(REQUEST_TIME);
    let builder = builder.user_agent("Farero").redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|e| failed(e.to_string()))
}

/// Why a request did not work, in words.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RequestError(String);

/// Sends one request of the library's; answers are bounded in size and time, redirects are not followed.
pub(super) async fn send(http: Client, request: HttpRequest) -> Result<HttpResponse, RequestError> {
    let (parts, body) = request.into_parts();
    let asked =
        http.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body).timeout(REQUEST_TIME);
    let failed = |error: reqwest::Error| {
        let mut text = error.without_url().to_string();
        // What really happened stands in the innermost cause.
        text.truncate(300);
        RequestError(text)
    };
    let mut answer = asked.send().await.map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES {
            return Err(RequestError(format!("the answer is longer than {ANSWER_BYTES} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    let mut out = http::Response::builder().status(answer.status());
    if let Some(headers) = out.headers_mut() {
        headers.clone_from(answer.headers());
    }
    out.body(bytes).map_err(|e| RequestError(e.to_string()))
}

/// What Farero needs of the discovery document beside what the library reads.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Extra {
    #[serde(default, rename = "authorization_response_iss_parameter_supported")]
    pub(super) tells_issuer: bool,
    #[serde(default, rename = "end_session_endpoint")]
    pub(super) end_session: Option<String>,
    #[serde(default, rename = "userinfo_endpoint")]
    pub(super) user_info: Option<String>,
}

/// A provider's documents.
#[derive(Clone, Debug)]
pub(super) struct Documents {
    pub(super) metadata: CoreProviderMetadata,
    pub(super) extra: Extra,
}

impl Documents {
    /// Algorithms that its ID tokens may be signed with: those with a public key only. A secret shared with the provider, or no
    /// signature at all, proves nothing.
    pub(super) fn algorithms(&self) -> Vec<CoreJwsSigningAlgorithm> {
        use CoreJwsSigningAlgorithm as A;
        let good = |a: &&A| {
            matches!(
                a,
                A::RsaSsaPkcs1V15Sha256
                    | A::RsaSsaPkcs1V15Sha384
                    | A::RsaSsaPkcs1V15Sha512
                    | A::RsaSsaPssSha256
                    | A::RsaSsaPssSha384
                    | A::RsaSsaPssSha512
                    | A::EcdsaP256Sha256
                    | A::EcdsaP384Sha384
                    | A::EdDsa
            )
        };
        self.metadata.id_token_signing_alg_values_supported().iter().filter(good).cloned().collect()
    }
}

/// Reads a provider's documents and keys.
pub(super) async fn discover(http: &Client, issuer: &str) -> Result<Documents, OidcError> {
    let failed = |doing: &'static str| move |why: String| OidcError::Provider { doing, issuer: issuer.to_owned(), why };
    let wanted =
        IssuerUrl::new(issuer.to_owned()).map_err(|e| failed("reading the issuer's address")(e.to_string()))?;
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let request = http::Request::get(&url).header(http::header::ACCEPT, "application/json").body(Vec::new());
    let request = request.map_err(|e| failed("asking for its documents")(e.to_string()))?;
    let answer = send(http.clone(), request).await.map_err(|e| failed("asking for its documents")(e.to_string()))?;
    if !answer.status().is_success() {
        return Err(failed("asking for its documents")(format!("{url} answers {}", answer.status())));
    }
    let metadata: CoreProviderMetadata =
        serde_json::from_slice(answer.body()).map_err(|e| failed("reading its documents")(e.to_string()))?;
    let extra = serde_json::from_slice(answer.body()).map_err(|e| failed("reading its documents")(e.to_string()))?;
    if metadata.issuer() != &wanted {
        let other = metadata.issuer().as_str();
        return Err(failed("reading its documents")(format!(
            "they are of `{other}`; write the issuer exactly so, if it is yours"
        )));
    }
    let client = |request| send(http.clone(), request);
    let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &client).await;
    let keys = keys.map_err(|e| failed("asking for its keys")(e.to_string()))?;
    Ok(Documents { metadata: metadata.set_jwks(keys), extra })
}
