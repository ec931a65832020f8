//! Every route of the table as nobody, as viewer, as operator, as administrator. I/O: a temporary database.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};

use super::{Got, Site};
use crate::auth::Role;
use crate::routes::{Permission, Route, Surface, table};

/// A path with its parameters filled in with names that exist nowhere, so that no route does anything.
fn filled(path: &str) -> String {
    let mut out = String::new();
    for part in path.split_inclusive('/') {
        match part.find('{') {
            Some(at) => {
                let rest = part.rfind('}').map_or("", |end| &part[end + 1..]);
                out.push_str(&part[..at]);
                out.push_str(if part.contains("{id}") && path.starts_with("/settings") { "999" } else { "nowhere" });
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    out
}

async fn try_route(site: &Site, route: &Route, who: Option<&(String, String)>) -> Got {
    let mut request = Request::builder().method(route.method.clone()).uri(filled(route.path));
    request = request.header("sec-fetch-site", "same-origin").header(header::ACCEPT, "*/*");
    if let Some((cookie, csrf)) = who {
        request = request.header(header::COOKIE, cookie).header("x-csrf-token", csrf);
    }
    let api = route.path.starts_with("/api/farero");
    let kind = if api { "application/json" } else { "application/x-www-form-urlencoded" };
    request = request.header(header::CONTENT_TYPE, kind);
    let body = if api { "{\"minutes\":0}" } else { "minutes=0" };
    site.send(request.body(Body::from(body)).unwrap()).await
}

fn is_refused(got: &Got) -> bool {
    let to = got.headers.get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    matches!(got.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) || to.starts_with("/login")
}

#[tokio::test]
async fn every_route_asks_for_its_permission() {
    let site = Site::new(true);
    let viewer = site.session("viewer", Role::Viewer).await;
    let operator = site.session("operator", Role::Operator).await;
    let administrator = site.session("administrator", Role::Administrator).await;
    for route in table().into_iter().filter(|r| r.path != "/logout") {
        let name = format!("{} {}", route.method, route.path);
        let public = route.permission == Permission::Public;
        let people = [
            (None, public),
            (Some(&viewer), route.permission <= Permission::Read),
            (Some(&operator), route.permission <= Permission::Operate),
            (Some(&administrator), true),
        ];
        for (who, may) in people {
            let got = try_route(&site, &route, who).await;
            let (as_whom, status) = (who.map_or("nobody", |w| &w.0), got.status);
            // The log-in itself answers a wrong password with 401.
            let login = route.path == "/login" && route.method == Method::POST;
            assert!(login || is_refused(&got) != may, "{name} as {as_whom}: {status}");
            assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{name} is not routed");
            assert!(
                !status.is_server_error() || route.path == "/-/ready",
                "{name} as {as_whom}: {status} {}",
                got.body
            );
        }
    }
}

#[tokio::test]
async fn public_routes_are_few_and_known() {
    let public: BTreeSet<String> = table()
        .iter()
        .filter(|r| r.permission == Permission::Public)
        .map(|r| format!("{} {}", r.method, r.path))
        .collect();
    let expect = [
        "GET /-/healthy",
        "GET /-/ready",
        "GET /assets/{bundle}/{*path}",
        "GET /login",
        "GET /ping/{token}",
        "GET /ping/{token}/{what}",
        "GET /setup/{token}",
        "POST /login",
        "POST /logout",
        "POST /ping/{token}",
        "POST /ping/{token}/{what}",
        "POST /preferences",
        "POST /setup/{token}",
    ];
    assert_eq!(public, expect.map(str::to_owned).into_iter().collect());
    let machines = table().into_iter().filter(|r| r.surface == Surface::Machine);
    assert!(machines.into_iter().all(|r| r.permission == Permission::Public));
}

#[tokio::test]
async fn tokens_read_and_operate_but_never_administer() {
    let site = Site::new(true);
    let (read, write) = (site.token("read"), site.token("write"));
    let get = async |token: &str, path: &str| site.with_token(Method::GET, path, token, "").await.status;
    assert_eq!(get(&read, "/api/farero/v1/status").await, StatusCode::OK);
    assert_eq!(get("farero_wrong", "/api/farero/v1/status").await, StatusCode::UNAUTHORIZED);
    let post =
        async |token: &str, path: &str, json: &str| site.with_token(Method::POST, path, token, json).await.status;
    let intensive = "/api/farero/v1/systems/sigcerh/intensive";
    assert_eq!(post(&read, intensive, "{\"minutes\":30}").await, StatusCode::FORBIDDEN);
    assert_eq!(post(&write, intensive, "{\"minutes\":30}").await, StatusCode::OK);
    assert_eq!(post(&write, "/settings/users", "").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn metrics_and_badges_open_only_when_configured() {
    let mut site = Site::new(false);
    for path in ["/metrics", "/api/v1/query?query=1", "/badge/sigcerh/backend.svg"] {
        assert_eq!(site.get(path, "").await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let config = crate::WebConfig { open_metrics: true, open_badges: true, ..(*site.app.config).clone() };
    site.app.config = std::sync::Arc::new(config);
    site.router = crate::router(site.app.clone());
    for path in ["/metrics", "/api/v1/query?query=1", "/badge/sigcerh/backend.svg"] {
        assert_eq!(site.get(path, "").await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(site.get("/api/farero/v1/status", "").await.status, StatusCode::UNAUTHORIZED);
}
