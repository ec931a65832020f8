//! One system's people and another system: nothing of it in any list, stream, search, metric or error. What is restricted is
//! hidden from everybody else. I/O: a temporary database.

use std::sync::Arc;

use axum::body::Body;
use futures_util::{FutureExt as _, StreamExt as _};
use http::{Method, Request, StatusCode, header};
use kernel::probe::Outcome;
use plan_syntax::SourceFile;
use tower::ServiceExt as _;
use web_prometheus::views::{Target, TargetHealth, TargetMetadata, Targets};

use super::Site;
use crate::auth::Role;
use crate::routes::table;
use crate::sample;

/// A second system, whose plan lets `bea` look at it, and `leo` operate it.
const OTHER: &str = r#"{
  "system": "otro", "label": "Otro", "timezone": "UTC",
  "people": { "bea": { "login": "bea" }, "leo": { "login": "leo" } },
  "access": [{ "role": "viewer", "to": ["bea"] }, { "role": "operator", "to": ["leo"] }],
  "services": { "web": { "label": "Web de otro", "check": { "tcp": "otro.example:80" } } }
}"#;

/// What must not be read by people of the other system.
const TRACES: [&str; 6] = ["sigcerh", "SIGCERH", "Backend", "backend", "servicio-caido", "certificados.ugel"];

fn two_systems() -> Site {
    let site = Site::new(true);
    site.app.live.set_plan(sample::version_in("plans/otro", &[SourceFile::new("plan.yaml", OTHER)]));
    site
}

fn ids(site: &Site) -> (String, String) {
    let alerts =
        site.app.state.alerts(&state::AlertFilter { firing_only: true, limit: 1, ..Default::default() }).unwrap();
    let entries = site.app.state.outbox(&state::OutboxFilter { limit: 1, ..Default::default() }).unwrap();
    (alerts[0].firing_id.clone(), entries[0].entry.key.clone())
}

#[tokio::test]
async fn pln_02_another_system_does_not_exist_for_whoever_has_no_grant_in_it() {
    let site = two_systems();
    let (alert, key) = ids(&site);
    let fill = |path: &str| {
        let names =
            [("{system}", "sigcerh"), ("{component}", "backend"), ("{check}", "salud"), ("{channel}", "equipo")];
        let more = [
            ("{*key}", &*key),
            ("{id}", &*alert),
            ("{file}", "backend.svg"),
            ("{*path}", "runbooks/servicio-caido.md"),
        ];
        names.iter().chain(&more).fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
    };
    for name in ["bea", "leo"] {
        let objects = ["{system}", "/alerts/{id}", "/deliveries/{*key}", "/deliveries/confirm", "/deliveries/retry"];
        for route in table().into_iter().filter(|r| objects.iter().any(|o| r.path.contains(o))) {
            let (cookie, csrf) = site.session_of_plan(name).await;
            let request = Request::builder().method(route.method.clone()).uri(fill(route.path));
            let request = request.header(header::COOKIE, cookie).header("x-csrf-token", csrf);
            let request = request.header("sec-fetch-site", "same-origin").header(header::ACCEPT, "application/json");
            let request = request.header(header::CONTENT_TYPE, "application/json");
            let got = site.send(request.body(Body::from("{\"minutes\":0}")).unwrap()).await;
            assert_eq!(got.status, StatusCode::NOT_FOUND, "{} {} as {name}", route.method, route.path);
            let hidden = got.body.replace(&fill(""), "");
            let other =
                Request::builder().method(route.method.clone()).uri(fill(route.path).replace("sigcerh", "nowhere"));
            let (cookie, csrf) = site.session_of_plan(name).await;
            let other = other.header(header::COOKIE, cookie).header("x-csrf-token", csrf);
            let other = other.header("sec-fetch-site", "same-origin").header(header::ACCEPT, "application/json");
            let other = other.header(header::CONTENT_TYPE, "application/json");
            let nothing = site.send(other.body(Body::from("{\"minutes\":0}")).unwrap()).await;
            assert_eq!(hidden.replace("sigcerh", "nowhere"), nothing.body, "{}: hidden and missing differ", route.path);
        }
    }
}

