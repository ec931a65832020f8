//! One connection to PostgreSQL: statements, their cache, the transaction it is in. I/O.
//!
//! The statement that begins a transaction travels with the first one in it, and the end of one that only read is not
//! waited for: a read costs one way there and back, a write two.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join, try_join_all};
use tokio::runtime::Handle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::wire::dollars;
use crate::db::{SqlError, SqlResult, Value};

/// Prepared statements kept per connection, more than this crate has; beyond it they are all forgotten and made anew.
const STATEMENTS: usize = 512;
/// Statements on their way at once: enough to hide the distance, and few enough that answers never fill the line.
const IN_FLIGHT: usize = 256;
/// Longest wait for an answer. The server ends statements earlier by itself; this is for a server that says nothing.
pub(super) const LONGEST_ANSWER: Duration = Duration::from_secs(45);
/// Longest wait for a step of a migration or the copy of a table.
pub(super) const LONGEST_STEP: Duration = Duration::from_secs(24 * 3_600);

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A connection; one thread at a time uses it.
pub(crate) struct Session {
    client: Client,
    runtime: Handle,
    statements: RefCell<HashMap<String, Statement>>,
    /// What begins the transaction, until the first statement takes it along.
    opening: RefCell<Option<Cow<'static, str>>>,
    /// Whether the server knows of a transaction.
    begun: Cell<bool>,
    /// Whether the schema has the row that each writing transaction marks.
    marks: Cell<bool>,
    /// What the transaction that was begun last writes there.
    turn: RefCell<Option<String>>,
    /// Whether a statement of the transaction failed.
    failed: Cell<bool>,
    lost: Cell<bool>,
    patience: Cell<Duration>,
}

impl Session {
    pub(super) fn new(client: Client, runtime: Handle) -> Self {
        Self {
            client,
            runtime,
            statements: RefCell::default(),
            opening: RefCell::default(),
            begun: Cell::new(false),
            marks: Cell::new(false),
            turn: RefCell::default(),
            failed: Cell::new(false),
            lost: Cell::new(false),
            patience: Cell::new(LONGEST_ANSWER),
        }
    }

    /// Whether it can be used for another transaction.
    pub(super) fn is_usable(&self) -> bool {
        !self.lost.get() && !self.client.is_closed() && !self.begun.get()
    }

    /// How long an answer may take from now on.
    pub(super) fn set_patience(&self, patience: Duration) {
        self.patience.set(patience);
    }

    /// Looks whether the schema has the row that writers mark.
    pub(super) fn look_for_marks(&self) -> SqlResult<()> {
        let sql = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'farero_writer'";
        self.marks.set(!self.query(sql, &[])?.is_empty());
        Ok(())
    }

    pub(super) fn begin_read(&self) {
        self.begin(BEGIN_READ.into());
    }

    /// Begins a transaction that marks the writer's row with a word of its own: whoever finds it there later knows that the
    /// transaction was kept. The server's numbers of transactions would not do, a crash may give one twice.
    pub(super) fn begin_write(&self) {
        if !self.marks.get() {
            return self.begin("BEGIN".into());
        }
        let turn = format!("{:032x}", rand::random::<u128>());
        self.begin(format!("BEGIN; UPDATE farero_writer SET turn = '{turn}' WHERE id = 1").into());
        self.turn.replace(Some(turn));
    }

    fn begin(&self, how: Cow<'static, str>) {
        self.opening.replace(Some(how));
        self.failed.set(false);
        self.turn.replace(None);
    }

    /// The mark of the transaction that was begun last.
    pub(super) fn turn(&self) -> Option<String> {
        self.turn.borrow().clone()
    }

    /// Ends the transaction; on `Ok` what it wrote is on disk.
    pub(super) fn commit(&self) -> SqlResult<()> {
        if self.opening.take().is_some() || !self.begun.get() {
            return Ok(());
        }
        if self.failed.get() {
            self.rollback();
            return Err(SqlError::Aborted);
        }
        self.wait(self.client.batch_execute("COMMIT"))?;
        self.begun.set(false);
        Ok(())
    }

    /// Ends the transaction without keeping anything.
    pub(super) fn rollback(&self) {
        if self.opening.take().is_some() || !self.begun.get() {
            return;
        }
        if self.wait(self.client.batch_execute("ROLLBACK")).is_ok() {
            self.begun.set(false);
        }
    }

    /// Ends a transaction that read, without waiting for the answer.
    pub(super) fn end_read(&self) {
        if self.failed.get() {
            return self.rollback();
        }
        if self.opening.take().is_none() && self.begun.get() {
            match self.client.batch_execute("COMMIT").now_or_never() {
                None | Some(Ok(())) => self.begun.set(false),
                Some(Err(_)) => self.lost.set(true),
            }
        }
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> SqlResult<usize> {
        let statement = self.statement(sql)?;
        let changed = self.ask(self.client.execute_raw(&statement, parameters(values)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(crate) fn execute_many<'r, 'v: 'r>(
        &self,
        sql: &str,
        rows: impl Iterator<Item = &'r [Value<'v>]>,
    ) -> SqlResult<usize> {
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() {
            return Ok(0);
        }
        let statement = self.statement(sql)?;
        let mut changed = 0;
        for some in rows.chunks(IN_FLIGHT) {
            let all = some.iter().map(|values| self.client.execute_raw(&statement, parameters(values)));
            changed += self.ask(try_join_all(all))?.into_iter().sum::<u64>();
        }
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value<'_>]) -> SqlResult<Vec<Row>> {
        use futures_util::TryStreamExt;
        let statement = self.statement(sql)?;
        self.ask(async {
            let rows = self.client.query_raw(&statement, parameters(values)).await?;
            rows.try_collect::<Vec<_>>().await
        })
    }

    pub(crate) fn batch(&self, sql: &str) -> SqlResult<()> {
        self.ask(self.client.batch_execute(sql))
    }

    fn statement(&self, sql: &str) -> SqlResult<Statement> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let fresh = self.ask(self.client.prepare(&dollars(sql)))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), fresh.clone());
        Ok(fresh)
    }

    /// Forgets all statements: after a change of the schema they may be wrong.
    pub(super) fn forget_statements(&self) {
        self.statements.borrow_mut().clear();
    }

    /// Asks within the transaction, beginning it when this is its first statement.
    fn ask<T>(&self, question: impl Future<Output = Result<T, Error>>) -> SqlResult<T> {
        let answer = match self.opening.take() {
            None => self.wait(question),
            Some(opening) => {
                self.begun.set(true);
                self.wait(async {
                    // Polled in this order, so sent in this order.
                    let (begun, answer) = join(self.client.batch_execute(&opening), question).await;
                    begun.and(answer)
                })
            }
        };
        if answer.is_err() {
            self.failed.set(true);
        }
        answer
    }

    fn wait<T>(&self, question: impl Future<Output = Result<T, Error>>) -> SqlResult<T> {
        let patience = self.patience.get();
        let _inside = self.runtime.enter();
        let answer = futures_executor::block_on(async { tokio::time::timeout(patience, question).await });
        let answer = match answer {
            Ok(answer) => answer.map_err(SqlError::from),
            Err(_) => Err(SqlError::Silent(patience.as_secs())),
        };
        if answer.as_ref().is_err_and(SqlError::is_lost) {
            self.lost.set(true);
        }
        answer
    }
}

fn parameters<'a>(values: &'a [Value<'a>]) -> impl ExactSizeIterator<Item = &'a (dyn ToSql + Sync)> {
    values.iter().map(|v| v as &(dyn ToSql + Sync))
}
