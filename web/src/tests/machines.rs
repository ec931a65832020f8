//! What programs meet: the API and its document, Prometheus's API, heartbeats, live streams. I/O: a temporary database.

use axum::body::Body;
use futures_util::StreamExt as _;
use http::{Method, Request, StatusCode, header};
use kernel::probe::{CheckId, Outcome};
use serde_json::Value;
use tower::ServiceExt as _;

use super::Site;
use crate::auth::Role;
use crate::routes::table;
use crate::sample;

async fn json(site: &Site, path: &str) -> Value {
    let token = site.token("read");
    let got = site.with_token(Method::GET, path, &token, "").await;
    assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.body);
    serde_json::from_str(&got.body).unwrap()
}

#[tokio::test]
async fn the_openapi_document_names_every_route_of_the_api() {
    let document = serde_json::to_value(crate::api::openapi::document()).unwrap();
    let own = table().into_iter().filter(|r| r.path.starts_with("/api/farero/"));
    for route in own {
        let path = route.path.replace("{*", "{");
        let method = route.method.as_str().to_lowercase();
        assert!(document["paths"][&path][&method].is_object(), "{method} {path} is not described");
    }
    assert!(document["components"]["schemas"]["Overview"].is_object());
}

#[tokio::test]
async fn dsh_08_a_read_only_token_gets_the_overview() {
    let site = Site::new(false);
    let got = json(&site, "/api/farero/v1/systems/sigcerh/overview").await;
    assert_eq!(got["state"], "online");
    assert_eq!(got["uptime"]["month"], 99.8);
    let service = |name: &str| got["services"].as_array().unwrap().iter().find(|s| s["name"] == name).unwrap().clone();
    assert_eq!(service("frontend")["response_ms"], 250.0);
    assert_eq!(
        (&service("postgres")["connections"], &service("postgres")["max_connections"]),
        (&5.0.into(), &100.0.into())
    );
    assert_eq!(got["hosts"][0]["cpu"], 45.0);
    assert_eq!(got["today"][0]["value"], 127.0);
}

#[tokio::test]
async fn prometheus_clients_find_what_they_ask() {
    let site = Site::new(true);
    let time = sample::NOW.as_millis() / 1_000 - 30_000;
    let instant = json(
        &site,
        &format!("/api/v1/query?query=count(probe_success%7Bservice=%22backend%22%7D%20%3D%3D%201)&time={time}"),
    )
    .await;
    assert_eq!(instant["status"], "success");
    assert_eq!(instant["data"]["resultType"], "vector");
    assert_eq!(instant["data"]["result"][0]["value"][1], "1");
}

