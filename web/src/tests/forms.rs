//! Forms: whose page sent them, log-in, one-time links, passwords, the ends of sessions. I/O: a temporary database.

use axum::body::Body;
use http::{Request, StatusCode, header};

use super::{Got, Site};
use crate::auth::{Role, link};
use crate::sample::{self, NOW};

const PASSWORD: &str = "cuatro+palabras+sin+orden";

fn cookie_of(got: &Got) -> String {
    let cookie = got.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn setup(site: &Site) -> String {
    let path = link::first_administrator(&site.app.state, NOW).unwrap().unwrap();
    let got = site.post(&path, "", &format!("name=ana&password={PASSWORD}&again={PASSWORD}")).await;
    assert_eq!(got.status, StatusCode::SEE_OTHER, "{}", got.body);
    cookie_of(&got)
}

#[tokio::test]
async fn the_one_time_link_makes_one_administrator() {
    let site = Site::new(false);
    let path = link::first_administrator(&site.app.state, NOW).unwrap().unwrap();
    assert_eq!(site.get(&path, "").await.status, StatusCode::OK);
    let short = site.post(&path, "", "name=ana&password=short&again=short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = format!("name=ana&password={PASSWORD}&again={PASSWORD}");
    let made = site.post(&path, "", &form).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    let cookie = cookie_of(&made);
    assert_eq!(site.get("/settings", &cookie).await.status, StatusCode::OK);
    assert_eq!(site.post(&path, "", &form).await.status, StatusCode::GONE);
    assert_eq!(link::first_administrator(&site.app.state, NOW).unwrap(), None);
}

#[tokio::test]
async fn log_in_slows_guessing_down_and_tells_nothing_of_names() {
    let site = Site::new(false);
    setup(&site).await;
    let ok = site.post("/login", "", &format!("name=ana&password={PASSWORD}&next=/alerts")).await;
    assert_eq!((ok.status, ok.headers[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/alerts"));
    let away = site.post("/login", "", &format!("name=ana&password={PASSWORD}&next=//evil.example")).await;
    assert_eq!(away.headers[header::LOCATION], "/");
    let wrong = site.post("/login", "", "name=ana&password=wrong").await;
    let unknown = site.post("/login", "", "name=bea&password=wrong").await;
    assert_eq!((wrong.status, unknown.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert_eq!(wrong.body.replace("ana", "X"), unknown.body.replace("bea", "X"));
    for _ in 0..3 {
        site.post("/login", "", "name=ana&password=wrong").await;
    }
    let throttled = site.post("/login", "", &format!("name=ana&password={PASSWORD}")).await;
    assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(throttled.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn cookies_are_bound_as_tightly_as_the_connection_allows() {
    let mut site = Site::new(false);
    let path = link::first_administrator(&site.app.state, NOW).unwrap().unwrap();
    site.app.config = std::sync::Arc::new(crate::WebConfig { tls: true, ..(*site.app.config).clone() });
    site.router = crate::router(site.app.clone());
    let got = site.post(&path, "", &format!("name=ana&password={PASSWORD}&again={PASSWORD}")).await;
    let cookie = got.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    for part in ["__Host-farero=", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(got.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn forms_from_elsewhere_or_without_their_token_do_nothing() {
    let site = Site::new(true);
    let (cookie, csrf) = site.session("olga", Role::Operator).await;
    let path = "/s/sigcerh/intensive";
    let with = |site_header: &'static str, form: String| {
        let request = Request::post(path).header(header::COOKIE, &cookie).header("sec-fetch-site", site_header);
        request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(form)).unwrap()
    };
    let good = format!("minutes=30&csrf={csrf}");
    assert_eq!(site.send(with("cross-site", good.clone())).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.send(with("same-origin", "minutes=30".into())).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.send(with("same-origin", "minutes=30&csrf=wrong".into())).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.send(with("same-origin", good)).await.status, StatusCode::SEE_OTHER);
    let no_origin = Request::post("/login").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let got = site.send(no_origin.body(Body::from("name=a&password=b")).unwrap()).await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let site = Site::new(false);
    let first = setup(&site).await;
    let second = cookie_of(&site.post("/login", "", &format!("name=ana&password={PASSWORD}")).await);
    let csrf = crate::auth::secret::csrf(second.split_once('=').unwrap().1);
    let form = format!("csrf={csrf}&current={PASSWORD}&password=otras+cuatro+palabras&again=otras+cuatro+palabras");
    let changed = site.post("/settings/password", &second, &form).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    for old in [&first, &second] {
        assert_eq!(site.get("/settings", old).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(site.get("/settings", &cookie_of(&changed)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn sessions_end_when_idle_and_when_old() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let hash = crate::auth::secret::hash(cookie.split_once('=').unwrap().1);
    let alive = |after: std::time::Duration| site.app.state.session(&hash, NOW + after).unwrap().is_some();
    assert!(alive(crate::limits::SESSION_IDLE - std::time::Duration::from_secs(1)));
    assert!(!alive(crate::limits::SESSION_IDLE));
    let (session, _) = site.app.state.session(&hash, NOW).unwrap().unwrap();
    assert_eq!(session.ends_at, NOW + crate::limits::SESSION_LIFE);
    assert_eq!(site.get("/", &cookie).await.status, StatusCode::OK);
}

#[tokio::test]
async fn logging_out_ends_the_session() {
    let site = Site::new(false);
    let (cookie, csrf) = site.session("ana", Role::Viewer).await;
    assert_eq!(site.post("/logout", &cookie, &format!("csrf={csrf}")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.get("/", &cookie).await.headers[header::LOCATION], "/login");
}

#[tokio::test]
async fn an_administrator_lets_people_in_by_a_link() {
    let site = Site::new(false);
    let cookie = setup(&site).await;
    let csrf = crate::auth::secret::csrf(cookie.split_once('=').unwrap().1);
    let form = format!("csrf={csrf}&name=beto&kind=person&role=operator&systems=*&language=en");
    let got = site.post("/people", &cookie, &form).await;
    let link = got.body.split("http://127.0.0.1:9123").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let twice = site.post("/people", &cookie, &format!("csrf={csrf}&name=beto&kind=person&role=")).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    let entered = site.post(&link, "", &format!("password={PASSWORD}&again={PASSWORD}")).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    assert!(site.get("/", &cookie_of(&entered)).await.body.contains("<html lang=\"en\""));
}

#[tokio::test]
async fn alr_23_an_acknowledgement_is_stored_with_its_note() {
    let site = Site::new(true);
    let (cookie, csrf) = site.session("olga", Role::Operator).await;
    let id = site.app.state.alerts(&state::AlertFilter { firing_only: true, limit: 10, ..Default::default() }).unwrap();
    let open = id.iter().find(|r| r.acknowledged.is_none()).unwrap().firing_id.clone();
    let form = format!("csrf={csrf}&note=Lo+miro+%3Cb%3E");
    let got = site.post(&format!("/alerts/{open}/acknowledge"), &cookie, &form).await;
    assert_eq!(got.status, StatusCode::SEE_OTHER);
    let page = site.get(&format!("/alerts/{open}?done=acknowledged"), &cookie).await;
    assert!(page.body.contains("Lo miro &#60;b&#62;") && page.body.contains("olga"), "{}", page.body);
    let stored = site.app.state.alert(&open).unwrap().unwrap().acknowledged.unwrap();
    assert_eq!((stored.by.as_str(), stored.note.as_str()), ("olga", "Lo miro <b>"));
}

#[tokio::test]
async fn chn_05_a_person_confirms_what_was_passed_on() {
    let site = Site::new(true);
    let (cookie, csrf) = site.session("olga", Role::Operator).await;
    let wanted = state::OutboxFilter { channel: Some("whatsapp".into()), limit: 1, ..Default::default() };
    let key = site.app.state.outbox(&wanted).unwrap()[0].entry.key.clone();
    let list = site.get("/deliveries?state=awaiting_person", &cookie).await;
    assert!(list.body.contains("Backend no responde"), "{}", list.body);
    let got = site.post(&format!("/deliveries/confirm/{key}"), &cookie, &format!("csrf={csrf}")).await;
    assert_eq!(got.headers[header::LOCATION], "/deliveries?done=confirmed");
    let record = &site.app.state.outbox(&wanted).unwrap()[0];
    assert_eq!(record.confirmed.as_ref().unwrap(), &("olga".to_owned(), sample::NOW));
}
