//! Reads blocks that Prometheus wrote. I/O: reads files.
//!
//! <https://github.com/prometheus/prometheus/tree/main/tsdb/docs/format>. A block is a folder with `meta.json`, `index`,
//! `chunks/` and `tombstones`. Series come in the order of the index, which is sorted by labels; postings are not needed.

mod block;
mod chunk_files;
mod cursor;
mod index;
mod tombstones;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use block::{Block, BlockMeta, Visited};

/// Why a block cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TsdbError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds something else than it should.
    #[error("{path} is damaged: {what}; leave the block out, or restore it from a backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl TsdbError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}

/// The blocks in a data folder of Prometheus, oldest first. Its write-ahead log and head chunks are left out: Prometheus has to
/// cut them into a block first (it does so at a snapshot, and after two hours).
///
/// # Errors
/// The folder or a block's `meta.json` cannot be read.
pub fn blocks(data: &Path) -> Result<Vec<Block>, TsdbError> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(data).map_err(TsdbError::io(data))? {
        let path = entry.map_err(TsdbError::io(data))?.path();
        if path.join("meta.json").is_file() {
            out.push(Block::open(&path)?);
        }
    }
    out.sort_by(|a, b| (a.meta().min_ms, &a.meta().ulid).cmp(&(b.meta().min_ms, &b.meta().ulid)));
    Ok(out)
}
