//! Signed checkpoints, kept twice: in the database, and in a file beside it that only grows. I/O.
//!
//! Whoever cuts the tail of one is contradicted by the other. What a checkpoint says, and whether its signature is good, is
//! not this room's matter: here it is a line of text.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use kernel::Timestamp;

use crate::db::values;
use crate::{State, StateError};

/// The file's name in the data folder.
pub const CHECKPOINT_FILE: &str = "trail-checkpoints.jsonl";

/// The longest checkpoint file that is read: a line is about 400 bytes, one an hour for a hundred years.
const LONGEST_FILE: u64 = 400 << 20;

impl State {
    /// Stores a checkpoint. The same one again is stored once.
    pub fn add_checkpoint(&self, sequence: u64, at: Timestamp, line: &str) -> Result<(), StateError> {
        self.write("store a checkpoint of the trail", |t| {
            t.execute(
                "INSERT INTO trail_checkpoints (sequence, at_ms, line) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                &values![sequence, at, line],
            )?;
            Ok(())
        })
    }

    /// All checkpoints, the oldest first.
    pub fn checkpoints(&self) -> Result<Vec<String>, StateError> {
        self.read("read the checkpoints of the trail", |t| {
            t.query("SELECT line FROM trail_checkpoints ORDER BY sequence, at_ms", &[], |r| r.get(0))
        })
    }

    /// The entry up to which the newest checkpoint vouches; 0 when there is none.
    pub fn checkpointed(&self) -> Result<u64, StateError> {
        self.read("read the checkpoints of the trail", |t| {
            t.query_one("SELECT coalesce(max(sequence), 0) FROM trail_checkpoints", &[], |r| r.get(0))
        })
    }

    /// The newest checkpoint that was signed before a time, by its entry's number; `None` when there is none.
    pub fn checkpoint_before(&self, at: Timestamp) -> Result<Option<u64>, StateError> {
        self.read("read the checkpoints of the trail", |t| {
            t.query_one("SELECT max(sequence) FROM trail_checkpoints WHERE at_ms < ?1", &values![at], |r| r.get(0))
        })
    }
}

/// The file beside the database.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    path: PathBuf,
}

impl CheckpointFile {
    /// In a data folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(CHECKPOINT_FILE) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Adds a line; on return it is on disk. A line that a crash left half is ended first, so that it spoils no other.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&self, line: &str) -> Result<(), StateError> {
        let io = |source| StateError::Io {
            doing: "write the checkpoints beside the database",
            path: self.path.clone(),
            source,
        };
        let half = self.text()?.is_some_and(|text| !text.is_empty() && !text.ends_with('\n'));
        let mut file = File::options().create(true).append(true).open(&self.path).map_err(io)?;
        let text = format!("{}{line}\n", if half { "\n" } else { "" });
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)
    }

    /// Its lines, the oldest first; none when there is no file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn lines(&self) -> Result<Vec<String>, StateError> {
        Ok(self.text()?.unwrap_or_default().lines().map(ToOwned::to_owned).collect())
    }

    fn text(&self) -> Result<Option<String>, StateError> {
        let io = |source| StateError::Io {
            doing: "read the checkpoints beside the database",
            path: self.path.clone(),
            source,
        };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let mut bytes = Vec::new();
        file.take(LONGEST_FILE).read_to_end(&mut bytes).map_err(io)?;
        // Bytes that are no text are damage: they become a line that is no checkpoint.
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}
