//! Grants of accounts and teams. I/O.

use kernel::Timestamp;
use kernel::access::{Grant, Granted, Source};
use kernel::trail::Deed;

use crate::codec::{json, time, to_json};
use crate::db::{Row, SqlResult, values};
use crate::{State, StateError};

/// Whose grant it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// An account.
    User(i64),
    /// A team.
    Team(i64),
}

/// A grant as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub holder: Holder,
    /// The grant.
    pub grant: Grant,
    /// Since when.
    pub created_at: Timestamp,
    /// Who gave it; empty when it is older than grants are.
    pub created_by: String,
}

const GRANT: &str = "g.id, g.user_id, g.team_id, g.json, g.created_ms, g.created_by";

fn grant(r: &Row<'_>) -> SqlResult<GrantRow> {
    let (user, team): (Option<i64>, Option<i64>) = (r.get(1)?, r.get(2)?);
    Ok(GrantRow {
        id: r.get(0)?,
        // The table's condition says that one of them is there.
        holder: user.map_or_else(|| Holder::Team(team.unwrap_or_default()), Holder::User),
        grant: json(r, 3)?,
        created_at: time(r, 4)?,
        created_by: r.get(5)?,
    })
}

impl State {
    /// Gives a grant; returns its number.
    ///
    /// # Errors
    /// There is no such account or team.
    pub fn give(
        &self,
        holder: Holder,
        grant: &Grant,
        (by, at): (&str, Timestamp),
        deed: &Deed,
    ) -> Result<i64, StateError> {
        let (user, team) = match holder {
            Holder::User(id) => (Some(id), None),
            Holder::Team(id) => (None, Some(id)),
        };
        self.write_recorded("store a grant", std::slice::from_ref(deed), |t| {
            t.query_one(
                "INSERT INTO grants (user_id, team_id, json, created_ms, created_by) VALUES (?1, ?2, ?3, ?4, ?5)
                 RETURNING id",
                &values![user, team, to_json(grant)?, at, by],
                |r| r.get(0),
            )
        })
    }

    /// Takes a grant back.
    pub fn take_grant(&self, id: i64, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("take a grant back", deed, |t| {
            Ok(t.execute("DELETE FROM grants WHERE id = ?1", &values![id])? == 1)
        })
    }

    /// All grants, oldest first.
    pub fn grants(&self) -> Result<Vec<GrantRow>, StateError> {
        self.read("read the grants", |t| t.query(&format!("SELECT {GRANT} FROM grants g ORDER BY g.id"), &[], grant))
    }

    /// One grant.
    pub fn grant(&self, id: i64) -> Result<Option<GrantRow>, StateError> {
        self.read("read a grant", |t| {
            t.query_maybe(&format!("SELECT {GRANT} FROM grants g WHERE g.id = ?1"), &values![id], grant)
        })
    }

    /// What an account was granted, by itself and by its teams, with where each comes from; and its teams.
    pub fn granted(&self, user_id: i64) -> Result<(Vec<Granted>, Vec<String>), StateError> {
        self.read("read what an account may do", |t| {
            let mut all: Vec<Granted> =
                t.query("SELECT g.json FROM grants g WHERE g.user_id = ?1 ORDER BY g.id", &values![user_id], |r| {
                    Ok(Granted { grant: json(r, 0)?, source: Source::Page })
                })?;
            let by_teams: Vec<Granted> = t.query(
                "SELECT g.json, m.name FROM grants g JOIN teams m ON m.id = g.team_id
                 JOIN team_members x ON x.team_id = m.id WHERE x.user_id = ?1 ORDER BY g.id",
                &values![user_id],
                |r| Ok(Granted { grant: json(r, 0)?, source: Source::Team { name: r.get(1)? } }),
            )?;
            all.extend(by_teams);
            let teams = t.query(
                "SELECT m.name FROM teams m JOIN team_members x ON x.team_id = m.id WHERE x.user_id = ?1 ORDER BY m.name",
                &values![user_id],
                |r| r.get(0),
            )?;
            Ok((all, teams))
        })
    }
}
