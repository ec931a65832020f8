//! A data folder that no Farero uses, as the target of an import. I/O: series on disk.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kernel::Timestamp;
use kernel::series::{MatchOp, Matcher, Point, Select, Series, SeriesReader, SeriesWriter};
use observe_receive::limits::Limits;
use observe_receive::writer::Writer;
use store_series::{Options, SeriesStore};

use super::load::{Held, HeldSample, Mark};
use super::{Sent, Target};
use crate::folder;

/// Samples of one commit: so much is done again when an import is broken off, and told to be done at once.
const SAMPLES_AT_ONCE: usize = 50_000;
/// Bytes of one request, with labels of any length.
const MOST_BYTES: usize = 1 << 30;
/// While importing nothing is too old: longer than the store takes times for.
const FOREVER: Duration = Duration::from_secs(1_000 * 366 * 86_400);

/// The open store of a data folder.
pub struct Folder {
    store: Arc<SeriesStore>,
    writer: Writer,
    /// The groups of one import are its own, so that rows come in the order of time whatever is there already.
    sender: String,
    /// The clock, or the newest sample where that is later: an import is no sender whose clock is wrong.
    now_ms: i64,
}

impl Folder {
    /// Opens the store below a data folder, and makes both where they are missing. `range_ms` is when the samples are.
    ///
    /// # Errors
    /// Another Farero uses the folder, or it cannot be used.
    pub fn open(data: &Path, range_ms: Option<(i64, i64)>, now: Timestamp) -> Result<Self> {
        folder::make_private(data).with_context(|| format!("{} cannot be made", data.display()))?;
        let options = Options {
            retention: FOREVER,
            rollups: FOREVER,
            late_window: FOREVER,
            commit_interval: Duration::ZERO,
            ..Options::default()
        };
        let (store, report) = SeriesStore::open(&data.join("series"), options)?;
        if let Some(damage) = report.damage.first() {
            tracing::error!(damage, "the store is damaged; the rest is used");
        }
        let store = Arc::new(store);
        // Its own requests are as long as they are.
        let limits = Limits { body_bytes: usize::MAX, decoded_bytes: MOST_BYTES, ..Limits::default() };
        let writer = Writer::new(store.clone() as Arc<dyn SeriesWriter>, limits);
        let (oldest, newest) = range_ms.unwrap_or_default();
        Ok(Self { store, writer, sender: format!("import/{oldest}"), now_ms: now.as_millis().max(newest) })
    }
}

impl Target for Folder {
    fn samples_at_once(&self) -> usize {
        SAMPLES_AT_ONCE
    }

    fn mark_known(&self, range_ms: (i64, i64), held: &mut Held) -> Result<()> {
        let all = Matcher::new("__name__", MatchOp::NotEqual, "").context("a matcher that is none")?;
        let select = Select { matchers: vec![all], start_ms: range_ms.0, end_ms: range_ms.1 };
        self.store.visit(&select, &mut |series| {
            mark(&series, held.of(&series.labels));
            ControlFlow::Continue(())
        })?;
        if held.has_exemplars() {
            // They may lie a little outside of the stretch.
            let select = Select { start_ms: i64::MIN, end_ms: i64::MAX, ..select };
            for (labels, known) in self.store.exemplars(&select)? {
                held.leave_out(&labels, &known);
            }
        }
        Ok(())
    }

    fn send(&mut self, body: Vec<u8>, _samples: u64) -> Result<Sent> {
        let headers = ("application/x-protobuf", "snappy");
        let answer = self.writer.remote_write(self.sender.as_str(), headers, &body, self.now_ms);
        match answer.status {
            200..=299 | 400 => Ok(Sent {
                samples: answer.written.samples + answer.written.histograms,
                exemplars: answer.written.exemplars,
                refused: answer.rejected,
                text: answer.text,
            }),
            _ => bail!("the store refuses: {}", answer.text),
        }
    }

    fn stretch_done(&mut self) -> Result<()> {
        self.store.flush()?;
        self.store.maintain(Timestamp::from_millis(self.now_ms))?;
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.store.cut()?;
        self.store.maintain(Timestamp::from_millis(self.now_ms))?;
        Ok(())
    }
}

/// Marks samples of a series that are there; both are sorted by time.
fn mark(series: &Series, held: &mut [HeldSample]) {
    let mut at = 0;
    for sample in held {
        while series.timestamps.get(at).is_some_and(|t| *t < sample.t_ms) {
            at += 1;
        }
        if series.timestamps.get(at) == Some(&sample.t_ms) {
            let same = series.values.get(at).is_some_and(|there| same(&there, &sample.value));
            sample.mark = if same { Mark::Known } else { Mark::Conflict };
        }
    }
}

/// Bit for bit, so that NaNs are what they are.
fn same(a: &Point, b: &Point) -> bool {
    match (a, b) {
        (Point::Float(a), Point::Float(b)) => a.to_bits() == b.to_bits(),
        (Point::Histogram(a), Point::Histogram(b)) => {
            // Whether a counter was reset before it is worked out when it is stored.
            let plain = |h: &kernel::series::Histogram| kernel::series::Histogram {
                reset: kernel::series::CounterReset::Unknown,
                sum: 0.0,
                ..h.clone()
            };
            a.sum.to_bits() == b.sum.to_bits() && plain(a) == plain(b)
        }
        _ => false,
    }
}
