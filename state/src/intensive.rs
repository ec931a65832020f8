//! Periods in which a system or component is watched more closely (CHK-16). I/O.

use kernel::Timestamp;
use kernel::trail::Deed;

use crate::codec::time;
use crate::db::{Row, SqlResult, values};
use crate::{State, StateError};

/// One such period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intensive {
    /// The plan's system.
    pub system: String,
    /// The service or host; `None` for the whole system.
    pub component: Option<String>,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Who switched it on.
    pub by: String,
}

fn intensive(r: &Row<'_>) -> SqlResult<Intensive> {
    let component: String = r.get(1)?;
    Ok(Intensive {
        system: r.get(0)?,
        component: Some(component).filter(|c| !c.is_empty()),
        until: time(r, 2)?,
        by: r.get(3)?,
    })
}

impl State {
    /// Switches intensive watching on until a time; again for the same component replaces the end. An end in the past
    /// switches it off.
    pub fn set_intensive(
        &self,
        system: &str,
        component: Option<&str>,
        until: Timestamp,
        by: &str,
        deed: &Deed,
    ) -> Result<(), StateError> {
        self.write_recorded("store intensive watching", std::slice::from_ref(deed), |t| {
            t.execute(
                "INSERT INTO intensive (system, component, until_ms, by_whom) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (system, component) DO UPDATE
                 SET until_ms = excluded.until_ms, by_whom = excluded.by_whom",
                &values![system, component.unwrap_or_default(), until.as_millis(), by],
            )
            .map(|_| ())
        })
    }

    /// What is watched intensively at a time.
    pub fn intensive(&self, now: Timestamp) -> Result<Vec<Intensive>, StateError> {
        self.read("read intensive watching", |t| {
            t.query(
                "SELECT system, component, until_ms, by_whom FROM intensive WHERE until_ms > ?1
                 ORDER BY system, component",
                &values![now.as_millis()],
                intensive,
            )
        })
    }
}
