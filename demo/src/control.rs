//! How `farero demo break backend` finds the demo that runs: a small file in the temporary folder. I/O.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Where the running demo can be reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Address {
    /// Page with inbox and faults, which also takes commands.
    pub url: String,
    /// Its process.
    pub pid: u32,
}

fn path() -> PathBuf {
    let user = std::env::var("USER").unwrap_or_else(|_| "user".to_owned());
    std::env::temp_dir().join(format!("farero-demo-{user}.json"))
}

pub(crate) fn write_address(port: u16) -> Result<()> {
    let address = Address { url: format!("http://127.0.0.1:{port}"), pid: std::process::id() };
    let path = path();
    std::fs::write(&path, serde_json::to_vec(&address)?)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Reads where the running demo is.
///
/// # Errors
/// No demo was started on this machine by this user.
pub fn read_address() -> Result<Address> {
    let path = path();
    let bytes = std::fs::read(&path).context("no demo is running; start one with: farero demo")?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged; start the demo again", path.display()))
}
