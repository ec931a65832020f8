//! The matrix: every route of the table as nobody, with each role, with tokens of each scope, against a golden file. A new route or
//! a changed answer fails here until somebody has looked at it. I/O: a temporary database.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};

use super::{Got, Site};
use crate::app::PeerAddress;
use crate::auth::Role;
use crate::routes::{Find, Route, Rule, Surface, table};

/// A path whose parameters are things that exist, so that an answer tells what may be done to them.
fn filled(route: &Route, site: &Site) -> String {
    let alerts =
        site.app.state.alerts(&state::AlertFilter { firing_only: true, limit: 1, ..Default::default() }).unwrap();
    let waiting = state::OutboxFilter { channel: Some("whatsapp".into()), limit: 1, ..Default::default() };
    let key = site.app.state.outbox(&waiting).unwrap()[0].entry.key.clone();
    let request = state::NewApproval {
        what: "deployment".into(),
        system: "sigcerh".into(),
        environment: "produccion".into(),
        subject: "1.2.1".into(),
        details: String::new(),
        payload: String::new(),
        rule: "{\"need\":9,\"four_eyes\":true,\"by\":[]}".into(),
        requested_by: "ana".into(),
        requested_at: crate::sample::NOW,
        expires_at: crate::sample::NOW + std::time::Duration::from_secs(600),
    };
    let deed = kernel::trail::Deed::new(crate::sample::NOW, kernel::trail::Actor::person("ana"), "approval.ask");
    let request = site.app.state.ask_approval(&request, &deed).unwrap().0;
    let account = match site.app.state.credentials("blanco").unwrap() {
        Some((user, _)) => user.id,
        None => site.account("blanco", "viewer"),
    };
    let of_people = ["people", "teams", "settings"].iter().any(|p| route.path.contains(p));
    let id = if route.path.contains("/approvals/") {
        request.to_string()
    } else if route.path.contains("people/") {
        account.to_string()
    } else if route.path.contains("/dashboards/") {
        "general".to_owned()
    } else if of_people {
        "999".to_owned()
    } else {
        alerts[0].firing_id.clone()
    };
    let names = [
        ("{system}", "sigcerh"),
        ("{component}", "backend"),
        ("{check}", "salud"),
        ("{channel}", "equipo"),
        ("{*path}", if route.path.starts_with("/assets") { "farero.css" } else { "runbooks/servicio-caido.md" }),
        ("{*key}", &key),
        ("{id}", &id),
        ("{number}", "0"),
        ("{file}", "backend.svg"),
        ("{name}", "__name__"),
        ("{bundle}", "x"),
    ];
    let path = names.iter().fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value));
    // What is left names nothing that exists: one-time links, heartbeats, numbers of people's things.
    let mut out = String::new();
    for part in path.split_inclusive('/') {
        let end = if part.ends_with('/') { "/" } else { "" };
        out.push_str(if part.starts_with('{') { "999" } else { part.trim_end_matches('/') });
        out.push_str(end);
    }
    out
}

/// Who tries.
enum Who {
    Nobody,
    Role(Role),
    /// An account that no grant was given to.
    Empty,
    /// A token of an administrator with these scopes.
    Token(&'static [&'static str]),
}

impl Who {
    fn name(&self) -> String {
        match self {
            Self::Nobody => "nobody".into(),
            Self::Role(role) => role.as_str().into(),
            Self::Empty => "no grant".into(),
            Self::Token(scopes) => format!("token {}", scopes.join(" ")),
        }
    }
}

