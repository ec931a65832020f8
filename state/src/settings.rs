//! Settings of this installation, as key and value. I/O.

use kernel::trail::Deed;

use crate::db::values;
use crate::{State, StateError};

impl State {
    /// A setting's value.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StateError> {
        self.read("read a setting", |t| {
            t.query_maybe("SELECT value FROM settings WHERE key = ?1", &values![key], |r| r.get(0))
        })
    }

    /// Sets a value; `None` takes it out.
    pub fn set_setting(&self, key: &str, value: Option<&str>) -> Result<(), StateError> {
        self.write("store a setting", |t| {
            match value {
                Some(value) => t.execute(
                    "INSERT INTO settings (key, value) VALUES (?1, ?2)
                         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    &values![key, value],
                ),
                None => t.execute("DELETE FROM settings WHERE key = ?1", &values![key]),
            }
            .map(|_| ())
        })
    }

    /// Sets a value by somebody's will.
    pub fn save_setting(&self, key: &str, value: &str, deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("store a setting", std::slice::from_ref(deed), |t| {
            t.execute(
                "INSERT INTO settings (key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                &values![key, value],
            )
            .map(|_| ())
        })
    }
}
