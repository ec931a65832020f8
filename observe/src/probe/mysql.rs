//! MySQL and MariaDB: log in, `SELECT 1`, connections, size, own queries with bounds (CHK-03, CHK-12, MET-06). I/O.
//!
//! TLS is used when the URL says `require_ssl=true`. Own queries run as prepared statements (one statement each) in a
//! `READ ONLY` transaction with a time limit on the server. Metric names beside Farero's own are mysqld_exporter's.

use std::path::Path;

use kernel::probe::Phase;
use kernel::quantity::Percent;
use kernel::secret::Secret;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, OptsBuilder, Row, SslOpts, Value};
use plan_model::check::MysqlCheck;
use plan_model::check::net::TlsSettings;

use super::database::{Connections, Query, conclude, prepare_queries, statement_timeout_ms};
use super::{Attempt, PrepareError, Preparing, Probed};

/// A MySQL check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedMysql {
    options: Options,
    is_tls_new_only: bool,
    max_connections_used: Option<Percent>,
    queries: Vec<Query>,
}

/// The driver's options; their own text form would show the password.
struct Options(Opts);

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.0.ip_or_hostname(), self.0.tcp_port())
    }
}

/// Makes the check ready.
pub(crate) fn prepare_mysql(check: &MysqlCheck, with: &Preparing<'_>) -> Result<PreparedMysql, PrepareError> {
    let url = with.resolve(&check.url)?;
    let url = match url.expose().strip_prefix("mariadb://") {
        Some(rest) => Secret::new(format!("mysql://{rest}")),
        None => url,
    };
    let login = url.expose().split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map(|(login, _)| login);
    if let Some((_, password)) = login.and_then(|l| l.split_once(':')) {
        with.conceal(Secret::new(password.to_owned()));
    }
    // The driver's error names the part that it cannot read, which may be the password: its own words are left out.
    let bad = |_| PrepareError::unusable("url", "write mysql://user:password@host:port/database");
    let options = Opts::from_url(url.expose()).map_err(bad)?;
    if let Some(password) = options.pass() {
        with.conceal(Secret::new(password.to_owned()));
    }
    let tls = options.ssl_opts().cloned().map(|tls| prepare_tls(tls, &check.tls, with)).transpose()?;
    let is_tls_new_only = tls.is_some() && check.tls.min_version.as_deref() == Some("1.3");
    // The socket would be tried instead of the address that the plan names.
    let builder = OptsBuilder::from_opts(options).ssl_opts(tls).prefer_socket(Some(false)).stmt_cache_size(Some(0));
    Ok(PreparedMysql {
        options: Options(Opts::from(builder)),
        is_tls_new_only,
        max_connections_used: check.max_connections_used,
        queries: prepare_queries(&check.queries)?,
    })
}

fn prepare_tls(tls: SslOpts, settings: &TlsSettings, with: &Preparing<'_>) -> Result<SslOpts, PrepareError> {
    let mut tls = tls;
    if let Some(file) = &settings.ca_file {
        let path = Path::new(with.resolve(file)?.expose()).to_owned();
        if !path.is_file() {
            return Err(PrepareError::unusable("tls.ca_file", "there is no such file"));
        }
        tls = tls.with_root_certs(vec![path.into()]).with_disable_built_in_roots(true);
    }
    if let Some(name) = &settings.server_name {
        tls = tls.with_danger_tls_hostname_override(Some(with.resolve(name)?.expose().to_owned()));
    }
    if settings.insecure {
        tls = tls.with_danger_accept_invalid_certs(true).with_danger_skip_domain_validation(true);
    }
    Ok(tls)
}

/// Asks once.
pub(crate) async fn probe_mysql(mysql: &PreparedMysql, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Connect);
    attempt.doing("connecting and logging in");
    let mut connection = match Conn::new(mysql.options.0.clone()).await {
        Ok(connection) => connection,
        Err(e) => return judge_error("log-in", &e),
    };
    attempt.begin(Phase::Processing);
    let verdict = ask(mysql, &mut connection, attempt).await;
    // The verdict stands whether or not the farewell is heard.
    connection.disconnect().await.ok();
    verdict
}

async fn ask(mysql: &PreparedMysql, connection: &mut Conn, attempt: &Attempt) -> Probed {
    attempt.doing("waiting for the trivial query");
    if let Err(e) = connection.query_first::<u8, _>("SELECT 1").await {
        return judge_error("SELECT 1", &e);
    }
    attempt.doing("reading the server's statistics");
    let mut slow = Vec::new();
    let version = match record_statistics(connection, attempt).await {
        Ok((version, connections)) => {
            slow.extend(connections.and_then(|c| c.why_crowded(mysql.max_connections_used)));
            version
        }
        Err(e) if e.is_fatal() => return judge_error("statistics", &e),
        Err(e) => {
            attempt.fact("statistics", format!("not readable: {}", explain(&e)));
            String::new()
        }
    };
    let mut broken = Vec::new();
    if mysql.is_tls_new_only {
        broken.extend(check_tls(connection).await.err());
    }
    attempt.doing("waiting for an own query");
    if !mysql.queries.is_empty()
        && let Err(e) = limit(connection, &version, statement_timeout_ms(attempt)).await
    {
        return judge_error("read-only session", &e);
    }
    for query in &mysql.queries {
        broken.extend(ask_query(connection, query, attempt).await.err());
    }
    conclude(&broken, &slow, attempt)
}

