//! Versions of the plans as they were loaded (PLN-15). I/O.

use kernel::Timestamp;
use kernel::trail::Deed;

use crate::codec::time;
use crate::db::values;
use crate::{State, StateError};

/// One loaded version of a system's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanVersion {
    /// The plan's system.
    pub system: String,
    /// Hash of its files.
    pub hash: String,
    /// When it came into use.
    pub at: Timestamp,
    /// The version that the plan gives itself; may be empty.
    pub version: String,
    /// The files, as JSON.
    pub files_json: String,
}

impl State {
    /// Records the version that came into use, and tells of it. `false` when it is the one that is in use already.
    pub fn record_plan(&self, plan: &PlanVersion, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("store a plan's version", deed, |t| {
            let last: Option<String> = t.query_maybe(
                "SELECT hash FROM plans WHERE system = ?1 ORDER BY id DESC LIMIT 1",
                &values![&plan.system],
                |r| r.get(0),
            )?;
            if last.as_ref() == Some(&plan.hash) {
                return Ok(false);
            }
            t.execute(
                "INSERT INTO plans (system, hash, at_ms, version, files) VALUES (?1, ?2, ?3, ?4, ?5)",
                &values![plan.system, plan.hash, plan.at.as_millis(), plan.version, plan.files_json],
            )?;
            Ok(true)
        })
    }

    /// The versions of a system's plan, newest first.
    pub fn plans(&self, system: &str) -> Result<Vec<PlanVersion>, StateError> {
        self.read("read the plan's versions", |t| {
            t.query(
                "SELECT system, hash, at_ms, version, files FROM plans WHERE system = ?1 ORDER BY id DESC",
                &values![system],
                |r| {
                    Ok(PlanVersion {
                        system: r.get(0)?,
                        hash: r.get(1)?,
                        at: time(r, 2)?,
                        version: r.get(3)?,
                        files_json: r.get(4)?,
                    })
                },
            )
        })
    }
}
