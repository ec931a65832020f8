//! Around the answers: readiness, compression, pages of others, what does not exist.

use std::sync::atomic::AtomicBool;

use axum::body::Body;
use http::{Request, header};
use kernel::Labels;

use crate::server::{Served, Site};

#[tokio::test]
async fn it_answers_once_it_is_ready() {
    let site = Site::new(Served { ready: AtomicBool::new(false), ..Served::default() });
    for (path, status) in [("/-/healthy", 200), ("/-/ready", 503), ("/api/v1/query?query=1", 503)] {
        assert_eq!(site.get(path).await.status, status, "{path}");
    }
    let site = Site::new(Served::default());
    site.check("/-/healthy", 200, "Farero is Healthy.\n").await;
    site.check("/-/ready", 200, "Farero is Ready.\n").await;
    site.check("/api/v1/nothing", 404, "404 page not found\n").await;
}

#[tokio::test]
async fn answers_are_packed_where_that_is_understood() {
    let samples: Vec<(i64, f64)> = (0..600).map(|i| (9_400_000 + i * 1_000, i as f64)).collect();
    let site = Site::with(&[(Labels::metric("up", [("job", "a")]), &samples)]);
    let ask = || Request::get("/api/v1/query?query=up[10m]");
    let plain = site.send(ask().body(Body::empty()).unwrap()).await;
    let packed = site.send(ask().header(header::ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap()).await;
    assert_eq!(packed.headers[header::CONTENT_ENCODING], "gzip");
    assert!(packed.body.len() < plain.body.len());
    assert_eq!(packed.body[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn pages_of_others_may_read() {
    let site = Site::new(Served::default());
    let ask =
        Request::builder().method("OPTIONS").uri("/api/v1/query").header(header::ORIGIN, "https://grafana.example");
    let got = site.send(ask.body(Body::empty()).unwrap()).await;
    assert_eq!((got.status.as_u16(), got.text()), (204, ""));
    assert_eq!(got.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(got.headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET, POST, OPTIONS");
    let got = site.get("/api/v1/query?query=1").await;
    assert!(!got.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn what_no_method_is_there_for_is_told_as_prometheus_tells_it() {
    let site = crate::server::Site::with(&[]);
    let got = site.form(http::Method::PUT, "/api/v1/query", "").await;
    assert_eq!((got.status.as_u16(), got.text()), (405, "Method Not Allowed\n"));
    assert_eq!(got.headers["allow"], "GET, HEAD, OPTIONS, POST");
    let got = site.form(http::Method::OPTIONS, "/-/healthy", "").await;
    assert_eq!(
        (got.status.as_u16(), &got.headers["allow"]),
        (200, &http::HeaderValue::from_static("GET, HEAD, OPTIONS"))
    );
    assert_eq!(site.get("/-/quit").await.text(), "Only POST or PUT requests allowed");
}