#[tokio::test]
async fn prometheus_ranges_names_and_errors() {
    let site = Site::new(true);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let ask = async |path: String| {
        let got = site.get(&path, &cookie).await;
        (got.status, serde_json::from_str::<Value>(&got.body).unwrap_or_default())
    };
    let (end, start) = (sample::NOW.as_millis() / 1_000, sample::NOW.as_millis() / 1_000 - 600);
    let (_, range) = ask(format!("/api/v1/query_range?query=probe_success&start={start}&end={end}&step=60s")).await;
    assert_eq!(range["data"]["result"][0]["values"].as_array().unwrap().len(), 11);
    let (_, names) = ask("/api/v1/label/__name__/values".into()).await;
    assert!(names["data"].as_array().unwrap().contains(&"probe_duration_seconds".into()));
    let (_, series) = ask("/api/v1/series?match[]=probe_success%7Bservice=%22backend%22%7D".into()).await;
    assert_eq!(series["data"][0]["service"], "backend");
    let (_, rules) = ask("/api/v1/rules".into()).await;
    assert_eq!(rules["data"]["groups"][0]["rules"][0]["state"], "firing");
    let (status, error) = ask("/api/v1/query?query=rate(".into()).await;
    assert_eq!((status, error["errorType"].as_str()), (StatusCode::BAD_REQUEST, Some("bad_data")));
    let (status, _) = ask("/api/v1/query_range?query=1&start=0&end=1e9&step=1".into()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = ask("/api/v1/series".into()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn chk_10_heartbeats_are_taken_by_their_secret_address() {
    let site = Site::new(false);
    let check = CheckId::parse("sigcerh/respaldo/check").unwrap();
    let token = site.app.state.heartbeat_token(&check).unwrap();
    for (method, path, expect) in [
        (Method::GET, format!("/ping/{token}"), StatusCode::OK),
        (Method::HEAD, format!("/ping/{token}/start"), StatusCode::OK),
        (Method::POST, format!("/ping/{token}/fail"), StatusCode::OK),
        (Method::POST, format!("/ping/{token}/137"), StatusCode::OK),
        (Method::GET, format!("/ping/{token}/256"), StatusCode::NOT_FOUND),
        (Method::GET, "/ping/wrong".into(), StatusCode::NOT_FOUND),
    ] {
        let request = Request::builder().method(method).uri(&path).body(Body::from("log line")).unwrap();
        assert_eq!(site.send(request).await.status, expect, "{path}");
    }
}

#[tokio::test]
async fn dsh_07_an_open_page_hears_of_a_change_without_a_reload() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let request = Request::get("/events?view=system&system=sigcerh").header(header::COOKIE, &cookie);
    let response = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let down = sample::result("sigcerh/backend/salud", Outcome::Down, 10, 1);
    site.app.live.record_result(&std::sync::Arc::new(down), None);
    let read = tokio::time::timeout(std::time::Duration::from_secs(5), stream.next()).await.unwrap();
    let text = String::from_utf8(read.unwrap().unwrap().to_vec()).unwrap();
    assert!(text.starts_with("event: patch"), "{text}");
    assert!(text.contains("row.sigcerh.backend") && text.contains("Ca\u{ed}do"), "{text}");
    assert!(text.contains("summary.sigcerh") && !text.contains("row.sigcerh.ocr"), "{text}");
}

#[tokio::test]
async fn dsh_07_rules_and_channels_hear_of_evaluations_and_deliveries() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let group = site.app.live.system("sigcerh", |s| s.rules[0].clone()).unwrap();
    for view in ["rules", "channels"] {
        let request = Request::get(format!("/events?view={view}")).header(header::COOKIE, &cookie);
        let response = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let mut stream = response.into_body().into_data_stream();
        match view {
            "rules" => site.app.live.set_rule_group("sigcerh", group.clone()),
            _ => site.app.live.announce(crate::live::Change::Deliveries),
        }
        let read = tokio::time::timeout(std::time::Duration::from_secs(5), stream.next()).await.unwrap();
        assert!(read.unwrap().unwrap().starts_with(b"event: stale"), "{view}");
        let page = site.get(&format!("/{view}"), &cookie).await.body;
        assert!(page.contains(&format!("data-live=\"view={view}\"")) && page.contains("data-region"), "{view}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_with_those_that_work() {
    let site = Site::new(false);
    let token = site.token("read");
    let got = site.with_token(Method::DELETE, "/api/farero/v1/checks", &token, "").await;
    assert_eq!(
        (got.status, &got.headers[header::ALLOW]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD".parse().unwrap())
    );
    let problem: Value = serde_json::from_str(&got.body).unwrap();
    assert_eq!(problem["title"], "This address is not used in this way");
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let page = site.get("/plan/sigcerh/reload", &cookie).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.body.contains("Esta dirección no se usa así"), "{}", page.body);
}

#[tokio::test]
async fn live_pages_are_counted_and_limited() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let open = || {
        let request = Request::get("/events?view=systems").header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
        site.router.clone().oneshot(request)
    };
    let mut held = Vec::new();
    for _ in 0..crate::limits::LIVE_PAGES {
        held.push(open().await.unwrap());
    }
    assert_eq!(open().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    held.pop();
    assert_eq!(open().await.unwrap().status(), StatusCode::OK);
}
