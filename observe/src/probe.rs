//! One check, asked: attempts, time limits, verdict and evidence; one file per kind beside this one. I/O.
//!
//! Everything that can be done once is done by [`prepare`]: references become secrets, patterns are compiled, TLS
//! settings are read. [`Prepared::perform`] then asks, and always comes back with a result.
//!
//! A kind is a file with three things: `PreparedX`, `prepare_x(&XCheck, &Preparing) -> Result<PreparedX, PrepareError>`
//! and `async probe_x(&PreparedX, &Attempt) -> Probed`. While it works, a probe tells its [`Attempt`] which phase it
//! is in and what it has read, so that a probe cut off by its timeout still shows how far it came.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kernel::probe::{CheckId, EVIDENCE_BODY_BYTES, Evidence, Outcome, ProbeResult};
use kernel::secret::{Redactor, Resolver};
use kernel::{Clock, Duration, Timestamp};
use plan_model::{Check, CheckKind};
use tokio::time::Instant;

mod attempt;
mod dial;
mod lines;
mod prepare;

mod command;
mod database;
mod dns;
mod docker;
mod grpc;
pub(crate) mod http;
mod icmp;
mod kafka;
mod mysql;
mod ntp;
mod oracle;
mod postgres;
mod process;
mod redis;
mod smtp;
mod ssh;
mod systemd;
mod tcp;
mod tls;
mod websocket;

pub(crate) use attempt::{Attempt, Probed};
pub(crate) use prepare::Preparing;
pub use prepare::{CheckSettings, MOST_ATTEMPTS, PrepareError};

/// A check that is ready to be asked as often as wanted, by several tasks at once if need be.
#[derive(Debug)]
pub struct Prepared {
    id: CheckId,
    settings: CheckSettings,
    kind: Kind,
    /// Of all secrets known to the caller, and of those this check was prepared with.
    redactors: [Redactor; 2],
}

/// A kind of check with everything it needs.
#[derive(Debug)]
enum Kind {
    Http(Box<http::PreparedHttp>),
    Tcp(tcp::PreparedTcp),
    Tls(tls::PreparedTls),
    Dns(dns::PreparedDns),
    Icmp(icmp::PreparedIcmp),
    Postgres(postgres::PreparedPostgres),
    Mysql(mysql::PreparedMysql),
    Redis(redis::PreparedRedis),
    Oracle(oracle::PreparedOracle),
    Kafka(kafka::PreparedKafka),
    Smtp(smtp::PreparedSmtp),
    Ssh(ssh::PreparedSsh),
    Grpc(grpc::PreparedGrpc),
    Websocket(websocket::PreparedWebsocket),
    Ntp(ntp::PreparedNtp),
    Systemd(systemd::PreparedSystemd),
    Docker(docker::PreparedDocker),
    Process(process::PreparedProcess),
    Command(command::PreparedCommand),
    Host(crate::host::PreparedHost),
}

/// Makes a check ready: resolves its references, compiles its patterns, reads its certificates.
///
/// # Errors
/// A reference has no value, a setting cannot be used, or the check is one that is judged instead of asked
/// (heartbeat, composite).
pub fn prepare(
    id: CheckId,
    check: &Check,
    settings: &CheckSettings,
    resolver: &dyn Resolver,
    redactor: &Redactor,
) -> Result<Prepared, PrepareError> {
    let with = Preparing::new(resolver, settings);
    let kind = check.kinds().into_iter().next().ok_or(PrepareError::NoKind)?;
    let kind = prepare_kind(&kind, &with)?;
    let redactors = [redactor.clone(), redactor.beside(with.into_secrets())];
    Ok(Prepared { id, settings: settings.clone(), kind, redactors })
}

fn prepare_kind(kind: &CheckKind, with: &Preparing<'_>) -> Result<Kind, PrepareError> {
    Ok(match kind {
        CheckKind::Http(c) => Kind::Http(Box::new(http::prepare_http(c, with)?)),
        CheckKind::Tcp(c) => Kind::Tcp(tcp::prepare_tcp(c, with)?),
        CheckKind::Tls(c) => Kind::Tls(tls::prepare_tls(c, with)?),
        CheckKind::Dns(c) => Kind::Dns(dns::prepare_dns(c, with)?),
        CheckKind::Icmp(c) => Kind::Icmp(icmp::prepare_icmp(c, with)?),
        CheckKind::Postgres(c) => Kind::Postgres(postgres::prepare_postgres(c, with)?),
        CheckKind::Mysql(c) => Kind::Mysql(mysql::prepare_mysql(c, with)?),
        CheckKind::Redis(c) => Kind::Redis(redis::prepare_redis(c, with)?),
        CheckKind::Oracle(c) => Kind::Oracle(oracle::prepare_oracle(c, with)?),
        CheckKind::Kafka(c) => Kind::Kafka(kafka::prepare_kafka(c, with)?),
        CheckKind::Smtp(c) => Kind::Smtp(smtp::prepare_smtp(c, with)?),
        CheckKind::Ssh(c) => Kind::Ssh(ssh::prepare_ssh(c, with)?),
        CheckKind::Grpc(c) => Kind::Grpc(grpc::prepare_grpc(c, with)?),
        CheckKind::Websocket(c) => Kind::Websocket(websocket::prepare_websocket(c, with)?),
        CheckKind::Ntp(c) => Kind::Ntp(ntp::prepare_ntp(c, with)?),
        CheckKind::Systemd(c) => Kind::Systemd(systemd::prepare_systemd(c, with)?),
        CheckKind::Docker(c) => Kind::Docker(docker::prepare_docker(c, with)?),
        CheckKind::Process(c) => Kind::Process(process::prepare_process(c, with)?),
        CheckKind::Command(c) => Kind::Command(command::prepare_command(c, with)?),
        CheckKind::Host(c) => Kind::Host(crate::host::prepare_host(c, with)?),
        CheckKind::Heartbeat(_) | CheckKind::Composite(_) => return Err(PrepareError::Judged(kind.name())),
    })
}

