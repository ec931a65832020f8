//! The audit trail: entries that are only ever appended, chained, in the transaction of what they tell. I/O.
//!
//! Invariants, each with a test in `tests/trail.rs` on both databases:
//! 1. A change and the entries that tell of it are one transaction ([`State::write_recorded`]).
//! 2. The order is total: each writer locks the row of the chain's head, and holds it until its transaction ends.
//! 3. Nothing but [`State::cut_trail`] deletes an entry, nothing changes one: triggers refuse it.
//! 4. The columns that are searched say what the entry says ([`TrailRow::contradictions`]).

mod checkpoints;
mod cut;
pub(crate) mod machine;
mod search;

use kernel::Timestamp;
use kernel::trail::{Deed, Entry, Hash, Head, chain};

pub use self::checkpoints::{CHECKPOINT_FILE, CheckpointFile};
pub use self::cut::{CUT_ACTION, CUT_AT_ONCE};
pub use self::search::TrailFilter;
use crate::db::{Row, SqlResult, Tx, values};
use crate::{State, StateError};

/// An entry as it is stored, with the columns that are searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailRow {
    /// The entry.
    pub entry: Entry,
    /// Columns that do not say what the entry says: somebody changed them.
    pub contradictions: Vec<&'static str>,
}

/// Whether a work changed something, so that there is something to tell.
pub(crate) trait Happened {
    /// Whether it did.
    fn happened(&self) -> bool;
}

impl Happened for bool {
    fn happened(&self) -> bool {
        *self
    }
}

impl<T> Happened for Option<T> {
    fn happened(&self) -> bool {
        self.is_some()
    }
}

impl Happened for usize {
    fn happened(&self) -> bool {
        *self > 0
    }
}

impl State {
    /// Runs `work` and tells of it in one transaction: the rows and the entries are kept, or none of them.
    pub(crate) fn write_recorded<T>(
        &self,
        doing: &'static str,
        deeds: &[Deed],
        work: impl FnOnce(&Tx<'_>) -> SqlResult<T>,
    ) -> Result<T, StateError> {
        self.write(doing, |t| {
            let out = work(t)?;
            append(t, deeds)?;
            Ok(out)
        })
    }

    /// As [`State::write_recorded`]; when `work` changed nothing (`false`, `None`, 0), nothing is told.
    pub(crate) fn write_recorded_if<T: Happened>(
        &self,
        doing: &'static str,
        deed: &Deed,
        work: impl FnOnce(&Tx<'_>) -> SqlResult<T>,
    ) -> Result<T, StateError> {
        self.write(doing, |t| {
            let out = work(t)?;
            if out.happened() {
                append(t, [deed])?;
            }
            Ok(out)
        })
    }

    /// Tells of a deed that changed no row here: a refused or failed attempt, something that a loop did.
    pub fn record(&self, deed: &Deed) -> Result<(), StateError> {
        self.record_all(std::slice::from_ref(deed)).map(|_| ())
    }

    /// Tells of several deeds, in this order; gives the chain's new end.
    pub fn record_all(&self, deeds: &[Deed]) -> Result<Head, StateError> {
        self.write("write to the trail", |t| append(t, deeds))
    }

    /// Where the chain ends.
    pub fn trail_head(&self) -> Result<Head, StateError> {
        self.read("read the trail's head", |t| head(t, ""))
    }

    /// How many entries are kept.
    pub fn trail_count(&self) -> Result<u64, StateError> {
        self.read("count the trail", |t| {
            t.query_one("SELECT h.sequence - c.upto FROM trail_head h, trail_cut c", &[], |r| r.get(0))
        })
    }

    /// The next entries after a number, the oldest first, at most `limit`: for whoever goes through the whole trail.
    pub fn trail_rows(&self, after: u64, limit: usize) -> Result<Vec<TrailRow>, StateError> {
        self.read("read the trail", |t| {
            t.query(
                &format!("SELECT {COLUMNS} FROM trail WHERE sequence > ?1 ORDER BY sequence LIMIT ?2"),
                &values![after, limit],
                row,
            )
        })
    }

    /// One entry.
    pub fn trail_entry(&self, sequence: u64) -> Result<Option<Entry>, StateError> {
        self.read("read an entry of the trail", |t| {
            t.query_maybe(&format!("SELECT {COLUMNS} FROM trail WHERE sequence = ?1"), &values![sequence], |r| {
                Ok(row(r)?.entry)
            })
        })
    }
}

/// The columns of an entry, in the order in which [`row`] reads them.
const COLUMNS: &str = "sequence, previous, hash, deed, at_ms, actor_kind, actor, system, environment, object_kind, object, \
                       action, outcome, business_id, search";

/// Appends deeds to the chain, in the caller's transaction; gives the new head. The head stays locked until the transaction
/// ends, so that this comes last in it.
pub(crate) fn append<'d>(t: &Tx<'_>, deeds: impl IntoIterator<Item = &'d Deed>) -> SqlResult<Head> {
    let mut deeds = deeds.into_iter().peekable();
    let mut head = head(t, if deeds.peek().is_some() { t.for_update() } else { "" })?;
    let before = head;
    for deed in deeds {
        let entry = chain(&head, deed);
        let c = Columns::of(deed);
        t.execute(
            "INSERT INTO trail (sequence, previous, hash, deed, at_ms, actor_kind, actor, system, environment, object_kind, \
             object, action, outcome, business_id, search) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            &values![
                entry.sequence,
                entry.previous.as_bytes()[..],
                entry.hash.as_bytes()[..],
                entry.text,
                c.at,
                c.texts[0],
                c.texts[1],
                c.texts[2],
                c.texts[3],
                c.texts[4],
                c.texts[5],
                c.texts[6],
                c.texts[7],
                c.texts[8],
                c.texts[9]
            ],
        )?;
        head = entry.head();
    }
    if head != before {
        t.execute(
            "UPDATE trail_head SET sequence = ?1, hash = ?2 WHERE id = 1",
            &values![head.sequence, head.hash.as_bytes()[..]],
        )?;
    }
    Ok(head)
}

