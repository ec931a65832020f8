//! Certificates from an ACME authority (RFC 8555): the account and the certificate in the data folder, the authority's
//! questions answered over TLS (RFC 8737) or HTTP. I/O: HTTP, files.

use std::path::Path;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, OrderStatus,
    RetryPolicy,
};
use kernel::Timestamp;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use web::tls::Certificates;

use crate::config::Acme;

mod store;

use store::Store;
pub use store::use_kept;

/// The authority looks at an answer and makes a certificate within seconds; longer than this is a failure to be told.
const ORDER_LIMIT: Duration = Duration::from_secs(120);

/// Why there is no new certificate; the text says what happened and what to do.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The authority says no, or cannot be reached.
    #[error("the ACME authority: {}", with_causes(.0))]
    Authority(#[from] instant_acme::Error),
    /// The authority could not see that the name is this machine's.
    #[error(
        "the ACME authority does not see that `{domain}` is this machine: {why}; its name must lead here, and port 443 \
         (or 80 with --http-redirect) must be reachable from the authority"
    )]
    NotSeen {
        /// The name.
        domain: String,
        /// What the authority says.
        why: String,
    },
    /// The authority offers no question that Farero can answer.
    #[error("the ACME authority asks for `{domain}` in no way that Farero answers (tls-alpn-01, http-01)")]
    NoChallenge {
        /// The name.
        domain: String,
    },
    /// Something cannot be kept.
    #[error("{what} cannot be kept: {why}")]
    Store {
        /// What.
        what: &'static str,
        /// Why not.
        why: std::io::Error,
    },
    /// A key or certificate cannot be made or used.
    #[error("a certificate cannot be made: {0}")]
    Certificate(String),
    /// It took too long.
    #[error("the ACME authority did not finish within {} s; it is tried again", ORDER_LIMIT.as_secs())]
    TooLong,
}

/// An error and what caused it: of a connection only the causes say why.
fn with_causes(error: &instant_acme::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

/// Orders a certificate, keeps it and puts it in use.
///
/// # Errors
/// Whatever went wrong; the certificate in use stays.
pub async fn renew(
    acme: &Acme,
    data: &Path,
    certificates: &Certificates,
    by_http: bool,
    now: Timestamp,
) -> Result<(), AcmeError> {
    let ordering = order(acme, data, certificates, by_http);
    let done = tokio::time::timeout(ORDER_LIMIT, ordering).await;
    certificates.end_challenges();
    let (chain, key) = done.map_err(|_| AcmeError::TooLong)??;
    // Put in use first: what cannot be used is not kept either.
    certificates.put(chain.as_bytes(), key.as_bytes(), now).map_err(|e| AcmeError::Certificate(e.to_string()))?;
    Store::of(data).keep_certificate(&chain, &key)
}

async fn order(
    acme: &Acme,
    data: &Path,
    certificates: &Certificates,
    by_http: bool,
) -> Result<(String, String), AcmeError> {
    let account = account(acme, data).await?;
    let names: Vec<Identifier> = acme.domains.iter().map(|d| Identifier::Dns(d.clone())).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let mut asked = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Valid => {}
            _ => asked.push(answer(&mut authorization, certificates, by_http).await?),
        }
    }
    let status = match order.poll_ready(&RetryPolicy::default()).await {
        Err(instant_acme::Error::Api(problem)) => {
            return Err(AcmeError::NotSeen { domain: asked.join(", "), why: problem.to_string() });
        }
        polled => polled?,
    };
    if status != OrderStatus::Ready {
        return Err(AcmeError::NotSeen { domain: asked.join(", "), why: why(&mut order).await });
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&RetryPolicy::default()).await?;
    Ok((chain, key))
}

/// What the authority says of an order that it refuses.
async fn why(order: &mut instant_acme::Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(authorization)) = authorizations.next().await {
        let errors = authorization.challenges.iter().filter_map(|c| c.error.as_ref());
        said.extend(errors.map(|e| e.detail.clone().unwrap_or_else(|| e.to_string())));
    }
    if said.is_empty() { "it does not say why".to_owned() } else { said.join("; ") }
}

/// Lays the answer ready and tells the authority to look; by HTTP where there is a door for it and the authority offers
/// it, else over TLS. Gives the name.
async fn answer<'a>(
    authorization: &'a mut AuthorizationHandle<'a>,
    certificates: &Certificates,
    by_http: bool,
) -> Result<String, AcmeError> {
    let domain = authorization.identifier().to_string();
    let offers = |kind: &ChallengeType| authorization.challenges.iter().any(|c| c.r#type == *kind);
    let kinds = if by_http {
        [ChallengeType::Http01, ChallengeType::TlsAlpn01]
    } else {
        [ChallengeType::TlsAlpn01, ChallengeType::TlsAlpn01]
    };
    let kind = kinds.into_iter().find(offers).ok_or_else(|| AcmeError::NoChallenge { domain: domain.clone() })?;
    let by_http = kind == ChallengeType::Http01;
    let mut challenge =
        authorization.challenge(kind).ok_or_else(|| AcmeError::NoChallenge { domain: domain.clone() })?;
    let answer = challenge.key_authorization();
    if by_http {
        certificates.answer(&challenge.token, answer.as_str());
    } else {
        let bad = |e: rcgen::Error| AcmeError::Certificate(e.to_string());
        let mut params = CertificateParams::new([domain.clone()]).map_err(bad)?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(answer.digest().as_ref())];
        let key = KeyPair::generate().map_err(bad)?;
        let made = params.self_signed(&key).map_err(bad)?;
        certificates
            .challenge(&domain, made.der().to_vec(), key.serialize_der())
            .map_err(|e| AcmeError::Certificate(e.to_string()))?;
    }
    challenge.set_ready().await?;
    Ok(domain)
}

/// The account of before, else a new one. An account belongs to one authority: another directory means another account.
async fn account(acme: &Acme, data: &Path) -> Result<Account, AcmeError> {
    let store = Store::of(data);
    let builder = || match &acme.ca_file {
        Some(path) => Account::builder_with_root(path),
        None => Account::builder(),
    };
    if let Some(credentials) = store.account(&acme.directory) {
        return Ok(builder()?.from_credentials(credentials).await?);
    }
    let contact: Vec<String> = acme.email.iter().map(|e| format!("mailto:{e}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder()?.create(&new, acme.directory.clone(), None).await?;
    store.keep_account(&acme.directory, &credentials)?;
    tracing::info!(directory = %acme.directory, "an account with the ACME authority was made");
    Ok(account)
}
