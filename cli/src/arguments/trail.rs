//! What can be said about the audit trail. Pure.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Trail {
    #[command(subcommand)]
    pub(crate) action: TrailAction,
}

/// Where Farero keeps its things.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The data folder of Farero, which may run.
    #[arg(long, env = "FARERO_DATA", default_value = "farero-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Its database, when that is not in the folder: `postgres://…`, may be a reference.
    #[arg(long, env = "FARERO_STATE", value_name = "URL", hide_env_values = true)]
    pub(crate) state: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrailAction {
    /// Verify the whole trail, or an export or signed document that somebody gave you: every problem is named.
    Verify {
        /// A file: an export (JSON Lines or CSV), or the signed copy of a document. Without it the trail in the data folder.
        file: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
        /// A public key that you trust; may be given several times. Signatures by others are then a problem.
        #[arg(long = "key", value_name = "HEX")]
        keys: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Export the trail or a part of it. A part as JSON Lines keeps the hashes of what it leaves out, so that it verifies too.
    Export {
        #[command(flatten)]
        place: Place,
        /// JSON Lines can be verified; CSV is for spreadsheets.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: ExportFormat,
        /// The file to write; it must not exist. The standard output when left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        filter: TrailFilter,
    },
    /// Print the public key that verifies the trail. Note it somewhere else.
    Key {
        #[command(flatten)]
        place: Place,
        /// As PEM, for other programs.
        #[arg(long)]
        pem: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The form of an export.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// JSON Lines.
    Jsonl,
    /// CSV.
    Csv,
}

/// Which entries; what is left out does not limit.
#[derive(Debug, Args)]
pub(crate) struct TrailFilter {
    /// Account, part of Farero, or user of the machine.
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// Name or number of the thing it was done to.
    #[arg(long)]
    pub(crate) object: Option<String>,
    /// System of the plan.
    #[arg(long)]
    pub(crate) system: Option<String>,
    /// `alert.acknowledge`, or all of a kind with a dot at the end: `alert.`
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// done, refused or failed.
    #[arg(long)]
    pub(crate) outcome: Option<String>,
    /// Number of the incident, change or request.
    #[arg(long, value_name = "ID")]
    pub(crate) business_id: Option<String>,
    /// Not before this day (UTC) or time.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Before this day (UTC) or time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// A text in any part.
    #[arg(long)]
    pub(crate) text: Option<String>,
}