async fn try_route(site: &Site, route: &Route, who: &Who) -> Got {
    let mut request = Request::builder().method(route.method.clone()).uri(filled(route, site));
    request = request.header("sec-fetch-site", "same-origin").header(header::ACCEPT, "*/*");
    match who {
        // Each from an address of its own: how often strangers may ask is another test's matter.
        Who::Nobody => {
            let octets = [10, rand::random(), rand::random(), rand::random()];
            request = request.extension(PeerAddress((octets, 40_000).into()));
        }
        Who::Role(_) | Who::Empty => {
            let word = if let Who::Role(role) = who { role.as_str() } else { "" };
            let (cookie, csrf) = site.session_of(&format!("u{}", rand::random::<u64>()), word).await;
            request = request.header(header::COOKIE, cookie).header("x-csrf-token", csrf);
        }
        Who::Token(scopes) => {
            let token = site.token_of(scopes);
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
    }
    let api = route.path.starts_with("/api/farero");
    let kind = if api { "application/json" } else { "application/x-www-form-urlencoded" };
    request = request.header(header::CONTENT_TYPE, kind);
    let body = if api { "{\"minutes\":0}" } else { "minutes=0&query=1&start=1&end=2&step=1&match[]=up" };
    site.send(request.body(Body::from(body)).unwrap()).await
}

/// An answer in one word.
fn word(got: &Got) -> String {
    let to = got.headers.get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if to.starts_with("/login?") || to == "/login" { "login".into() } else { got.status.as_u16().to_string() }
}

#[tokio::test]
async fn sec_12_the_matrix_of_routes_and_roles() {
    let mut everybody = vec![Who::Nobody, Who::Empty];
    everybody.extend(Role::ALL.iter().map(|r| Who::Role(*r)));
    everybody.extend([
        Who::Token(&["see"]),
        Who::Token(&["see", "acknowledge"]),
        Who::Token(&["see", "run"]),
        Who::Token(&["see", "acknowledge", "run", "approve", "edit"]),
        Who::Token(&["see", "run", "system:other"]),
    ]);
    let routes = table();
    let width = routes.iter().map(|r| r.path.len() + r.method.as_str().len() + 1).max().unwrap_or(0);
    let mut lines: Vec<String> =
        routes.iter().map(|r| format!("{:width$}", format!("{} {}", r.method, r.path))).collect();
    let mut head = format!("{:width$}", "");
    for who in &everybody {
        let column = who.name();
        let wide = column.len().max(5);
        let _ = write!(head, " | {column:wide$}");
        let site = Site::new(true);
        for (route, line) in routes.iter().zip(&mut lines) {
            let got = try_route(&site, route, who).await;
            let name = format!("{} {} as {column}", route.method, route.path);
            assert_ne!(got.status, StatusCode::METHOD_NOT_ALLOWED, "{name} is not routed");
            assert!(!got.status.is_server_error(), "{name}: {} {}", got.status, got.body);
            let _ = write!(line, " | {:wide$}", word(&got));
        }
    }
    let text: Vec<String> = std::iter::once(head).chain(lines).map(|l| l.trim_end().to_owned()).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[tokio::test]
async fn public_routes_are_few_and_known() {
    let public: BTreeSet<String> =
        table().iter().filter(|r| r.rule == Rule::Public).map(|r| format!("{} {}", r.method, r.path)).collect();
    let expect = [
        "GET /-/healthy",
        "GET /-/ready",
        "GET /assets/{bundle}/{*path}",
        "GET /login",
        "GET /login/code",
        "GET /login/provider/{provider}",
        "GET /login/provider/{provider}/back",
        "GET /login/sealed",
        "GET /ping/{token}",
        "GET /ping/{token}/{what}",
        "GET /setup/{token}",
        "POST /login",
        "POST /login/code",
        "POST /login/passkey",
        "POST /login/passkey/begin",
        "POST /login/sealed",
        "POST /logout",
        "POST /ping/{token}",
        "POST /ping/{token}/{what}",
        "POST /preferences",
        "POST /setup/{token}",
    ];
    assert_eq!(public, expect.map(str::to_owned).into_iter().collect());
    let machines = table().into_iter().filter(|r| r.surface == Surface::Machine);
    assert!(machines.into_iter().all(|r| r.rule == Rule::Public));
}

#[test]
fn sec_12_every_route_finds_its_object_where_its_path_names_it() {
    for route in table() {
        let has = |name: &str| route.path.contains(name);
        let named = has("{system}");
        let Rule::Ask(_, _, find) = route.rule else {
            assert!(!named, "{} names a system and asks for nothing", route.path);
            continue;
        };
        let expect = match find {
            Find::Platform | Find::Filtered => !named && !has("{component}") && !has("{channel}"),
            Find::System => named && !has("{component}") && !has("{channel}"),
            Find::Component => named && (has("{component}") || has("{file}")),
            Find::Channel => named && has("{channel}"),
            Find::Request => has("/approvals/{id}"),
            Find::Alert => has("/alerts/{id}"),
            Find::Delivery => has("{*key}"),
            Find::Document => named && has("{*path}"),
        };
        assert!(expect, "{} {} is looked for as {find:?}", route.method, route.path);
    }
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

#[tokio::test]
async fn sec_12_too_many_requests_of_one_token_are_turned_away() {
    let site = Site::new(false);
    let token = site.token_of(&["see"]);
    let ask = async || site.with_token(Method::GET, "/api/farero/v1/systems", &token, "").await;
    for _ in 0..crate::auth::rate::TOKEN_AT_ONCE {
        assert_eq!(ask().await.status, StatusCode::OK);
    }
    let turned = ask().await;
    assert_eq!(turned.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(turned.headers[header::RETRY_AFTER], "1");
    assert_eq!(turned.headers[header::CONTENT_TYPE], "application/problem+json");
    let other = site.token_of(&["see"]);
    let metrics = site.with_token(Method::GET, "/metrics", &other, "").await;
    assert!(metrics.body.contains("farero_web_requests_limited_total{by=\"token\"} 1\n"), "{}", metrics.body);
    let same =
        site.with_token(Method::GET, "/api/v1/status/self_metrics?metric_name_pattern=farero_web_.*", &other, "").await;
    assert!(same.body.contains(r#""name":"farero_web_requests_limited_total""#), "{}", same.body);
}

#[tokio::test]
async fn sec_12_what_was_taken_away_is_gone_at_once() {
    let site = Site::new(false);
    let token = site.token_of(&["see"]);
    let get = async || site.with_token(Method::GET, "/api/farero/v1/systems", &token, "").await.status;
    assert_eq!(get().await, StatusCode::OK);
    let made = site.app.state.api_tokens().unwrap()[0].clone();
    let (cookie, csrf) = site.session("jefa", Role::Administrator).await;
    let (owner, id) = (made.user_id.unwrap(), made.id);
    site.post(&format!("/people/{owner}/tokens/{id}/revoke"), &cookie, &format!("csrf={csrf}")).await;
    assert_eq!(get().await, StatusCode::UNAUTHORIZED);
}
