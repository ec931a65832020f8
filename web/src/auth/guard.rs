//! The guard before every route, the one point of authorization: who asks, how often, whether they may, and whether their own
//! pages sent it. I/O: state.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use kernel::access::{Kind, Role, Verb};

use super::access::Access;
use super::find::{self, Decided, PathNames};
use super::rate::By;
use super::tell::{Attempt, Reason};
use super::{Identity, Proof, origin, proof, secret, session, token};
use crate::answer::Failure;
use crate::app::App;
use crate::limits::BODY_BYTES;
use crate::routes::{Rule, Surface};
use crate::serve::LocalPeer;

/// What the guard of one route knows.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) app: App,
    pub(crate) rule: Rule,
    pub(crate) surface: Surface,
    pub(crate) path: &'static str,
}

/// Lets a request pass or answers it.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let changes = is_change(request.method());
    let (parts, body) = request.into_parts();
    let attempt = Attempt::of(&guard, &parts);
    match guard.admit(Request::from_parts(parts, body)).await {
        Ok(request) => {
            let response = next.run(request).await;
            if changes && guard.changes_people() && !response.status().is_client_error() {
                guard.app.forget_identities();
            }
            response
        }
        Err(refused) => {
            let reason = refused.extensions().get::<Reason>().cloned();
            attempt.refused(&guard, refused.status(), reason).await;
            *refused
        }
    }
}

type Admitted = Result<Request, Box<Response>>;

fn refuse(answer: impl IntoResponse) -> Box<Response> {
    Box::new(answer.into_response())
}

