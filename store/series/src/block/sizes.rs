//! What the parts of a block take, for those who compare codings. I/O.

use std::path::Path;

use kernel::Labels;
use kernel::series::SeriesError;

use super::{Block, CHUNK_SERIES};
use crate::page::coding;

/// Bytes of a block, by part.
#[derive(Debug, Default)]
pub struct BlockSizes {
    /// All of it.
    pub bytes: u64,
    /// Samples in it.
    pub samples: u64,
    /// Columns of times.
    pub times: u64,
    /// The table of series.
    pub table: u64,
    /// Strings.
    pub strings: u64,
    /// Lists of series by label and value.
    pub lists: u64,
    /// The runs, series by series.
    pub series: Vec<SeriesSize>,
}

/// Bytes of a series in a block.
#[derive(Debug)]
pub struct SeriesSize {
    /// Its labels.
    pub labels: Labels,
    /// Bytes of its run: pages and what stands beside them.
    pub bytes: u64,
    /// Its pages: coding (see `docs/store-format.md`) and bytes.
    pub pages: Vec<(u8, u64)>,
}

/// Measures the block in this file.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn block_sizes(path: &Path) -> Result<BlockSizes, SeriesError> {
    let block = Block::open(0, path)?;
    let sum = |parts: &[(u64, u32)]| parts.iter().map(|(_, length)| u64::from(*length)).sum::<u64>();
    let footer = &block.footer;
    let mut out = BlockSizes {
        bytes: block.bytes,
        samples: footer.samples,
        times: sum(&footer.times),
        table: sum(&footer.chunks),
        strings: u64::from(footer.symbols.1),
        lists: footer.names.iter().map(|(_, _, length)| u64::from(*length)).sum(),
        series: Vec::new(),
    };
    let damaged = || SeriesError::Storage(format!("{}: a part of it is damaged", path.display()));
    for number in 0..block.series_count() {
        let labels = block.full_labels(number).ok_or_else(damaged)?;
        let chunk = block.chunk(number / CHUNK_SERIES).ok_or_else(damaged)?;
        let entry = chunk.get((number % CHUNK_SERIES) as usize).ok_or_else(damaged)?;
        let mut bytes = vec![0u8; entry.length as usize];
        let read = block.file.read_exact_at(&mut bytes, entry.offset);
        read.map_err(|e| crate::files::storage("read the block", path, &e))?;
        let bytes = entry.within.as_deref().unwrap_or(&bytes);
        let (mut at, mut pages) = (0usize, Vec::new());
        for (_, length) in &entry.pages {
            pages.push((coding(bytes.get(at..).unwrap_or_default()), u64::from(*length)));
            at += *length as usize;
        }
        out.series.push(SeriesSize { labels, bytes: bytes.len() as u64, pages });
    }
    Ok(out)
}
