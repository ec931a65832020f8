//! What this installation asks of log-ins, everybody's sessions, providers, the sealed account. Administrators only.
//! I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::request::Parts;
use kernel::trail::Actor;
use serde::Deserialize;
use state::{NewUser, Seal, Session, StateError, User};

use super::form::Form;
use super::frame::{Frame, Nav};
use super::login::sealed;
use super::security::method_words;
use super::settings::person;
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::deed;
use crate::auth::policy::{self, Needed, Policy};
use crate::auth::{Role, password, proof};
use crate::limits;
use crate::text::text;

/// The page's address.
pub(crate) const HERE: &str = "/settings/installation";

/// A provider as it is shown.
struct Door {
    label: String,
    issuer: String,
    groups: String,
}

#[derive(Template)]
#[template(path = "installation.html")]
struct InstallationPage {
    f: Frame,
    policy: Policy,
    seal: Option<Seal>,
    doors: Vec<Door>,
    sessions: Vec<(Session, User)>,
    own_session: String,
    /// The sealed code, shown this once.
    code: String,
}

impl InstallationPage {
    fn needed(&self) -> [(Needed, &'static str); 3] {
        let t = &self.f.t.login;
        Needed::ALL.map(|n| {
            let word = match n {
                Needed::Nobody => t.needed_nobody,
                Needed::Administrators => t.needed_administrators,
                Needed::Everybody => t.needed_everybody,
            };
            (n, word)
        })
    }

    fn idle_bounds(&self) -> (u32, u32) {
        limits::IDLE_MINUTES
    }

    fn life_bounds(&self) -> (u32, u32) {
        limits::LIFE_HOURS
    }

    fn method(&self, session: &Session) -> String {
        method_words(&self.f, &session.method)
    }
}

async fn show(app: &App, visit: &Visit, code: String) -> Answer {
    let (_, _, own_session) = person(visit)?;
    let now = app.clock.now();
    let (policy, seal, sessions) = app.db(move |s| Ok((Policy::read(s)?, s.seal()?, s.all_sessions(now)?))).await?;
    let mut f = Frame::new(app, visit, Nav::Settings, text(visit.language).login.installation);
    f.here = HERE.to_owned();
    let doors = app.login.providers.iter().map(|p| Door {
        label: p.settings().label.clone(),
        issuer: p.settings().issuer.clone(),
        groups: p.settings().groups.iter().map(|g| format!("{} → {}", g.group, g.role)).collect::<Vec<_>>().join(", "),
    });
    Ok(page(&InstallationPage { f, policy, seal, doors: doors.collect(), sessions, own_session, code }))
}

/// `GET /settings/installation`
pub(crate) async fn installation(State(app): State<App>, visit: Visit) -> Answer {
    show(&app, &visit, String::new()).await
}

/// The fields of the policy.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    second_factor: String,
    idle_minutes: u32,
    life_hours: u32,
}

/// `POST /settings/installation`
pub(crate) async fn save(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<Wanted>) -> Answer {
    let (me, _, _) = person(&visit)?;
    let second_factor = Needed::parse(&form.second_factor)
        .ok_or_else(|| Failure::invalid("second_factor: nobody, administrators or everybody"))?;
    if let Some(first) = proof::require(&app, &visit, HERE).await? {
        return Ok(first);
    }
    let after = Policy { second_factor, idle_minutes: form.idle_minutes, life_hours: form.life_hours }.bounded();
    let deed = deed(&app, &parts, Actor::person(&me.name), "login.policy").on("setting", policy::KEY);
    app.db(move |s| {
        let before = Policy::read(s)?;
        let number = |n: u32| n.to_string();
        let deed = deed
            .changed("second_factor", Some(before.second_factor.as_str()), Some(after.second_factor.as_str()))
            .changed("idle_minutes", Some(&number(before.idle_minutes)), Some(&number(after.idle_minutes)))
            .changed("life_hours", Some(&number(before.life_hours)), Some(&number(after.life_hours)));
        s.save_setting(policy::KEY, &after.to_json(), &deed)?;
        // Shorter limits hold for sessions that began under longer ones.
        s.shorten_sessions(after.idle(), after.life())
    })
    .await?;
    Ok(done(HERE, "saved"))
}

/// Characters of a sealed code: 160 random bits.
const SEAL_GROUPS: usize = 8;

/// A fresh sealed code: eight groups of four, from an alphabet in which no letter looks like another.
fn fresh_code() -> String {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ#";
    let mut out = String::new();
    while out.len() < SEAL_GROUPS * 5 {
        let letter = ALPHABET[usize::from(rand::random::<u8>() % 32)];
        // The alphabet has one sign too few: that one is drawn again.
        if letter != b'#' {
            out.push(char::from(letter));
        }
        if out.len() % 5 == 4 {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// `POST /settings/installation/seal`
pub(crate) async fn seal(State(app): State<App>, visit: Visit, parts: Parts) -> Answer {
    let (me, _, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, HERE).await? {
        return Ok(first);
    }
    let (code, now, language) = (fresh_code(), app.clock.now(), visit.language);
    let hash = sealed::hash(&code);
    let deed = deed(&app, &parts, Actor::person(&me.name), "login.seal.make").on("user", sealed::ACCOUNT);
    let by = me.name;
    app.db(move |s| {
        let account = match s.credentials(sealed::ACCOUNT)? {
            Some((user, _)) => user,
            None => s.create_user(
                &NewUser {
                    name: sealed::ACCOUNT.to_owned(),
                    role: Role::Administrator.as_str().to_owned(),
                    language,
                    password_hash: password::UNUSABLE.to_owned(),
                },
                now,
            )?,
        };
        s.renew_seal(&hash, account.id, &by, now, &deed)
    })
    .await?;
    show(&app, &visit, code).await
}

/// Names one session.
#[derive(Deserialize)]
pub(crate) struct OneSession {
    session: String,
    #[serde(default)]
    all: String,
}

/// `POST /settings/installation/sessions/end`
pub(crate) async fn end_session(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Form(form): Form<OneSession>,
) -> Result<Response, Failure> {
    let (me, _, _) = person(&visit)?;
    let (now, deed) = (app.clock.now(), deed(&app, &parts, Actor::person(&me.name), "session.end"));
    app.db(move |s| {
        let whose = s.all_sessions(now)?.into_iter().find(|(x, _)| x.token_hash == form.session).map(|(_, user)| user);
        let Some(user) = whose else { return Ok(()) };
        let deed = deed.on("user", &user.name);
        match form.all.as_str() {
            "yes" => s.end_other_sessions(user.id, "", &deed.saying("all")).map(|_| ()),
            _ => s.end_session_by(&form.session, &deed).map(|_| ()),
        }
    })
    .await?;
    Ok(done(HERE, "ended"))
}

/// `POST /settings/users/{id}/reset`: takes away codes and passkeys of somebody who lost them, and ends their sessions.
pub(crate) async fn reset(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Path(user): Path<i64>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    if user == id {
        return Err(Failure::refused(text(visit.language).login.reset_not_yourself));
    }
    if let Some(first) = proof::require(&app, &visit, "/settings").await? {
        return Ok(first);
    }
    let deed = deed(&app, &parts, Actor::person(&me.name), "login.reset");
    let found = app.db(move |s| match s.user(user)? {
        Some(known) => s.remove_second_factors(known.id, &deed.on("user", &known.name)).map(|()| true),
        None => Ok::<_, StateError>(false),
    });
    if found.await? { Ok(done("/settings", "saved")) } else { Err(Failure::not_found(user.to_string())) }
}
