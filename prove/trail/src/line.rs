//! One line of an export: written in one spelling only, read strictly. Pure.

use kernel::Timestamp;
use kernel::trail::{Entry, Hash, hash_entry};
use serde::{Deserialize, Serialize};

use crate::{PublicKey, SignedCheckpoint};

/// What the first line names the file.
pub(crate) const FORMAT: &str = "farero-trail";

/// Version of the form of exports; a reader refuses those it does not know.
pub(crate) const VERSION: u32 = 1;

/// The first line: what the file is and what was chosen. The chain and the signatures do not depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The public key of the trail, as the exporting Farero knows it.
    pub key: PublicKey,
    /// When the export was made.
    pub made_at: Timestamp,
    /// What was chosen, in the words of the command line; empty: everything.
    pub chosen: String,
}

impl Header {
    /// Of an export of this version.
    pub fn new(key: PublicKey, made_at: Timestamp, chosen: impl Into<String>) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, key, made_at, chosen: chosen.into() }
    }
}

/// An entry whose deed was left out of an excerpt: only its place in the chain is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// Its number.
    pub sequence: u64,
    /// Hash of the entry before it.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
    /// Hash of its deed.
    pub content: Hash,
}

impl Omitted {
    /// An entry without its deed.
    pub fn of(entry: &Entry) -> Self {
        Self { sequence: entry.sequence, previous: entry.previous, hash: entry.hash, content: entry.content() }
    }

    /// The hash that it should have.
    pub fn expected_hash(&self) -> Hash {
        hash_entry(self.sequence, &self.previous, &self.content)
    }
}

/// The last line: how many there are, and the hash of all lines before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Checkpoints in the file.
    pub checkpoints: u64,
    /// Entries in the file.
    pub entries: u64,
    /// Entries that were left out and stand as hashes.
    pub omitted: u64,
    /// SHA-256 of everything before this line.
    pub sha256: Hash,
}

/// One line of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The first.
    Header(Header),
    /// A signed checkpoint.
    Checkpoint(SignedCheckpoint),
    /// An entry.
    Entry(Entry),
    /// An entry without its deed.
    Omitted(Omitted),
    /// The last.
    End(End),
}

impl Line {
    /// The line's text, without a line end.
    pub fn write(&self) -> String {
        match self {
            Self::Header(header) => json(header),
            Self::Checkpoint(signed) => signed.to_line(),
            Self::Entry(e) => chained(e.sequence, &e.previous, &e.hash, "deed", &e.text),
            Self::Omitted(o) => chained(o.sequence, &o.previous, &o.hash, "omitted", &format!("\"{}\"", o.content)),
            Self::End(end) => format!("{{\"end\":{}}}", json(end)),
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn chained(sequence: u64, previous: &Hash, hash: &Hash, name: &str, value: &str) -> String {
    format!(r#"{{"sequence":{sequence},"previous":"{previous}","hash":"{hash}","{name}":{value}}}"#)
}

/// Reads a line.
///
/// # Errors
/// It is none of the five kinds, or not spelled as [`Line::write`] does: one changed byte is one or the other, unless it is
/// inside of a value that the chain covers.
pub fn read_line(line: &str) -> Result<Line, String> {
    let read = if line.starts_with(r#"{"sequence":"#) {
        read_chained(line).ok_or("it is no entry")?
    } else if line.starts_with(r#"{"checkpoint":"#) {
        let signed = serde_json::from_str(line).map_err(|e| format!("it is no checkpoint: {e}"))?;
        Line::Checkpoint(signed)
    } else if let Some(end) = line.strip_prefix(r#"{"end":"#).and_then(|l| l.strip_suffix('}')) {
        Line::End(serde_json::from_str(end).map_err(|e| format!("it is no end: {e}"))?)
    } else {
        let header: Header = serde_json::from_str(line).map_err(|e| format!("it is no line of a trail: {e}"))?;
        if header.format != FORMAT || header.version != VERSION {
            let (format, version) = (&header.format, header.version);
            return Err(format!(
                "it names the form `{format}` {version}, this program reads `{FORMAT}` {VERSION}: use the Farero that wrote it"
            ));
        }
        Line::Header(header)
    };
    if read.write() == line { Ok(read) } else { Err("it is not spelled as Farero writes it".to_owned()) }
}

/// An entry, with its deed or without. The deed's text is taken as it is: its hash covers every byte of it.
fn read_chained(line: &str) -> Option<Line> {
    let (sequence, rest) = line.strip_prefix(r#"{"sequence":"#)?.split_once(',')?;
    let sequence = sequence.parse().ok()?;
    let (previous, rest) = rest.strip_prefix(r#""previous":""#)?.split_once('"')?;
    let (hash, rest) = rest.strip_prefix(r#","hash":""#)?.split_once('"')?;
    let (previous, hash) = (Hash::parse(previous)?, Hash::parse(hash)?);
    let rest = rest.strip_suffix('}')?;
    if let Some(text) = rest.strip_prefix(r#","deed":"#) {
        return Some(Line::Entry(Entry { sequence, previous, hash, text: text.to_owned() }));
    }
    let content = Hash::parse(rest.strip_prefix(r#","omitted":""#)?.strip_suffix('"')?)?;
    Some(Line::Omitted(Omitted { sequence, previous, hash, content }))
}
