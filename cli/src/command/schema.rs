//! `farero schema`: the JSON Schema of plan files. I/O.

use std::process::ExitCode;

use anyhow::Result;

pub(crate) fn run() -> Result<ExitCode> {
    crate::print::line(&serde_json::to_string_pretty(&plan_model::schema())?)?;
    Ok(ExitCode::from(crate::exit::OK))
}
