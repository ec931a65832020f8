//! What the command line did to Farero's own data while Farero runs: told to the trail by the one who writes it. I/O: HTTP, state.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::status::Done;
use super::{Answer, Json};
use crate::answer::Failure;
use crate::app::App;
use crate::pages::visit::Visit;

/// Longest path.
const LONGEST_PLACE: usize = 4_096;

/// A backup that was made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct BackupMade {
    /// Where it lies.
    place: String,
    /// Rows of all tables in it.
    rows: u64,
}

/// Tells the audit trail that a backup of Farero's own data was made; `farero state backup` does so.
#[utoipa::path(post, path = "/api/farero/v1/backups", tag = "trail", request_body = BackupMade,
    responses((status = 200, body = Done), (status = 400, body = crate::answer::Problem)))]
pub(crate) async fn made(State(app): State<App>, visit: Visit, Json(made): Json<BackupMade>) -> Answer<Done> {
    if made.place.trim().is_empty() || made.place.len() > LONGEST_PLACE {
        return Err(Failure::invalid("`place` is the path of the backup"));
    }
    let deed = visit.deed(app.clock.now(), "state.backup").on("backup", &made.place);
    app.record(deed.set("rows", made.rows.to_string())).await?;
    Ok(Json(Done::yes("told")))
}
