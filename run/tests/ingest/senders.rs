//! Several senders of one engine: what one of them does too much of is not the others' trouble.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Clock as _, Labels};
use observe_receive::remote_write::Outgoing;
use run::metrics::{Metrics, MetricsConfig};
use run::{ReceiveLimits, SystemClock};

use crate::get;

/// Series that one sender may have.
const SERIES: u32 = 2_000;

/// A remote-write body with one sample of each series.
fn body(job: &str, series: std::ops::Range<u32>, t_ms: i64) -> Vec<u8> {
    let mut out = Outgoing::default();
    for n in series {
        let labels = Labels::metric("m", [("job", job), ("n", &n.to_string())]);
        out.series(&labels, |w| w.float(t_ms, f64::from(n)));
    }
    out.finish()
}

/// A client whose requests come from an address of this machine.
fn client(address: &str) -> reqwest::Client {
    // It is installed already where another test came first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address: IpAddr = address.parse().unwrap();
    reqwest::Client::builder().no_proxy().local_address(address).build().unwrap()
}

async fn write(client: &reqwest::Client, base: &str, body: Vec<u8>) -> (u16, String) {
    let request = client.post(format!("{base}/api/v1/write"));
    let request = request.header("Content-Type", "application/x-protobuf").header("Content-Encoding", "snappy");
    let answer = request.body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// One of the engine's own numbers.
async fn own(base: &str, series: &str) -> Option<f64> {
    let (_, text) = get(&format!("{base}/metrics")).await;
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_sender_of_an_engine_starves_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let receive = ReceiveLimits { series: SERIES as usize, ..ReceiveLimits::default() };
    let config = MetricsConfig { receive, ..MetricsConfig::new("127.0.0.1:0".parse().unwrap(), folder.path().into()) };
    let engine = Metrics::start(config, Arc::new(SystemClock)).await.unwrap();
    let base = format!("http://{}", engine.address());
    let (bad, good) = (client("127.0.0.1"), client("127.0.0.2"));
    let now_ms = SystemClock.now().as_millis();

    // More series than it may have: told, counted as its own, and nobody else's.
    let (status, text) = write(&bad, &base, body("bad", 0..SERIES + 500, now_ms)).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("2000 series are the limit of this sender"), "{text}");
    let (status, text) = write(&good, &base, body("good", 0..SERIES, now_ms)).await;
    assert_eq!(status, 204, "{text}");
    let rejected = |sender: &str| format!("farero_receive_rejected_total{{reason=\"series\",sender=\"{sender}\"}}");
    assert_eq!(own(&base, &rejected("127.0.0.1")).await, Some(500.0));
    assert_eq!(own(&base, &rejected("127.0.0.2")).await, None);

    // It sends without pause, on many connections; the other waits for its own requests only.
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flood: Vec<_> = (0..24i64)
        .map(|n| {
            let (bad, base, stop, sent) = (bad.clone(), base.clone(), stop.clone(), sent.clone());
            tokio::spawn(async move {
                for turn in 1.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    write(&bad, &base, body("bad", 0..SERIES, now_ms + turn * 100 + n)).await;
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    let mut turn = 0;
    while turn < 10 || sent.load(Ordering::Relaxed) < 48 {
        turn += 1;
        let began = Instant::now();
        let (status, text) = write(&good, &base, body("good", 0..10, now_ms + turn * 1_000)).await;
        slowest = slowest.max(began.elapsed());
        assert_eq!(status, 204, "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for task in flood {
        task.await.unwrap();
    }
    println!(
        "{} requests of the one, {turn} of the other, the slowest of which took {slowest:?}",
        sent.load(Ordering::Relaxed)
    );
    assert_eq!(
        own(&base, "farero_receive_samples_total{sender=\"127.0.0.2\"}").await,
        Some(f64::from(SERIES) + turn as f64 * 10.0)
    );
    engine.stop().await;
}
