//! What a database can answer instead of rows, and what to do about it. Pure.

use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

/// What a statement or the way to the database came to, instead of an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// SQLite's own words.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL's or its driver's own words.
    #[error("{}", explain(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// There is no connection and none can be made.
    #[error("PostgreSQL cannot be reached at {place}: {reason}")]
    Unreachable {
        /// Where it should be.
        place: String,
        /// Why not.
        reason: String,
    },
    /// The server did not answer in time; what became of the statement is not known.
    #[error("PostgreSQL did not answer within {0} s")]
    Silent(u64),
    /// Another process owns the database.
    #[error("another Farero is using {0}")]
    InUse(String),
    /// A statement failed, and what should have ended there went on.
    #[error("a statement had failed before, so nothing of it was kept")]
    Aborted,
    /// A column holds something else than what is asked for.
    #[error("column {column} holds {found} where {wanted} belongs")]
    Column {
        /// Which, from 0.
        column: usize,
        /// What it holds.
        found: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A value cannot be written as JSON, or what is stored as JSON cannot be read.
    #[error("a stored value cannot be read or written: {0}")]
    Json(#[from] serde_json::Error),
    /// There is no row where there must be one.
    #[error("a row is missing")]
    NoRow,
    /// Something that a step itself found wrong.
    #[error("{0}")]
    Refused(String),
}

/// What statements return.
pub type SqlResult<T> = Result<T, SqlError>;

impl SqlError {
    /// Whether a value that must be unique is there already.
    pub fn is_unique(&self) -> bool {
        match self {
            Self::Sqlite(e) => e.sqlite_error().is_some_and(|e| {
                matches!(
                    e.extended_code,
                    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                )
            }),
            Self::Postgres(e) => e.code() == Some(&SqlState::UNIQUE_VIOLATION),
            _ => false,
        }
    }

    /// Whether the connection is of no more use.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Postgres(e) => match e.code() {
                None => true,
                Some(code) => {
                    *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                        || code.code().starts_with("08")
                        || code.code().starts_with("57P")
                }
            },
            Self::Unreachable { .. } | Self::Silent(_) => true,
            _ => false,
        }
    }

    /// The next step for the failures that people can mend.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Sqlite(e) => sqlite_advice(e),
            Self::Postgres(e) => postgres_advice(e),
            Self::Unreachable { .. } | Self::Silent(_) => "; nothing of it counts as stored, the next call tries anew",
            Self::InUse(_) => ": stop it, or give this one a database of its own",
            _ => "",
        }
    }
}

fn sqlite_advice(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "; free some space on the disk, writing goes on by itself then",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "; the file is damaged: stop Farero, keep a copy of it, and restore the last backup"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "; check that Farero's user may write the data folder"
        }
        Some(ErrorCode::SystemIoFailure) => "; look at the system's log for errors of the disk",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "; another program keeps the database locked: close it"
        }
        _ => "",
    }
}

fn postgres_advice(error: &tokio_postgres::Error) -> &'static str {
    let Some(code) = error.code() else { return "; nothing of it counts as stored, the next call tries anew" };
    match code.code() {
        "53100" => "; free some space on the server's disk, writing goes on by itself then",
        "53300" => "; the server has no connection left: raise its max_connections or close others",
        "57P01" | "57P02" | "57P03" => "; nothing of it counts as stored, the next call tries anew",
        "57014" | "55P03" => "; another client holds locks, or the server is overloaded: see pg_stat_activity",
        "42501" | "25006" => "; Farero's role must own the tables and may not be on a replica",
        "28P01" | "28000" => "; check user and password in the URL",
        "3D000" => "; make the database first: createdb",
        code if code.starts_with("XX") => "; the server's data may be damaged: look at its log",
        _ => "",
    }
}

/// The server's own words, else the driver's with their cause. Details are left out: they quote values.
fn explain(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        return format!("{} [{}]", server.message(), server.code().code());
    }
    if error.is_closed() {
        return "the connection to PostgreSQL was lost".to_owned();
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