/// From here on the session cannot write, gives one row, and is cut off on the server.
async fn limit(connection: &mut Conn, version: &str, timeout_ms: u128) -> Result<(), Error> {
    connection.query_drop("SET SESSION TRANSACTION READ ONLY").await?;
    connection.query_drop("SET SESSION sql_select_limit = 1").await?;
    // Two names and two units for one thing.
    let limit = if version.contains("MariaDB") {
        format!("SET SESSION max_statement_time = {}", timeout_ms as f64 / 1_000.0)
    } else {
        format!("SET SESSION max_execution_time = {timeout_ms}")
    };
    connection.query_drop(limit).await
}

async fn ask_query(connection: &mut Conn, query: &Query, attempt: &Attempt) -> Result<(), String> {
    let failed = |e: Error| format!("query {}: {}", query.name, explain(&e));
    connection.query_drop("START TRANSACTION READ ONLY").await.map_err(failed)?;
    let row = connection.exec_first::<Row, _, _>(query.sql.as_str(), ()).await;
    let ended = connection.query_drop("ROLLBACK").await;
    let row = row.map_err(failed)?;
    ended.map_err(failed)?;
    let value = row.as_ref().and_then(|row| row.as_ref(0)).map_or(Ok(None), number);
    query.judge(value.map_err(|why| format!("query {}: {why}", query.name))?, attempt)
}

/// Numbers of every type; decimals come as texts.
fn number(value: &Value) -> Result<Option<f64>, &'static str> {
    match value {
        Value::NULL => Ok(None),
        Value::Int(n) => Ok(Some(*n as f64)),
        Value::UInt(n) => Ok(Some(*n as f64)),
        Value::Float(n) => Ok(Some(f64::from(*n))),
        Value::Double(n) => Ok(Some(*n)),
        Value::Bytes(text) => {
            let parsed = std::str::from_utf8(text).ok().and_then(|t| t.trim().parse().ok());
            parsed.map(Some).ok_or("its text is no number")
        }
        Value::Date(..) | Value::Time(..) => Err("a date is no number: use UNIX_TIMESTAMP() or TIMESTAMPDIFF()"),
    }
}

/// Statements at work for over a second, of all users where this one may see them (`PROCESS`): what a slow query log shows, as it
/// happens.
const SLOW: &str = "SELECT COUNT(*) FROM information_schema.processlist \
    WHERE command IN ('Query', 'Execute') AND time >= 1 AND id <> CONNECTION_ID()";

async fn record_statistics(connection: &mut Conn, attempt: &Attempt) -> Result<(String, Option<Connections>), Error> {
    let version: Option<String> = connection.query_first("SELECT VERSION()").await?;
    let version = version.unwrap_or_default();
    attempt.fact("version", version.as_str());
    let status = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Threads_running', 'Slow_queries')";
    let status: Vec<(String, String)> = connection.query(status).await?;
    let variables: Vec<(String, String)> = connection.query("SHOW GLOBAL VARIABLES LIKE 'max\\_connections'").await?;
    let find = |rows: &[(String, String)], name: &str| {
        rows.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.parse::<f64>().ok())
    };
    let (used, max) = (find(&status, "threads_connected"), find(&variables, "max_connections"));
    attempt.read_some("mysql_global_status_threads_connected", used);
    attempt.read_some("mysql_global_variables_max_connections", max);
    attempt.read_some("mysql_global_status_threads_running", find(&status, "threads_running"));
    // Under the name that all databases have: connections that are not asleep.
    attempt.read_some("farero_db_connections_active", find(&status, "threads_running"));
    attempt.read_some("mysql_global_status_slow_queries", find(&status, "slow_queries"));
    let slow: Option<f64> = connection.query_first(SLOW).await?;
    attempt.read_some("farero_db_slow_queries", slow);
    let size = "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()";
    let size: Option<Option<f64>> = connection.query_first(size).await?;
    attempt.read_some("farero_db_size_bytes", size.flatten());
    let connections = used.zip(max).map(|(used, max)| Connections { used, max });
    if let Some(connections) = connections {
        connections.record(attempt);
    }
    Ok((version, connections))
}

/// The driver cannot be told an oldest protocol; the session says which one it has.
async fn check_tls(connection: &mut Conn) -> Result<(), String> {
    let row: Result<Option<(String, String)>, Error> =
        connection.query_first("SHOW SESSION STATUS LIKE 'Ssl\\_version'").await;
    match row {
        Ok(Some((_, version))) if version == "TLSv1.3" => Ok(()),
        Ok(Some((_, version))) => Err(format!("the connection uses {version}, older than the required TLS 1.3")),
        Ok(None) => Err("the server does not say which TLS protocol is used".to_owned()),
        Err(e) => Err(explain(&e)),
    }
}

/// Down, with the server's number and SQLSTATE where it gave them.
fn judge_error(step: &str, error: &Error) -> Probed {
    let probed = Probed::down(format!("{step}: {}", explain(error)));
    match error {
        Error::Server(server) => probed.with_status(format!("ERROR {} SQLSTATE {}", server.code, server.state)),
        _ => probed,
    }
}

/// The server's own words, else the driver's.
fn explain(error: &Error) -> String {
    match error {
        Error::Server(server) => format!("{} [{}]", server.message, server.state),
        Error::Io(io) => io.to_string(),
        Error::Driver(driver) => driver.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chk_12_numbers_of_every_type() {
        assert_eq!(number(&Value::Int(-3)), Ok(Some(-3.0)));
        assert_eq!(number(&Value::Bytes(b"12.50".to_vec())), Ok(Some(12.5)));
        assert_eq!(number(&Value::NULL), Ok(None));
        assert!(number(&Value::Bytes(b"many".to_vec())).is_err());
        assert!(number(&Value::Date(2026, 1, 1, 0, 0, 0, 0)).is_err());
    }
}
