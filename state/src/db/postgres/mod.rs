//! PostgreSQL: one writer that owns the database, a few readers, a runtime that drives their connections. I/O.
//!
//! Writers are one at a time, as with SQLite, so what a transaction read is still so when it writes. The writer's
//! connection holds an advisory lock: whoever writes owns the database, after a reconnect too, and a second process is
//! kept out. When a connection is lost while a transaction ends, the server is asked afterwards what became of it.

mod session;
mod url;
mod wire;

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::mpsc;

pub(crate) use self::session::Session;
pub use self::url::PostgresUrl;
pub(crate) use self::wire::{Raw, without_nul};
use super::pool::Pool;
use super::{SqlError, SqlResult, Tx, values};
use crate::StateError;
use crate::error::Doing;

/// Readers beside the writer, made when they are needed. Each is a process on the server.
const READERS: usize = 8;
/// The oldest release: those before are no longer cared for by their makers.
const OLDEST_RELEASE: i64 = 130_000;
/// Longest wait until the server has let this program in, names and all addresses included.
const LOG_IN_TIMEOUT: Duration = Duration::from_secs(10);
/// First number of the advisory lock: "Fare". The second is the schema's.
const LOCK_SPACE: i64 = 0x4661_7265;
/// How long a predecessor's lock is waited for: one that was killed is noticed by the server within this time.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
/// How long the server is asked what became of a transaction whose end was not heard.
const VERDICT_PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two tries of either.
const PAUSE: Duration = Duration::from_millis(100);

/// What each connection is set to. The server ends what takes longer; a server that acknowledges before it wrote is told not to.
const SETTINGS: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '60s'; SET standard_conforming_strings = on; \
    SET client_min_messages = warning; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// A database on a server.
pub(crate) struct Postgres {
    url: PostgresUrl,
    tls: tokio_postgres_rustls::MakeRustlsConnect,
    /// Tells this process's connections from those of others.
    instance: String,
    writer: Mutex<Option<Session>>,
    readers: Pool<Option<Session>>,
    driver: Driver,
}

/// The runtime that drives connections, on a thread of its own. It ends with the last connection.
struct Driver {
    runtime: tokio::runtime::Handle,
    alive: mpsc::Sender<()>,
}

#[derive(Clone, Copy)]
enum Role {
    Writer,
    Reader,
}

impl Postgres {
    /// Connects and takes the database over.
    pub(crate) fn open(url: PostgresUrl) -> Result<Self, StateError> {
        let postgres = Self::connect_to(url)?;
        let doing = "open the database";
        let session = postgres.connect(Role::Writer).map_err(|e| match e {
            SqlError::InUse(place) => StateError::InUse { place },
            source => StateError::Sql { doing, source },
        })?;
        *postgres.writer.lock() = Some(session);
        Ok(postgres)
    }

    /// For reading only, beside the Farero that owns the database.
    pub(crate) fn open_reader(url: PostgresUrl) -> Result<Self, StateError> {
        let postgres = Self::connect_to(url)?;
        postgres.read(|_| Ok(())).doing("open the database")?;
        Ok(postgres)
    }

    fn connect_to(url: PostgresUrl) -> Result<Self, StateError> {
        let driver = Driver::start().map_err(|source| StateError::Io {
            doing: "start the thread for",
            path: "PostgreSQL".into(),
            source,
        })?;
        let readers = Pool::new((0..READERS).map(|_| None).collect());
        let instance = format!("{:016x}", rand::random::<u64>());
        let tls = url.tls()?;
        Ok(Self { url, tls, instance, writer: Mutex::new(None), readers, driver })
    }

    /// Where it is, without the password.
    pub(crate) fn place(&self) -> String {
        self.url.to_string()
    }

