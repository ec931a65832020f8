//! An application that tells its metrics in every form: protobuf with a native histogram, OpenMetrics with exemplars, text. I/O: sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use observe_receive::wire::Writer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// When its counters began, milliseconds since the epoch.
pub(crate) const STARTED_MS: i64 = 1_790_000_000_000;

/// An application; it counts how often it was asked.
#[derive(Clone)]
pub(crate) struct Application {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicU64>,
    /// The heads of all requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Application {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let application =
            Self { address: listener.local_addr().unwrap(), asked: Arc::default(), heads: Arc::default() };
        let own = application.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(stream));
            }
        });
        application
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Heads of requests for a path.
    pub(crate) fn heads(&self, path: &str) -> Vec<String> {
        let all = self.heads.lock().unwrap();
        all.iter().filter(|h| h.split(' ').nth(1).is_some_and(|p| p.starts_with(path))).cloned().collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read_exact(&mut byte).await.is_err() {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let n = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let (kind, body) = answer(&head, n);
        self.heads.lock().unwrap().push(head);
        let answer = match kind {
            Some(kind) => format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n"),
            None => format!("HTTP/1.1 302 Found\r\nLocation: {}\r\n", String::from_utf8_lossy(&body)),
        };
        let head = format!("{answer}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
    }
}

/// The content type and the body; none: a redirect to the body.
fn answer(head: &str, n: u64) -> (Option<&'static str>, Vec<u8>) {
    const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    const PROTO: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    match path {
        "/open" => (Some(OPEN), open(n).into_bytes()),
        "/away" => (None, b"http://localhost:9/metrics".to_vec()),
        "/wide" => (Some(TEXT), (0..10).map(|i| format!("wide{{n=\"{i}\"}} {n}\n")).collect::<String>().into_bytes()),
        "/long" => (Some(TEXT), format!("long{{text=\"{}\"}} 1\n", "x".repeat(300)).into_bytes()),
        "/secret" => {
            let told = head.lines().find_map(|l| l.strip_prefix("Authorization: ")).unwrap_or_default();
            (Some(TEXT), format!("setting{{authorization=\"{told}\"}} 1\n").into_bytes())
        }
        "/broken" => (Some(TEXT), head.lines().next().unwrap_or_default().as_bytes().to_vec()),
        _ if head.contains("application/vnd.google.protobuf") => (Some(PROTO), proto(n)),
        _ => (Some(TEXT), format!("requests_total {n}\n").into_bytes()),
    }
}

fn open(n: u64) -> String {
    let started = STARTED_MS / 1_000;
    format!(
        "# TYPE jobs counter\njobs_total{{queue=\"a\"}} {n}\njobs_created{{queue=\"a\"}} {started}\n\
         # TYPE latency_seconds histogram\n# UNIT latency_seconds seconds\n\
         latency_seconds_bucket{{le=\"0.5\"}} {n} # {{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"}} 0.3\n\
         latency_seconds_bucket{{le=\"+Inf\"}} {n}\nlatency_seconds_sum {n}\nlatency_seconds_count {n}\n# EOF\n"
    )
}

/// A counter and a histogram that is native and classic at once, as client libraries tell them.
fn proto(n: u64) -> Vec<u8> {
    let mut out = Writer::default();
    family(&mut out, "requests_total", 0, |metric| {
        metric.message(3, |counter| counter.double(1, n as f64));
    });
    family(&mut out, "request_seconds", 4, |metric| {
        metric.message(7, |h| {
            h.uint(1, 3 * n);
            h.double(2, 2.5 * n as f64);
            for (bound, count) in [(1.0, 2 * n), (2.0, 3 * n)] {
                h.message(3, |bucket| {
                    bucket.uint(1, count);
                    bucket.double(2, bound);
                });
            }
            // Schema 0: buckets end at powers of two. Two observations up to 1, one up to 2.
            h.sint(5, 0);
            h.double(6, 1e-128);
            h.uint(7, 0);
            h.message(12, |span| {
                span.sint(1, 0);
                span.uint(2, 2);
            });
            h.sints(13, [2 * n as i64, -(n as i64)]);
        });
    });
    out.finish()
}

fn family(out: &mut Writer, name: &str, kind: u64, metric: impl FnOnce(&mut Writer)) {
    out.length_first(|body| {
        body.string(1, name);
        body.string(2, "as a client library tells it");
        body.uint(3, kind);
        body.message(4, metric);
    });
}
