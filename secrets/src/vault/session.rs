//! The log-in to Vault: a token that was given, or one had by AppRole; renewed before it ends. I/O: HTTP.

use std::time::{Duration, Instant};

use kernel::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use super::Setting;
use super::client::Api;
use crate::settings::VaultSettings;

/// How a log-in was had, which says how it is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Token,
    AppRole,
}

/// A log-in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) token: Secret,
    by: By,
    renewable: bool,
    /// When it should be renewed: at two thirds of its life; never for tokens without an end.
    renew_at: Option<Instant>,
    ends_at: Option<Instant>,
}

impl Session {
    fn new(token: Secret, by: By, life: Duration, renewable: bool) -> Self {
        let (now, ends) = (Instant::now(), !life.is_zero());
        Self { token, by, renewable, renew_at: ends.then(|| now + life * 2 / 3), ends_at: ends.then(|| now + life) }
    }

    /// Whether it should be renewed.
    pub(super) fn is_due(&self) -> bool {
        self.renew_at.is_some_and(|at| Instant::now() >= at)
    }

    fn has_ended(&self) -> bool {
        self.ends_at.is_some_and(|at| Instant::now() >= at)
    }
}

/// A log-in that is good now: the one from before, renewed where its time has come, else a new one.
pub(super) async fn log_in(
    api: &Api<'_>,
    settings: &VaultSettings,
    before: Option<Session>,
    setting: Setting<'_>,
) -> Result<Session, String> {
    let value = |text: &Option<kernel::secret::Text>| text.as_ref().and_then(setting);
    let (token, role, secret) = (value(&settings.token), value(&settings.role_id), value(&settings.secret_id));
    if let Some(before) = before {
        // A token that was replaced in its file is taken up without a restart.
        let replaced = before.by == By::Token && token.as_ref().is_some_and(|t| *t != before.token);
        if !replaced && !before.is_due() {
            return Ok(before);
        }
        if !replaced && before.renewable && !before.has_ended() {
            match renew(api, &before).await {
                Ok(renewed) => return Ok(renewed),
                Err(error) => tracing::debug!(%error, "the log-in to Vault was not renewed; a new one is made"),
            }
        }
    }
    match (token, role) {
        (Some(token), _) => Ok(of_token(api, token).await),
        (None, Some(role)) => by_approle(api, settings, &role, secret.as_ref()).await,
        (None, None) => {
            Err("Vault needs a log-in: set VAULT_TOKEN, or FARERO_VAULT_ROLE_ID and FARERO_VAULT_SECRET_ID; each \
                             may be a reference such as ${file:/run/secrets/vault}"
                .to_owned())
        }
    }
}

/// A token that was given; Vault tells how long it lives where its policy lets it.
async fn of_token(api: &Api<'_>, token: Secret) -> Session {
    let data = api.ask(Method::GET, "auth/token/lookup-self", Some(&token), None).await.unwrap_or_default();
    let life = data["data"]["ttl"].as_u64().map_or(Duration::ZERO, Duration::from_secs);
    let renewable = data["data"]["renewable"].as_bool().unwrap_or(false);
    Session::new(token, By::Token, life, renewable)
}

async fn by_approle(
    api: &Api<'_>,
    settings: &VaultSettings,
    role: &Secret,
    secret: Option<&Secret>,
) -> Result<Session, String> {
    let mount = settings.approle_mount.as_deref().unwrap_or("approle");
    let mut body = json!({ "role_id": role.expose().trim() });
    if let Some(secret) = secret {
        body["secret_id"] = json!(secret.expose().trim());
    }
    let answer = api
        .ask(Method::POST, &format!("auth/{mount}/login"), None, Some(&body))
        .await
        .map_err(|e| format!("the log-in to Vault by AppRole failed: {e}; check role id, secret id and mount"))?;
    of_auth(&answer, By::AppRole).ok_or_else(|| "Vault's answer to the log-in holds no token".to_owned())
}

async fn renew(api: &Api<'_>, before: &Session) -> Result<Session, String> {
    let answer = api
        .ask(Method::POST, "auth/token/renew-self", Some(&before.token), Some(&json!({})))
        .await
        .map_err(|e| e.to_string())?;
    of_auth(&answer, before.by).ok_or_else(|| "Vault's answer holds no token".to_owned())
}

fn of_auth(answer: &Value, by: By) -> Option<Session> {
    let auth = &answer["auth"];
    let token = Secret::new(auth["client_token"].as_str()?.to_owned());
    let life = Duration::from_secs(auth["lease_duration"].as_u64().unwrap_or(0));
    Some(Session::new(token, by, life, auth["renewable"].as_bool().unwrap_or(false)))
}
