//! Arguments of `farero import`. Pure.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Look whether files in OpenMetrics' text form, with a time beside every sample, can be taken in.
    Openmetrics(OpenMetrics),
}

#[derive(Debug, Args)]
pub(crate) struct OpenMetrics {
    /// Files; `-` reads the standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}
