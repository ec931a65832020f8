//! `farero import openmetrics`. I/O.

use std::process::ExitCode;

use anyhow::Result;
use run::import::openmetrics::Files;

use crate::arguments::import::OpenMetrics;
use crate::print::line;

pub(crate) fn run(arguments: &OpenMetrics) -> Result<ExitCode> {
    let survey = Files::open(&arguments.files, Vec::new())?.survey(&mut |_| {})?;
    for text in &survey.mistakes.texts {
        eprintln!("{text}");
    }
    line(&format!("{} samples", survey.samples))?;
    Ok(ExitCode::from(if survey.mistakes.count > 0 { crate::exit::NO } else { crate::exit::OK }))
}
