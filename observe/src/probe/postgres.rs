//! PostgreSQL: log in, `SELECT 1`, connections, size, own queries with bounds (CHK-03, CHK-12, MET-06). I/O.
//!
//! TLS is used when the URL says `sslmode=require`, `verify-ca` or `verify-full`, and where the server has it with
//! `prefer`; the certificate is always verified unless the plan's TLS settings say `insecure`. Every statement runs in
//! a `READ ONLY` transaction with a `statement_timeout`, set for that transaction alone: behind a pooler such as PgBouncer
//! nothing is left to the next client.

use std::path::PathBuf;

use kernel::probe::Phase;
use kernel::quantity::Percent;
use kernel::secret::Secret;
use plan_model::check::PostgresCheck;
use tokio::net::UnixStream;
use tokio_postgres::config::{Host as UrlHost, SslMode};
use tokio_postgres::{Config, NoTls};

use super::database::{Query, prepare_queries};
use super::dial::{self, Host, Target};
use super::tls::{Offer, TlsClient};
use super::{Attempt, PrepareError, Preparing, Probed};

mod handshake;
mod number;
mod session;

use handshake::Handshake;

const USUAL_PORT: u16 = 5432;

/// A PostgreSQL check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedPostgres {
    config: Config,
    place: Place,
    tls: TlsClient,
    max_connections_used: Option<Percent>,
    queries: Vec<Query>,
}

/// Where the server listens.
#[derive(Debug)]
enum Place {
    Network(Target),
    Socket(PathBuf),
}

/// Makes the check ready.
pub(crate) fn prepare_postgres(check: &PostgresCheck, with: &Preparing<'_>) -> Result<PreparedPostgres, PrepareError> {
    let url = with.resolve(&check.url)?;
    conceal_written_password(url.expose(), with);
    let (text, mode) = take_ssl_mode(url.expose());
    // The driver's error names the part that it cannot read, which may be the password: its own words are left out.
    let bad = |_| PrepareError::unusable("url", "write postgres://user:password@host:port/database");
    let mut config: Config = text.parse().map_err(bad)?;
    config.ssl_mode(ssl_mode(mode.as_deref())?);
    if config.get_application_name().is_none() {
        config.application_name("farero");
    }
    if let Some(password) = config.get_password() {
        with.conceal(Secret::new(String::from_utf8_lossy(password).into_owned()));
    }
    Ok(PreparedPostgres {
        place: place(&config)?,
        tls: TlsClient::prepare(&check.tls, Offer::Nothing, with)?,
        max_connections_used: check.max_connections_used,
        queries: prepare_queries(&check.queries)?,
        config,
    })
}

/// The password as it stands in the URL, with its percent signs.
fn conceal_written_password(url: &str, with: &Preparing<'_>) {
    let login = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map(|(login, _)| login);
    if let Some((_, password)) = login.and_then(|l| l.split_once(':')) {
        with.conceal(Secret::new(password.to_owned()));
    }
}

/// The URL without `sslmode`, of which libpq knows more values than the driver, and its value.
fn take_ssl_mode(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (mode, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(|p| p.starts_with("sslmode="));
    let mode = mode.last().and_then(|m| m.split_once('=')).map(|(_, value)| value.to_owned());
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    (format!("{base}{query}"), mode)
}

fn ssl_mode(mode: Option<&str>) -> Result<SslMode, PrepareError> {
    match mode {
        None | Some("disable" | "allow") => Ok(SslMode::Disable),
        Some("prefer") => Ok(SslMode::Prefer),
        Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some(_) => Err(PrepareError::unusable("url", "sslmode is disable, prefer, require, verify-ca or verify-full")),
    }
}

/// The first host of the URL: a check watches one server.
fn place(config: &Config) -> Result<Place, PrepareError> {
    let port = config.get_ports().first().copied().unwrap_or(USUAL_PORT);
    let host = match (config.get_hostaddrs().first(), config.get_hosts().first()) {
        (Some(address), _) => Host::Address(*address),
        (None, Some(UrlHost::Tcp(name))) => Host::parse(name)
            .ok_or_else(|| PrepareError::unusable("url", "its host is neither a name nor an address"))?,
        (None, Some(UrlHost::Unix(folder))) => return Ok(Place::Socket(folder.join(format!(".s.PGSQL.{port}")))),
        (None, None) => return Err(PrepareError::unusable("url", "it names no host")),
    };
    Ok(Place::Network(Target { host, port }))
}

/// Asks once.
pub(crate) async fn probe_postgres(postgres: &PreparedPostgres, attempt: &Attempt) -> Probed {
    let target = match &postgres.place {
        Place::Network(target) => target,
        Place::Socket(path) => return probe_socket(postgres, path, attempt).await,
    };
    let stream = match dial::connect(target, attempt).await {
        Ok(stream) => stream,
        Err(e) => return Probed::down(e),
    };
    attempt.begin(Phase::Processing);
    attempt.doing("logging in");
    let handshake = Handshake { tls: &postgres.tls, host: &target.host, attempt };
    match postgres.config.connect_raw(stream, handshake).await {
        Ok((client, connection)) => session::run(postgres, client, connection, attempt).await,
        Err(e) => session::judge_error("log-in", &e),
    }
}

async fn probe_socket(postgres: &PreparedPostgres, path: &PathBuf, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Connect);
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(e) => return Probed::down(format!("{} cannot be connected to: {e}", path.display())),
    };
    attempt.begin(Phase::Processing);
    attempt.doing("logging in");
    let mut config = postgres.config.clone();
    match config.ssl_mode(SslMode::Disable).connect_raw(stream, NoTls).await {
        Ok((client, connection)) => session::run(postgres, client, connection, attempt).await,
        Err(e) => session::judge_error("log-in", &e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssl_modes_of_libpq() {
        let check = |url: &str, rest: &str, mode: Option<&str>| {
            assert_eq!(take_ssl_mode(url), (rest.to_owned(), mode.map(str::to_owned)), "{url}");
        };
        check("postgres://h/d", "postgres://h/d", None);
        check("postgres://h/d?sslmode=verify-full", "postgres://h/d", Some("verify-full"));
        check("postgres://h/d?a=b&sslmode=require&c=d", "postgres://h/d?a=b&c=d", Some("require"));
        assert!(matches!(ssl_mode(Some("verify-full")), Ok(SslMode::Require)));
        assert!(matches!(ssl_mode(None), Ok(SslMode::Disable)));
        assert!(ssl_mode(Some("maybe")).is_err());
    }
}
