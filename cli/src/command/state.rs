//! `farero state`: backup, restore, verify and move of Farero's own data. I/O.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use kernel::Clock;
use serde_json::json;
use state::backup::{self, Manifest};
use state::{StateError, StateLocation};

use crate::arguments::{State, StateAction};

pub(crate) fn run(arguments: &State) -> Result<ExitCode> {
    let now = run::SystemClock.now();
    match &arguments.action {
        StateAction::Backup { file, data, state, json } => {
            let from = run::place::state_location(data, state.as_deref(), &sources())?;
            tell(backup::backup(&from, file, now), *json, "backed up", &file.display().to_string())
        }
        StateAction::Verify { file, json } => {
            tell(backup::verify(file), *json, "verified", &file.display().to_string())
        }
        StateAction::Restore { file, to, json } => {
            let to = place(to)?;
            tell(backup::restore(file, &to), *json, "restored", &to.to_string())
        }
        StateAction::Move { from, to, json } => {
            let to = place(to)?;
            if let StateLocation::Folder(_) = to {
                bail!("--to must be a postgres:// URL; a folder is copied by `farero state backup` and `restore`");
            }
            tell(backup::move_to(from, &to, now), *json, "moved", &to.to_string())
        }
    }
}

fn place(written: &str) -> Result<StateLocation> {
    run::place::state_location(Path::new(written), Some(written), &sources())
}

/// Says what was done; a copy that is not what it should be is the answer "no".
fn tell(done: Result<Manifest, StateError>, as_json: bool, verb: &str, place: &str) -> Result<ExitCode> {
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
        let all = json!({ "outcome": outcome, "place": place, "problem": problem, "manifest": manifest });
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
    if let Some(problem) = problem {
        crate::print::line(&problem)?;
    }
    Ok(ExitCode::from(code))
}

/// Where the references in a URL may come from, as the environment says.
fn sources() -> secrets::Sources {
    secrets::Sources::new(secrets::Settings::of_environment())
}
