//! The server's file store: a folder with a quota that real files fill, and an exporter that tells its use. I/O.
//!
//! The stand-in has no disk of its own, so 50 MB of files stand for the plan's 50 GB; the exporter measures the folder at every
//! scrape and reports it under node_exporter's names.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;

/// Size of the store.
const QUOTA_BYTES: u64 = 50_000_000;
/// In use from the start: 32 %, as in the plan's sample.
const USED_BYTES: u64 = 16_000_000;
/// In use when full: 94 %.
const FULL_BYTES: u64 = 47_000_000;

#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let store = Self { folder: folder.to_owned() };
        store.clean()?;
        store.write("documents.bin", USED_BYTES)?;
        Ok(store)
    }

    /// Fills the store with old uploads.
    pub(crate) fn fill(&self) -> Result<()> {
        self.write("old-uploads.bin", FULL_BYTES - USED_BYTES)
    }

    /// Takes the old uploads away.
    pub(crate) fn clean(&self) -> Result<()> {
        let path = self.folder.join("old-uploads.bin");
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
        }
        Ok(())
    }

    fn write(&self, name: &str, bytes: u64) -> Result<()> {
        let path = self.folder.join(name);
        let content = vec![b'.'; usize::try_from(bytes)?];
        std::fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))
    }

    fn used(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return 0 };
        entries.flatten().filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
    }
}

pub(crate) fn router(store: Arc<Store>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(store)
}

async fn metrics(State(store): State<Arc<Store>>) -> impl IntoResponse {
    let used = store.used().min(QUOTA_BYTES);
    let free = QUOTA_BYTES - used;
    let labels = "{device=\"store\",fstype=\"quota\",mountpoint=\"/srv/sigcerh\"}";
    let mut out = String::new();
    for (name, value) in [
        ("node_filesystem_size_bytes", QUOTA_BYTES),
        ("node_filesystem_free_bytes", free),
        ("node_filesystem_avail_bytes", free),
    ] {
        let _ = writeln!(out, "# TYPE {name} gauge\n{name}{labels} {value}");
    }
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_and_cleans_real_files() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        assert_eq!(store.used(), USED_BYTES);
        store.fill().unwrap();
        assert_eq!(store.used(), FULL_BYTES);
        store.clean().unwrap();
        assert_eq!(store.used(), USED_BYTES);
    }
}
