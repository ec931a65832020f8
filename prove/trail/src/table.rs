//! Exports as CSV (RFC 4180), for spreadsheets: each field a column, formulas neutralised, and back again. Pure.
//!
//! A cell that a spreadsheet would take for a formula (OWASP: it begins with `=`, `+`, `-`, `@`, a tab or a line end) begins with
//! an apostrophe, and so does one that begins with an apostrophe: taking the first one away gives the value back.

use std::io::{Read, Write};

use kernel::Timestamp;
use kernel::trail::{Actor, Change, Deed, Entry, Hash, Object, Outcome};

/// The columns.
pub const COLUMNS: [&str; 17] = [
    "sequence",
    "at",
    "actor_kind",
    "actor",
    "token",
    "action",
    "outcome",
    "system",
    "environment",
    "object_kind",
    "object",
    "business_id",
    "from",
    "change",
    "detail",
    "previous",
    "hash",
];

/// Why a row is no entry.
#[derive(Debug, thiserror::Error)]
#[error("row {row} is no entry of a trail: {reason}")]
pub struct RowError {
    /// Its number, the header not counted.
    pub row: usize,
    /// Why.
    pub reason: String,
}

/// Writes the header and then entries.
pub struct TableWriter<W: Write>(csv::Writer<W>);

impl<W: Write> TableWriter<W> {
    /// Begins a table.
    ///
    /// # Errors
    /// The stream's own.
    pub fn begin(out: W) -> std::io::Result<Self> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        writer.write_record(COLUMNS).map_err(std::io::Error::from)?;
        Ok(Self(writer))
    }

    /// Adds an entry. Of one whose deed this version does not know, the deed's text stands in the column `change`.
    ///
    /// # Errors
    /// The stream's own.
    pub fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        let row = match entry.deed() {
            Ok(deed) => cells(entry, &deed),
            Err(_) => unknown(entry),
        };
        self.0.write_record(row.iter().map(|cell| harmless(cell))).map_err(std::io::Error::from)
    }

    /// Ends the table and gives the stream back, flushed.
    ///
    /// # Errors
    /// The stream's own.
    pub fn finish(self) -> std::io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

fn cells(entry: &Entry, deed: &Deed) -> [String; 17] {
    let change =
        if deed.change.is_empty() { String::new() } else { serde_json::to_string(&deed.change).unwrap_or_default() };
    [
        entry.sequence.to_string(),
        deed.at.to_string(),
        deed.actor.kind().to_owned(),
        deed.actor.name().to_owned(),
        deed.actor.token().unwrap_or_default().to_owned(),
        deed.action.clone(),
        deed.outcome.as_str().to_owned(),
        deed.system.clone(),
        deed.environment.clone(),
        deed.object.kind.clone(),
        deed.object.name.clone(),
        deed.business_id.clone(),
        deed.from.clone(),
        change,
        deed.detail.clone(),
        entry.previous.to_string(),
        entry.hash.to_string(),
    ]
}

fn unknown(entry: &Entry) -> [String; 17] {
    let mut row: [String; 17] = Default::default();
    row[0] = entry.sequence.to_string();
    row[13].clone_from(&entry.text);
    row[15] = entry.previous.to_string();
    row[16] = entry.hash.to_string();
    row
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']) { format!("'{cell}") } else { cell.to_owned() }
}

/// Reads a table back. What it gives has the hashes that stand in the table; verify them.
///
/// # Errors
/// The first row that is no entry.
pub fn read(input: impl Read) -> Result<Vec<Entry>, RowError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(input);
    let header = reader.headers().map_err(|e| RowError { row: 0, reason: e.to_string() })?;
    if header.iter().ne(COLUMNS) {
        return Err(RowError { row: 0, reason: format!("the columns {} are needed", COLUMNS.join(", ")) });
    }
    let mut out = Vec::new();
    for (row, record) in (1..).zip(reader.records()) {
        let cells: Vec<String> = record
            .map_err(|e| RowError { row, reason: e.to_string() })?
            .iter()
            .map(|cell| cell.strip_prefix('\'').unwrap_or(cell).to_owned())
            .collect();
        out.push(entry(&cells).map_err(|reason| RowError { row, reason })?);
    }
    Ok(out)
}

fn entry(cells: &[String]) -> Result<Entry, String> {
    let [
        sequence,
        at,
        kind,
        name,
        token,
        action,
        outcome,
        system,
        environment,
        object_kind,
        object,
        business_id,
        from,
        change,
        detail,
        previous,
        hash,
    ] = cells
    else {
        return Err(format!("it has {} cells", cells.len()));
    };
    let sequence = sequence.parse().map_err(|_| format!("`{sequence}` is no sequence"))?;
    let hash_of = |text: &str| Hash::parse(text).ok_or_else(|| format!("`{text}` is no hash"));
    let (previous, hash) = (hash_of(previous)?, hash_of(hash)?);
    if kind.is_empty() {
        return Ok(Entry { sequence, previous, hash, text: change.clone() });
    }
    let change: Vec<Change> = match change.as_str() {
        "" => Vec::new(),
        json => serde_json::from_str(json).map_err(|e| format!("`change` cannot be read: {e}"))?,
    };
    let deed = Deed {
        action: action.clone(),
        actor: actor(kind, name, token).ok_or_else(|| format!("`{kind}` is no kind of actor"))?,
        at: Timestamp::parse(at).map_err(|e| format!("`{at}` is no time: {e}"))?,
        business_id: business_id.clone(),
        change,
        detail: detail.clone(),
        environment: environment.clone(),
        from: from.clone(),
        object: Object { kind: object_kind.clone(), name: object.clone() },
        outcome: Outcome::parse(outcome).ok_or_else(|| format!("`{outcome}` is no outcome"))?,
        system: system.clone(),
    };
    Ok(Entry { sequence, previous, hash, text: deed.to_json() })
}

fn actor(kind: &str, name: &str, token: &str) -> Option<Actor> {
    let (name, token) = (name.to_owned(), token.to_owned());
    Some(match kind {
        "person" => Actor::Person { name },
        "token" => Actor::Token { name, token },
        "service" => Actor::Service { name, token },
        "farero" => Actor::Farero { name },
        "local" => Actor::Local { name },
        "nobody" => Actor::Nobody,
        _ => return None,
    })
}
