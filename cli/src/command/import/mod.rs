//! `farero import`: what other programs kept. I/O.

mod openmetrics;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::import::{Import, What};

pub(crate) fn run(arguments: &Import) -> Result<ExitCode> {
    match &arguments.what {
        What::Openmetrics(files) => openmetrics::run(files),
    }
}
