//! Signatures of documents, and the signed texts byte by byte: kept for good (CKL-06). I/O.
//!
//! A signature is the trail's entry that tells of it; the rows here make it easy to find, and keep the text that it is
//! about. Triggers refuse to change or delete them.

use kernel::Timestamp;
use kernel::trail::{Deed, Hash};

use crate::codec::time;
use crate::db::{Row, SqlResult, values};
use crate::trail::append;
use crate::{State, StateError};

/// A signature under a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Number of the trail's entry that tells of it.
    pub sequence: u64,
    /// The system whose plan the document belongs to.
    pub system: String,
    /// The document's path in the plan's folder.
    pub path: String,
    /// Its title then.
    pub title: String,
    /// SHA-256 of its text then.
    pub sha256: String,
    /// The plan's role for which it was signed.
    pub role: String,
    /// Account of the person who signed.
    pub person: String,
    /// When.
    pub at: Timestamp,
    /// What they noted; may be empty.
    pub note: String,
}

/// A signature to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSignature {
    /// The system whose plan the document belongs to.
    pub system: String,
    /// The document's path in the plan's folder.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Its text, byte by byte.
    pub text: String,
    /// The plan's role for which it is signed.
    pub role: String,
    /// Account of the person who signs.
    pub person: String,
    /// When.
    pub at: Timestamp,
    /// A note; may be empty.
    pub note: String,
}

const SIGNATURE: &str = "sequence, system, path, title, sha256, role, person, at_ms, note";

fn signature(r: &Row<'_>) -> SqlResult<Signature> {
    Ok(Signature {
        sequence: r.get(0)?,
        system: r.get(1)?,
        path: r.get(2)?,
        title: r.get(3)?,
        sha256: r.get(4)?,
        role: r.get(5)?,
        person: r.get(6)?,
        at: time(r, 7)?,
        note: r.get(8)?,
    })
}

impl State {
    /// Stores a signature, its text and the entry that tells of it; `None` when this person has signed this text in this role
    /// before. Gives the entry's number.
    pub fn sign_document(&self, new: &NewSignature, deed: &Deed) -> Result<Option<u64>, StateError> {
        let sha256 = Hash::of(new.text.as_bytes()).to_string();
        self.write("store a signature", |t| {
            let known = t.exists(
                "SELECT 1 FROM signatures WHERE system = ?1 AND path = ?2 AND sha256 = ?3 AND role = ?4 AND person = ?5",
                &values![new.system, new.path, sha256, new.role, new.person],
            )?;
            if known {
                return Ok(None);
            }
            t.execute(
                "INSERT INTO signed_texts (sha256, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                &values![sha256, new.text],
            )?;
            let head = append(t, [deed])?;
            t.execute(
                "INSERT INTO signatures (sequence, system, path, title, sha256, role, person, at_ms, note)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                &values![head.sequence, new.system, new.path, new.title, sha256, new.role, new.person, new.at, new.note],
            )?;
            Ok(Some(head.sequence))
        })
    }

    /// All signatures under a document, under whichever of its texts, the newest first.
    pub fn signatures(&self, system: &str, path: &str) -> Result<Vec<Signature>, StateError> {
        self.read("read the signatures of a document", |t| {
            t.query(
                &format!("SELECT {SIGNATURE} FROM signatures WHERE system = ?1 AND path = ?2 ORDER BY sequence DESC"),
                &values![system, path],
                signature,
            )
        })
    }

    /// All signatures of a system, the newest first.
    pub fn system_signatures(&self, system: &str) -> Result<Vec<Signature>, StateError> {
        self.read("read the signatures of a system", |t| {
            t.query(
                &format!("SELECT {SIGNATURE} FROM signatures WHERE system = ?1 ORDER BY sequence DESC"),
                &values![system],
                signature,
            )
        })
    }

    /// A signed text by its hash.
    pub fn signed_text(&self, sha256: &str) -> Result<Option<String>, StateError> {
        self.read("read a signed text", |t| {
            t.query_maybe("SELECT text FROM signed_texts WHERE sha256 = ?1", &values![sha256], |r| r.get(0))
        })
    }

    /// Each signature whose text is not there, or does not give its hash, or whose entry in the trail says something else.
    pub fn signature_problems(&self) -> Result<Vec<String>, StateError> {
        let all: Vec<(Signature, Option<String>, Option<String>)> = self.read("compare the signatures", |t| {
            t.query(
                "SELECT s.sequence, s.system, s.path, s.title, s.sha256, s.role, s.person, s.at_ms, s.note, x.text, e.deed
                 FROM signatures s LEFT JOIN signed_texts x ON x.sha256 = s.sha256
                 LEFT JOIN trail e ON e.sequence = s.sequence ORDER BY s.sequence",
                &[],
                |r| Ok((signature(r)?, r.get(9)?, r.get(10)?)),
            )
        })?;
        let cut = self.trail_cut()?;
        let mut out = Vec::new();
        for (s, text, deed) in &all {
            let which = format!("the signature of {} under {} ({})", s.person, s.path, s.system);
            if text.as_ref().is_none_or(|t| Hash::of(t.as_bytes()).to_string() != s.sha256) {
                out.push(format!("{which}: its text was changed or is gone"));
            }
            let deed = deed.as_deref().and_then(|d| Deed::from_json(d).ok());
            // Entries before the cut are gone by right.
            if s.sequence > cut && deed.is_none_or(|d| !tells(&d, s)) {
                out.push(format!("{which}: entry {} of the trail does not say so", s.sequence));
            }
        }
        Ok(out)
    }
}

fn tells(deed: &Deed, s: &Signature) -> bool {
    let field = |name: &str| deed.change.iter().find(|c| c.field == name).and_then(|c| c.after.as_deref());
    deed.at == s.at
        && deed.actor.name() == s.person
        && deed.system == s.system
        && deed.object.name == s.path
        && field("role") == Some(&s.role)
        && field("sha256") == Some(&s.sha256)
}
