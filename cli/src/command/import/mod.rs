//! `farero import`: what other programs kept. I/O.

mod samples;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::import::{Import, What};

pub(crate) fn run(arguments: &Import) -> Result<ExitCode> {
    match &arguments.what {
        What::Openmetrics(files) => samples::files(files),
        What::Prometheus(folders) => samples::blocks(folders),
    }
}
