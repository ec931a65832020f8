//! The two halves of a log-in at a provider. I/O: HTTP.

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdTokenVerifier, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use parking_lot::Mutex;
use reqwest::Client;
use serde_json::{Map, Value};
use url::Url;

use kernel::Timestamp;
use kernel::secret::Secret;

use super::metadata::{Documents, discover, send};
use super::token::{Disbelief, check};
use super::{Callback, Ceremony, KEYS_PAUSE, METADATA_LIFE, OidcError, Person, ProviderSettings};

/// A provider that people may log in at.
pub struct Provider {
    name: String,
    settings: ProviderSettings,
    secret: Option<Secret>,
    http: Client,
    known: Mutex<Option<(Documents, Timestamp)>>,
}

impl Provider {
    /// Of its settings; the secret is what `client_secret` stands for. `http` must not follow redirects.
    pub fn new(name: String, settings: ProviderSettings, secret: Option<Secret>, http: Client) -> Self {
        Self { name, settings, secret, http, known: Mutex::new(None) }
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its settings.
    pub const fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// Its documents, as new as `life` asks for.
    async fn documents(&self, now: Timestamp, life: std::time::Duration) -> Result<Documents, OidcError> {
        let kept = self.known.lock().as_ref().filter(|(_, at)| now.since(*at) < life).map(|(d, _)| d.clone());
        if let Some(documents) = kept {
            return Ok(documents);
        }
        let fresh = discover(&self.http, &self.settings.issuer).await?;
        *self.known.lock() = Some((fresh.clone(), now));
        Ok(fresh)
    }

    /// Begins a log-in: where to send the browser, and what to keep until it comes back to `redirect`. `language` is told to the
    /// provider; `again` makes it ask the person even when it knows them.
    ///
    /// # Errors
    /// The provider cannot be reached.
    pub async fn begin(&self, redirect: &str, again: bool, now: Timestamp) -> Result<(String, Ceremony), OidcError> {
        let documents = self.documents(now, METADATA_LIFE).await?;
        let back =
            RedirectUrl::new(redirect.to_owned()).map_err(|e| self.failed("making its address")(e.to_string()))?;
        let client = CoreClient::from_provider_metadata(
            documents.metadata,
            ClientId::new(self.settings.client_id.clone()),
            None,
        )
        .set_redirect_uri(back);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut asked = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge);
        // The library asks for `openid` by itself.
        for scope in self.settings.scopes.iter().filter(|s| *s != "openid") {
            asked = asked.add_scope(Scope::new(scope.clone()));
        }
        if again {
            asked = asked.add_extra_param("prompt", "login").add_extra_param("max_age", "0");
        }
        let (url, state, nonce) = asked.url();
        let ceremony = Ceremony {
            provider: self.name.clone(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            redirect: redirect.to_owned(),
        };
        Ok((url.to_string(), ceremony))
    }

    /// Ends a log-in with what the browser brought back.
    ///
    /// # Errors
    /// The answer does not belong to the ceremony, the provider refuses, or its token is not to be believed.
    pub async fn finish(&self, ceremony: &Ceremony, callback: &Callback, now: Timestamp) -> Result<Person, OidcError> {
        let documents = self.documents(now, METADATA_LIFE).await?;
        let code = callback.code_for(ceremony, &self.settings.issuer, documents.extra.tells_issuer)?;
        let client = self.client(documents.metadata.clone(), &ceremony.redirect)?;
        let asked = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|e| self.failed("asking for the token")(e.to_string()))?;
        let by = |request| send(self.http.clone(), request);
        let asked = asked.set_pkce_verifier(PkceCodeVerifier::new(ceremony.verifier.clone()));
        let tokens = asked.request_async(&by).await.map_err(|e| self.failed("asking for the token")(describe(&e)))?;
        let token = tokens.id_token().ok_or_else(|| OidcError::Token("none came".to_owned()))?.to_string();
        let claims = self.believe(&token, &ceremony.nonce, documents.clone(), now).await?;
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut all = self.user_info(&documents, tokens.access_token().secret(), &subject).await?;
        // What is signed comes before what was only asked for.
        all.extend(claims);
        Ok(Person::of(&self.settings.issuer, &subject, &all, &self.settings.groups_claim))
    }

