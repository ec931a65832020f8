//! `farero import`: what other programs kept. I/O.

mod grafana;
mod samples;

use std::process::ExitCode;

use anyhow::Result;
use kernel::Language;

use crate::arguments::import::{Import, What};

pub(crate) fn run(arguments: &Import, language: Language) -> Result<ExitCode> {
    match &arguments.what {
        What::Openmetrics(files) => samples::files(files),
        What::Prometheus(folders) => samples::blocks(folders),
        What::Grafana(dashboards) => grafana::dashboards(dashboards, language),
    }
}
