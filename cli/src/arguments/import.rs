//! What can be said to `farero import`. Pure.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    pub(crate) source: Source,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Dashboards of Grafana into dashboards of a plan, with a report of what was not taken.
    Grafana {
        /// JSON files of dashboards, as Grafana exports them.
        #[arg(required = true, value_name = "FILE.json")]
        files: Vec<PathBuf>,
        /// Folder for the dashboards, a file each; they are printed when left out.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// System whose plan they are for: without `--out` they go into `plans/SYSTEM/dashboards`.
        #[arg(long, value_name = "ID")]
        system: Option<String>,
        /// Write the report as JSON to this file.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Write over files that are there.
        #[arg(long)]
        force: bool,
    },
}
