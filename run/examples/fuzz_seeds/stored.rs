//! Files as programs write them: the store's own, in parts, and blocks of Prometheus made by `promtool`. I/O: temporary folders.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kernel::Labels;
use kernel::series::{Batch, Cell, Histogram, Matcher, Point, SeriesAdmin, SeriesWriter};
use store_series::inspect::{KINDS, parse, parts};
use store_series::{Options, SeriesStore};

/// The time of the first sample, milliseconds.
const T_MS: i64 = 1_770_000_000_000;

/// Parts of the store's files, each behind the number of its kind, and blocks of Prometheus.
pub(crate) fn all() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let folder = tempfile::tempdir()?;
    fill(folder.path())?;
    let mut out = Vec::new();
    for place in ["", "wal", "spans", "blocks"] {
        for file in std::fs::read_dir(folder.path().join(place))? {
            let path = file?.path();
            if !path.is_file() {
                continue;
            }
            for part in parts(&std::fs::read(&path)?) {
                let kinds = (0..KINDS).filter(|kind| parse(*kind, &part));
                out.extend(kinds.map(|kind| ("series_files", [&[kind], &part[..]].concat())));
            }
        }
    }
    match blocks() {
        Ok(found) => out.extend(found.into_iter().map(|bytes| ("blocks", bytes))),
        Err(error) => eprintln!("no blocks of Prometheus: {error:#}"),
    }
    Ok(out)
}

/// A small store with something of everything, in blocks, spans and the log.
fn fill(folder: &Path) -> Result<()> {
    let options = Options { commit_interval: Duration::ZERO, ..Options::default() };
    let (store, _) = SeriesStore::open(folder, options)?;
    let group = store.open_group("g")?;
    let all: Vec<Labels> = (0..6).map(|c| Labels::metric(&format!("m{c}"), [("job", "a")])).collect();
    store.columns(group, &all)?;
    for n in 0..90i64 {
        let mut batch = Batch::default();
        let t = T_MS + n * 15_000;
        batch.push(group, t, 0, 1.0);
        batch.push(group, t, 1, n as f64 * 3.5);
        batch.push(group, t, 2, (n as f64).sin());
        if n % 3 == 0 {
            batch.push(group, t, 3, f64::from_bits(n as u64 * 7919));
        }
        let h = Histogram { sum: n as f64, count: 2.0, zero_count: 2.0, ..Histogram::default() };
        batch.push_cell(group, t, Cell { column: 4, value: Point::Histogram(Arc::new(h)), start_ms: t - 5 });
        store.append(&batch)?;
        let mut late = Batch::default();
        late.push(group, t - 30_000, 5, n as f64);
        store.append(&late)?;
        match n {
            30 => _ = store.cut()?,
            60 => store.flush()?,
            _ => {}
        }
    }
    store.delete(&[Matcher::equal("__name__", "m1")], 0, T_MS + 100_000)?;
    store.flush()?;
    let mut batch = Batch::default();
    (0..3).for_each(|c| batch.push(group, T_MS + 9_000_000, c, 0.3));
    store.append(&batch)?;
    Ok(())
}

/// The indexes and chunks of blocks that `promtool` makes; the length of the index stands before it, as the target has it.
fn blocks() -> Result<Vec<Vec<u8>>> {
    let folder = tempfile::tempdir()?;
    let mut text = String::new();
    for series in 0..5 {
        for n in 0..130 {
            let _ = writeln!(
                text,
                "m{{job=\"a\",n=\"{series}\"}} {} {}",
                f64::from(n * series) * 0.25,
                1_770_000_000 + n * 15
            );
        }
    }
    text.push_str("# EOF\n");
    let (input, output) = (folder.path().join("in.txt"), folder.path().join("out"));
    std::fs::write(&input, text)?;
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&input, &output])
        .output()
        .context("promtool cannot be started")?;
    if !made.status.success() {
        bail!("promtool: {}", String::from_utf8_lossy(&made.stderr));
    }
    let mut out = Vec::new();
    for block in std::fs::read_dir(&output)? {
        let path = block?.path();
        if !path.join("index").is_file() {
            continue;
        }
        let (index, chunks) = (std::fs::read(path.join("index"))?, std::fs::read(path.join("chunks/000001"))?);
        out.push([&(index.len() as u32).to_le_bytes(), &index[..], &chunks].concat());
    }
    Ok(out)
}
