//! Pages: headers on every answer, both languages, hostile texts, failures. I/O: a temporary database.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode, header};
use kernel::probe::{CheckId, Outcome};

use super::Site;
use crate::auth::Role;
use crate::sample;

const PAGES: [&str; 25] = [
    "/",
    "/s/sigcerh",
    "/s/sigcerh/backend/salud",
    "/s/sigcerh/respaldo/check",
    "/alerts",
    "/alerts?state=past",
    "/alerts?state=all&text=disco",
    "/deliveries",
    "/channels",
    "/plan/sigcerh",
    "/plan/sigcerh/documents/runbooks/servicio-caido.md",
    "/rules",
    "/kpis",
    "/explore",
    "/explore?q=probe_success&q=sum(&view=both&from=x",
    "/targets",
    "/cardinality",
    "/dashboards",
    "/dashboards/sigcerh/general",
    "/dashboards/sigcerh/general?panel=6&range=1h",
    "/about",
    "/settings",
    "/people",
    "/roles",
    "/approvals",
];

#[tokio::test]
async fn every_answer_has_the_security_headers_and_no_inline_code() {
    let site = Site::new(true);
    let (cookie, _) = site.session("ana", Role::Administrator).await;
    let more = ["/login", "/nowhere", "/api/farero/v1/status", "/api/farero/v1/checks/a/b/c", "/-/healthy", "/metrics"];
    for path in PAGES.iter().chain(&more) {
        let got = site.get(path, &cookie).await;
        let csp = got.headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(csp.contains("default-src 'none'") && !csp.contains("unsafe"), "{path}: {csp}");
        assert_eq!(got.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert!(got.headers.contains_key(header::REFERRER_POLICY), "{path}");
        for forbidden in [" style=\"", "<style", "javascript:", " onclick=", " onload="] {
            assert!(!got.body.contains(forbidden), "{path} has {forbidden}");
        }
        for script in got.body.split("<script").skip(1) {
            assert!(script.contains("src=\"/assets/"), "{path} has an inline script");
        }
    }
}

#[tokio::test]
async fn every_page_speaks_both_languages() {
    let site = Site::new(true);
    let (cookie, _) = site.session("ana", Role::Administrator).await;
    for path in PAGES.into_iter().chain(["/login", "/nowhere"]) {
        for (language, skip) in [("es", "Resumen"), ("en", "Overview")] {
            let got = site.get(path, &format!("{cookie}; farero_language={language}")).await;
            assert!(got.body.contains(&format!("<html lang=\"{language}\"")), "{path} {language}");
            assert!(path == "/login" || got.body.contains(skip), "{path} {language}");
            let expect = if path == "/nowhere" { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(got.status, expect, "{path}");
        }
    }
    let request = Request::get("/login").header(header::ACCEPT_LANGUAGE, "en-US,en;q=0.9");
    let got = site.send(request.body(Body::empty()).unwrap()).await;
    assert!(got.body.contains("<html lang=\"en\""));
}

#[tokio::test]
async fn dsh_06_the_overview_shows_what_the_sample_shows() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let body = site.get("/", &cookie).await.body;
    for text in [
        "Todo funciona",
        "99,8",
        "hace 30 s",
        "250 ms",
        "120 ms",
        "8,50 s",
        "5/100",
        "45\u{202f}%",
        "68\u{202f}%",
        "32\u{202f}%",
        "127",
        "89",
        "23",
    ] {
        assert!(body.contains(text), "{text} is missing");
    }
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let site = Site::new(true);
    let (cookie, _) = site.session("ana", Role::Administrator).await;
    let hostile = "<script>alert(1)</script>\"'><img src=x>";
    let plan = sample::SIGCERH.replace("\"label\": \"Backend\"", &format!("\"label\": {}", serde_json::json!(hostile)));
    site.app.live.set_plan(sample::version(&plan));
    let mut result = sample::result("sigcerh/backend/salud", Outcome::Down, 10, 1);
    result.evidence.error = Some(hostile.into());
    site.app.live.record_result(&Arc::new(result.clone()), None);
    site.app.state.record_results(&[result.into()]).unwrap();
    let hostile_query = "/alerts?text=%3Cscript%3Ealert(1)%3C/script%3E%22&state=all";
    for path in PAGES.into_iter().chain([hostile_query, "/s/%3Cscript%3Ealert(1)%3C%2Fscript%3E"]) {
        let body = site.get(path, &cookie).await.body;
        assert!(!body.contains("<script>alert") && !body.contains("<img src=x"), "{path}");
    }
    let badge = site.get("/badge/sigcerh/backend.svg", &cookie).await;
    assert!(!badge.body.contains("<script>"), "{}", badge.body);
}

#[tokio::test]
async fn failures_are_pages_for_people_and_problem_documents_for_programs() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let page = site.get("/s/nowhere", &cookie).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    assert!(page.body.contains("Volver al resumen"));
    let problem = site.get("/api/farero/v1/checks/a/b/c", &cookie).await;
    assert_eq!(problem.headers[header::CONTENT_TYPE], "application/problem+json");
    let json: serde_json::Value = serde_json::from_str(&problem.body).unwrap();
    assert_eq!((json["status"].as_u64(), json["detail"].as_str()), (Some(404), Some("a/b/c")));
    assert!(json["help"].as_str().unwrap().len() > 10);
    let wrong = site.get("/api/farero/v1/alerts?limit=x", &cookie).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(wrong.headers[header::CONTENT_TYPE], "application/problem+json");
}

#[tokio::test]
async fn large_bodies_are_turned_away() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Operator).await;
    let got = site.post("/s/sigcerh/intensive", &cookie, &"x".repeat(crate::limits::BODY_BYTES + 1)).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn assets_are_kept_by_browsers_under_their_hash() {
    let site = Site::new(false);
    let got = site.get(&crate::assets::url("farero.css"), "").await;
    assert_eq!(got.headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(got.headers[header::CONTENT_TYPE], "text/css");
    let stale = site.get("/assets/old/js/app.js", "").await;
    assert_eq!(stale.headers[header::CACHE_CONTROL], "no-cache");
    assert_eq!(site.get("/assets/x/..%2f..%2fCargo.toml", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn chk_14_slow_is_shown_as_slow_and_a_parent_explains_its_children() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let down = sample::result("sigcerh/postgres/check", Outcome::Down, 10, 2);
    site.app.live.record_result(&Arc::new(down), None);
    let explained = sample::result("sigcerh/backend/salud", Outcome::Down, 10, 1);
    site.app.live.record_result(&Arc::new(explained), CheckId::parse("sigcerh/postgres/check"));
    site.app.live.record_result(&Arc::new(sample::result("sigcerh/ocr/check", Outcome::Slow, 12_000, 1)), None);
    let body = site.get("/", &cookie).await.body;
    assert!(body.contains("2 de 8 componentes están caídos; 1 responde lento"), "{body}");
    assert!(body.contains("Se explica por PostgreSQL"));
}
