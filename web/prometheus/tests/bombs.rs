//! Questions for names, series and raw samples that would fill memory, against what the allocator sees. Alone in its program: the
//! allocator counts everything.
#![allow(clippy::unwrap_used, reason = "tests may give up loudly")]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt as _;
use kernel::series::{Batch, SeriesError, SeriesReader, SeriesWriter as _};
use kernel::{Labels, Timestamp};
use observe_receive::wire::Writer as Wire;
use peak_alloc::PeakAlloc;
use store_series::{Options, SeriesStore};
use tower::ServiceExt as _;
use web_prometheus::{Backend, Gate, Settings, router};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SERIES: usize = 30_000;
/// Samples of each, a minute apart.
const SAMPLES: i64 = 20;
/// Points that one answer may hold: 2.4 MB, where each of these answers would take several times as much.
const MOST: u64 = 300_000;
/// What passes while it is read, and the server itself.
const PASSING: usize = 2 << 20;
/// What the store notes of each series that matches before it reads the first one: labels, and where samples are.
const PLANNED: usize = 300 * SERIES;
/// Where samples are wanted, its open rows too, of which there are never more than 120.
const PLANNED_WITH_ROWS: usize = 1_300 * SERIES;

struct Served {
    store: Arc<SeriesStore>,
    settings: Settings,
    gate: Gate,
}

impl Backend for Served {
    fn reader(&self) -> Result<Arc<dyn SeriesReader>, SeriesError> {
        Ok(self.store.clone())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(SAMPLES * 60)
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }
}

fn filled(folder: &std::path::Path) -> SeriesStore {
    let options = Options { commit_interval: Duration::ZERO, ..Options::default() };
    let store = SeriesStore::open(folder, options).unwrap().0;
    let group = store.open_group("all").unwrap();
    let labels = |i: usize| {
        let (id, part) = (format!("device-with-a-long-name-{i:08}"), (i % 50).to_string());
        Labels::metric("m", [("device", id.as_str()), ("instance", part.as_str()), ("job", "node")])
    };
    let columns = store.columns(group, &(0..SERIES).map(labels).collect::<Vec<_>>()).unwrap();
    for t in 0..SAMPLES {
        let mut batch = Batch::default();
        columns
            .iter()
            .enumerate()
            .for_each(|(i, c)| batch.push(group, t * 60_000, *c, (i as f64 * 0.37).sin() + t as f64));
        store.append(&batch).unwrap();
    }
    store
}

fn remote_read(kind: Option<u64>) -> Request<Body> {
    let mut w = Wire::default();
    w.message(1, |query| {
        query.uint(1, 1);
        query.uint(2, 20_000_000);
        query.message(3, |matcher| {
            matcher.string(2, "__name__");
            matcher.string(3, "m");
        });
    });
    w.varints(2, kind);
    let body = snap::raw::Encoder::new().compress_vec(&w.finish()).unwrap();
    let request = Request::post("/api/v1/read").header(header::CONTENT_TYPE, "application/x-protobuf");
    request.header(header::CONTENT_ENCODING, "snappy").body(Body::from(body)).unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn met_14_answers_with_names_series_and_raw_samples_are_counted_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(filled(folder.path()));
    let served = |most: Option<u64>| {
        let mut settings = Settings::new("0", Timestamp::from_secs(0));
        settings.limits.max_points = most.unwrap_or(settings.limits.max_points);
        Arc::new(Served { store: store.clone(), settings, gate: Gate::new(4) })
    };
    let ask = async |served: &Arc<Served>, request: Request<Body>| {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let answer = router(served.clone(), None).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        // The peak up to here: whoever reads the answer has memory of their own.
        let peak = ALLOCATOR.peak_usage().saturating_sub(before);
        let held = served.gate.counts().all().iter().find(|c| c.0 == "farero_queries_held_points").unwrap().2;
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, peak, held, body)
    };
    let every = |m: &str| format!("{m}match[]=%7B__name__=~%22.%2B%22%7D");
    type Make = Box<dyn Fn() -> Request<Body>>;
    let from = |path: String| -> Make { Box::new(move || get(&path)) };
    let all: [(u16, &str, Make); 6] = [
        (422, "series", from(every("/api/v1/series?"))),
        (422, "values", from("/api/v1/label/device/values".to_owned())),
        (422, "search", from("/api/v1/search/label_values?label=device&search[]=e&limit=10000".to_owned())),
        (500, "federate", from(every("/federate?"))),
        (500, "raw", Box::new(|| remote_read(None))),
        (500, "chunks", Box::new(|| remote_read(Some(1)))),
    ];
    for (status, what, request) in all {
        let (small, usual) = (served(Some(MOST)), served(None));
        let (got, peak, held, body) = ask(&small, request()).await;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(
            got == status && text.contains("the answer would hold more than 2 MiB in memory"),
            "{what}: {got} {text}"
        );
        assert_eq!(held, 0, "{what}: nothing is held by what was refused");
        let most = MOST as usize * size_of::<f64>();
        let planned = match what {
            "federate" => PLANNED,
            "raw" | "chunks" => PLANNED_WITH_ROWS,
            _ => 0,
        };
        assert!(peak < most + PASSING + planned, "{what}: {peak} bytes at most, where {most} may be held");
        let (got, peak, held, body) = ask(&usual, request()).await;
        assert_eq!(got, 200, "{what}");
        assert!(peak > most && held > 0, "{what}: {peak} bytes at most, {held} points on their way");
        drop(body);
        let left = usual.gate.counts().all().iter().find(|c| c.0 == "farero_queries_held_points").unwrap().2;
        assert_eq!(left, 0, "{what}: what was sent is not held any more");
    }
    // The first ones of a list never take more than they are.
    let few = every("/api/v1/series?limit=10&");
    let (got, peak, _, body) = ask(&served(Some(MOST)), get(&few)).await;
    assert!(got == 200 && String::from_utf8_lossy(&body).contains("results truncated due to limit"));
    assert!(peak < PASSING, "{peak}");
}
