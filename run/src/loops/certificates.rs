//! The loop that keeps the certificate fresh: files that changed are read again, one from an ACME authority is renewed at two
//! thirds of its life. A bad new one is refused with its reason shown, the old one stays. I/O: files, HTTP.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use web::tls::{CertificateState, Certificates};

use crate::acme;
use crate::config::{Acme, Tls};
use crate::core::Core;

/// Files are looked at this often; what renews them does so weeks before their end.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// After a failed renewal the next try waits this long, doubling up to the longest: an authority limits failures by the hour.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3_600);

/// The shortest time between two orders, even for certificates that live for minutes.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>, certificates: Arc<Certificates>) {
    match core.config.tls.clone() {
        Some(Tls::Files { certificate, key }) => follow_files(&core, &certificates, &certificate, &key).await,
        Some(Tls::Acme(acme)) => follow_acme(&core, &certificates, &acme).await,
        None => {}
    }
}

async fn follow_files(core: &Core, certificates: &Certificates, chain: &Path, key: &Path) {
    let stamp =
        || [chain, key].map(|path| std::fs::metadata(path).ok().and_then(|m| m.modified().ok().zip(Some(m.len()))));
    let mut seen = stamp();
    loop {
        let asked = tokio::select! {
            () = core.certificates_bell.notified() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
        let now_there = stamp();
        if !asked && now_there == seen {
            continue;
        }
        seen = now_there;
        match certificates.load(chain, key, core.now()) {
            Ok(()) => told(&certificates.state()),
            Err(error) => {
                tracing::error!(%error, "the new certificate is refused; the old one stays in use");
            }
        }
    }
}

async fn follow_acme(core: &Core, certificates: &Certificates, acme: &Acme) {
    let by_http = core.config.redirect.is_some();
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = until_renewal(&certificates.state(), &acme.domains, core.now());
        if !wait.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(wait.min(LOOK_EVERY * 12)) => {}
                () = core.certificates_bell.notified() => {}
            }
            continue;
        }
        match acme::renew(acme, &core.config.data, certificates, by_http, core.now()).await {
            Ok(()) => {
                pause = FIRST_PAUSE;
                told(&certificates.state());
                tokio::time::sleep(SHORTEST_LIFE).await;
            }
            Err(error) => {
                certificates.failed(error.to_string());
                tracing::error!(%error, again_in_s = pause.as_secs(), "there is no new certificate; the one in use stays");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = core.certificates_bell.notified() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn told(state: &CertificateState) {
    let ends = state.ends_at.map(|at| at.to_string()).unwrap_or_default();
    tracing::info!(names = %state.names.join(", "), %ends, "a certificate was put in use");
}

/// How long until a certificate should be renewed: at two thirds of its life, at once when there is none for all names.
fn until_renewal(state: &CertificateState, domains: &[String], now: Timestamp) -> Duration {
    let (Some(begins), Some(ends)) = (state.begins_at, state.ends_at) else { return Duration::ZERO };
    if domains.iter().any(|d| !state.names.iter().any(|n| n.eq_ignore_ascii_case(d))) {
        return Duration::ZERO;
    }
    let life = ends.since(begins);
    (begins + life * 2 / 3).since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_certificates_are_renewed_at_two_thirds_of_their_life() {
        let day = |n: i64| Timestamp::from_secs(1_790_000_000 + n * 86_400);
        let state = CertificateState {
            names: vec!["a.example".into()],
            begins_at: Some(day(0)),
            ends_at: Some(day(90)),
            ..CertificateState::default()
        };
        let check = |domains: &[&str], now: Timestamp, expect_days: u64| {
            let domains: Vec<String> = domains.iter().map(|d| (*d).to_owned()).collect();
            assert_eq!(until_renewal(&state, &domains, now).as_secs(), expect_days * 86_400, "{domains:?}");
        };
        check(&["A.example"], day(10), 50);
        check(&["a.example"], day(60), 0);
        check(&["a.example"], day(100), 0);
        check(&["a.example", "b.example"], day(1), 0);
        assert_eq!(until_renewal(&CertificateState::default(), &[], day(0)), Duration::ZERO);
    }
}
