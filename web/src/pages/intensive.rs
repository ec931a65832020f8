//! Switching intensive watch on and off (CHK-16). I/O: HTTP, the loops.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::done;
use super::form::Form;
use super::visit::Visit;
use crate::answer::Failure;
use crate::app::App;

/// How long it may be switched on for: launch day and the week after is the longest any plan asks for; a month is room.
pub(crate) const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// The fields of the switch.
#[derive(Deserialize)]
pub(crate) struct Switch {
    #[serde(default)]
    component: String,
    /// Minutes from now; 0 ends it.
    minutes: u64,
}

/// Switches it; 0 minutes end it.
pub(crate) async fn set(
    app: &App,
    visit: &Visit,
    system: &str,
    component: Option<&str>,
    minutes: u64,
) -> Result<(), Failure> {
    // What is restricted to others is no component for this person.
    let there = visit.seen(app).system(system, |s| component.is_none_or(|c| s.component(c).is_some()));
    if there != Some(true) {
        return Err(Failure::not_found(component.map_or_else(|| system.to_owned(), |c| format!("{system}/{c}"))));
    }
    let time = Duration::from_secs(minutes.saturating_mul(60));
    if time > LONGEST {
        return Err(Failure::invalid(format!("at most {} minutes", LONGEST.as_secs() / 60)));
    }
    let until = (minutes > 0).then(|| app.clock.now() + time);
    let deed = visit.deed(app.clock.now(), "intensive.set").on("component", component.unwrap_or("*"));
    let until_text = until.map_or_else(|| "off".to_owned(), |at| at.to_string());
    let deed = deed.in_system(system).set("until", until_text);
    Ok(app.control.set_intensive(system, component, until, &visit.by(), &deed).await?)
}

/// `POST /s/{system}/intensive`
pub(crate) async fn switch(
    State(app): State<App>,
    visit: Visit,
    Path(system): Path<String>,
    Form(form): Form<Switch>,
) -> Result<Response, Failure> {
    let component = Some(form.component.as_str()).filter(|c| !c.is_empty());
    set(&app, &visit, &system, component, form.minutes).await?;
    Ok(done(&format!("/s/{system}"), "intensive"))
}
