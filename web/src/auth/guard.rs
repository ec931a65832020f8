//! The guard before every route: who asks, whether they may, and whether their own pages sent it. I/O: state.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{Method, StatusCode, header};

use super::{Identity, Proof, origin, secret, session, token};
use crate::answer::Failure;
use crate::app::App;
use crate::limits::BODY_BYTES;
use crate::routes::{Permission, Surface};

/// What the guard of one route knows.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) app: App,
    pub(crate) permission: Permission,
    pub(crate) surface: Surface,
}

/// Lets a request pass or answers it.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.admit(request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => *refused,
    }
}

type Admitted = Result<Request, Box<Response>>;

fn refuse(answer: impl IntoResponse) -> Box<Response> {
    Box::new(answer.into_response())
}

impl Guard {
    async fn admit(&self, request: Request) -> Admitted {
        let (mut parts, body) = request.into_parts();
        let identity = match self.surface {
            Surface::Machine => None,
            _ => self.identify(&parts).await.map_err(refuse)?,
        };
        self.check_permission(&parts, identity.as_ref())?;
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let by_browser = !matches!(identity.as_ref().map(|i| &i.proof), Some(Proof::Token { .. }));
        let mut body = body;
        // Prometheus's API takes queries by POST; they change nothing.
        let harmless = matches!(self.surface, Surface::Machine | Surface::Metrics);
        if changes && by_browser && !harmless {
            if !origin::is_same(&parts.headers) {
                return Err(refuse(Failure::csrf()));
            }
            if let Some(Proof::Session { csrf, .. }) = identity.as_ref().map(|i| &i.proof) {
                body = check_csrf(&parts, body, csrf).await?;
            }
        }
        if let Some(identity) = identity {
            parts.extensions.insert(identity);
        }
        Ok(Request::from_parts(parts, body))
    }

    async fn identify(&self, parts: &Parts) -> Result<Option<Identity>, Failure> {
        match token::bearer(parts) {
            Some(given) => token::identify(&self.app, given).await,
            None => session::identify(&self.app, parts).await,
        }
    }

    fn check_permission(&self, parts: &Parts, identity: Option<&Identity>) -> Result<(), Box<Response>> {
        let open = match self.surface {
            Surface::Metrics => self.app.config.open_metrics,
            Surface::Badge => self.app.config.open_badges,
            _ => false,
        };
        if self.permission == Permission::Public || (open && self.permission == Permission::Read) {
            return Ok(());
        }
        match identity {
            Some(identity) if identity.role.may(self.permission) => Ok(()),
            Some(_) => Err(refuse(Failure::forbidden())),
            None if self.surface == Surface::Page && parts.method == Method::GET => {
                let here = parts.uri.path_and_query().map_or("/", |p| p.as_str());
                let to = if here == "/" { "/login".to_owned() } else { format!("/login?next={}", encode(here)) };
                Err(refuse(Redirect::to(&to)))
            }
            None => {
                let mut response = Failure::unauthorized().into_response();
                let realm = http::HeaderValue::from_static("Bearer realm=\"farero\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
                Err(Box::new(response))
            }
        }
    }
}

/// Checks the token that forms carry in a field and scripts in a header; hands the body back unread for the handler.
async fn check_csrf(parts: &Parts, body: Body, expected: &str) -> Result<Body, Box<Response>> {
    if let Some(given) = parts.headers.get("x-csrf-token").and_then(|v| v.to_str().ok()) {
        return if secret::same(given, expected) { Ok(body) } else { Err(refuse(Failure::csrf())) };
    }
    let Ok(bytes) = to_bytes(body, BODY_BYTES).await else {
        return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let text = String::from_utf8_lossy(&bytes);
    // The token's alphabet needs no decoding.
    let given = text.split('&').find_map(|pair| pair.strip_prefix("csrf=")).unwrap_or_default();
    if secret::same(given, expected) { Ok(Body::from(bytes)) } else { Err(refuse(Failure::csrf())) }
}

/// Percent-encodes what has a meaning in a query.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
