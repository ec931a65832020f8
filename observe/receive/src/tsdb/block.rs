//! One block: what it says of itself, and its series. I/O: reads files.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use kernel::series::{Column, Point, Series};
use serde_json::Value as Json;

use super::TsdbError;
use super::chunk_files::ChunkFiles;
use super::index::{Index, IndexSeries};
use super::tombstones::Tombstones;
use crate::chunks::{Encoding, read_histograms, read_xor};

/// What a block says of itself (`meta.json`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockMeta {
    /// Its name.
    pub ulid: String,
    /// Its oldest sample, milliseconds since the epoch.
    pub min_ms: i64,
    /// Behind its newest sample.
    pub max_ms: i64,
    /// Series in it.
    pub series: u64,
    /// Samples in it.
    pub samples: u64,
}

/// What came out of reading a block.
#[derive(Debug, Default)]
pub struct Visited {
    /// Series with at least one sample.
    pub series: u64,
    /// Samples, histograms included.
    pub samples: u64,
    /// Chunks that could not be read, and so are missing; the first [`Visited::DAMAGED`] of them.
    pub damaged: Vec<TsdbError>,
    /// All chunks that could not be read.
    pub chunks_lost: u64,
}

impl Visited {
    /// So many damaged chunks are named; the others are counted.
    pub const DAMAGED: usize = 20;

    fn lose(&mut self, error: TsdbError) {
        self.chunks_lost += 1;
        if self.damaged.len() < Self::DAMAGED {
            self.damaged.push(error);
        }
    }
}

/// A block.
#[derive(Debug)]
pub struct Block {
    path: PathBuf,
    meta: BlockMeta,
}

impl Block {
    /// Opens the block in a folder.
    ///
    /// # Errors
    /// Its `meta.json` cannot be read, or is of another version.
    pub fn open(path: &Path) -> Result<Self, TsdbError> {
        let file = path.join("meta.json");
        let bytes = std::fs::read(&file).map_err(TsdbError::io(&file))?;
        let json: Json = serde_json::from_slice(&bytes).map_err(|e| TsdbError::damaged(&file, e.to_string()))?;
        if json.get("version").and_then(Json::as_u64) != Some(1) {
            return Err(TsdbError::damaged(&file, "its version is not 1, the only one that is known"));
        }
        let time = |key: &str| json.get(key).and_then(Json::as_i64);
        let (Some(min_ms), Some(max_ms)) = (time("minTime"), time("maxTime")) else {
            return Err(TsdbError::damaged(&file, "minTime or maxTime is missing"));
        };
        let stat = |key: &str| json.get("stats").and_then(|s| s.get(key)).and_then(Json::as_u64).unwrap_or_default();
        let ulid = json.get("ulid").and_then(Json::as_str).unwrap_or_default().to_owned();
        let meta = BlockMeta { ulid, min_ms, max_ms, series: stat("numSeries"), samples: stat("numSamples") };
        Ok(Self { path: path.to_owned(), meta })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    pub fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    /// Hands over all series with all their samples, sorted by labels, one at a time; [`ControlFlow::Break`] ends the reading.
    /// Deleted samples are left out. A damaged chunk is left out and told.
    ///
    /// # Errors
    /// The index or a file cannot be read.
    pub fn visit(&self, visit: &mut dyn FnMut(Series) -> ControlFlow<()>) -> Result<Visited, TsdbError> {
        self.visit_between((i64::MIN, i64::MAX), visit)
    }

    /// As [`Block::visit`], but only samples from the first time to the last, both inclusive, milliseconds since the epoch.
    /// Chunks that lie elsewhere are not read; damage is told of those that begin in that time.
    ///
    /// # Errors
    /// The index or a file cannot be read.
    pub fn visit_between(
        &self,
        range_ms: (i64, i64),
        visit: &mut dyn FnMut(Series) -> ControlFlow<()>,
    ) -> Result<Visited, TsdbError> {
        let index = Index::read(self.path.join("index"))?;
        let mut files = ChunkFiles::open(&self.path.join("chunks"))?;
        let tombstones = Tombstones::read(&self.path.join("tombstones"))?;
        let mut out = Visited::default();
        for series in index.iter() {
            let series = series?;
            let deleted = tombstones.of(series.id);
            let read = read_series(series, &mut files, (deleted, range_ms), index.path(), &mut out);
            let Some(series) = read else { continue };
            out.series += 1;
            out.samples += series.timestamps.len() as u64;
            if visit(series).is_break() {
                break;
            }
        }
        Ok(out)
    }
}

fn read_series(
    series: IndexSeries,
    files: &mut ChunkFiles,
    (deleted, (from_ms, to_ms)): (&[(i64, i64)], (i64, i64)),
    index: &Path,
    out: &mut Visited,
) -> Option<Series> {
    let mut points: Vec<(i64, Point)> = Vec::new();
    let mut numbers = true;
    for chunk in &series.chunks {
        if chunk.max_ms < from_ms || chunk.min_ms > to_ms {
            continue;
        }
        let wholly = |range: &&(i64, i64)| range.0 <= chunk.min_ms && chunk.max_ms <= range.1;
        if deleted.iter().any(|range| wholly(&range)) {
            continue;
        }
        let before = points.len();
        match read_chunk(files, chunk.place, index) {
            Ok(read) => points.extend(read),
            Err(error) if chunk.min_ms >= from_ms => out.lose(error),
            Err(_) => {}
        }
        numbers &= points.iter().skip(before).all(|(_, point)| matches!(point, Point::Float(_)));
    }
    points.retain(|(t, _)| (from_ms..=to_ms).contains(t) && !deleted.iter().any(|(min, max)| min <= t && t <= max));
    if !points.is_sorted_by(|a, b| a.0 < b.0) {
        points.sort_by_key(|(t, _)| *t);
        points.dedup_by_key(|(t, _)| *t);
    }
    if points.is_empty() {
        return None;
    }
    let timestamps = points.iter().map(|(t, _)| *t).collect();
    let values = if numbers {
        let number = |point: &Point| match point {
            Point::Float(v) => *v,
            Point::Histogram(h) => h.sum,
        };
        Column::Floats(points.iter().map(|(_, point)| number(point)).collect())
    } else {
        Column::Mixed(points.into_iter().map(|(_, point)| point).collect())
    };
    Some(Series { labels: series.labels, timestamps, values, starts: None })
}

fn read_chunk(files: &mut ChunkFiles, place: u64, index: &Path) -> Result<Vec<(i64, Point)>, TsdbError> {
    let (encoding, bytes) = files.chunk(place)?;
    let read = match Encoding::numbered(encoding) {
        Some(Encoding::Xor) => read_xor(bytes).map(|all| all.into_iter().map(|(t, v)| (t, Point::Float(v))).collect()),
        Some(kind) => {
            let read = read_histograms(bytes, kind == Encoding::FloatHistogram);
            read.map(|all| all.into_iter().map(|(t, h)| (t, Point::Histogram(h))).collect())
        }
        None => {
            let what =
                format!("the chunk at {place:#x} has the coding {encoding}, which is experimental and not known here");
            return Err(TsdbError::damaged(index, what));
        }
    };
    read.map_err(|error| TsdbError::damaged(index, format!("the chunk at {place:#x}: {error}")))
}
