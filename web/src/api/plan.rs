//! The plan in use with its findings, rules, and reloading. I/O: HTTP, the loops.

use axum::extract::{Path, State};
use kernel::Timestamp;
use plan_model::{Inactive, OpenParameter};
use plan_syntax::Diagnostic;
use serde::Serialize;
use utoipa::ToSchema;

use super::status::Done;
use super::{Answer, Json};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::pages::visit::Visit;

/// A plan as it was loaded.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlanView {
    system: String,
    version: Option<String>,
    hash: String,
    environment: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    loaded_at: Timestamp,
    /// Whether parts of the system are kept from whoever asks: then what quotes the plan's files is left out.
    partial: bool,
    /// Errors, warnings and findings with their places.
    #[schema(value_type = Vec<Object>)]
    diagnostics: Vec<Diagnostic>,
    /// Items that do not count yet, each with its reason.
    #[schema(value_type = Vec<Object>)]
    inactive: Vec<Inactive>,
    /// Parameters without a value.
    #[schema(value_type = Vec<Object>)]
    open_parameters: Vec<OpenParameter>,
    /// Whether the last reload was accepted; none before the first.
    reload_accepted: Option<bool>,
    /// Errors of a refused reload, in English.
    reload_errors: Vec<String>,
}

/// The plan in use.
#[utoipa::path(get, path = "/api/farero/v1/systems/{system}/plan", tag = "plan", params(("system" = String, Path)),
    responses((status = 200, body = PlanView), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn plan(State(app): State<App>, access: Access, Path(name): Path<String>) -> Answer<PlanView> {
    let seen = access.seen(&app);
    let partial = !seen.sees_whole(&name);
    let found = seen.system(&name, |s| {
        let v = &s.version;
        PlanView {
            system: s.name().to_owned(),
            version: v.plan.version.clone(),
            hash: v.hash.clone(),
            environment: v.loaded.environment.clone(),
            loaded_at: v.loaded_at,
            partial,
            diagnostics: v.loaded.diagnostics.clone(),
            inactive: v.loaded.inactive.clone(),
            open_parameters: v.loaded.open_parameters.clone(),
            reload_accepted: s.reload.as_ref().map(|r| r.accepted),
            reload_errors: s
                .reload
                .as_ref()
                .map(|r| r.errors.iter().map(|e| e.en.clone()).collect())
                .unwrap_or_default(),
        }
    });
    found.map(Json).ok_or_else(|| Failure::not_found(name))
}

/// Reads all plans' folders again, at once.
#[utoipa::path(post, path = "/api/farero/v1/reload", tag = "plan", responses((status = 200, body = Done)))]
pub(crate) async fn reload(State(app): State<App>, visit: Visit) -> Answer<Done> {
    crate::pages::plan::ask_reload(&app, &visit).await?;
    Ok(Json(Done::yes("read again; see each system's plan for what became of it")))
}
