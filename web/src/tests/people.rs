//! People, grants, teams, service accounts, approvals, over pages and API. I/O: a temporary database.

use http::{Method, StatusCode, header};
use kernel::access::{Grant, Role, Source};
use serde_json::{Value, json};
use state::Holder;

use super::{Got, Site};
use crate::sample;

const ONE: &str = r#"{
  "system": "uno", "label": "Uno", "timezone": "UTC", "environment": "prod",
  "environments": { "qa": {}, "prod": {} },
  "people": { "eva": { "login": "eva" }, "leo": { "login": "leo" }, "mia": { "login": "mia" } },
  "roles": { "lider": { "people": ["eva"] }, "aprobadores": { "people": ["eva", "leo", "mia"] } },
  "access": [
    { "role": "operator", "to": ["aprobadores"] },
    { "role": "approver", "to": ["lider"], "environments": ["qa"] },
    { "role": "approver", "to": ["aprobadores"], "environments": ["prod"] },
    { "role": "administrator", "to": ["lider"] }
  ],
  "approvals": [
    { "for": "deployment", "environments": ["qa"], "by": ["lider"], "four_eyes": false },
    { "for": "deployment", "environments": ["prod"], "by": ["aprobadores"], "need": 2 },
    { "for": "administrator", "need": 1 }
  ],
  "services": { "web": { "check": { "tcp": "a:1" } } }
}"#;

fn site() -> Site {
    let site = Site::new(false);
    site.app.live.set_plan(sample::version(ONE));
    site
}

fn id_of(site: &Site, name: &str) -> i64 {
    site.app.state.credentials(name).unwrap().unwrap().0.id
}

async fn post(site: &Site, who: &(String, String), path: &str, form: &str) -> Got {
    site.post(path, &who.0, &format!("csrf={}&{form}", who.1)).await
}

fn to(got: &Got) -> &str {
    got.headers.get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn rol_01_a_person_is_let_in_with_a_grant_and_the_page_says_where_each_comes_from() {
    let site = site();
    let admin = site.session("jefa", Role::Administrator).await;
    let made = post(&site, &admin, "/people", "name=ana&kind=person&language=es&role=responder&systems=sigcerh").await;
    assert!(made.body.contains("/setup/"), "{}", made.body);
    let ana = id_of(&site, "ana");
    let page = site.get(&format!("/people/{ana}"), &admin.0).await.body;
    assert!(page.contains("atiende · sigcerh") && page.contains("dado aquí"), "{page}");
    site.session_of("eva", "").await;
    let eva = site.get(&format!("/people/{}", id_of(&site, "eva")), &admin.0).await.body;
    assert!(eva.contains("plan de uno (lider)") && eva.contains("aprueba · uno"), "{eva}");
    let own = site.session_of("ana", "").await;
    assert_eq!(site.get("/s/sigcerh", &own.0).await.status, StatusCode::OK);
    assert_eq!(site.get("/s/uno", &own.0).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/people", &own.0).await.status, StatusCode::FORBIDDEN);
    assert!(!site.get("/", &own.0).await.body.contains("href=\"/people\""), "navigation shows what one may see");
}

#[tokio::test]
async fn pln_02_whoever_administers_one_system_gives_grants_in_that_system_only() {
    let site = site();
    let admin = site.session("jefa", Role::Administrator).await;
    post(&site, &admin, "/people", "name=ana&kind=person&role=").await;
    let ana = id_of(&site, "ana");
    let eva = site.session_of("eva", "").await;
    let path = format!("/people/{ana}/grants");
    assert_eq!(to(&post(&site, &eva, &path, "role=viewer&systems=uno").await), format!("/people/{ana}?done=saved"));
    for beyond in ["role=viewer&systems=sigcerh", "role=viewer&systems=*", "role=viewer&systems=uno,sigcerh"] {
        assert_eq!(post(&site, &eva, &path, beyond).await.status, StatusCode::FORBIDDEN, "{beyond}");
    }
    assert_eq!(post(&site, &eva, &path, "role=viewer&systems=").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&site, &eva, &path, "role=boss&systems=uno").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&site, &eva, "/people", "name=x1&kind=person&role=").await.status, StatusCode::FORBIDDEN);
    let grant = site.app.state.grants().unwrap()[0].id;
    let taken = post(&site, &eva, &format!("{path}/{grant}/take"), "").await;
    assert_eq!(to(&taken), format!("/people/{ana}?done=saved"));
    assert!(site.app.state.grants().unwrap().is_empty());
}

