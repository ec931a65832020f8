//! `farero state`: backup, restore, verify and move of Farero's own data. I/O.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use kernel::Clock;
use kernel::trail::{Actor, Deed};
use serde_json::json;
use state::backup::{self, Manifest};
use state::{StateError, StateLocation};

use crate::arguments::{State, StateAction};
use crate::local::Running;

pub(crate) fn run(arguments: &State) -> Result<ExitCode> {
    let now = run::SystemClock.now();
    match &arguments.action {
        StateAction::Backup { file, data, state, json } => {
            let from = run::place::state_location(data, state.as_deref(), &sources())?;
            let done = backup::backup(&from, file, now);
            let told = done.as_ref().ok().map(|made| {
                // The whole path, so that the trail says where it lies.
                let whole = std::path::absolute(file).unwrap_or_else(|_| file.clone()).display().to_string();
                match record(&from, "state.backup", &whole, made) {
                    Err(StateError::InUse { .. }) => ask_to_record(data, &whole, made),
                    other => Ok(other?),
                }
            });
            tell(done, told, *json, "backed up", &file.display().to_string())
        }
        StateAction::Verify { file, json } => {
            tell(backup::verify(file), None, *json, "verified", &file.display().to_string())
        }
        StateAction::Restore { file, to, json } => {
            let to = place(to)?;
            let done = backup::restore(file, &to);
            let source = file.display().to_string();
            let told = done.as_ref().ok().map(|made| Ok(record(&to, "state.restore", &source, made)?));
            tell(done, told, *json, "restored", &to.to_string())
        }
        StateAction::Move { from, to, json } => {
            let to = place(to)?;
            if let StateLocation::Folder(_) = to {
                bail!("--to must be a postgres:// URL; a folder is copied by `farero state backup` and `restore`");
            }
            let done = backup::move_to(from, &to, now);
            let source = from.display().to_string();
            let told = done.as_ref().ok().map(|made| Ok(record(&to, "state.move", &source, made)?));
            tell(done, told, *json, "moved", &to.to_string())
        }
    }
}

/// Tells the trail of a database that no Farero runs on.
fn record(on: &StateLocation, action: &str, place: &str, made: &Manifest) -> Result<(), StateError> {
    let by = Actor::Local { name: run::own_user() };
    let deed = Deed::new(run::SystemClock.now(), by, action).on("backup", place).set("rows", made.rows().to_string());
    state::State::open_at(on)?.record(&deed)
}

/// Has the running Farero tell its trail: it alone writes to its database.
fn ask_to_record(data: &Path, place: &str, made: &Manifest) -> Result<()> {
    let body = json!({ "place": place, "rows": made.rows() });
    let running = Running::Socket(data.join("farero.sock"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(running.tell("/api/farero/v1/backups", &body)).map(|_| ())
}

fn place(written: &str) -> Result<StateLocation> {
    run::place::state_location(Path::new(written), Some(written), &sources())
}

/// Says what was done; a copy that is not what it should be is the answer "no".
fn tell(
    done: Result<Manifest, StateError>,
    told: Option<Result<()>>,
    as_json: bool,
    verb: &str,
    place: &str,
) -> Result<ExitCode> {
    // What was done stays done; whoever did it should know that the trail does not.
    let untold = told.and_then(Result::err).map(|error| format!("the audit trail could not be told of it: {error:#}"));
    let (code, problem, manifest) = match done {
        Ok(manifest) => {
            let code = if manifest.trail_problem.is_some() { crate::exit::NO } else { crate::exit::OK };
            (code, manifest.trail_problem.clone(), Some(manifest))
        }
        Err(error @ StateError::Damaged { .. }) => (crate::exit::NO, Some(error.to_string()), None),
        Err(error) => return Err(error.into()),
    };
    if as_json {
        let outcome = if manifest.is_some() { verb } else { "damaged" };
        let all =
            json!({ "outcome": outcome, "place": place, "problem": problem, "untold": untold, "manifest": manifest });
        crate::print::line(&serde_json::to_string_pretty(&all)?)?;
        return Ok(ExitCode::from(code));
    }
    if let Some(manifest) = manifest {
        for table in manifest.tables.iter().filter(|t| t.rows > 0) {
            crate::print::line(&format!("{:>10}  {}", table.rows, table.name))?;
        }
        let (rows, tables) = (manifest.rows(), manifest.tables.len());
        crate::print::line(&format!("{place}: {verb}, {rows} rows of {tables} tables, each with its hash"))?;
    }
    for line in problem.iter().chain(&untold) {
        crate::print::line(line)?;
    }
    Ok(ExitCode::from(code))
}

/// Where the references in a URL may come from, as the environment says.
fn sources() -> secrets::Sources {
    secrets::Sources::new(secrets::Settings::of_environment())
}