#[tokio::test]
async fn pln_02_no_list_search_metric_or_error_tells_of_another_system() {
    let site = two_systems();
    let lists = table().into_iter().filter(|r| r.method == Method::GET && !r.path.contains('{') && r.path != "/events");
    let mut paths: Vec<String> = lists.map(|r| r.path.to_owned()).collect();
    let time = sample::NOW.as_millis() / 1_000 - 30_000;
    paths.extend(
        [
            "/alerts?state=all&text=responde",
            "/alerts?state=all&system=sigcerh",
            "/deliveries?system=sigcerh",
            "/api/farero/v1/alerts?state=all",
            "/api/farero/v1/alerts?state=all&system=sigcerh",
            "/api/farero/v1/checks?system=sigcerh",
            "/api/farero/v1/deliveries?system=sigcerh&limit=1000",
            "/api/v1/label/system/values",
            "/api/v1/label/service/values",
            "/api/v1/label/__name__/values",
            "/api/v1/series?match[]=%7B__name__=~%22.%2B%22%7D",
            "/api/v1/query_exemplars?query=%7B__name__=~%22.%2B%22%7D",
            "/federate?match[]=%7B__name__=~%22.%2B%22%7D",
            "/plan/otro",
            "/s/otro",
        ]
        .map(str::to_owned),
    );
    paths.push(format!("/api/v1/query?query=probe_success&time={time}"));
    paths.push(format!("/api/v1/query?query=count(%7B__name__=~%22.%2B%22%7D)&time={time}"));
    paths.push(format!("/api/v1/query?query=probe_success%7Bsystem=%22sigcerh%22%7D%20or%20vector(0)&time={time}"));
    for path in paths {
        let (cookie, _) = site.session_of_plan("bea").await;
        let got = site.get(&path, &cookie).await;
        assert!(!got.status.is_server_error(), "{path}: {}", got.status);
        // A search's own words come back in its field.
        let body =
            got.body.replace("value=\"Backend\"", "").replace("system=sigcerh", "").replace("value=\"sigcerh\"", "");
        for trace in TRACES {
            assert!(!body.contains(trace), "{path} tells of {trace}: {body}");
        }
        let counted = path.contains("count(") && body.contains("\"value\":");
        assert!(!counted, "{path} counts what is not seen: {body}");
    }
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let all = site.get("/api/farero/v1/systems", &cookie).await.body;
    assert!(all.contains("sigcerh") && all.contains("otro"), "who sees everything sees both");
}

/// One metrics endpoint, which does not answer.
struct Scraping;

impl crate::Scraped for Scraping {
    fn targets(&self) -> Targets {
        let target = Target {
            labels: kernel::Labels::new([("system", "sigcerh"), ("service", "backend"), ("instance", "10.0.0.5:9100")]),
            scrape_pool: "sigcerh/backend".into(),
            scrape_url: "http://10.0.0.5:9100/metrics".into(),
            last_error: "connection refused <b>".into(),
            last_scrape: Some(sample::NOW),
            health: TargetHealth::Down,
            ..Target::default()
        };
        Targets { active: vec![target], ..Targets::default() }
    }

    fn metadata(&self) -> Vec<TargetMetadata> {
        Vec::new()
    }
}

#[tokio::test]
async fn met_01_why_a_scrape_failed_is_told_to_those_who_see_the_system() {
    let app = sample::app(true).with_scraped(Arc::new(Scraping));
    let site = Site { router: crate::router(app.clone()), app };
    site.app.live.set_plan(sample::version_in("plans/otro", &[SourceFile::new("plan.yaml", OTHER)]));
    let (ana, _) = site.session("ana", Role::Viewer).await;
    let (bea, _) = site.session_of_plan("bea").await;
    for path in ["/targets", "/api/v1/targets"] {
        let seen = site.get(path, &ana).await.body;
        assert!(seen.contains("connection refused") && seen.contains("10.0.0.5:9100"), "{path}: {seen}");
        assert!(!(path == "/targets" && seen.contains("refused <b>")), "{seen}");
        let hidden = site.get(path, &bea).await;
        assert_eq!(hidden.status, StatusCode::OK, "{path}");
        assert!(!hidden.body.contains("10.0.0.5"), "{path}: {}", hidden.body);
    }
}

