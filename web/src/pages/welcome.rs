//! The first-run assistant: time zone and language, the first channel with a test message, the first check. Every step can be
//! left out and done later. I/O: HTTP, state.

pub(crate) mod channel;
pub(crate) mod check;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use kernel::trail::{Actor, Deed};
use plan_model::starter::Answers;
use serde::Deserialize;

use super::form::Form;
use super::frame::{Frame, Nav};
use super::settings::person;
use super::visit::{Visit, language_of};
use super::{Answer, page};
use crate::answer::Failure;
use crate::app::App;
use crate::control::{ControlError, Starter};
use crate::text::text;

/// Where the answers stand among the settings.
const KEY: &str = "welcome.answers";

/// The steps in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Place,
    Channel,
    Check,
    Done,
}

impl Step {
    const ALL: [Self; 4] = [Self::Place, Self::Channel, Self::Check, Self::Done];

    const fn path(self) -> &'static str {
        match self {
            Self::Place => "/welcome/place",
            Self::Channel => "/welcome/channel",
            Self::Check => "/welcome/check",
            Self::Done => "/welcome/done",
        }
    }
}

/// What every step's page shows around its form.
pub(crate) struct Steps {
    now: Step,
    labels: [&'static str; 4],
}

impl Steps {
    pub(crate) fn at(now: Step, visit: &Visit) -> Self {
        let t = &text(visit.language).welcome;
        Self { now, labels: [t.step_place, t.step_channel, t.step_check, t.step_done] }
    }

    /// Each step: its number, label, address, and whether it is over or this one.
    pub(crate) fn all(&self) -> Vec<(usize, &'static str, &'static str, bool, bool)> {
        let with_labels = Step::ALL.into_iter().zip(self.labels).enumerate();
        with_labels.map(|(i, (step, label))| (i + 1, label, step.path(), step < self.now, step == self.now)).collect()
    }
}

/// What the assistant was told so far.
pub(crate) async fn answers(app: &App, visit: &Visit) -> Result<Answers, Failure> {
    let stored = app.db(|s| s.setting(KEY)).await?;
    let found: Option<Answers> = stored.and_then(|text| serde_json::from_str(&text).ok());
    Ok(found.unwrap_or_else(|| Answers { language: visit.language, ..Answers::default() }))
}

/// Writes the plan from the answers and keeps them.
pub(crate) async fn write(
    app: &App,
    visit: &Visit,
    answers: &Answers,
    secrets: &[(String, kernel::secret::Secret)],
) -> Result<Result<(), String>, Failure> {
    let (me, _, _) = person(visit)?;
    match app.control.write_starter(answers, secrets).await {
        Ok(()) => {}
        Err(ControlError::Failed(why)) => return Ok(Err(why)),
        Err(error) => return Err(error.into()),
    }
    let kept = serde_json::to_string(answers).map_err(|e| Failure::internal("keep the answers", e))?;
    let deed = Deed::new(app.clock.now(), Actor::person(&me.name), "plan.write").on("plan", "assistant");
    app.db(move |s| s.save_setting(KEY, &kept, &deed)).await?;
    Ok(Ok(()))
}

/// What the assistant writes into; without such a thing there is nothing to assist with.
pub(crate) fn starter(app: &App) -> Option<Starter> {
    app.control.starter()
}

#[derive(Template)]
#[template(path = "welcome_place.html")]
struct PlacePage {
    f: Frame,
    steps: Steps,
    starter: Option<Starter>,
    answers: Answers,
    zones: Vec<String>,
    error: String,
}

async fn show(app: &App, visit: &Visit, answers: Answers, error: String) -> Answer {
    let f = Frame::new(app, visit, Nav::None, text(visit.language).welcome.title).bare();
    let zones = jiff::tz::db().available().map(|z| z.to_string()).filter(|z| z.contains('/') || z == "UTC").collect();
    let failed = !error.is_empty();
    let steps = Steps::at(Step::Place, visit);
    let mut answer = page(&PlacePage { f, steps, starter: starter(app), answers, zones, error });
    if failed {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// `GET /welcome`
pub(crate) async fn begin() -> Response {
    Redirect::to(Step::Place.path()).into_response()
}

/// `GET /welcome/place`
pub(crate) async fn place(State(app): State<App>, visit: Visit) -> Answer {
    let answers = answers(&app, &visit).await?;
    show(&app, &visit, answers, String::new()).await
}

/// The fields of the first step.
#[derive(Deserialize)]
pub(crate) struct Placed {
    label: String,
    timezone: String,
    language: String,
}

/// `POST /welcome/place`
pub(crate) async fn set_place(State(app): State<App>, visit: Visit, Form(form): Form<Placed>) -> Answer {
    let mut answers = answers(&app, &visit).await?;
    answers.label = form.label.trim().chars().filter(|c| !c.is_control()).take(60).collect();
    answers.timezone = form.timezone.trim().to_owned();
    answers.language = language_of(&form.language).unwrap_or(visit.language);
    if jiff::tz::TimeZone::get(&answers.timezone).is_err() {
        let error = text(visit.language).welcome.zone_unknown.to_owned();
        return show(&app, &visit, answers, error).await;
    }
    match write(&app, &visit, &answers, &[]).await? {
        Ok(()) => Ok(Redirect::to(Step::Channel.path()).into_response()),
        Err(why) => show(&app, &visit, answers, why).await,
    }
}
