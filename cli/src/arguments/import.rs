//! Arguments of `farero import`. Pure.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Take in samples of files in OpenMetrics' text form, with a time beside every sample. What is there already is left out,
    /// so the same import may be repeated.
    Openmetrics(OpenMetrics),
    /// Take in blocks of Prometheus: its data folder, a snapshot, or single blocks.
    Prometheus(Prometheus),
    /// Dashboards of Grafana into dashboards of a plan, with a report of what was not taken.
    Grafana(Grafana),
}

#[derive(Debug, Args)]
pub(crate) struct OpenMetrics {
    /// Files; `-` reads the standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) to: To,
}

#[derive(Debug, Args)]
pub(crate) struct Prometheus {
    /// Folders.
    #[arg(value_name = "DIR", required = true)]
    pub(crate) folders: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) to: To,
}

#[derive(Debug, Args)]
pub(crate) struct Grafana {
    /// JSON files of dashboards, as Grafana exports them.
    #[arg(required = true, value_name = "FILE.json")]
    pub(crate) files: Vec<PathBuf>,
    /// Folder for the dashboards, a file each; they are printed when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// System whose plan they are for: without `--out` they go into `plans/SYSTEM/dashboards`.
    #[arg(long, value_name = "ID")]
    pub(crate) system: Option<String>,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write over files that are there.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where samples go, and with which labels.
#[derive(Debug, Args)]
pub(crate) struct To {
    /// Data folder of a Farero that does not run.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["url", "dry_run"])]
    pub(crate) data: Option<PathBuf>,
    /// Address of one that runs, or of any server that takes remote-write; samples older than its window are refused there.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub(crate) url: Option<String>,
    /// Token for that address.
    #[arg(long, env = "FARERO_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// A label that every series gets, such as `system=web`; may be given several times.
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// How often to say on standard error how far it is; every second where that is a terminal, 0s after each request. What is said to
    /// be done is on disk.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = super::metrics::duration)]
    pub(crate) progress: Duration,
    /// Only look whether everything can be read, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && name != "__name__" && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(format!("`{text}` is no label: write one such as system=web")),
    }
}