/// An answer with the reason that the trail is told, which the answer itself may not tell.
fn because(mut answer: Box<Response>, reason: Option<Reason>) -> Box<Response> {
    if let Some(reason) = reason {
        answer.extensions_mut().insert(reason);
    }
    answer
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl Guard {
    async fn admit(&self, request: Request) -> Admitted {
        let (mut parts, mut body) = request.into_parts();
        let identity = match self.surface {
            Surface::Machine => None,
            _ => self.identify(&parts).await.map_err(refuse)?,
        };
        self.count(&parts, identity.as_ref())?;
        let access = self.access(identity.as_ref());
        self.authorize(&mut parts, identity.as_ref(), &access).await?;
        // Prometheus's API takes queries by POST; they change nothing.
        let harmless = matches!(self.surface, Surface::Machine | Surface::Metrics);
        // No page can make a browser send a token, or connect to a Unix socket.
        let by_browser =
            !matches!(identity.as_ref().map(|i| &i.proof), Some(Proof::Token { .. } | Proof::Local { .. }));
        if is_change(&parts.method) && by_browser && !harmless {
            if !origin::is_same(&parts.headers) {
                return Err(refuse(Failure::csrf()));
            }
            if let Some(Proof::Session { csrf, .. }) = identity.as_ref().map(|i| &i.proof) {
                body = check_csrf(&parts, body, csrf).await?;
            }
            if let (Surface::Api, Some(identity)) = (self.surface, &identity)
                && self.changes_people()
            {
                self.check_proof(identity).await.map_err(refuse)?;
            }
        }
        parts.extensions.insert(access);
        if let Some(identity) = identity {
            parts.extensions.insert(identity);
        }
        Ok(Request::from_parts(parts, body))
    }

    /// Lets a session give and take rights over the API only while its proof is fresh: no page would ask for it there.
    async fn check_proof(&self, identity: &Identity) -> Result<(), Failure> {
        let Proof::Session { token_hash, .. } = &identity.proof else { return Ok(()) };
        let (hash, now) = (token_hash.clone(), self.app.clock.now());
        let found = self.app.db(move |s| s.session(&hash, now)).await?;
        match found {
            Some((session, _)) if proof::is_fresh(&self.app, &session) => Ok(()),
            Some(_) => Err(Failure::forbidden("prove again who you are on the page /confirm, then ask again")),
            None => Err(Failure::unauthorized()),
        }
    }

    /// Whether reading it is not for everybody who is logged in.
    pub(crate) const fn is_restricted(&self) -> bool {
        matches!(self.rule, Rule::Ask(verb, kind, _) if !matches!(verb, Verb::See) || matches!(kind, Kind::People | Kind::Trail))
    }

    pub(crate) async fn identify(&self, parts: &Parts) -> Result<Option<Identity>, Failure> {
        match token::bearer(parts) {
            Some(given) => token::identify(&self.app, given).await,
            None => match parts.extensions.get::<LocalPeer>() {
                Some(peer) => Ok(peer.identity()),
                None => session::identify(&self.app, parts).await,
            },
        }
    }

    /// Counts the request; too many are told when to come back.
    fn count(&self, parts: &Parts, identity: Option<&Identity>) -> Result<(), Box<Response>> {
        let (by, caller) = match identity.map(|i| &i.proof) {
            Some(Proof::Session { token_hash, .. }) => (By::Session, token_hash.clone()),
            Some(Proof::Token { id, .. }) => (By::Token, id.to_string()),
            Some(Proof::Local { uid }) => (By::Token, format!("local {uid}")),
            None if self.surface == Surface::Machine => return Ok(()),
            None => (By::Address, session::address(parts)),
        };
        let Err(wait) = self.app.gates.rates.take(by, &caller, self.app.clock.now()) else { return Ok(()) };
        let mut answer = Failure::too_many().into_response();
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        Err(Box::new(answer))
    }

    /// What whoever asks was granted; where the configuration opens something, strangers look at it as viewers do.
    fn access(&self, identity: Option<&Identity>) -> Access {
        let open = match self.surface {
            Surface::Metrics => self.app.config.open_metrics,
            Surface::Badge => self.app.config.open_badges,
            _ => false,
        };
        match identity {
            Some(identity) => identity.access.clone(),
            None if open => Access::everywhere(Role::Viewer),
            None => Access::default(),
        }
    }

    async fn authorize(
        &self,
        parts: &mut Parts,
        identity: Option<&Identity>,
        access: &Access,
    ) -> Result<(), Box<Response>> {
        let someone = identity.is_some() || !access.grants().is_empty();
        let ask = match self.rule {
            Rule::Public => return Ok(()),
            _ if !someone => return Err(self.unknown(parts)),
            Rule::Known => return Ok(()),
            Rule::Own if matches!(identity.map(|i| &i.proof), Some(Proof::Session { .. })) => return Ok(()),
            Rule::Own => return Err(refuse(Failure::forbidden(""))),
            Rule::Ask(verb, kind, find) => (verb, kind, find),
        };
        let names = PathNames::of(parts).await;
        match find::decide(&self.app, access, ask, &names).await.map_err(refuse)? {
            Decided::Allowed => Ok(()),
            Decided::Nothing { asked, hidden } => {
                let reason = hidden.map(|denied| Reason(denied.text(kernel::Language::En)));
                Err(because(refuse(Failure::not_found(asked)), reason))
            }
            Decided::Denied(denied) => {
                let text = denied.text(kernel::Language::En);
                Err(because(refuse(Failure::forbidden(text.clone())), Some(Reason(text))))
            }
        }
    }

    /// Nobody in particular asks: people are led to the log-in, programs are told to bring a token.
    fn unknown(&self, parts: &Parts) -> Box<Response> {
        if self.surface == Surface::Page && parts.method == Method::GET {
            let here = parts.uri.path_and_query().map_or("/", |p| p.as_str());
            let to = if here == "/" { "/login".to_owned() } else { format!("/login?next={}", encode(here)) };
            return refuse(Redirect::to(&to));
        }
        let mut response = Failure::unauthorized().into_response();
        let realm = HeaderValue::from_static("Bearer realm=\"farero\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        Box::new(response)
    }

    /// Whether a request of this route may change who somebody is or what they may do.
    const fn changes_people(&self) -> bool {
        match self.rule {
            Rule::Public => !matches!(self.surface, Surface::Machine),
            Rule::Own | Rule::Ask(Verb::Administer | Verb::Approve, ..) => true,
            Rule::Known | Rule::Ask(..) => false,
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
