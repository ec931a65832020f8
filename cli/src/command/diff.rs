//! `farero diff A B`: what is different between two versions of a plan. I/O.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use kernel::{Clock, Language};
use run::plans::{Checked, check_folder};

use crate::arguments::Diff;

pub(crate) fn run(arguments: &Diff, language: Language) -> Result<ExitCode> {
    let read = |folder: &std::path::Path| -> Result<Checked> {
        let checked = check_folder(folder, arguments.environment.as_deref(), run::SystemClock.now())?;
        ensure!(checked.read.is_some(), "{0} has errors; see: farero check {0}", folder.display());
        Ok(checked)
    };
    let (before, after) = (read(&arguments.before)?, read(&arguments.after)?);
    let changes = plan_model::diff(&before.loaded, &after.loaded);
    if arguments.json {
        crate::print::line(&serde_json::to_string_pretty(&changes)?)?;
    } else {
        for change in &changes {
            crate::print::line(&change.text(language))?;
        }
    }
    Ok(ExitCode::from(if changes.is_empty() { crate::exit::OK } else { crate::exit::NO }))
}