#[tokio::test]
async fn pln_02_a_stream_tells_nothing_of_another_system() {
    let site = two_systems();
    let (cookie, _) = site.session_of_plan("bea").await;
    for query in ["view=systems", "view=system&system=sigcerh", "view=check&check=sigcerh/backend/salud"] {
        let request = Request::get(format!("/events?{query}")).header(header::COOKIE, &cookie);
        let response = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let mut stream = response.into_body().into_data_stream();
        let down = sample::result("sigcerh/backend/salud", Outcome::Down, 10, 1);
        site.app.live.record_result(&Arc::new(down), None);
        site.app.live.record_result(&Arc::new(sample::result("otro/web/check", Outcome::Down, 10, 1)), None);
        let read = tokio::time::timeout(std::time::Duration::from_secs(2), stream.next()).await;
        let text = read.map(|r| String::from_utf8(r.unwrap().unwrap().to_vec()).unwrap()).unwrap_or_default();
        assert!(!text.contains("sigcerh") && !text.contains("stale"), "{query}: {text}");
        assert_eq!(text.contains("card.otro"), query == "view=systems", "{query}: {text}");
    }
}

#[tokio::test]
async fn sec_12_a_stream_ends_when_rights_change() {
    let site = two_systems();
    let (cookie, _) = site.session_of_plan("bea").await;
    let request = Request::get("/events?view=systems").header(header::COOKIE, &cookie);
    let response = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    site.app.forget_identities();
    site.app.live.record_result(&Arc::new(sample::result("otro/web/check", Outcome::Down, 10, 1)), None);
    let end = tokio::time::timeout(std::time::Duration::from_secs(5), stream.next()).await.unwrap();
    assert!(end.is_none(), "{end:?}");
}

/// The sample's plan with a restricted severity and a restricted component.
fn restricted() -> String {
    let mut plan: serde_json::Value = serde_json::from_str(sample::SIGCERH).unwrap();
    plan["people"]["eva"] = serde_json::json!({ "login": "eva" });
    plan["roles"]["seguridad"] = serde_json::json!({ "people": ["eva"] });
    plan["access"] = serde_json::json!([{ "role": "viewer", "to": ["seguridad"] }]);
    plan["severities"]["critica"]["restricted_to"] = serde_json::json!(["seguridad"]);
    plan["services"]["postgres"]["restricted_to"] = serde_json::json!(["seguridad"]);
    plan.to_string()
}

#[tokio::test]
async fn inc_14_what_is_restricted_is_seen_by_those_it_names_and_auditors_only() {
    let site = Site::new(true);
    site.app.live.set_plan(sample::version(&restricted()));
    let (alert, key) = ids(&site);
    let critical = site.app.state.alerts(&state::AlertFilter { limit: 10, ..Default::default() }).unwrap();
    let critical = critical.iter().find(|r| r.alert.severity() == "critica").unwrap().firing_id.clone();
    let paths = [
        "/".to_owned(),
        "/alerts?state=all".into(),
        "/deliveries".into(),
        "/rules".into(),
        "/api/farero/v1/alerts?state=all".into(),
        "/api/farero/v1/deliveries".into(),
        "/api/farero/v1/checks".into(),
        "/api/farero/v1/systems/sigcerh/overview".into(),
        "/api/v1/alerts".into(),
        "/api/v1/rules".into(),
        format!("/alerts/{critical}"),
        format!("/deliveries/{key}"),
        "/s/sigcerh/postgres/check".into(),
        "/badge/sigcerh/postgres.svg".into(),
        "/api/farero/v1/checks/sigcerh/postgres/check/results".into(),
        "/plan/sigcerh".into(),
        "/api/farero/v1/systems/sigcerh/plan".into(),
    ];
    let traces = ["Backend no responde", "PostgreSQL", "\"id\":\"sigcerh/postgres/check\"", "DiskFull"];
    for (who, sees) in
        [("auditor", true), ("eva", true), ("administrator", false), ("viewer", false), ("operator", false)]
    {
        let mut told = String::new();
        for path in &paths {
            let session = if who == "eva" { site.session_of_plan(who).await } else { site.session_of(who, who).await };
            told.push_str(&site.get(path, &session.0).await.body);
        }
        for trace in traces {
            assert_eq!(told.contains(trace), sees, "{who} and {trace}");
        }
    }
    assert!(!alert.is_empty());
    let (cookie, csrf) = site.session_of("jefa", "administrator").await;
    let got = site.post(&format!("/alerts/{critical}/acknowledge"), &cookie, &format!("csrf={csrf}")).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND, "not to be seen is not to be changed");
}