    /// The claims of a token; with keys that may have changed meanwhile they are read again, once.
    async fn believe(
        &self,
        token: &str,
        nonce: &str,
        documents: Documents,
        now: Timestamp,
    ) -> Result<Map<String, Value>, OidcError> {
        match self.check(token, nonce, &documents) {
            Ok(claims) => Ok(claims),
            Err(Disbelief { may_be_old_keys: true, .. }) => {
                tracing::info!(provider = %self.name, "an ID token has a key that is not known: the provider's keys are read again");
                let documents = self.documents(now, KEYS_PAUSE).await?;
                self.check(token, nonce, &documents).map_err(|d| d.error)
            }
            Err(disbelief) => Err(disbelief.error),
        }
    }

    fn check(&self, token: &str, nonce: &str, documents: &Documents) -> Result<Map<String, Value>, Disbelief> {
        let (id, issuer) = (ClientId::new(self.settings.client_id.clone()), documents.metadata.issuer().clone());
        let verifier = CoreIdTokenVerifier::new_public_client(id, issuer, documents.metadata.jwks().clone());
        check(token, verifier.set_allowed_algs(documents.algorithms()), nonce)
    }

    /// What the provider tells beside the token; nothing where it has no such door. It must speak of the same person.
    async fn user_info(
        &self,
        documents: &Documents,
        access: &str,
        subject: &str,
    ) -> Result<Map<String, Value>, OidcError> {
        let Some(url) = &documents.extra.user_info else { return Ok(Map::new()) };
        let failed = self.failed("asking who it is");
        let request = http::Request::get(url).header(http::header::AUTHORIZATION, format!("Bearer {access}"));
        let request = request.header(http::header::ACCEPT, "application/json").body(Vec::new());
        let answer = send(self.http.clone(), request.map_err(|e| failed(e.to_string()))?)
            .await
            .map_err(|e| failed(e.to_string()))?;
        if !answer.status().is_success() {
            return Err(failed(format!("HTTP {}", answer.status())));
        }
        let claims: Map<String, Value> = serde_json::from_slice(answer.body()).map_err(|e| failed(e.to_string()))?;
        if claims.get("sub").and_then(Value::as_str) == Some(subject) {
            Ok(claims)
        } else {
            Err(OidcError::Foreign("it speaks of somebody else"))
        }
    }

    /// Where a person logs out at the provider too, and comes back from; `None` where it has no such door.
    pub async fn log_out_url(&self, back: &str, now: Timestamp) -> Option<String> {
        let documents = self.documents(now, METADATA_LIFE).await.ok()?;
        let mut url =
            Url::parse(&documents.extra.end_session?).ok().filter(|u| matches!(u.scheme(), "https" | "http"))?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", back);
        Some(url.to_string())
    }

    fn failed(&self, doing: &'static str) -> impl Fn(String) -> OidcError {
        let issuer = self.settings.issuer.clone();
        move |why| OidcError::Provider { doing, issuer: issuer.clone(), why }
    }

    fn client(&self, metadata: CoreProviderMetadata, redirect: &str) -> Result<ReadyClient, OidcError> {
        let back =
            RedirectUrl::new(redirect.to_owned()).map_err(|e| self.failed("making its address")(e.to_string()))?;
        let secret = self.secret.as_ref().map(|s| ClientSecret::new(s.expose().to_owned()));
        Ok(CoreClient::from_provider_metadata(metadata, ClientId::new(self.settings.client_id.clone()), secret)
            .set_redirect_uri(back))
    }
}

/// A client whose token door may be missing in the provider's documents.
type ReadyClient = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

/// An error with the words of its causes, without what it carries of secrets.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}