fn head(t: &Tx<'_>, lock: &str) -> SqlResult<Head> {
    t.query_one(&format!("SELECT sequence, hash FROM trail_head WHERE id = 1{lock}"), &[], |r| {
        Ok(Head { sequence: r.get(0)?, hash: hash(r, 1)? })
    })
}

fn hash(r: &Row<'_>, column: usize) -> SqlResult<Hash> {
    let bytes: Vec<u8> = r.get(column)?;
    // A hash of another length is damage: no hash is all zeros, so that verification names the entry.
    Ok(<[u8; 32]>::try_from(bytes).map_or(Hash::ZERO, Hash::new))
}

fn row(r: &Row<'_>) -> SqlResult<TrailRow> {
    let entry = Entry { sequence: r.get(0)?, previous: hash(r, 1)?, hash: hash(r, 2)?, text: r.get(3)? };
    let mut contradictions = Vec::new();
    // A deed that a newer version wrote cannot be compared.
    if let Ok(deed) = entry.deed() {
        let said = Columns::of(&deed);
        if r.get::<Timestamp>(4)? != said.at {
            contradictions.push("at_ms");
        }
        for (place, (name, text)) in (5..).zip(NAMES.into_iter().zip(&said.texts)) {
            if r.get::<String>(place)? != *text {
                contradictions.push(name);
            }
        }
    }
    Ok(TrailRow { entry, contradictions })
}

/// The columns of texts that are searched.
const NAMES: [&str; 10] = [
    "actor_kind",
    "actor",
    "system",
    "environment",
    "object_kind",
    "object",
    "action",
    "outcome",
    "business_id",
    "search",
];

/// What stands in the columns that are searched.
struct Columns {
    at: Timestamp,
    /// In the order of [`NAMES`].
    texts: [String; 10],
}

impl Columns {
    fn of(deed: &Deed) -> Self {
        let texts = [
            deed.actor.kind().to_owned(),
            deed.actor.name().to_owned(),
            deed.system.clone(),
            deed.environment.clone(),
            deed.object.kind.clone(),
            deed.object.name.clone(),
            deed.action.clone(),
            deed.outcome.as_str().to_owned(),
            deed.business_id.clone(),
            search_text(deed),
        ];
        Self { at: deed.at, texts }
    }
}

/// Everything in a deed that people search for, in small letters.
fn search_text(deed: &Deed) -> String {
    let token = deed.actor.token().unwrap_or_default();
    let mut all = vec![
        deed.actor.name(),
        token,
        &deed.action,
        &deed.object.kind,
        &deed.object.name,
        &deed.system,
        &deed.environment,
        &deed.business_id,
        &deed.from,
        &deed.detail,
    ];
    for change in &deed.change {
        all.push(&change.field);
        all.extend(change.before.as_deref());
        all.extend(change.after.as_deref());
    }
    all.retain(|text| !text.is_empty());
    all.join("\n").to_lowercase()
}