impl Kind {
    /// Asks once. Boxed, so that each check in flight takes only the memory that its own kind needs.
    fn probe<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Probed> {
        match self {
            Self::Http(c) => Box::pin(http::probe_http(c, attempt)),
            Self::Tcp(c) => Box::pin(tcp::probe_tcp(c, attempt)),
            Self::Tls(c) => Box::pin(tls::probe_tls(c, attempt)),
            Self::Dns(c) => Box::pin(dns::probe_dns(c, attempt)),
            Self::Icmp(c) => Box::pin(icmp::probe_icmp(c, attempt)),
            Self::Postgres(c) => Box::pin(postgres::probe_postgres(c, attempt)),
            Self::Mysql(c) => Box::pin(mysql::probe_mysql(c, attempt)),
            Self::Redis(c) => Box::pin(redis::probe_redis(c, attempt)),
            Self::Oracle(c) => Box::pin(oracle::probe_oracle(c, attempt)),
            Self::Kafka(c) => Box::pin(kafka::probe_kafka(c, attempt)),
            Self::Smtp(c) => Box::pin(smtp::probe_smtp(c, attempt)),
            Self::Ssh(c) => Box::pin(ssh::probe_ssh(c, attempt)),
            Self::Grpc(c) => Box::pin(grpc::probe_grpc(c, attempt)),
            Self::Websocket(c) => Box::pin(websocket::probe_websocket(c, attempt)),
            Self::Ntp(c) => Box::pin(ntp::probe_ntp(c, attempt)),
            Self::Systemd(c) => Box::pin(systemd::probe_systemd(c, attempt)),
            Self::Docker(c) => Box::pin(docker::probe_docker(c, attempt)),
            Self::Process(c) => Box::pin(process::probe_process(c, attempt)),
            Self::Command(c) => Box::pin(command::probe_command(c, attempt)),
            Self::Host(c) => Box::pin(crate::host::probe_host(c, attempt)),
        }
    }
}

impl Prepared {
    /// Which check this is.
    pub const fn id(&self) -> &CheckId {
        &self.id
    }

    /// How it is asked.
    pub const fn settings(&self) -> &CheckSettings {
        &self.settings
    }

    /// Asks: up to `attempts` times, the first success ends it; each attempt is cut off at the timeout. Never panics
    /// and never fails: whatever happens is in the result.
    pub async fn perform(&self, due_at: Timestamp, clock: &dyn Clock) -> ProbeResult {
        let started_at = clock.now();
        let most = self.settings.attempts.clamp(1, MOST_ATTEMPTS);
        let mut attempts = 1;
        loop {
            let attempt = Attempt::new(&self.settings, clock.now());
            let (probed, took) = self.perform_attempt(&attempt).await;
            if probed.outcome.is_success() || attempts == most {
                let (phases, readings, facts) = attempt.into_parts();
                let evidence = self.record_evidence(&probed, facts);
                let (outcome, check) = (probed.outcome, self.id.clone());
                return ProbeResult {
                    check,
                    due_at,
                    started_at,
                    duration: took,
                    outcome,
                    attempts,
                    phases,
                    readings,
                    evidence,
                };
            }
            attempts += 1;
            tokio::time::sleep(self.settings.pause.std()).await;
        }
    }

    async fn perform_attempt(&self, attempt: &Attempt) -> (Probed, Duration) {
        let began = Instant::now();
        let mut probed = guarded(self.kind.probe(attempt), attempt, self.settings.timeout).await;
        let took = began.elapsed();
        attempt.finish();
        if let (Outcome::Up, Some(slow)) = (probed.outcome, self.settings.slow)
            && took > slow.std()
        {
            probed.outcome = Outcome::Slow;
            attempt.fact("slow", format!("{:.3} s, more than {slow}", took.as_secs_f64()));
        }
        (probed, took.into())
    }

