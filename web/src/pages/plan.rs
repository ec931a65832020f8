//! The plan as loaded: findings underlined, what is inactive, what is open, versions, reload. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use plan_model::task::Mode;
use plan_syntax::{Diagnostic, Level, Style, render};
use state::PlanVersion as Stored;

use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::live::{PlanVersion, Reload};
use crate::text::text;

/// A finding with its text underlined.
pub(crate) struct Finding {
    pub(crate) class: &'static str,
    pub(crate) message: String,
    pub(crate) place: String,
    pub(crate) rendered: String,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    f: Frame,
    system: String,
    v: PlanVersion,
    findings: Vec<Finding>,
    reload: Option<Reload>,
    versions: Vec<Stored>,
    /// Whether all of it is shown; what quotes the plan's files is left out for whoever does not see all of it.
    whole: bool,
}

impl PlanPage {
    fn mode(&self, mode: &Mode) -> &'static str {
        let t = &self.f.t.manage;
        match mode {
            Mode::Automatic => t.mode_automatic,
            Mode::Manual => t.mode_manual,
            Mode::Both => t.mode_both,
        }
    }

    fn why(&self, item: &plan_model::Inactive) -> String {
        item.text(self.f.language)
    }

    fn label(&self) -> &str {
        self.v.plan.label.as_deref().unwrap_or(&self.system)
    }
}

/// The findings of a version, gravest first.
pub(crate) fn findings(version: &PlanVersion, language: kernel::Language) -> Vec<Finding> {
    let sources = &version.loaded.sources;
    let mut all: Vec<&Diagnostic> = version.loaded.diagnostics.iter().collect();
    all.sort_by_key(|d| d.level);
    let view = |d: &Diagnostic| Finding {
        class: match d.level {
            Level::Error => "down",
            Level::Warning => "slow",
            Level::Finding => "info",
        },
        message: d.message_in(language).into_owned(),
        place: format!("{}:{}:{}", d.place.file, d.place.line, d.place.column),
        rendered: render(std::slice::from_ref(d), sources, Style { color: false, language }).trim_end().to_owned(),
    };
    all.into_iter().map(view).collect()
}

/// `GET /plan`
pub(crate) async fn first(State(app): State<App>, visit: Visit) -> Answer {
    match visit.seen(&app).system_names().first() {
        Some((name, _)) => Ok(Redirect::to(&format!("/plan/{name}")).into_response()),
        None => super::overview::overview(State(app), visit).await,
    }
}

/// `GET /plan/{system}`
pub(crate) async fn plan(State(app): State<App>, visit: Visit, Path(system): Path<String>) -> Answer {
    let found = visit.seen(&app).system(&system, |s| (s.version.clone(), s.reload.clone()));
    let (v, reload) = found.ok_or_else(|| Failure::not_found(system.clone()))?;
    let wanted = system.clone();
    let versions = app.db(move |s| s.plans(&wanted)).await?;
    let query = format!("view=plan&system={system}");
    let f =
        Frame::new(&app, &visit, Nav::Plan, text(visit.language).manage.plan_title).about(&app, &system).live(query);
    let findings = findings(&v, visit.language);
    let whole = visit.seen(&app).sees_whole(&system);
    Ok(page(&PlanPage { f, system, v, findings, reload, versions, whole }))
}

/// Has all plans read again, told in the trail before it happens: what came of it is told by the plans themselves.
pub(crate) async fn ask_reload(app: &App, visit: &Visit) -> Result<(), Failure> {
    app.record(visit.deed(app.clock.now(), "plan.reload").on("plan", "*")).await?;
    Ok(app.control.reload().await?)
}

/// `POST /plan/{system}/reload`
pub(crate) async fn reload(
    State(app): State<App>,
    visit: Visit,
    Path(system): Path<String>,
) -> Result<Response, Failure> {
    ask_reload(&app, &visit).await?;
    Ok(done(&format!("/plan/{system}"), "reloaded"))
}