#[tokio::test]
async fn dsh_10_the_overview_is_seen_by_whom_a_role_is_given() {
    let site = two_systems();
    for (role, status) in [("viewer", StatusCode::OK), ("auditor", StatusCode::OK), ("", StatusCode::NOT_FOUND)] {
        let session = site.session_of(&format!("x{role}"), role).await;
        assert_eq!(site.get("/s/sigcerh", &session.0).await.status, status, "{role}");
    }
    // The plan of the other system gives `bea` a role there and nowhere else.
    let (bea, _) = site.session_of_plan("bea").await;
    assert_eq!(site.get("/s/otro", &bea).await.status, StatusCode::OK);
    assert_eq!(site.get("/s/sigcerh", &bea).await.status, StatusCode::NOT_FOUND);
    let all = site.get("/", &bea).await.body;
    assert!(all.contains("Web de otro") && !all.contains("SIGCERH"), "the overview of all systems shows hers");
}

/// The first message of a live page, and how long it took.
async fn first_message(site: &Site, cookie: &str, query: &str, then: impl Fn()) -> Option<std::time::Duration> {
    let request = Request::get(format!("/events?{query}")).header(header::COOKIE, cookie);
    let response = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    let began = tokio::time::Instant::now();
    // The stream waits for changes once it is asked for its first message.
    let mut next = std::pin::pin!(stream.next());
    assert!((&mut next).now_or_never().is_none());
    then();
    let read = tokio::time::timeout(crate::limits::LIVE_BEAT * 2, next).await;
    read.ok().flatten().map(|_| began.elapsed())
}

#[tokio::test]
async fn inc_14_the_moment_of_a_message_tells_nothing_of_what_is_restricted() {
    let site = Site::new(true);
    site.app.live.set_plan(sample::version(&restricted()));
    let (viewer, _) = site.session_of("vera", "viewer").await;
    let (auditor, _) = site.session_of("aldo", "auditor").await;
    let all = site.app.live.system("sigcerh", |s| s.alerts.clone()).unwrap();
    let change = |query: &str| match query {
        "view=deliveries" => site.app.live.announce(crate::live::Change::Deliveries),
        "view=rules" => site.app.live.announce(crate::live::Change::Rules("sigcerh".into(), "plan".into())),
        _ => site.app.live.set_alerts("sigcerh", all.clone()),
    };
    // All pages at once: each waits for a beat.
    let (site, viewer, auditor, change) = (&site, &*viewer, &*auditor, &change);
    let pages =
        ["view=alerts", "view=deliveries", "view=rules", "view=system&system=sigcerh"].map(|query| async move {
            let with = first_message(site, viewer, query, || change(query)).await.unwrap();
            assert!(with >= crate::limits::LIVE_BEAT, "{query}: told at a beat, not when it happened: {with:?}");
            let told = first_message(site, auditor, query, || change(query)).await.unwrap();
            assert!(told < crate::limits::LIVE_BEAT / 2, "{query}: who sees all is told at once, not after {told:?}");
        });
    let quiet = first_message(site, viewer, "view=alerts", || ());
    let (_, quiet) = tokio::join!(futures_util::future::join_all(pages), quiet);
    assert!(quiet.unwrap() >= crate::limits::LIVE_BEAT, "a beat tells nothing: it comes where nothing happened too");
}

#[test]
fn sec_12_pages_and_api_read_through_what_is_seen() {
    // The read model and the series have no way to know who asks: handlers must go through `Seen` and `SeenSeries`.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let past = ["live.systems(", "live.system(", "live.check(", "live.alerts(", "live.own(", "live.system_names("];
    // The assistant's own check is looked at by the administrator who made it.
    let known = [
        "pages/alerts.rs: let found = app.live.system(&alert.system, |s| {",
        "pages/welcome/check.rs: if app.live.check(id, |_, c| c.at().is_some()).unwrap_or(false) {",
        "pages/welcome/check.rs: let last = app.live.check(&id, |_, c| c.last.clone()).flatten()?;",
    ];
    let mut found = Vec::new();
    let mut folders = vec![root.join("pages"), root.join("api")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            for line in text.lines().filter(|l| past.iter().any(|p| l.contains(p))) {
                found.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    found.retain(|line| !known.contains(&line.as_str()));
    assert_eq!(found, Vec::<String>::new(), "these lines read past what somebody may see");
}
