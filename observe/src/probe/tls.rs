//! TLS handshake alone: end of the certificate, chain, protocol, cipher (CHK-09, SEC-10). I/O.

use kernel::Duration;
use plan_model::check::TlsCheck;

use super::dial::{Target, connect};
use super::{Attempt, PrepareError, Preparing, Probed};

mod client;
mod facts;

pub(crate) use client::{Offer, TlsClient};

/// A TLS check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedTls {
    target: Target,
    client: TlsClient,
    valid_for: Option<Duration>,
}

/// Makes the check ready.
pub(crate) fn prepare_tls(check: &TlsCheck, with: &Preparing<'_>) -> Result<PreparedTls, PrepareError> {
    Ok(PreparedTls {
        target: Target::parse("tls.address", with.resolve(&check.address)?.expose(), Some(443))?,
        client: TlsClient::prepare(&check.tls, Offer::Nothing, with)?,
        valid_for: check.valid_for,
    })
}

/// Asks once.
pub(crate) async fn probe_tls(check: &PreparedTls, attempt: &Attempt) -> Probed {
    match shake_hands(check, attempt).await {
        Ok(()) => Probed::up(),
        Err(error) => Probed::down(error),
    }
}

async fn shake_hands(check: &PreparedTls, attempt: &Attempt) -> Result<(), String> {
    let stream = connect(&check.target, attempt).await?;
    let (_stream, chain) = check.client.shake_hands(stream, &check.target.host, attempt).await?;
    let Some(valid_for) = check.valid_for else { return Ok(()) };
    match chain.earliest_end() {
        Some(end) if end < attempt.now() + valid_for.std() => {
            Err(format!("a certificate of the chain ends on {end}, within {valid_for}"))
        }
        Some(_) => Ok(()),
        None => Err("the certificate cannot be read, so its end is not known".to_owned()),
    }
}