    fn record_evidence(&self, probed: &Probed, facts: Vec<(&'static str, String)>) -> Evidence {
        Evidence {
            status: probed.status.as_deref().map(|t| self.redact(t)),
            error: probed.error.as_deref().map(|t| self.redact(t)),
            body: probed.body.as_deref().map(|b| self.record_body(b)),
            facts: facts.into_iter().map(|(name, value)| (name.to_owned(), self.redact(&value))).collect(),
        }
    }

    /// First bytes of an answer as text. Redacted before it is cut, so that no half of a secret is left at the end.
    fn record_body(&self, body: &[u8]) -> String {
        let mut text = self.redact(&String::from_utf8_lossy(body));
        let mut end = text.len().min(EVIDENCE_BODY_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text
    }

    fn redact(&self, text: &str) -> String {
        self.redactors.iter().fold(text.to_owned(), |text, r| r.redact(&text))
    }
}

/// What the probe says; or that it was cut off, and while doing what; or that it broke, which says nothing of the target.
async fn guarded(probe: impl Future<Output = Probed>, attempt: &Attempt, timeout: Duration) -> Probed {
    match tokio::time::timeout_at(attempt.deadline(), AssertUnwindSafe(probe).catch_unwind()).await {
        Ok(Ok(probed)) => probed,
        Ok(Err(panic)) => {
            Probed::blind(format!("the check itself broke while {}: {}", attempt.step(), panic_text(&*panic)))
        }
        Err(_) => Probed::down(format!("no answer within {timeout}: given up while {}", attempt.step())),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it did not say why".to_owned())
}

#[cfg(test)]
mod tests {
    use kernel::secret::{Reference, ResolveError, Secret};
    use plan_model::check::CheckDefaults;

    use super::*;

    struct Nothing;
    impl Resolver for Nothing {
        fn resolve(&self, reference: &Reference) -> Result<Secret, ResolveError> {
            Err(ResolveError { reference: reference.clone(), reason: "it is not set".to_owned() })
        }
    }

    fn prepared(check: serde_json::Value, secrets: &[&str]) -> Result<Prepared, PrepareError> {
        let check: Check = serde_json::from_value(check).unwrap();
        let settings = CheckSettings::of(&check, &CheckDefaults::default());
        let redactor = Redactor::new(secrets.iter().map(|s| Secret::new((*s).to_owned())));
        prepare(CheckId::new("s", "c", "k"), &check, &settings, &Nothing, &redactor)
    }

    #[tokio::test]
    async fn a_broken_probe_is_blind_and_breaks_nothing_else() {
        let settings = prepared(serde_json::json!({ "tcp": "a:1" }), &[]).unwrap().settings;
        let attempt = Attempt::new(&settings, Timestamp::default());
        attempt.doing("dividing by zero");
        let probed = guarded(async { panic!("boom {}", 1) }, &attempt, settings.timeout).await;
        assert_eq!(probed.outcome, Outcome::Blind);
        assert_eq!(probed.error.as_deref(), Some("the check itself broke while dividing by zero: boom 1"));
    }

    #[test]
    fn chn_11_bodies_are_redacted_before_they_are_cut() {
        let prepared = prepared(serde_json::json!({ "tcp": "a:1" }), &["hunter22"]).unwrap();
        let body = format!("{}hunter22", "ñ".repeat(EVIDENCE_BODY_BYTES / 2 - 2));
        let text = prepared.record_body(body.as_bytes());
        assert!(text.ends_with("[red") && text.len() == EVIDENCE_BODY_BYTES, "{text}");
        assert!(prepared.record_body("ñ".repeat(EVIDENCE_BODY_BYTES).as_bytes()).chars().all(|c| c == 'ñ'));
    }

    #[test]
    fn chk_02_settings_come_from_the_check_then_the_system() {
        let check = |check: serde_json::Value, defaults: serde_json::Value| {
            let defaults = serde_json::from_value(defaults).unwrap();
            CheckSettings::of(&serde_json::from_value(check).unwrap(), &defaults)
        };
        // SIGCERH: every 5 min, 30 s, 3 attempts.
        let system = serde_json::json!({ "every": "5m", "timeout": "30s", "attempts": 3, "slow": "5s" });
        let own = check(serde_json::json!({ "tcp": "a:1", "every": "1m", "attempts": 99 }), system);
        assert_eq!((own.every, own.timeout), (Duration::from_mins(1), Duration::from_secs(30)));
        assert_eq!((own.attempts, own.slow), (MOST_ATTEMPTS, Some(Duration::from_secs(5))));
        let usual = check(serde_json::json!({ "host": {} }), serde_json::json!({}));
        assert_eq!((usual.every, usual.timeout, usual.attempts), (Duration::from_secs(15), Duration::from_secs(10), 3));
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let error = |check| prepared(check, &[]).unwrap_err().to_string();
        assert!(error(serde_json::json!({ "heartbeat": { "period": "1h" } })).contains("is judged, not asked"));
        assert!(error(serde_json::json!({})).contains("give it one kind"));
        assert!(error(serde_json::json!({ "tcp": "${env:GONE}:1" })).contains("${env:GONE} cannot be resolved"));
    }
}
