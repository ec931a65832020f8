//! The web as browsers and programs meet it: every route, every permission, every language. I/O: none but a temporary
//! database.

mod cost;
mod dashboards;
mod forms;
mod isolation;
mod login;
mod machines;
mod pages;
mod people;
mod permissions;
mod receiving;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode, header};
use kernel::trail::{Actor, Deed};
use tower::ServiceExt as _;

use crate::app::App;
use crate::auth::enter::Method as How;
use crate::auth::{Role, secret, session};
use crate::sample;

/// An answer, read whole.
struct Got {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

/// The web over the sample, and the ways to be someone in it.
struct Site {
    app: App,
    router: Router,
}

impl Site {
    fn new(trouble: bool) -> Self {
        let app = sample::app(trouble);
        Self { router: crate::router(app.clone()), app }
    }

    async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // A live page never ends; its first bytes are enough.
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let body = match kind {
            "text/event-stream" => String::new(),
            _ => String::from_utf8_lossy(&to_bytes(body, 4 << 20).await.unwrap()).into_owned(),
        };
        Got { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, cookie: &str) -> Got {
        let request = Request::get(path).header(header::COOKIE, cookie).header(header::ACCEPT, "text/html");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, cookie: &str, form: &str) -> Got {
        let request = Request::post(path).header(header::COOKIE, cookie).header("sec-fetch-site", "same-origin");
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// A session of a fresh account that has a role everywhere: its cookie and the token that its forms send back.
    async fn session(&self, name: &str, role: Role) -> (String, String) {
        self.session_of(name, role.as_str()).await
    }

    /// A session of an account, which is made when it is new.
    async fn session_of(&self, name: &str, role: &str) -> (String, String) {
        let known = self.app.state.credentials(name).unwrap();
        let id = match known {
            Some((user, _)) => user.id,
            None => self.account(name, role),
        };
        let deed = Deed::new(sample::NOW, Actor::person(name), "session.begin");
        let begun = session::begin(&self.app, id, "test".into(), &How::Password, deed);
        let fresh = begun.await.unwrap();
        (format!("farero_session={fresh}"), secret::csrf(&fresh))
    }

    /// A session of an account that has nothing but what plans grant it.
    async fn session_of_plan(&self, name: &str) -> (String, String) {
        self.session_of(name, "").await
    }

    fn account(&self, name: &str, role: &str) -> i64 {
        let new = state::NewUser {
            name: name.into(),
            role: role.into(),
            language: kernel::Language::Es,
            // Some hash, which nobody's password has: an account that was taken up.
            password_hash: "$argon2id$".into(),
        };
        self.app.state.create_user(&new, sample::NOW).unwrap().id
    }

    /// A token of a fresh administrator.
    fn token(&self, scope: &str) -> String {
        self.token_of(&[scope])
    }

    /// A token of a fresh administrator with some scopes.
    fn token_of(&self, scopes: &[&str]) -> String {
        let owner = self.account(&format!("owner-{}", rand::random::<u64>()), Role::Administrator.as_str());
        self.token_for(owner, scopes)
    }

    /// A token of an account with some scopes.
    fn token_for(&self, owner: i64, scopes: &[&str]) -> String {
        let secret = format!("farero_{}", secret::fresh());
        let token = state::NewToken {
            token_hash: secret::hash(&secret),
            name: scopes.join(" "),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            user_id: Some(owner),
            expires_at: None,
        };
        self.app.state.create_token(&token, sample::NOW).unwrap();
        secret
    }

    async fn with_token(&self, method: Method, path: &str, token: &str, json: &str) -> Got {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(json.to_owned())).unwrap()).await
    }
}

/// What stands in the trail: action and outcome, the oldest first.
fn deeds(site: &Site) -> Vec<String> {
    let rows = site.app.state.trail_rows(0, 1_000).unwrap();
    rows.iter().map(|r| r.entry.deed().unwrap()).map(|d| format!("{} {}", d.action, d.outcome.as_str())).collect()
}
