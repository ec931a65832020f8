//! A document of the plan with its signatures: who must sign it, who has, signing it, the signed copy (CKL-06). I/O: HTTP, state,
//! the loops.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use http::{HeaderValue, StatusCode, header};
use kernel::trail::Hash;
use plan_model::{Document, Plan};
use prove_trail::{DocumentSignature, SIGN_ACTION, SignedCopy, SignedDocument};
use serde::Deserialize;
use state::{NewSignature, Signature, TrailFilter};

use super::form::Form;
use super::frame::{Frame, Nav};
use super::security::password::is_own;
use super::settings::person;
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::limits::NOTE_LONGEST;
use crate::text::text;
use crate::trail_export::{Export, ExportError};

/// A signature that the document needs, and how far it has come.
pub(crate) struct Need {
    label: String,
    meaning: String,
    need: u32,
    have: u32,
}

impl Need {
    const fn is_met(&self) -> bool {
        self.have >= self.need
    }
}

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    f: Frame,
    system: String,
    path: String,
    document: String,
    sha256: String,
    needs: Vec<Need>,
    now: Vec<Signature>,
    earlier: Vec<Signature>,
    /// Roles in which this person may sign, name and label.
    mine: Vec<(String, String)>,
    may_sign: bool,
    note: String,
    error: &'static str,
}

/// A document of the plan in use.
fn find(app: &App, visit: &Visit, system: &str, path: &str) -> Result<(Document, std::sync::Arc<Plan>), Failure> {
    let found = visit.seen(app).system(system, |s| (s.version.loaded.clone(), s.version.plan.clone()));
    // A plan may name a runbook without its folder.
    let same = |p: &str| p == path || p.split_once('/').is_some_and(|(_, rest)| rest == path);
    let missing = || Failure::not_found(format!("{system}: {path}"));
    let (loaded, plan) = found.ok_or_else(missing)?;
    let document = loaded.documents.iter().find(|d| same(&d.path)).cloned().ok_or_else(missing)?;
    Ok((document, plan))
}

/// Whether an account is that of a person who fills a role of the plan.
fn fills(plan: &Plan, role: &str, account: &str) -> bool {
    plan.accounts_of(role).contains(&account)
}

fn label(plan: &Plan, role: &str) -> String {
    plan.roles.get(role).and_then(|r| r.label.clone()).unwrap_or_else(|| role.to_owned())
}

/// Who must sign a text, and how many have.
pub(crate) fn needs(plan: &Plan, path: &str, sha256: &str, signatures: &[Signature]) -> Vec<Need> {
    let have = |role: &str| signatures.iter().filter(|s| s.sha256 == sha256 && s.role == role).count();
    let need = |r: plan_model::Required<'_>| Need {
        label: label(plan, r.role),
        meaning: r.meaning.unwrap_or_default().to_owned(),
        need: r.need,
        have: u32::try_from(have(r.role)).unwrap_or(u32::MAX),
    };
    plan.required_signatures(path).into_iter().map(need).collect()
}

/// What somebody entered that could not be accepted, and why.
#[derive(Default)]
struct Refused {
    note: String,
    error: &'static str,
}

