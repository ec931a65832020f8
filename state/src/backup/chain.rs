//! Whether the audit trail of a copy is one whole chain. I/O.
//!
//! Equal hashes of tables say that a copy is like its source; this says that the source's trail was whole. What is signed is looked
//! at by `farero trail verify`, which knows the keys.

use kernel::trail::{Entry, Hash, Head};

use crate::db::{SqlError, SqlResult, Tx, values};

/// Entries read at a time.
const PAGE: i64 = 1_000;

/// Goes along the chain: no gap, each entry hashed over the one before, the head at its end.
pub(super) fn check(t: &Tx<'_>) -> SqlResult<()> {
    let broken = |sequence: u64, how: &str| Err(SqlError::Refused(format!("entry {sequence} of the trail {how}")));
    let cut: u64 = t.query_one("SELECT upto FROM trail_cut", &[], |r| r.get(0))?;
    let mut last: Option<Head> = (cut == 0).then_some(Head::START);
    let mut at = cut;
    loop {
        let sql = "SELECT sequence, previous, hash, deed FROM trail WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
        let page: Vec<Entry> = t.query(sql, &values![at, PAGE], |r| {
            let (previous, hash) = (Hash::new(r.get(1)?), Hash::new(r.get(2)?));
            Ok(Entry { sequence: r.get(0)?, previous, hash, text: r.get(3)? })
        })?;
        for entry in &page {
            if entry.sequence != at + 1 {
                return broken(at + 1, "is missing");
            }
            if entry.hash != entry.expected_hash() {
                return broken(entry.sequence, "was changed");
            }
            if last.is_some_and(|last| last.hash != entry.previous) {
                return broken(entry.sequence, "does not follow the one before it");
            }
            at = entry.sequence;
            last = Some(entry.head());
        }
        if (page.len() as i64) < PAGE {
            break;
        }
    }
    let head = t.query_one("SELECT sequence, hash FROM trail_head", &[], |r| {
        Ok(Head { sequence: r.get(0)?, hash: Hash::new(r.get(1)?) })
    })?;
    // Everything may be cut; then there is only the head.
    if head.sequence != at || last.is_some_and(|last| last.hash != head.hash) {
        return broken(head.sequence, "is where the trail should end, and it does not");
    }
    Ok(())
}
