//! The one way in which entries end: after their legal time, behind a signed checkpoint, and told by an entry. I/O.

use kernel::Timestamp;
use kernel::trail::Deed;

use super::append;
use crate::db::values;
use crate::{State, StateError};

/// Action of the deed that tells of a cut.
pub const CUT_ACTION: &str = "trail.cut";

/// Entries deleted in one transaction: other writers wait no longer than that.
pub const CUT_AT_ONCE: u64 = 5_000;

impl State {
    /// Deletes the entries up to a checkpoint, a part at a time; returns how many. Nothing is deleted unless a checkpoint vouches
    /// for exactly this entry and all that goes is older than `older_than`. The permission to delete and the entry that
    /// tells of it are one transaction, the deleting follows; interrupted, it goes on with the next cut.
    ///
    /// # Errors
    /// The database's own.
    pub fn cut_trail(&self, upto: u64, older_than: Timestamp, deed: &Deed) -> Result<u64, StateError> {
        self.write("cut the trail", |t| {
            let may = t.exists(
                "SELECT 1 FROM trail_cut c WHERE c.upto < ?1
                 AND EXISTS (SELECT 1 FROM trail_checkpoints p WHERE p.sequence = ?1)
                 AND NOT EXISTS (SELECT 1 FROM trail e WHERE e.sequence <= ?1 AND e.at_ms >= ?2)",
                &values![upto, older_than],
            )?;
            if may {
                t.execute("UPDATE trail_cut SET upto = ?1 WHERE id = 1", &values![upto])?;
                append(t, [deed])?;
            }
            Ok(())
        })?;
        let mut deleted = 0;
        loop {
            let n = self.write("cut the trail", |t| {
                t.execute(
                    "DELETE FROM trail WHERE sequence IN (SELECT e.sequence FROM trail e, trail_cut c \
                     WHERE e.sequence <= c.upto ORDER BY e.sequence LIMIT ?1)",
                    &values![CUT_AT_ONCE],
                )
            })?;
            deleted += n as u64;
            if (n as u64) < CUT_AT_ONCE {
                return Ok(deleted);
            }
        }
    }

    /// Up to which entry the trail was cut; 0 when it is whole.
    pub fn trail_cut(&self) -> Result<u64, StateError> {
        self.read("read where the trail was cut", |t| t.query_one("SELECT upto FROM trail_cut", &[], |r| r.get(0)))
    }
}