async fn show(app: &App, visit: &Visit, system: String, path: &str, refused: Refused) -> Answer {
    let (document, plan) = find(app, visit, &system, path)?;
    let (of, at) = (system.clone(), document.path.clone());
    let signatures = app.db(move |s| s.signatures(&of, &at)).await?;
    let sha256 = Hash::of(document.text.as_bytes()).to_string();
    let needs = needs(&plan, &document.path, &sha256, &signatures);
    let (now, earlier): (Vec<_>, Vec<_>) = signatures.into_iter().partition(|s| s.sha256 == sha256);
    let f = Frame::new(app, visit, Nav::Plan, document.title.clone()).about(app, &system);
    let account = person(visit).map(|(me, _, _)| me.name).unwrap_or_default();
    let mine: Vec<_> =
        plan.roles.keys().filter(|role| fills(&plan, role, &account)).map(|r| (r.clone(), label(&plan, r))).collect();
    let may_sign = f.may_sign(&system, &document.path);
    let failed = !refused.error.is_empty();
    let mut answer = page(&DocumentPage {
        f,
        path: document.path.clone(),
        document: document.text,
        system,
        sha256,
        needs,
        now,
        earlier,
        mine,
        may_sign,
        note: refused.note,
        error: refused.error,
    });
    if failed {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// `GET /plan/{system}/documents/{*path}`
pub(crate) async fn document(
    State(app): State<App>,
    visit: Visit,
    Path((system, path)): Path<(String, String)>,
) -> Answer {
    show(&app, &visit, system, &path, Refused::default()).await
}

/// The fields of a signature.
#[derive(Deserialize)]
pub(crate) struct Signing {
    role: String,
    /// SHA-256 of the text that the page showed.
    sha256: String,
    password: String,
    #[serde(default)]
    note: String,
}

/// `POST /plan/{system}/sign/{*path}`
pub(crate) async fn sign(
    State(app): State<App>,
    visit: Visit,
    Path((system, path)): Path<(String, String)>,
    parts: http::request::Parts,
    Form(form): Form<Signing>,
) -> Answer {
    let t = text(visit.language);
    let (me, _, _) = person(&visit)?;
    let (document, plan) = find(&app, &visit, &system, &path)?;
    let note: String = form.note.trim().chars().take(NOTE_LONGEST).collect();
    let told = visit
        .deed(app.clock.now(), SIGN_ACTION)
        .on("document", &document.path)
        .in_system(&system)
        .set("role", &form.role)
        .set("sha256", &form.sha256)
        .set("title", &document.title);
    let back = |error| Refused { note: note.clone(), error };
    if !fills(&plan, &form.role, &me.name) {
        app.refused(told.refused(format!("{} does not fill the role {}", me.name, form.role))).await?;
        return show(&app, &visit, system, &path, back(t.trail.sign_no_role)).await;
    }
    if Hash::of(document.text.as_bytes()).to_string() != form.sha256 {
        return show(&app, &visit, system, &path, back(t.trail.sign_changed)).await;
    }
    if !is_own(&app, &visit, &parts, form.password).await? {
        app.refused(told.refused("the password, asked again, was wrong")).await?;
        return show(&app, &visit, system, &path, back(t.auth.wrong)).await;
    }
    let new = NewSignature {
        system: system.clone(),
        path: document.path.clone(),
        title: document.title,
        text: document.text,
        role: form.role,
        person: me.name,
        at: told.at,
        note: note.clone(),
    };
    let told = told.saying(&note);
    match app.db(move |s| s.sign_document(&new, &told)).await? {
        Some(_) => Ok(done(&format!("/plan/{system}/documents/{}", document.path), "signed")),
        None => show(&app, &visit, system, &path, back(t.trail.sign_already)).await,
    }
}

/// Which text of a document is meant.
#[derive(Deserialize)]
pub(crate) struct Which {
    sha256: String,
}

/// `GET /plan/{system}/signed/{*path}`: the signed copy, to keep somewhere else.
pub(crate) async fn signed_copy(
    State(app): State<App>,
    Path((system, path)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Answer {
    let key = app.control.checkpoint().await?;
    let export = Export { filter: TrailFilter::default(), key, made_at: app.clock.now() };
    let wanted = path.clone();
    let made = app.db(move |s| Ok(make_copy(s, &export, &system, &wanted, &which.sha256))).await?;
    let made = made.map_err(|e| Failure::internal("make the signed copy", e))?;
    let copy = made.ok_or_else(|| Failure::not_found(path.clone()))?;
    let mut answer = copy.write().into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let file = path.rsplit('/').next().unwrap_or_default();
    let plain: String = file.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}.signed.json\"")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}

/// The signed copy of a text; `None` when nobody signed it.
fn make_copy(
    state: &state::State,
    export: &Export,
    system: &str,
    path: &str,
    sha256: &str,
) -> Result<Option<SignedCopy>, ExportError> {
    let mut signatures = state.signatures(system, path)?;
    signatures.retain(|s| s.sha256 == sha256);
    signatures.reverse();
    let (Some(first), Some(text), Some(hash)) = (signatures.first(), state.signed_text(sha256)?, Hash::parse(sha256))
    else {
        return Ok(None);
    };
    let document = SignedDocument {
        system: system.to_owned(),
        path: path.to_owned(),
        title: first.title.clone(),
        sha256: hash,
        text,
    };
    let mut excerpts = Vec::new();
    for signature in &signatures {
        let written = export.write_one(state, signature.sequence, Vec::new())?;
        excerpts.push(String::from_utf8_lossy(&written).into_owned());
    }
    let told = |s: Signature| DocumentSignature {
        person: s.person,
        role: s.role,
        at: s.at,
        note: s.note,
        sequence: s.sequence,
    };
    Ok(Some(SignedCopy::new(document, signatures.into_iter().map(told).collect(), &excerpts)))
}
