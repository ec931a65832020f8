//! Log-in at a provider (OIDC): sending the browser there, and taking it back. I/O: HTTP, state.

use ::auth::oidc::{Callback, Ceremony, OidcError, Person, Provider};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use http::request::Parts;
use kernel::access::Granted;
use kernel::trail::Actor;
use serde::{Deserialize, Serialize};
use state::{Identity as Linked, NewUser, StateError, User};

use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::{self, Method, deed, enter, refused};
use crate::auth::throttle::Try;
use crate::auth::{ceremony, password, proof};
use crate::limits;
use crate::pages::entry::is_name;
use crate::pages::settings::person;
use crate::pages::visit::Visit;
use crate::pages::{Answer, done, local};
use crate::text::text;

/// What the visit at the provider is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Aim {
    /// Somebody wants in.
    Enter,
    /// Somebody who is logged in wants to log in so from now on.
    Link,
    /// Somebody who is logged in proves again who they are.
    Prove,
}

/// What is kept while the browser is away.
#[derive(Serialize, Deserialize)]
struct Kept {
    aim: Aim,
    next: String,
    ceremony: Ceremony,
}

fn provider<'a>(app: &'a App, name: &str) -> Result<&'a Provider, Failure> {
    app.login.provider(name).ok_or_else(|| Failure::not_found(name))
}

fn back(app: &App, name: &str) -> String {
    format!("{}/login/provider/{name}/back", app.config.base_url)
}

