//! Values by pco, which finds a model for a page and codes what deviates from it (arXiv 2502.06112): only read, in blocks of
//! earlier versions. Pure.

#[cfg(test)]
use pco::ChunkConfig;
use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};

/// pco's own level, as it was written.
#[cfg(test)]
const LEVEL: usize = 8;

/// Writes integers; says whether it could.
#[cfg(test)]
pub(super) fn put_integers(out: &mut Vec<u8>, values: &[i64]) -> bool {
    put(out, values).is_some()
}

/// Writes floats by their bits; says whether it could.
#[cfg(test)]
pub(super) fn put_floats(out: &mut Vec<u8>, bits: &[u64]) -> bool {
    let floats: Vec<f64> = bits.iter().map(|b| f64::from_bits(*b)).collect();
    put(out, &floats).is_some()
}

#[cfg(test)]
fn put<T: Number>(out: &mut Vec<u8>, values: &[T]) -> Option<()> {
    let config = ChunkConfig::default().with_compression_level(LEVEL);
    let mut chunk = FileCompressor::default().chunk_compressor(values, &config).ok()?;
    let bytes = chunk.write_meta(Vec::new()).ok()?;
    out.extend_from_slice(&chunk.write_page(0, bytes).ok()?);
    Some(())
}

/// pco's file header is the same for all pages, and not kept.
fn file() -> Option<FileDecompressor> {
    let header = FileCompressor::default().write_header(Vec::new()).ok()?;
    Some(FileDecompressor::new(header.as_slice()).ok()?.0)
}

fn read<T: Number + Default>(bytes: &[u8], count: usize) -> Option<Vec<T>> {
    let (mut chunk, rest) = file()?.chunk_decompressor::<T, _>(bytes).ok()?;
    let mut values = vec![T::default(); count];
    chunk.page_decompressor(rest, count).ok()?.read(&mut values).ok()?;
    Some(values)
}

/// The integers that [`put_integers`] wrote.
pub(super) fn integers(bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    read(bytes, count)
}

/// The floats that [`put_floats`] wrote.
pub(super) fn floats(bytes: &[u8], count: usize, out: &mut Vec<u64>) -> Option<()> {
    out.extend(read::<f64>(bytes, count)?.iter().map(|v| v.to_bits()));
    Some(())
}
