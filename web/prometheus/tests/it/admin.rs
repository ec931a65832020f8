//! What administrators do, and what is refused to others.

use http::Method;
use kernel::Labels;

use crate::server::{Served, Site};

const DELETE: &str = "/api/v1/admin/tsdb/delete_series";

#[tokio::test]
async fn series_are_deleted() {
    let site = Site::with(&[
        (Labels::metric("up", [("job", "a")]), &[(1_000, 1.0), (5_000, 1.0)]),
        (Labels::metric("up", [("job", "b")]), &[(1_000, 1.0)]),
    ]);
    let got = site.form(Method::POST, DELETE, "match[]=up{job=\"a\"}&end=2").await;
    assert_eq!((got.status.as_u16(), got.text()), (204, ""));
    let left = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[5,"1"]},{"metric":{"__name__":"up","job":"b"},"value":[5,"1"]}]}}"#;
    site.check("/api/v1/query?query=up&time=5", 200, left).await;
    let got = site.form(Method::PUT, &format!("{DELETE}?match[]={{}}"), "").await;
    assert_eq!(got.status, 204);
    site.check("/api/v1/labels", 200, r#"{"status":"success","data":[]}"#).await;
    let got = site.form(Method::POST, DELETE, "").await;
    let expect = r#"{"status":"error","errorType":"bad_data","error":"no match[] parameter provided"}"#;
    assert_eq!((got.status.as_u16(), got.text()), (400, expect));
    assert_eq!(site.get(DELETE).await.status, 405);
}

#[tokio::test]
async fn copies_are_made() {
    let site = Site::with(&[]);
    let got = site.form(Method::POST, "/api/v1/admin/tsdb/snapshot", "").await;
    assert_eq!(got.text(), r#"{"status":"success","data":{"name":"19700101T024640Z-0000000000000001"}}"#);
    let got = site.form(Method::POST, "/api/v1/admin/tsdb/snapshot?skip_head=true", "").await;
    let expect =
        r#"{"status":"error","errorType":"internal","error":"create snapshot: there is nothing but the head"}"#;
    assert_eq!((got.status.as_u16(), got.text()), (500, expect));
    assert_eq!(site.form(Method::POST, "/api/v1/admin/tsdb/clean_tombstones", "").await.status, 204);
    assert_eq!(site.form(Method::POST, "/api/v1/admin/tsdb/compact", "").await.status, 204);
}

#[tokio::test]
async fn nothing_is_done_unless_it_is_switched_on() {
    let site = Site::new(Served { administered: false, ..Served::default() });
    for what in ["delete_series?match[]=up", "clean_tombstones", "compact", "snapshot"] {
        let got = site.form(Method::POST, &format!("/api/v1/admin/tsdb/{what}"), "").await;
        let expect = r#"{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}"#;
        assert_eq!((got.status.as_u16(), got.text()), (500, expect), "{what}");
    }
    for path in ["/-/reload", "/-/quit"] {
        let got = site.form(Method::POST, path, "").await;
        assert_eq!((got.status.as_u16(), got.text()), (403, "Lifecycle API is not enabled."));
        assert_eq!(site.get(path).await.text(), "Only POST or PUT requests allowed");
    }
}
