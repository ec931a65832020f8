//! Requests for approval and what people said to them. What follows from it is decided elsewhere. I/O.

use kernel::Timestamp;
use kernel::trail::Deed;

use crate::codec::{maybe_time, time, whole};
use crate::db::{Row, SqlResult, values};
use crate::{State, StateError};

/// A request to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApproval {
    /// What it is for; the words are the plan's.
    pub what: String,
    /// Which system.
    pub system: String,
    /// In which environment; may be empty.
    pub environment: String,
    /// What it is about: a plan's hash, an account, a version.
    pub subject: String,
    /// What would change, for people.
    pub details: String,
    /// What is carried out once it is approved, as its owner wrote it.
    pub payload: String,
    /// The rule, as its owner wrote it.
    pub rule: String,
    /// Who asks.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Waits until then.
    pub expires_at: Timestamp,
}

/// A request with what was said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its number.
    pub id: i64,
    /// What was asked.
    pub asked: NewApproval,
    /// The word of how it stands.
    pub standing: String,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Who said what, in order: person, time, yes or no, note.
    pub votes: Vec<(String, Timestamp, bool, String)>,
}

/// Which requests to list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Only of this system.
    pub system: Option<String>,
    /// Only those that wait.
    pub waiting: bool,
    /// At most this many.
    pub limit: usize,
}

const APPROVAL: &str = "id, what, system, environment, subject, details, payload, json, requested_by, requested_ms, \
                        expires_ms, standing, decided_ms";

fn approval(r: &Row<'_>) -> SqlResult<Approval> {
    Ok(Approval {
        id: r.get(0)?,
        asked: NewApproval {
            what: r.get(1)?,
            system: r.get(2)?,
            environment: r.get(3)?,
            subject: r.get(4)?,
            details: r.get(5)?,
            payload: r.get(6)?,
            rule: r.get(7)?,
            requested_by: r.get(8)?,
            requested_at: time(r, 9)?,
            expires_at: time(r, 10)?,
        },
        standing: r.get(11)?,
        decided_at: maybe_time(r, 12)?,
        votes: Vec::new(),
    })
}

impl State {
    /// Stores a request; returns its number. The same thing that waits already is not asked for twice: its number is returned,
    /// and nothing is told.
    pub fn ask_approval(&self, new: &NewApproval, deed: &Deed) -> Result<(i64, bool), StateError> {
        let stored: Result<Option<i64>, StateError> = self.write_recorded_if("store a request", deed, |t| {
            let known = t.query_maybe(
                "SELECT id FROM approvals WHERE what = ?1 AND system = ?2 AND environment = ?3 AND subject = ?4
                 AND standing = 'waiting' AND expires_ms > ?5",
                &values![new.what, new.system, new.environment, new.subject, new.requested_at],
                |r| r.get::<i64>(0),
            )?;
            if known.is_some() {
                return Ok(None);
            }
            t.query_one(
                "INSERT INTO approvals (what, system, environment, subject, details, payload, json, requested_by, requested_ms,
                 expires_ms, standing) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'waiting') RETURNING id",
                &values![
                    new.what,
                    new.system,
                    new.environment,
                    new.subject,
                    new.details,
                    new.payload,
                    new.rule,
                    new.requested_by,
                    new.requested_at,
                    new.expires_at
                ],
                |r| r.get(0),
            )
            .map(Some)
        });
        if let Some(id) = stored? {
            return Ok((id, true));
        }
        let known = self.read("read a request", |t| {
            t.query_one(
                "SELECT id FROM approvals WHERE what = ?1 AND system = ?2 AND environment = ?3 AND subject = ?4
                 ORDER BY id DESC LIMIT 1",
                &values![new.what, new.system, new.environment, new.subject],
                |r| r.get(0),
            )
        })?;
        Ok((known, false))
    }

    /// Stores what somebody says to a request that waits; `false` when they have said it already, or it does not wait.
    pub fn vote(
        &self,
        id: i64,
        (person, yes, note): (&str, bool, &str),
        at: Timestamp,
        deed: &Deed,
    ) -> Result<bool, StateError> {
        self.write_recorded_if("store an answer to a request", deed, |t| {
            let stored = t.execute(
                "INSERT INTO approval_votes (approval_id, person, at_ms, yes, note)
                 SELECT id, ?2, ?3, ?4, ?5 FROM approvals WHERE id = ?1 AND standing = 'waiting'
                 ON CONFLICT (approval_id, person) DO NOTHING",
                &values![id, person, at, i64::from(yes), note],
            )?;
            Ok(stored == 1)
        })
    }

    /// Stores how a request that waited stands now; `false` when it does not wait any more: of several callers one decides.
    pub fn decide_approval(&self, id: i64, standing: &str, at: Timestamp, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("store what became of a request", deed, |t| {
            let changed = t.execute(
                "UPDATE approvals SET standing = ?2, decided_ms = ?3 WHERE id = ?1 AND standing = 'waiting'",
                &values![id, standing, at],
            )?;
            Ok(changed == 1)
        })
    }

    /// One request.
    pub fn approval(&self, id: i64) -> Result<Option<Approval>, StateError> {
        self.read("read a request", |t| {
            let found =
                t.query_maybe(&format!("SELECT {APPROVAL} FROM approvals WHERE id = ?1"), &values![id], approval)?;
            let Some(mut found) = found else { return Ok(None) };
            found.votes = votes(t, id)?;
            Ok(Some(found))
        })
    }

    /// Requests, newest first.
    pub fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<Approval>, StateError> {
        self.read("read the requests", |t| {
            let mut all: Vec<Approval> = t.query(
                &format!(
                    "SELECT {APPROVAL} FROM approvals WHERE (?1 = '' OR system = ?1) AND (?2 = 0 OR standing = 'waiting')
                     ORDER BY id DESC LIMIT ?3"
                ),
                &values![
                    filter.system.as_deref().unwrap_or_default(),
                    i64::from(filter.waiting),
                    whole(filter.limit)
                ],
                approval,
            )?;
            for one in &mut all {
                one.votes = votes(t, one.id)?;
            }
            Ok(all)
        })
    }

    /// The newest request for a thing, whatever became of it.
    pub fn approval_of(&self, what: &str, system: &str, subject: &str) -> Result<Option<Approval>, StateError> {
        self.read("read a request", |t| {
            let sql = format!(
                "SELECT {APPROVAL} FROM approvals WHERE what = ?1 AND system = ?2 AND subject = ?3 ORDER BY id DESC LIMIT 1"
            );
            let Some(mut found) = t.query_maybe(&sql, &values![what, system, subject], approval)? else {
                return Ok(None);
            };
            found.votes = votes(t, found.id)?;
            Ok(Some(found))
        })
    }
}

fn votes(t: &crate::db::Tx<'_>, id: i64) -> SqlResult<Vec<(String, Timestamp, bool, String)>> {
    t.query(
        "SELECT person, at_ms, yes, note FROM approval_votes WHERE approval_id = ?1 ORDER BY at_ms, person",
        &values![id],
        |r| Ok((r.get(0)?, time(r, 1)?, r.get(2)?, r.get(3)?)),
    )
}
