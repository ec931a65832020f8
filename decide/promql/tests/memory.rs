//! What a query says that it holds, against what it really allocates. Alone in its program: the allocator counts everything.
#![allow(clippy::unwrap_used, reason = "tests may give up loudly")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use decide_promql::{Control, Limits, Query, evaluate_cancellable, parse};
use kernel::Labels;
use kernel::series::{Select, Series, SeriesError, SeriesReader, Visit};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SERIES: usize = 3_000;
/// Samples of each series, a second apart.
const SAMPLES: i64 = 300;

/// Makes series as they are asked for, as a store does: none is there before, and labels are shared with nobody.
struct Source;

impl Source {
    fn one(i: usize, times: &Arc<[i64]>) -> Series {
        let (i, group) = (i.to_string(), (i % 50).to_string());
        let labels = Labels::metric("m", [("device", i.as_str()), ("instance", group.as_str()), ("job", "node")]);
        Series::floats(labels, times.clone(), times.iter().map(|t| *t as f64).collect())
    }
}

impl SeriesReader for Source {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let mut all = Vec::new();
        self.visit(select, &mut |s| {
            all.push(s);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    fn visit(&self, _: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        let times: Arc<[i64]> = (0..SAMPLES).map(|t| t * 1_000).collect();
        let _ = (0..SERIES).try_for_each(|i| visit(Self::one(i, &times)));
        Ok(())
    }

    fn label_names(&self, _: &Select) -> Result<Vec<String>, SeriesError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &Select) -> Result<Vec<String>, SeriesError> {
        Ok(Vec::new())
    }
}

/// Takes note of what is held.
#[derive(Default)]
struct Held(AtomicU64);

impl Control for Held {
    fn goes_on(&self) -> bool {
        true
    }

    fn holds(&self, points: u64) -> bool {
        self.0.fetch_add(points, Relaxed);
        true
    }
}

/// What it holds by its own count and by the allocator's, at most, bytes.
fn measured(text: &str, step_ms: Option<i64>) -> (usize, usize) {
    let expr = parse(text).unwrap();
    let end = SAMPLES * 1_000;
    let query = match step_ms {
        Some(step) => Query::range(&expr, 0, end, step),
        None => Query::instant(&expr, end),
    };
    let held = Held::default();
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let found = evaluate_cancellable(&query, &Source, &Limits::default(), &held).unwrap();
    let really = ALLOCATOR.peak_usage() - before;
    drop(found);
    (held.0.into_inner() as usize * size_of::<f64>(), really)
}

#[test]
fn met_14_what_a_query_holds_is_what_it_says() {
    /// One series, its columns and windows: in memory while it passes.
    const PASSING: usize = 1 << 20;
    for (text, step) in [
        ("m", None),
        ("m[2m]", None),
        ("m", Some(1_000)),
        ("m", Some(50_000)),
        ("m + 1", Some(10_000)),
        ("sum by (device) (m)", None),
        ("sum by (device) (rate(m[1m]))", Some(10_000)),
        ("m * on (device) m", Some(10_000)),
        ("m or label_replace(m, \"x\", \"$1-$1-$1-$1-$1-$1-$1-$1\", \"device\", \"(.*)\")", Some(10_000)),
        ("topk(5, m)", Some(10_000)),
        ("max_over_time(m[2m:1s])", None),
        ("sort(m)", None),
        ("quantile(0.5, m)", Some(10_000)),
        ("count_values(\"v\", m)", Some(10_000)),
        ("sum(m)", Some(1_000)),
    ] {
        let (held, really) = measured(text, step);
        assert!(
            really <= held + held / 4 + PASSING,
            "{text} at {step:?} holds {held} B by its own count, {really} B really"
        );
        assert!(held <= really * 2 + PASSING, "{text} at {step:?} says {held} B and takes {really} B");
    }
}