    pub(crate) fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        let mut slot = self.writer.lock();
        let session = self.usable(&mut slot, Role::Writer)?;
        session.begin_write();
        let out = match work(&Tx::postgres(session)) {
            Ok(out) => out,
            Err(error) => {
                session.rollback();
                return Err(error);
            }
        };
        match session.commit() {
            Ok(()) => Ok(out),
            Err(error) if error.is_lost() => {
                let turn = session.turn();
                self.verdict(&mut slot, turn, error).map(|()| out)
            }
            Err(error) => Err(error),
        }
    }

    /// As `write`, for steps that may take long.
    pub(crate) fn write_long<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        self.with_patience(session::LONGEST_STEP)?;
        let out = self.write(|t| {
            t.batch("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")?;
            work(t)
        });
        // When this fails the connection is lost, and the next one has the usual patience.
        let _ = self.with_patience(session::LONGEST_ANSWER);
        out
    }

    fn with_patience(&self, patience: Duration) -> SqlResult<()> {
        let mut slot = self.writer.lock();
        let session = self.usable(&mut slot, Role::Writer)?;
        session.set_patience(patience);
        session.forget_statements();
        Ok(())
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        self.readers.with(|slot| {
            let session = self.usable(slot, Role::Reader)?;
            session.begin_read();
            let out = work(&Tx::postgres(session));
            session.end_read();
            out
        })
    }

    /// As `read`, for what takes long.
    pub(crate) fn read_long<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        self.readers.with(|slot| {
            let session = self.usable(slot, Role::Reader)?;
            session.set_patience(session::LONGEST_STEP);
            session.begin_read();
            let tx = Tx::postgres(session);
            let settings = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
            let out = tx.batch(settings).and_then(|()| work(&tx));
            session.end_read();
            session.set_patience(session::LONGEST_ANSWER);
            out
        })
    }

    /// The slot's connection, a new one when it has none that works.
    fn usable<'a>(&self, slot: &'a mut Option<Session>, role: Role) -> SqlResult<&'a Session> {
        if slot.as_ref().is_some_and(|session| !session.is_usable()) {
            *slot = None;
        }
        match slot {
            Some(session) => Ok(session),
            None => Ok(slot.insert(self.connect(role)?)),
        }
    }

    fn connect(&self, role: Role) -> SqlResult<Session> {
        let unreachable = |reason: String| SqlError::Unreachable { place: self.place(), reason };
        let mut config = self.url.config().clone();
        config.application_name(self.name(role));
        let _inside = self.driver.runtime.enter();
        let connecting = futures_executor::block_on(async {
            tokio::time::timeout(LOG_IN_TIMEOUT, config.connect(self.tls.clone())).await
        });
        let (client, connection) = connecting
            .map_err(|_| unreachable(format!("no log-in within {} s", LOG_IN_TIMEOUT.as_secs())))?
            .map_err(|e| unreachable(SqlError::from(e).to_string()))?;
        let alive = self.driver.alive.clone();
        self.driver.runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = %SqlError::from(error), "a connection to PostgreSQL ended");
            }
            drop(alive);
        });
        let session = Session::new(client, self.driver.runtime.clone());
        session.batch(SETTINGS)?;
        let release: i64 = first(&session, "SELECT current_setting('server_version_num')::bigint")?;
        if first(&session, "SELECT count(current_schema())")? == 0 {
            return Err(unreachable("its search_path names no schema that exists".to_owned()));
        }
        if release < OLDEST_RELEASE {
            let reason = format!("the server's release {} is too old: use 13 or newer", release / 10_000);
            return Err(unreachable(reason));
        }
        if matches!(role, Role::Writer) {
            self.take_over(&session)?;
            session.look_for_marks()?;
        }
        Ok(session)
    }

    fn name(&self, role: Role) -> String {
        match role {
            Role::Writer => format!("farero writer {}", self.instance),
            Role::Reader => format!("farero reader {}", self.instance),
        }
    }

    /// Takes the lock that only one process has. A former connection of this process that the server has not missed yet is ended.
    fn take_over(&self, session: &Session) -> SqlResult<()> {
        let end = Instant::now() + LOCK_PATIENCE;
        loop {
            let sql = "SELECT pg_try_advisory_lock(?1::int, hashtext(current_schema()))";
            let rows = session.query(sql, &values![LOCK_SPACE])?;
            if rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)) {
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(SqlError::InUse(self.place()));
            }
            let former = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                          WHERE application_name = ?1 AND usename = current_user AND pid <> pg_backend_pid()";
            session.query(former, &values![self.name(Role::Writer)])?;
            std::thread::sleep(PAUSE);
        }
    }

    /// Asks what became of a transaction whose end was not heard: it was kept when its mark stands. Nobody else can have
    /// written since, for the writer's place is held.
    fn verdict(&self, slot: &mut Option<Session>, turn: Option<String>, error: SqlError) -> SqlResult<()> {
        *slot = None;
        let Some(turn) = turn else { return Err(error) };
        let end = Instant::now() + VERDICT_PATIENCE;
        loop {
            let asked = self.usable(slot, Role::Writer).and_then(|session| {
                Ok(!session.query("SELECT 1 FROM farero_writer WHERE id = 1 AND turn = ?1", &values![turn])?.is_empty())
            });
            match asked {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(error),
                Err(SqlError::InUse(place)) => return Err(SqlError::InUse(place)),
                Err(again) => tracing::warn!(error = %again, "PostgreSQL cannot say yet what became of a transaction"),
            }
            if Instant::now() >= end {
                return Err(error);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Once the schema is there: from now on each transaction that writes leaves its mark.
    pub(crate) fn settle(&self) -> SqlResult<()> {
        let mut slot = self.writer.lock();
        self.usable(&mut slot, Role::Writer)?.look_for_marks()
    }
}

fn first(session: &Session, sql: &str) -> SqlResult<i64> {
    let rows = session.query(sql, &[])?;
    Ok(rows.first().ok_or(SqlError::NoRow)?.try_get(0)?)
}

impl Driver {
    fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, mut ended) = mpsc::channel::<()>(1);
        std::thread::Builder::new().name("postgresql".to_owned()).spawn(move || {
            // Nothing is ever sent: it ends when the state and all connections are gone.
            runtime.block_on(async { while ended.recv().await.is_some() {} });
        })?;
        Ok(Self { runtime: handle, alive })
    }
}
