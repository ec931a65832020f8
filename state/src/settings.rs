//! Settings of this installation, as key and value. I/O.

use rusqlite::OptionalExtension;

use crate::{State, StateError};

impl State {
    /// A setting's value.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StateError> {
        self.read("read a setting", |t| {
            t.prepare_cached("SELECT value FROM settings WHERE key = ?1")?.query_row([key], |r| r.get(0)).optional()
        })
    }

    /// Sets a value; `None` takes it out.
    pub fn set_setting(&self, key: &str, value: Option<&str>) -> Result<(), StateError> {
        self.write("store a setting", |t| {
            match value {
                Some(value) => t
                    .prepare_cached(
                        "INSERT INTO settings (key, value) VALUES (?1, ?2)
                         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    )?
                    .execute([key, value]),
                None => t.prepare_cached("DELETE FROM settings WHERE key = ?1")?.execute([key]),
            }
            .map(|_| ())
        })
    }
}
