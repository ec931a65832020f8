//! Teams of accounts, and accounts of programs. I/O.

use kernel::Timestamp;
use kernel::trail::Deed;

use crate::codec::time;
use crate::db::values;
use crate::{State, StateError};

/// What an account is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A person, who logs in.
    #[default]
    Person,
    /// Programs: it owns tokens and cannot log in.
    Service,
}

impl Kind {
    /// The word in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }

    /// From the word; anything else is a person.
    pub fn parse(word: &str) -> Self {
        if word == "service" { Self::Service } else { Self::Person }
    }
}

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Number of the account.
    pub user_id: i64,
    /// Its name.
    pub name: String,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Who belongs to it, by name.
    pub members: Vec<Member>,
}

impl State {
    /// Makes a team; returns its number.
    ///
    /// # Errors
    /// [`StateError::Taken`] when the name exists.
    pub fn create_team(&self, name: &str, at: Timestamp, deed: &Deed) -> Result<i64, StateError> {
        let made = self.write_recorded("store a team", std::slice::from_ref(deed), |t| {
            t.query_one("INSERT INTO teams (name, created_ms) VALUES (?1, ?2) RETURNING id", &values![name, at], |r| {
                r.get(0)
            })
        });
        made.map_err(|e| match e {
            StateError::Sql { source, .. } if source.is_unique() => {
                StateError::Taken { what: "team", name: name.to_owned() }
            }
            other => other,
        })
    }

    /// Takes a team away, with what it was granted.
    pub fn remove_team(&self, id: i64, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("take a team away", deed, |t| {
            Ok(t.execute("DELETE FROM teams WHERE id = ?1", &values![id])? == 1)
        })
    }

    /// Takes an account into a team, or out of it; whether that changed anything.
    pub fn set_member(&self, team_id: i64, user_id: i64, is_member: bool, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("change a team", deed, |t| {
            let changed = if is_member {
                t.execute(
                    "INSERT INTO team_members (team_id, user_id)
                     SELECT m.id, u.id FROM teams m, users u WHERE m.id = ?1 AND u.id = ?2
                     ON CONFLICT (team_id, user_id) DO NOTHING",
                    &values![team_id, user_id],
                )?
            } else {
                t.execute("DELETE FROM team_members WHERE team_id = ?1 AND user_id = ?2", &values![team_id, user_id])?
            };
            Ok(changed == 1)
        })
    }

    /// All teams by name, with their members.
    pub fn teams(&self) -> Result<Vec<Team>, StateError> {
        self.read("read the teams", |t| {
            let mut teams: Vec<Team> = t.query("SELECT id, name, created_ms FROM teams ORDER BY name", &[], |r| {
                Ok(Team { id: r.get(0)?, name: r.get(1)?, created_at: time(r, 2)?, members: Vec::new() })
            })?;
            let members: Vec<(i64, Member)> = t.query(
                "SELECT x.team_id, u.id, u.name FROM team_members x JOIN users u ON u.id = x.user_id ORDER BY u.name",
                &[],
                |r| Ok((r.get(0)?, Member { user_id: r.get(1)?, name: r.get(2)? })),
            )?;
            for (team_id, member) in members {
                if let Some(team) = teams.iter_mut().find(|m| m.id == team_id) {
                    team.members.push(member);
                }
            }
            Ok(teams)
        })
    }

    /// The accounts of programs.
    pub fn services(&self) -> Result<Vec<i64>, StateError> {
        self.read("read the accounts of programs", |t| {
            t.query("SELECT id FROM users WHERE kind = 'service' ORDER BY id", &[], |r| r.get(0))
        })
    }
}
