//! What the store's tests share. I/O.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::time::Duration;

use kernel::Labels;
use kernel::series::{
    Appended, GroupId, Matcher, Row, Select, Series, SeriesError, SeriesReader, SeriesWriter, group_of, rows_of,
};
use store_series::{OpenReport, Options, SeriesStore};

/// 2026-02-02T02:40:00Z, in the middle of a window.
pub const START: i64 = 1_770_000_000_000;

pub fn options() -> Options {
    // Blocks of two hours, so that tests of some hours have several.
    Options { commit_interval: Duration::ZERO, block_length: Duration::from_secs(7_200), ..Options::default() }
}

/// Groups and rows as tests write them.
pub trait Rows {
    fn group(&self, series: &[Labels]) -> Result<GroupId, SeriesError>;
    fn append_rows(&self, rows: &[Row]) -> Result<Appended, SeriesError>;
}

impl Rows for SeriesStore {
    fn group(&self, series: &[Labels]) -> Result<GroupId, SeriesError> {
        group_of(self, series)
    }

    fn append_rows(&self, rows: &[Row]) -> Result<Appended, SeriesError> {
        self.append(&rows_of(rows))
    }
}

pub fn open(folder: &Path) -> SeriesStore {
    let (store, report) = SeriesStore::open(folder, options()).unwrap();
    assert_eq!(report.damage, [""; 0]);
    store
}

pub fn open_damaged(folder: &Path) -> (SeriesStore, OpenReport) {
    SeriesStore::open(folder, options()).unwrap()
}

pub fn labels(name: &str, service: usize) -> Labels {
    Labels::metric(name, [("service", format!("s{service}")), ("kind", "http".into())])
}

pub fn row(group: GroupId, t_ms: i64, values: &[f64]) -> Row {
    Row { group, t_ms, values: values.iter().copied().map(Some).collect() }
}

pub fn all() -> Select {
    Select { matchers: Vec::new(), start_ms: i64::MIN, end_ms: i64::MAX }
}

pub fn by_name(name: &str) -> Select {
    Select { matchers: vec![Matcher::equal("__name__", name)], ..all() }
}

/// Times and bits of the one series that a selection finds.
pub fn points(series: &Series) -> Vec<(i64, u64)> {
    series.timestamps.iter().copied().zip(series.values.floats().unwrap().iter().map(|v| v.to_bits())).collect()
}

pub fn one(store: &SeriesStore, name: &str) -> Vec<(i64, u64)> {
    store.select(&by_name(name)).unwrap().iter().map(points).next().unwrap_or_default()
}