#[tokio::test]
async fn sec_12_the_last_administrator_is_not_taken_away() {
    let site = Site::new(false);
    let admin = site.session("jefa", Role::Administrator).await;
    let me = id_of(&site, "jefa");
    assert_eq!(post(&site, &admin, &format!("/people/{me}/grants/0/take"), "").await.status, StatusCode::CONFLICT);
    assert_eq!(post(&site, &admin, &format!("/people/{me}/enabled"), "enabled=no").await.status, StatusCode::CONFLICT);
    site.session("otra", Role::Administrator).await;
    let other = id_of(&site, "otra");
    let out = post(&site, &admin, &format!("/people/{other}/enabled"), "enabled=no").await;
    assert_eq!(to(&out), format!("/people/{other}?done=saved"));
    assert_eq!(post(&site, &admin, &format!("/people/{me}/enabled"), "enabled=no").await.status, StatusCode::CONFLICT);
    // Somebody who was invited and has nothing to log in with yet is no way in, and the sealed account is for emergencies only.
    for name in ["invitada", crate::pages::login::sealed::ACCOUNT] {
        let new = state::NewUser {
            name: name.into(),
            role: Role::Administrator.to_string(),
            language: kernel::Language::Es,
            password_hash: "!".into(),
        };
        site.app.state.create_user(&new, crate::sample::NOW).unwrap();
        let refused = post(&site, &admin, &format!("/people/{me}/enabled"), "enabled=no").await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{name}");
    }
}

#[tokio::test]
async fn sec_12_what_a_team_is_granted_holds_for_its_members() {
    let site = site();
    let admin = site.session("jefa", Role::Administrator).await;
    let ana = site.session_of("ana", "").await;
    let made = post(&site, &admin, "/teams", "name=guardia").await;
    let team = site.app.state.teams().unwrap()[0].id;
    assert_eq!(to(&made), format!("/teams/{team}?done=saved"));
    post(&site, &admin, &format!("/teams/{team}/grants"), "role=operator&systems=sigcerh").await;
    assert_eq!(site.get("/s/sigcerh", &ana.0).await.status, StatusCode::NOT_FOUND);
    let member = format!("user={}&member=", id_of(&site, "ana"));
    post(&site, &admin, &format!("/teams/{team}/members"), &format!("{member}yes")).await;
    let page = site.get("/s/sigcerh", &ana.0).await;
    assert!(page.status == StatusCode::OK && page.body.contains("/s/sigcerh/intensive"), "an operator may switch");
    post(&site, &admin, &format!("/teams/{team}/members"), &format!("{member}no")).await;
    assert_eq!(site.get("/s/sigcerh", &ana.0).await.status, StatusCode::NOT_FOUND, "at once");
}

