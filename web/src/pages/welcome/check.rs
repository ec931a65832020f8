//! The assistant's third step: one address, asked at once; and the end. I/O: HTTP, state.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use kernel::probe::CheckId;
use plan_model::starter::{FirstCheck, name_of};
use serde::Deserialize;

use super::{Step, Steps, answers, starter, write};
use crate::answer::Failure;
use crate::app::App;
use crate::control::{ControlError, Starter};
use crate::pages::form::Form;
use crate::pages::frame::{Frame, Nav};
use crate::pages::view::StateView;
use crate::pages::visit::Visit;
use crate::pages::{Answer, page};
use crate::text::text;

#[derive(Template)]
#[template(path = "welcome_check.html")]
struct CheckPage {
    f: Frame,
    steps: Steps,
    starter: Option<Starter>,
    label: String,
    address: String,
    error: String,
}

fn show(app: &App, visit: &Visit, label: &str, address: &str, error: String) -> Answer {
    let f = Frame::new(app, visit, Nav::None, text(visit.language).welcome.title).bare();
    let failed = !error.is_empty();
    let steps = Steps::at(Step::Check, visit);
    let (label, address) = (label.to_owned(), address.to_owned());
    let mut answer = page(&CheckPage { f, steps, starter: starter(app), label, address, error });
    if failed {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// `GET /welcome/check`
pub(crate) async fn check(State(app): State<App>, visit: Visit) -> Answer {
    show(&app, &visit, "", "", String::new())
}

/// The fields of the third step.
#[derive(Deserialize)]
pub(crate) struct Watched {
    #[serde(default)]
    label: String,
    address: String,
}

/// `POST /welcome/check`
pub(crate) async fn set_check(State(app): State<App>, visit: Visit, Form(form): Form<Watched>) -> Answer {
    let t = &text(visit.language).welcome;
    let address = form.address.trim().to_owned();
    let named: String = form.label.trim().chars().filter(|c| !c.is_control()).take(60).collect();
    let host = address.split("://").last().unwrap_or_default().split(['/', ':', '?']).next().unwrap_or_default();
    let label = if named.is_empty() { host.to_owned() } else { named };
    let first = FirstCheck { label, address };
    if first.kind().is_none() {
        return show(&app, &visit, &form.label, &form.address, t.address_unknown.to_owned());
    }
    let mut answers = answers(&app, &visit).await?;
    let component = name_of(&first.label, "primero");
    answers.check = Some(first);
    if let Err(why) = write(&app, &visit, &answers, &[]).await? {
        return show(&app, &visit, &form.label, &form.address, why);
    }
    let Some(starter) = starter(&app) else { return Err(Failure::refused(t.no_folder)) };
    let id = CheckId::new(&starter.system, &component, "check");
    // What it found stands on the next page; that it could not be asked yet is no reason to stay here.
    match app.control.check_now(&id).await {
        Ok(()) | Err(ControlError::Unknown { .. }) => {
            wait_for_result(&app, &id).await;
            Ok(Redirect::to(Step::Done.path()).into_response())
        }
        Err(ControlError::Failed(why)) => show(&app, &visit, &form.label, &form.address, why),
    }
}

/// A result passes through the stores before pages show it: a moment, at most this many looks.
const LOOKS: usize = 40;

async fn wait_for_result(app: &App, id: &CheckId) {
    for _ in 0..LOOKS {
        if app.live.check(id, |_, c| c.at().is_some()).unwrap_or(false) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[derive(Template)]
#[template(path = "welcome_done.html")]
struct DonePage {
    f: Frame,
    steps: Steps,
    starter: Option<Starter>,
    /// The first check's label and state, where there is one.
    found: Option<(String, StateView, String)>,
    has_channel: bool,
}

/// `GET /welcome/done`
pub(crate) async fn finished(State(app): State<App>, visit: Visit) -> Answer {
    let answers = answers(&app, &visit).await?;
    let starter = starter(&app);
    let found = answers.check.as_ref().zip(starter.as_ref()).and_then(|(check, starter)| {
        let component = name_of(&check.label, "primero");
        let id = CheckId::new(&starter.system, &component, "check");
        let last = app.live.check(&id, |_, c| c.last.clone()).flatten()?;
        let why = last.evidence.error.clone().unwrap_or_default();
        Some((check.label.clone(), StateView::of(last.outcome, visit.language), why))
    });
    let f = Frame::new(&app, &visit, Nav::None, text(visit.language).welcome.title).bare();
    let has_channel = answers.channel.is_some();
    Ok(page(&DonePage { f, steps: Steps::at(Step::Done, &visit), starter, found, has_channel }))
}
