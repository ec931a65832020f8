//! pco, for a page alone and with one model for all pages of a metric. Pure.

use pco::ChunkConfig;
use pco::wrapped::{FileCompressor, FileDecompressor};

use super::{CONSTANT, Codec, FALLBACK, MOVING, constant, decimals, put_constant};
use crate::bits::undecimal;

/// pco over the page's floats, or over its mantissas where it has them.
pub struct Pco {
    /// Mantissas instead of floats.
    pub decimals: bool,
    /// pco's own level.
    pub level: usize,
}

fn pco_page<T: pco::data_types::Number>(values: &[T], level: usize, out: &mut Vec<u8>) {
    let config = ChunkConfig::default().with_compression_level(level);
    let written = || -> pco::errors::PcoResult<Vec<u8>> {
        let mut chunk = FileCompressor::default().chunk_compressor(values, &config)?;
        let bytes = chunk.write_meta(Vec::new())?;
        chunk.write_page(0, bytes)
    };
    out.extend_from_slice(&written().expect("values of a page are within pco's limits"));
}

/// pco's header, which a store writes once.
fn pco_file() -> Option<FileDecompressor> {
    let header = FileCompressor::default().write_header(Vec::new()).ok()?;
    Some(FileDecompressor::new(header.as_slice()).ok()?.0)
}

fn unpco<T: pco::data_types::Number + Default>(bytes: &[u8], rows: usize) -> Option<Vec<T>> {
    let (mut chunk, rest) = pco_file()?.chunk_decompressor::<T, _>(bytes).ok()?;
    let mut values = vec![T::default(); rows];
    chunk.page_decompressor(rest, rows).ok()?.read(&mut values).ok()?;
    Some(values)
}

impl Codec for Pco {
    fn name(&self) -> &'static str {
        match (self.decimals, self.level) {
            (false, _) => "pco of floats, per series",
            (true, 4) => "pco of decimals, level 4",
            (true, 12) => "pco of decimals, level 12",
            (true, _) => "pco of decimals, per series",
        }
    }

    fn encode(&self, page: &[u64], out: &mut Vec<u8>) {
        if put_constant(page, out) {
            return;
        }
        match decimals(page).filter(|_| self.decimals) {
            Some((values, scale)) => {
                out.extend_from_slice(&[MOVING, scale]);
                pco_page(&values, self.level, out);
            }
            None => {
                out.push(FALLBACK);
                let floats: Vec<f64> = page.iter().map(|b| f64::from_bits(*b)).collect();
                pco_page(&floats, self.level, out);
            }
        }
    }

    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
        match *bytes.first()? {
            CONSTANT => constant(bytes, rows, out)?,
            FALLBACK => out.extend(unpco::<f64>(&bytes[1..], rows)?.iter().map(|v| v.to_bits())),
            _ => {
                let scale = *bytes.get(1)?;
                out.extend(unpco::<i64>(&bytes[2..], rows)?.iter().map(|m| undecimal(*m, scale).to_bits()));
            }
        }
        Some(())
    }
}

/// pco with one model for all moving pages of a metric and a page per series; `None` where a page has no decimals.
pub fn pco_metric(pages: &[&[u64]], level: usize, decimal_values: bool) -> (Vec<u8>, Vec<Vec<u8>>, Vec<u8>) {
    let rows: Vec<usize> = pages.iter().map(|p| p.len()).collect();
    let mut config = ChunkConfig::default().with_compression_level(level);
    config.paging_spec = pco::PagingSpec::Exact(rows);
    let coded: Option<Vec<_>> =
        decimal_values.then(|| pages.iter().map(|p| decimals(p)).collect::<Option<Vec<_>>>()).flatten();
    let scales = coded.as_ref().map_or_else(Vec::new, |c| c.iter().map(|(_, s)| *s).collect());
    let chunk = match &coded {
        Some(coded) => {
            let all: Vec<i64> = coded.iter().flat_map(|(v, _)| v.iter().copied()).collect();
            FileCompressor::default().chunk_compressor(&all, &config)
        }
        None => {
            let all: Vec<f64> = pages.iter().flat_map(|p| p.iter().map(|b| f64::from_bits(*b))).collect();
            FileCompressor::default().chunk_compressor(&all, &config)
        }
    };
    let mut chunk = chunk.expect("values of a metric are within pco's limits");
    let meta = chunk.write_meta(Vec::new()).expect("a vector takes everything");
    let written =
        (0..pages.len()).map(|i| chunk.write_page(i, Vec::new()).expect("a vector takes everything")).collect();
    (meta, written, scales)
}

/// The pages back.
pub fn unpco_metric(meta: &[u8], pages: &[Vec<u8>], scales: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
    if scales.is_empty() {
        let (mut chunk, _) = pco_file()?.chunk_decompressor::<f64, _>(meta).ok()?;
        let mut values = vec![0.0; rows];
        for page in pages {
            chunk.page_decompressor(page.as_slice(), rows).ok()?.read(&mut values).ok()?;
            out.extend(values.iter().map(|v| v.to_bits()));
        }
        return Some(());
    }
    let (mut chunk, _) = pco_file()?.chunk_decompressor::<i64, _>(meta).ok()?;
    let mut values = vec![0; rows];
    for (page, scale) in pages.iter().zip(scales) {
        chunk.page_decompressor(page.as_slice(), rows).ok()?.read(&mut values).ok()?;
        out.extend(values.iter().map(|m| undecimal(*m, *scale).to_bits()));
    }
    Some(())
}
