//! One session with PostgreSQL: the trivial query, what the server says of itself, own queries. I/O.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use futures_util::TryStreamExt;
use kernel::probe::Reading;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row};

use super::PreparedPostgres;
use super::number::Number;
use crate::probe::database::{Connections, Query, conclude, statement_timeout_ms};
use crate::probe::{Attempt, Probed};

/// How long the farewell may take; without it the server logs an unexpected end.
const LONGEST_FAREWELL: Duration = Duration::from_millis(200);

/// Client backends, those at work, those at work for over a second (what a slow query log shows), the most there may be,
/// bytes, release, replica. Users without `pg_read_all_stats` see other users' connections, but not what they do.
const STATISTICS: &str = "SELECT count(*), count(*) FILTER (WHERE state = 'active'), \
    count(*) FILTER (WHERE state = 'active' AND query_start < clock_timestamp() - interval '1 second'), \
    current_setting('max_connections')::int8, pg_database_size(current_database()), \
    current_setting('server_version'), pg_is_in_recovery() FROM pg_stat_activity \
    WHERE coalesce(backend_type, 'client backend') = 'client backend' AND usesysid IS NOT NULL AND datid IS NOT NULL";

/// Asks, says farewell, and closes the connection. Nothing is left running when this is dropped.
pub(super) async fn run(
    postgres: &PreparedPostgres,
    client: Client,
    connection: impl Future<Output = Result<(), Error>>,
    attempt: &Attempt,
) -> Probed {
    let mut connection = Box::pin(connection);
    let verdict = {
        let mut asking = std::pin::pin!(ask(postgres, &client, attempt));
        let ended = tokio::select! {
            biased;
            verdict = &mut asking => Ok(verdict),
            ended = &mut connection => Err(ended),
        };
        match ended {
            Ok(verdict) => verdict,
            Err(ended) => {
                if let Err(e) = ended {
                    attempt.fact("connection", explain(&e));
                }
                // The server's last words have reached the question; without the connection it ends at once.
                drop(connection);
                return asking.await;
            }
        }
    };
    drop(client);
    tokio::time::timeout(LONGEST_FAREWELL, connection).await.ok();
    verdict
}

async fn ask(postgres: &PreparedPostgres, client: &Client, attempt: &Attempt) -> Probed {
    attempt.doing("waiting for the trivial query");
    if let Err(e) = first_row(client, "SELECT 1", attempt).await {
        return judge_error("SELECT 1", &e);
    }
    attempt.doing("reading the server's statistics");
    let mut slow = Vec::new();
    match first_row(client, STATISTICS, attempt).await {
        Ok(Some(row)) => {
            let connections = record_statistics(&row, attempt);
            slow.extend(connections.and_then(|c| c.why_crowded(postgres.max_connections_used)));
        }
        Ok(None) => {}
        Err(e) => attempt.fact("statistics", format!("not readable: {}", explain(&e))),
    }
    attempt.doing("waiting for an own query");
    let mut broken = Vec::new();
    for query in &postgres.queries {
        broken.extend(ask_query(client, query, attempt).await.err());
    }
    conclude(&broken, &slow, attempt)
}

/// The first row of one statement, in a transaction of its own that may read but not write, and not for long.
async fn first_row(client: &Client, sql: &str, attempt: &Attempt) -> Result<Option<Row>, Error> {
    let timeout = statement_timeout_ms(attempt);
    client.batch_execute(&format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {timeout}")).await?;
    // The extended protocol takes one statement only: `SELECT 1; COMMIT; DELETE …` is refused as a whole.
    let row = async {
        let none: [(i32, Type); 0] = [];
        let rows = client.query_typed_raw(sql, none).await?;
        let mut rows = std::pin::pin!(rows);
        rows.try_next().await
    };
    let row = row.await;
    let ended = client.batch_execute("ROLLBACK").await;
    row.and_then(|row| ended.map(|()| row))
}

async fn ask_query(client: &Client, query: &Query, attempt: &Attempt) -> Result<(), String> {
    let failed = |e: Error| format!("query {}: {}", query.name, explain(&e));
    let row = first_row(client, &query.sql, attempt).await.map_err(failed)?;
    let value = match row {
        Some(row) if !row.is_empty() => row.try_get::<_, Option<Number>>(0).map_err(failed)?,
        _ => None,
    };
    query.judge(value.map(|n| n.0), attempt)
}

fn record_statistics(row: &Row, attempt: &Attempt) -> Option<Connections> {
    let number = |i: usize| row.try_get::<_, Option<Number>>(i).ok().flatten().map(|n| n.0);
    attempt.read_some("farero_db_connections_active", number(1));
    attempt.read_some("farero_db_slow_queries", number(2));
    attempt.read_some("farero_db_size_bytes", number(4));
    if let Ok(version) = row.try_get::<_, String>(5) {
        attempt.fact("version", version);
    }
    if let Ok(is_replica) = row.try_get::<_, bool>(6) {
        attempt.read(Reading::new("farero_db_is_replica", f64::from(u8::from(is_replica))));
        attempt.fact("role", if is_replica { "replica" } else { "primary" });
    }
    let connections = Connections { used: number(0)?, max: number(3)? };
    connections.record(attempt);
    Some(connections)
}

/// Down, with the SQLSTATE where the server gave one.
pub(super) fn judge_error(step: &str, error: &Error) -> Probed {
    let probed = Probed::down(format!("{step}: {}", explain(error)));
    match error.code() {
        Some(code) => probed.with_status(format!("SQLSTATE {}", code.code())),
        None => probed,
    }
}

/// The server's own words, else the driver's with their cause.
fn explain(error: &Error) -> String {
    if let Some(server) = error.as_db_error() {
        let hint = server.hint().map(|h| format!(" ({h})")).unwrap_or_default();
        return format!("{}{hint} [{}]", server.message(), server.code().code());
    }
    if error.is_closed() {
        return "the server closed the connection".to_owned();
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
