//! Approvals: what waits, what was decided, one request with its answers. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use decide::access::Standing;
use kernel::Language;
use plan_model::ApprovalOf;
use serde::Deserialize;

use super::form::Form;
use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::approvals::{self, Read};
use crate::auth::proof;
use crate::limits::LIST_ROWS;
use crate::text::text;

/// How a request stands, as shown.
fn standing_view(standing: Standing, language: Language) -> StateView {
    let t = &text(language).people;
    let (class, word) = match standing {
        Standing::Waiting => ("wait", t.standing_waiting),
        Standing::Approved => ("up", t.standing_approved),
        Standing::Rejected => ("down", t.standing_rejected),
        Standing::Expired => ("blind", t.standing_expired),
    };
    StateView { class, word }
}

/// What a request is for, in words.
fn what_words(what: &str, language: Language) -> &'static str {
    let t = &text(language).people;
    match ApprovalOf::parse(what) {
        Some(ApprovalOf::Plan) => t.what_plan,
        Some(ApprovalOf::Administrator) => t.what_administrator,
        Some(ApprovalOf::Deployment) => t.what_deployment,
        None => "?",
    }
}

#[derive(Template)]
#[template(path = "approvals.html")]
struct ApprovalsPage {
    f: Frame,
    waiting: Vec<Read>,
    decided: Vec<Read>,
    /// Systems and environments in which this person may ask for a deployment.
    deployable: Vec<(String, String, String)>,
}

impl ApprovalsPage {
    fn view(&self, read: &Read) -> StateView {
        standing_view(read.standing, self.f.language)
    }

    fn what(&self, read: &Read) -> &'static str {
        what_words(&read.asked.what, self.f.language)
    }
}

/// `GET /approvals`
pub(crate) async fn approvals(State(app): State<App>, visit: Visit) -> Answer {
    let all = approvals::list(&app, &visit.access, false, LIST_ROWS).await?;
    let (waiting, decided) = all.into_iter().partition(|r| r.standing == Standing::Waiting);
    let f = Frame::new(&app, &visit, Nav::Approvals, text(visit.language).people.approvals_title);
    let rules = visit.seen(&app).systems(|s| {
        let of_kind = s.plan().approvals.iter().filter(|a| a.what == ApprovalOf::Deployment);
        let environments = of_kind.flat_map(|a| a.environments.iter().cloned());
        environments.map(|e| (s.name().to_owned(), s.label().to_owned(), e)).collect::<Vec<_>>()
    });
    let deployable = rules.into_iter().flatten().filter(|(system, _, e)| f.may_deploy(system, e)).collect();
    Ok(page(&ApprovalsPage { f, waiting, decided, deployable }))
}

#[derive(Template)]
#[template(path = "approval.html")]
struct ApprovalPage {
    f: Frame,
    read: Read,
    view: StateView,
    what: &'static str,
    /// Why this person may not answer; nothing when they may.
    why_not: Option<String>,
}

/// `GET /approvals/{id}`
pub(crate) async fn approval(State(app): State<App>, visit: Visit, Path(id): Path<i64>) -> Answer {
    let read = approvals::one(&app, id).await?.ok_or_else(|| Failure::not_found(id.to_string()))?;
    let what = what_words(&read.asked.what, visit.language);
    let f = Frame::new(&app, &visit, Nav::Approvals, what).about(&app, &read.asked.system);
    let why_not = read.may_answer(&visit).err();
    Ok(page(&ApprovalPage { view: standing_view(read.standing, visit.language), what, why_not, f, read }))
}

/// The fields of an answer.
#[derive(Deserialize)]
pub(crate) struct Answered {
    /// `yes` or `no`.
    answer: String,
    #[serde(default)]
    note: String,
}

/// `POST /approvals/{id}/answer`
pub(crate) async fn answer(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<Answered>,
) -> Result<Response, Failure> {
    let yes = match form.answer.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(Failure::invalid("answer: yes or no")),
    };
    if let Some(first) = proof::require(&app, &visit, &format!("/approvals/{id}")).await? {
        return Ok(first);
    }
    approvals::answer(&app, &visit, id, yes, &form.note).await?;
    Ok(done(&format!("/approvals/{id}"), "answered"))
}

/// The fields of a deployment that is asked for.
#[derive(Deserialize)]
pub(crate) struct Deployment {
    /// `system/environment`.
    place: String,
    subject: String,
    #[serde(default)]
    note: String,
}

/// `POST /approvals`
pub(crate) async fn ask(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<Deployment>,
) -> Result<Response, Failure> {
    let place = form.place.split_once('/').unwrap_or((&form.place, ""));
    let id = approvals::of_deployment(&app, &visit, place, (&form.subject, &form.note)).await?;
    Ok(done(&format!("/approvals/{id}"), "asked"))
}