async fn send(app: &App, visit: &Visit, name: &str, aim: Aim, user_id: Option<i64>, next: &str) -> Answer {
    let provider = provider(app, name)?;
    let begun = provider.begin(&back(app, name), aim == Aim::Prove, app.clock.now()).await;
    let (url, ceremony) = begun.map_err(|e| trouble(visit, &e))?;
    let kept = Kept { aim, next: next.to_owned(), ceremony };
    // What proves the second half to the provider is sealed: who reads the database cannot end a log-in that others began.
    let json = serde_json::to_vec(&kept).map_err(|e| Failure::internal("keep a log-in", e))?;
    let data = app.login.sealer.seal(ceremony::PROVIDER, &json);
    let cookie = ceremony::begin(app, ceremony::PROVIDER, user_id, data).await?;
    let mut answer = Redirect::to(&url).into_response();
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

fn trouble(visit: &Visit, error: &OidcError) -> Failure {
    tracing::warn!(%error, "a log-in at a provider did not work");
    Failure::refused(format!("{} {error}.", text(visit.language).login.provider_failed))
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /login/provider/{provider}`
pub(crate) async fn begin(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Path(name): Path<String>,
    axum::extract::Query(next): axum::extract::Query<Next>,
) -> Answer {
    if !Try::of_address(&parts).wait(&app).await?.is_zero() {
        return Err(Failure::busy());
    }
    send(&app, &visit, &name, Aim::Enter, None, local(&next.next)).await
}

/// `GET /settings/security/provider/{provider}`
pub(crate) async fn link(State(app): State<App>, visit: Visit, Path(name): Path<String>) -> Answer {
    let (_, id, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, "/settings/security").await? {
        return Ok(first);
    }
    send(&app, &visit, &name, Aim::Link, Some(id), "/settings/security").await
}

/// `GET /confirm/provider/{provider}`
pub(crate) async fn prove(
    State(app): State<App>,
    visit: Visit,
    Path(name): Path<String>,
    axum::extract::Query(next): axum::extract::Query<Next>,
) -> Answer {
    let (_, id, _) = person(&visit)?;
    send(&app, &visit, &name, Aim::Prove, Some(id), local(&next.next)).await
}

/// `GET /login/provider/{provider}/back`
pub(crate) async fn finish(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let provider = provider(&app, &name)?;
    let begun = ceremony::take_or_fail(&app, &parts, ceremony::PROVIDER).await?;
    let opened = app.login.sealer.open(ceremony::PROVIDER, &begun.data);
    let kept: Option<Kept> = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let kept = kept.filter(|k| k.ceremony.provider == name).ok_or_else(|| Failure::stale(http::StatusCode::GONE))?;
    let callback = Callback::read(parts.uri.query().unwrap_or_default());
    let callback = callback.ok_or_else(|| Failure::invalid("the provider's answer names something twice"))?;
    let who = match provider.finish(&kept.ceremony, &callback, app.clock.now()).await {
        Ok(who) => who,
        Err(error) => {
            refused(&app, &parts, &Try::of_address(&parts), &name, &error.to_string()).await?;
            return Err(trouble(&visit, &error));
        }
    };
    match (kept.aim, begun.user_id) {
        (Aim::Enter, _) => come_in(&app, &visit, &parts, provider, &who, local(&kept.next)).await,
        (Aim::Link, Some(id)) => link_to(&app, &visit, &parts, provider, &who, id).await,
        (Aim::Prove, Some(id)) => proven(&app, &visit, &parts, &who, id, local(&kept.next)).await,
        _ => Err(Failure::stale(http::StatusCode::GONE)),
    }
}

fn label_of(who: &Person) -> String {
    let name = who.email.as_deref().or(who.name.as_deref()).unwrap_or(&who.subject);
    name.chars().filter(|c| !c.is_control()).take(limits::NAME_LONGEST).collect()
}

async fn come_in(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    provider: &Provider,
    who: &Person,
    next: &str,
) -> Result<Response, Failure> {
    let refuse = async |account: &str, why: &'static str, words: &'static str| {
        refused(app, parts, &Try::of_address(parts), account, why).await?;
        Err(Failure::refused(words))
    };
    let (t, grants) = (&text(visit.language).login, provider.settings().grants_of(who));
    let (issuer, subject) = (who.issuer.clone(), who.subject.clone());
    let known = app.db(move |s| s.identity(&issuer, &subject)).await?;
    let user = match known {
        Some((_, user)) if user.disabled => {
            return refuse(&user.name, "the account may not log in", t.provider_disabled).await;
        }
        Some((linked, user)) => {
            let lost = linked.managed && grants.is_empty();
            follow(app, parts, &user, Linked { grants, ..linked }).await?;
            if lost {
                // The account came to be by its groups, and lives by them.
                return refuse(&user.name, "its groups open nothing here", t.provider_no_group).await;
            }
            user
        }
        None => match newcomer(app, visit, parts, provider, who, grants).await? {
            Ok(user) => user,
            Err((why, words)) => return refuse(&label_of(who), why, words).await,
        },
    };
    let (issuer, subject, now) = (who.issuer.clone(), who.subject.clone(), app.clock.now());
    app.db(move |s| s.use_identity(&issuer, &subject, now)).await?;
    enter(app, visit, parts, &user, &Method::Provider(provider.name().to_owned()), next).await
}

/// Keeps what the person's groups grant now; where that has changed, older sessions end.
async fn follow(app: &App, parts: &Parts, user: &User, now: Linked) -> Result<(), Failure> {
    let (issuer, subject) = (now.issuer.clone(), now.subject.clone());
    let before = app.db(move |s| s.identity(&issuer, &subject)).await?.map(|(linked, _)| linked.grants);
    if before.as_ref() == Some(&now.grants) {
        return Ok(());
    }
    let words = |grants: &[Granted]| grants.iter().map(|g| g.grant.role.as_str()).collect::<Vec<_>>().join(", ");
    let deed = deed(app, parts, Actor::farero("login"), "user.change").on("user", &user.name);
    let deed = deed.changed("groups", before.map(|b| words(&b)).as_deref(), Some(&words(&now.grants)));
    let deed = deed.saying("the groups at the provider changed");
    app.db(move |s| s.change_group_grants(&now, &deed)).await?;
    app.forget_identities();
    Ok(())
}

type Newcomer = Result<User, (&'static str, &'static str)>;

/// Somebody whom nobody here knows yet: the account with their verified address where that is allowed, a new account where their
/// groups allow it, or a refusal.
async fn newcomer(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    provider: &Provider,
    who: &Person,
    grants: Vec<Granted>,
) -> Result<Newcomer, Failure> {
    let (t, settings, now) = (&text(visit.language).login, provider.settings(), app.clock.now());
    let given = grants.clone();
    let link = |user: &User, managed: bool| {
        let new = Linked {
            grants: given.clone(),
            issuer: who.issuer.clone(),
            subject: who.subject.clone(),
            user_id: user.id,
            name: label_of(who),
            managed,
            made_at: now,
            used_at: None,
        };
        let deed = deed(app, parts, Actor::person(&user.name), "login.provider.link").on("user", &user.name);
        (new, deed.set("provider", &who.issuer).set("account", label_of(who)))
    };
    if let Some(email) = who.email.clone().filter(|_| settings.link_verified_email && who.email_verified) {
        let found = app.db(move |s| s.credentials(&email)).await?.map(|(user, _)| user);
        if let Some(user) = found {
            if user.disabled {
                return Ok(Err(("the account may not log in", t.provider_disabled)));
            }
            let (new, deed) = link(&user, false);
            app.db(move |s| s.link_identity(&new, &deed)).await?;
            return Ok(Ok(user));
        }
    }
    if grants.is_empty() || !settings.create {
        return Ok(Err(("nobody here has this account", t.provider_unknown)));
    }
    let name = [who.email.as_ref(), who.name.as_ref()].into_iter().flatten().find(|n| is_name(n)).cloned();
    let new = NewUser {
        name: name
            .unwrap_or_else(|| format!("{}-{}", provider.name(), who.subject.chars().take(40).collect::<String>())),
        // What it may do comes from its groups alone.
        role: String::new(),
        language: visit.language,
        password_hash: password::UNUSABLE.to_owned(),
    };
    let made = app.db(move |s| match s.create_user(&new, now) {
        Ok(user) => Ok(Some(user)),
        Err(StateError::Taken { .. }) => Ok(None),
        Err(error) => Err(error),
    });
    let Some(user) = made.await? else {
        return Ok(Err(("its name is taken by another account", t.provider_name_taken)));
    };
    let (new, deed) = link(&user, true);
    app.db(move |s| s.link_identity(&new, &deed)).await?;
    Ok(Ok(user))
}

async fn link_to(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    provider: &Provider,
    who: &Person,
    user_id: i64,
) -> Result<Response, Failure> {
    // The browser that comes back is still the same person's.
    let (me, id, _) = person(visit)?;
    if id != user_id {
        return Err(Failure::stale(http::StatusCode::GONE));
    }
    let new = Linked {
        grants: provider.settings().grants_of(who),
        issuer: who.issuer.clone(),
        subject: who.subject.clone(),
        user_id: id,
        name: label_of(who),
        managed: false,
        made_at: app.clock.now(),
        used_at: None,
    };
    let deed = enter::deed(app, parts, Actor::person(&me.name), "login.provider.link").on("user", &me.name);
    let deed = deed.set("provider", provider.name()).set("account", label_of(who));
    let linked = app.db(move |s| match s.link_identity(&new, &deed) {
        Ok(()) => Ok(true),
        Err(StateError::Taken { .. }) => Ok(false),
        Err(error) => Err(error),
    });
    match linked.await? {
        true => Ok(done("/settings/security", "saved")),
        false => Err(Failure::refused(text(visit.language).login.provider_linked_already)),
    }
}

async fn proven(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    who: &Person,
    user_id: i64,
    next: &str,
) -> Result<Response, Failure> {
    let (me, id, _) = person(visit)?;
    let (issuer, subject) = (who.issuer.clone(), who.subject.clone());
    let theirs = app.db(move |s| s.identity(&issuer, &subject)).await?.is_some_and(|(_, user)| user.id == id);
    // The provider must really have asked, not only have known the browser.
    let asked = who.authenticated_at.is_some_and(|at| app.clock.now().since(at) <= limits::PROOF_LIFE);
    if id != user_id || !theirs || !asked {
        refused(app, parts, &Try::of(app, parts, &me.name), &me.name, "another account at the provider").await?;
        return Err(Failure::refused(text(visit.language).login.provider_other));
    }
    proof::renew(app, visit, parts, next).await
}
