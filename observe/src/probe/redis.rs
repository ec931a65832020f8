//! Redis and those that speak its protocol: log in, `PING`, clients, memory, role (CHK-03). I/O.
//!
//! Spoken by hand ([`resp`]): four commands. Metric names beside Farero's own are redis_exporter's.

use kernel::probe::{Phase, Reading};
use kernel::quantity::Percent;
use kernel::secret::Secret;
use plan_model::check::RedisCheck;
use tokio::io::{AsyncRead, AsyncWrite};

use super::database::{Connections, conclude};
use super::dial::{self, Target};
use super::tls::{Offer, TlsClient};
use super::{Attempt, PrepareError, Preparing, Probed};

mod info;
mod resp;
mod url;

use info::Info;
use resp::{Reply, RespError, Wire};

/// A Redis check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedRedis {
    target: Target,
    tls: Option<TlsClient>,
    user: Option<String>,
    password: Option<Secret>,
    database: u32,
    max_connections_used: Option<Percent>,
}

/// Makes the check ready.
pub(crate) fn prepare_redis(check: &RedisCheck, with: &Preparing<'_>) -> Result<PreparedRedis, PrepareError> {
    let url = url::parse(with.resolve(&check.url)?.expose())?;
    for written in [&url.password, &url.password_as_written].into_iter().flatten() {
        with.conceal(Secret::new(written.clone()));
    }
    let tls = url.is_tls.then(|| TlsClient::prepare(&check.tls, Offer::Nothing, with)).transpose()?;
    Ok(PreparedRedis {
        target: url.target,
        tls,
        user: url.user,
        password: url.password.map(Secret::new),
        database: url.database,
        max_connections_used: check.max_connections_used,
    })
}

/// Asks once.
pub(crate) async fn probe_redis(redis: &PreparedRedis, attempt: &Attempt) -> Probed {
    let stream = match dial::connect(&redis.target, attempt).await {
        Ok(stream) => stream,
        Err(e) => return Probed::down(e),
    };
    let Some(tls) = &redis.tls else { return talk(redis, stream, attempt).await };
    match tls.shake_hands(stream, &redis.target.host, attempt).await {
        Ok((stream, _)) => talk(redis, stream, attempt).await,
        Err(e) => Probed::down(e),
    }
}

async fn talk(redis: &PreparedRedis, stream: impl AsyncRead + AsyncWrite + Unpin, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Processing);
    let mut wire = Wire::new(stream);
    if let Err(e) = log_in(redis, &mut wire, attempt).await {
        return judge_error(&e, "logging in");
    }
    attempt.doing("waiting for PONG");
    match wire.ask(&["PING"]).await {
        Ok(Reply::Text(pong)) if pong == "PONG" => {}
        Ok(other) => return Probed::down(format!("it answers PING with {other} instead of PONG")),
        Err(e) => return judge_error(&e, "PING"),
    }
    attempt.doing("reading INFO");
    let info = match wire.ask(&["INFO"]).await {
        Ok(Reply::Text(text)) => Info::parse(&text),
        // A user who may only PING is enough to know that it works.
        Ok(_) | Err(RespError::Refused(_)) => {
            attempt.fact("info", "not readable: this user may not run INFO");
            return Probed::up().with_status("PONG");
        }
        Err(e) => return judge_error(&e, "INFO"),
    };
    judge(&info, redis.max_connections_used, attempt)
}

async fn log_in<S>(redis: &PreparedRedis, wire: &mut Wire<S>, attempt: &Attempt) -> Result<(), RespError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    attempt.doing("logging in");
    match (&redis.user, &redis.password) {
        (Some(user), Some(password)) => drop(wire.ask(&["AUTH", user, password.expose()]).await?),
        (None, Some(password)) => drop(wire.ask(&["AUTH", password.expose()]).await?),
        (_, None) => {}
    }
    if redis.database > 0 {
        wire.ask(&["SELECT", &redis.database.to_string()]).await?;
    }
    Ok(())
}

fn judge_error(error: &RespError, step: &str) -> Probed {
    match error {
        // `WRONGPASS invalid username-password pair`: the first word is Redis's kind of error.
        RespError::Refused(message) => {
            let kind = message.split(' ').next().unwrap_or_default();
            Probed::down(format!("{step}: {message}")).with_status(kind)
        }
        _ => Probed::down(format!("{step}: {error}")),
    }
}

fn judge(info: &Info, bound: Option<Percent>, attempt: &Attempt) -> Probed {
    let mut slow = Vec::new();
    if let (Some(used), Some(max)) = (info.number("connected_clients"), info.number("maxclients")) {
        let connections = Connections { used, max };
        connections.record(attempt);
        slow.extend(connections.why_crowded(bound));
    }
    for (field, metric) in info::METRICS {
        attempt.read_some(metric, info.number(field));
    }
    let (role, version) = (info.text("role"), info.text("redis_version"));
    let instance = Reading::new("redis_instance_info", 1.0);
    attempt.read(instance.label("role", role).label("redis_version", version));
    attempt.fact("role", role);
    attempt.fact("version", version);
    if role == "slave" {
        let is_up = info.text("master_link_status") == "up";
        attempt.read(Reading::new("redis_master_link_up", f64::from(u8::from(is_up))));
        if !is_up {
            slow.push("the replica has lost its master: what it answers grows old".to_owned());
        }
    }
    conclude(&[], &slow, attempt).with_status("PONG")
}

#[cfg(test)]
mod tests {
    use kernel::probe::Outcome;

    use super::*;

    fn check(info: &str, bound: Option<f64>, outcome: Outcome, why: &str) {
        let attempt = Attempt::for_test();
        let probed = judge(&Info::parse(info), bound.map(Percent::new), &attempt);
        let (_, _, facts) = attempt.into_parts();
        let slow = facts.into_iter().find(|(n, _)| *n == "slow").map(|(_, v)| v).unwrap_or_default();
        assert_eq!(probed.outcome, outcome, "{info}");
        assert!(slow.contains(why), "`{why}` is not in `{slow}`");
    }

    #[test]
    fn chk_03_clients_and_replicas() {
        let busy = "# Clients\r\nconnected_clients:91\r\nmaxclients:100\r\nrole:master\r\n";
        check(busy, None, Outcome::Up, "");
        check(busy, Some(90.0), Outcome::Slow, "91 of 100 connections are in use");
        check("role:slave\r\nmaster_link_status:up\r\n", None, Outcome::Up, "");
        check("role:slave\r\nmaster_link_status:down\r\n", None, Outcome::Slow, "lost its master");
    }
}