#[tokio::test]
async fn sec_12_a_service_account_has_tokens_and_no_way_in() {
    let site = site();
    let admin = site.session("jefa", Role::Administrator).await;
    post(&site, &admin, "/people", "name=ci&kind=service&role=operator&systems=sigcerh").await;
    let ci = id_of(&site, "ci");
    assert_eq!(post(&site, &admin, &format!("/people/{ci}/link"), "").await.status, StatusCode::CONFLICT);
    let made = post(&site, &admin, &format!("/people/{ci}/tokens"), "name=deploy&verbs=see&days=30").await.body;
    let token = made.split("id=\"made\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(token.starts_with("farero_"));
    let ask = async |method, path: &str, body: &str| site.with_token(method, path, &token, body).await.status;
    assert_eq!(ask(Method::GET, "/api/farero/v1/systems/sigcerh/overview", "").await, StatusCode::OK);
    assert_eq!(ask(Method::GET, "/api/farero/v1/systems/uno/overview", "").await, StatusCode::NOT_FOUND);
    let switch = "/api/farero/v1/systems/sigcerh/intensive";
    assert_eq!(ask(Method::POST, switch, "{\"minutes\":0}").await, StatusCode::FORBIDDEN, "the token only sees");
    let bad = post(&site, &admin, &format!("/people/{ci}/tokens"), "name=x&verbs=administer&days=30").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST, "no token lets anybody in");
    post(&site, &admin, &format!("/people/{ci}/enabled"), "enabled=no").await;
    assert_eq!(ask(Method::GET, "/api/farero/v1/systems/sigcerh/overview", "").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn sec_12_a_new_administrator_needs_a_second_pair_of_eyes_where_the_plan_says_so() {
    let site = site();
    let admin = site.session("jefa", Role::Administrator).await;
    let ana = site.session_of("ana", "").await;
    let path = format!("/people/{}/grants", id_of(&site, "ana"));
    let asked = post(&site, &admin, &path, "role=administrator&systems=uno").await;
    assert!(to(&asked).starts_with("/approvals/") && to(&asked).ends_with("?done=asked"), "{}", to(&asked));
    assert!(site.app.state.grants().unwrap().is_empty(), "it waits");
    let request = to(&asked).split('?').next().unwrap().to_owned();
    let own = post(&site, &admin, &format!("{request}/answer"), "answer=yes").await;
    assert_eq!(own.status, StatusCode::CONFLICT, "nobody approves their own request");
    assert_eq!(post(&site, &ana, &format!("{request}/answer"), "answer=yes").await.status, StatusCode::NOT_FOUND);
    let eva = site.session_of("eva", "").await;
    let page = site.get(&request, &eva.0).await.body;
    assert!(page.contains("ana → administrator · uno") && page.contains("jefa"), "{page}");
    post(&site, &eva, &format!("{request}/answer"), "answer=yes&note=de+acuerdo").await;
    let granted = &site.app.state.grants().unwrap()[0];
    assert_eq!(granted.grant, Grant::in_systems(Role::Administrator, ["uno"]));
    assert_eq!(granted.holder, Holder::User(id_of(&site, "ana")));
    let again = post(&site, &eva, &format!("{request}/answer"), "answer=no").await;
    assert_eq!(again.status, StatusCode::CONFLICT, "it is over");
}

#[tokio::test]
async fn ckl_06_a_deployment_to_production_needs_several_and_the_lead_alone_approves_qa() {
    let site = site();
    for name in ["eva", "leo", "mia"] {
        site.session_of(name, "").await;
    }
    let ask = async |who: &str, method: Method, path: &str, body: Value| {
        let token = site.token_for(id_of(&site, who), &["see", "run", "approve"]);
        let got = site.with_token(method, path, &token, &body.to_string()).await;
        (got.status, serde_json::from_str::<Value>(&got.body).unwrap_or_default())
    };
    let deploy = "/api/farero/v1/systems/uno/deployments";
    let (status, qa) = ask("leo", Method::POST, deploy, json!({ "environment": "qa", "subject": "1.2.1" })).await;
    assert_eq!((status, &qa["standing"]), (StatusCode::OK, &json!("waiting")), "{qa}");
    let answer = |request: &Value| format!("/api/farero/v1/approvals/{}/answer", request["id"]);
    assert_eq!(ask("leo", Method::POST, &answer(&qa), json!({ "yes": true })).await.0, StatusCode::FORBIDDEN);
    let (_, done) = ask("eva", Method::POST, &answer(&qa), json!({ "yes": true, "note": "probado" })).await;
    assert_eq!((&done["standing"], &done["votes"][0]["note"]), (&json!("approved"), &json!("probado")));
    let (_, prod) = ask("leo", Method::POST, deploy, json!({ "environment": "prod", "subject": "1.2.1" })).await;
    assert_eq!(ask("leo", Method::POST, &answer(&prod), json!({ "yes": true })).await.0, StatusCode::CONFLICT);
    let (_, one) = ask("eva", Method::POST, &answer(&prod), json!({ "yes": true })).await;
    assert_eq!(one["standing"], "waiting", "two are needed");
    let (_, two) = ask("mia", Method::POST, &answer(&prod), json!({ "yes": true })).await;
    assert_eq!(two["standing"], "approved");
    let (status, _) = ask("leo", Method::POST, deploy, json!({ "environment": "luna", "subject": "x" })).await;
    assert!(status.is_client_error());
    let token = site.token_of(&["see"]);
    let list = site.with_token(Method::GET, "/api/farero/v1/approvals?waiting=true", &token, "").await.body;
    assert_eq!(list, "[]", "nothing waits any more");
}

#[tokio::test]
async fn sec_12_everybody_sees_what_they_may_do() {
    let site = site();
    let token = site.token_of(&["see", "system:uno"]);
    let me = site.with_token(Method::GET, "/api/farero/v1/me", &token, "").await.body;
    let me: Value = serde_json::from_str(&me).unwrap();
    assert_eq!(me["grants"][0]["role"], "administrator");
    assert_eq!(me["grants"][0]["source"], serde_json::to_value(Source::Page).unwrap());
    assert_eq!(me["token"], json!({ "verbs": ["see"], "systems": ["uno"] }));
    let (cookie, _) = site.session_of("nadie", "").await;
    // The word of the plan stands beside the word for people where they differ.
    for (language, name) in [("es", "audita</span> <code>auditor</code>"), ("en", "auditor</span></th>")] {
        let page = site.get("/roles", &format!("{cookie}; farero_language={language}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(name), "{}", page.body);
    }
}

#[tokio::test]
async fn sec_12_accounts_that_nobody_uses_are_marked() {
    let site = site();
    let admin = site.session("jefa", Role::Administrator).await;
    let long_ago = crate::sample::NOW - crate::limits::IDLE_ACCOUNT;
    let new = state::NewUser {
        name: "olvidada".into(),
        role: Role::Viewer.to_string(),
        language: kernel::Language::Es,
        password_hash: "!".into(),
    };
    site.app.state.create_user(&new, long_ago).unwrap();
    let page = site.get("/people", &admin.0).await.body;
    assert_eq!(page.matches("Sin uso hace 90").count(), 1, "{page}");
    let all: serde_json::Value = serde_json::from_str(&site.get("/api/farero/v1/people", &admin.0).await.body).unwrap();
    let of = |name: &str| all.as_array().unwrap().iter().find(|a| a["name"] == name).unwrap().clone();
    assert_eq!((&of("olvidada")["idle"], &of("olvidada")["last_active_at"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(of("jefa")["idle"], false);
    assert!(of("jefa")["last_active_at"].is_string());
}
