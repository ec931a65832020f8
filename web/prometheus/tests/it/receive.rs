//! What others send: remote-write of both versions, OTLP, and what is answered.

use axum::body::Body;
use http::{Request, header};
use observe_receive::wire::Writer as Wire;

use crate::server::{Got, Served, Site};

/// A message `prometheus.WriteRequest` with one sample.
fn version_1(name: &str, t_ms: i64, value: f64) -> Vec<u8> {
    let mut w = Wire::default();
    w.message(1, |series| {
        for (label, value) in [("__name__", name), ("job", "a")] {
            series.message(1, |pair| {
                pair.string(1, label);
                pair.string(2, value);
            });
        }
        series.message(2, |sample| {
            sample.double(1, value);
            sample.uint(2, t_ms as u64);
        });
    });
    w.message(3, |metadata| {
        metadata.uint(1, 1);
        metadata.string(2, name);
        metadata.string(4, "Requests.");
    });
    w.finish()
}

async fn send(site: &Site, path: &str, headers: &[(header::HeaderName, &str)], body: Vec<u8>) -> Got {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    site.send(request.body(Body::from(body)).unwrap()).await
}

const SNAPPY: (header::HeaderName, &str) = (header::CONTENT_ENCODING, "snappy");
const PROTOBUF: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/x-protobuf");

#[tokio::test]
async fn remote_write_is_taken_and_read_back() {
    let site = Site::new(Served::default());
    let packed = |plain: &[u8]| snap::raw::Encoder::new().compress_vec(plain).unwrap();
    let body = packed(&version_1("requests_total", 9_990_000, 3.0));
    let got = send(&site, "/api/v1/write", &[PROTOBUF, SNAPPY], body.clone()).await;
    assert_eq!((got.status.as_u16(), got.text()), (204, ""));
    let expect = concat!(
        r#"{"status":"success","data":{"resultType":"vector","result":["#,
        r#"{"metric":{"__name__":"requests_total","job":"a"},"value":[10000,"3"]}]}}"#,
    );
    site.check("/api/v1/query?query=requests_total", 200, expect).await;
    let told = r#"{"status":"success","data":{"requests_total":[{"type":"counter","help":"Requests.","unit":""}]}}"#;
    site.check("/api/v1/metadata", 200, told).await;
    let got = send(&site, "/api/v1/write", &[PROTOBUF, SNAPPY], b"no snappy".to_vec()).await;
    assert_eq!(got.status, 400, "{}", got.text());
    let other = (header::CONTENT_TYPE, "text/plain");
    let got = send(&site, "/api/v1/write", &[other, SNAPPY], body.clone()).await;
    assert_eq!(got.status, 415);
    assert!(got.text().starts_with("expected application/x-protobuf as the first (media) part"), "{}", got.text());
    let second = (header::CONTENT_TYPE, "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    let got = send(&site, "/api/v1/write", &[second, SNAPPY], packed(&[])).await;
    assert_eq!(got.headers["x-prometheus-remote-write-samples-written"], "0");
    let huge = vec![0; web_prometheus::limits::MESSAGE_BYTES + 1];
    assert_eq!(send(&site, "/api/v1/write", &[PROTOBUF, SNAPPY], huge).await.status, 413);
}

#[tokio::test]
async fn otlp_is_taken_and_read_back() {
    let site = Site::new(Served::default());
    let json = (header::CONTENT_TYPE, "application/json");
    let body = serde_json::json!({ "resourceMetrics": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] },
        "scopeMetrics": [{ "metrics": [{
            "name": "queue.length",
            "gauge": { "dataPoints": [{ "timeUnixNano": "9990000000000", "asDouble": 7.0 }] },
        }] }],
    }] });
    let got = send(&site, "/api/v1/otlp/v1/metrics", &[json], body.to_string().into_bytes()).await;
    assert_eq!((got.status.as_u16(), got.text()), (200, "{}"));
    assert_eq!(got.headers[header::CONTENT_TYPE], "application/json");
    let found = site.get("/api/v1/query?query={job=%22shop%22,__name__=~%22queue.*%22}").await;
    assert!(found.text().contains(r#""value":[10000,"7"]"#), "{}", found.text());
    let got = send(&site, "/api/v1/otlp/v1/metrics", &[(header::CONTENT_TYPE, "text/plain")], Vec::new()).await;
    assert_eq!(got.status, 415);
}

#[tokio::test]
async fn nothing_is_taken_where_it_is_switched_off() {
    let site = Site::new(Served { writing: false, ..Served::default() });
    let got = send(&site, "/api/v1/write", &[PROTOBUF, SNAPPY], Vec::new()).await;
    let expect = "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n";
    assert_eq!((got.status.as_u16(), got.text()), (404, expect));
    let got = send(&site, "/api/v1/otlp/v1/metrics", &[PROTOBUF], Vec::new()).await;
    let expect = "otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n";
    assert_eq!((got.status.as_u16(), got.text()), (404, expect));
}

/// A message `prometheus.ReadRequest` for one metric.
fn read_request(name: &str, kinds: &[u64]) -> Vec<u8> {
    let mut w = Wire::default();
    w.message(1, |query| {
        query.uint(1, 1);
        query.uint(2, 20_000_000);
        query.message(3, |matcher| {
            matcher.string(2, "__name__");
            matcher.string(3, name);
        });
    });
    w.varints(2, kinds.iter().copied());
    snap::raw::Encoder::new().compress_vec(&w.finish()).unwrap()
}

#[tokio::test]
async fn series_are_read_by_another_prometheus() {
    let served = Served { external: kernel::Labels::new([("zone", "z")]), ..Served::default() };
    served.memory.add(kernel::Labels::metric("up", [("job", "a")]), &[(1_000, 1.0), (2_000, 2.0)]);
    let site = Site::new(served);
    let got = send(&site, "/api/v1/read", &[PROTOBUF, SNAPPY], read_request("up", &[])).await;
    assert_eq!(got.headers[header::CONTENT_TYPE], "application/x-protobuf");
    assert_eq!(got.headers[header::CONTENT_ENCODING], "snappy");
    let plain = snap::raw::Decoder::new().decompress_vec(&got.body).unwrap();
    for part in ["__name__", "up", "job", "zone", "z"] {
        assert!(plain.windows(part.len()).any(|w| w == part.as_bytes()), "{part}");
    }
    assert!(plain.windows(8).any(|w| w == 2f64.to_le_bytes()));
    let got = send(&site, "/api/v1/read", &[PROTOBUF, SNAPPY], read_request("up", &[1])).await;
    let kind = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
    assert_eq!(got.headers[header::CONTENT_TYPE], kind);
    // A frame: its length, the checksum of what follows, the message.
    assert_eq!(usize::from(got.body[0]), got.body.len() - 5);
    let got = send(&site, "/api/v1/read", &[PROTOBUF, SNAPPY], read_request("up", &[7])).await;
    assert_eq!(got.status, 400, "{}", got.text());
}
