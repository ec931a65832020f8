//! Arguments of `farero query`. Pure.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 there is an answer, be it empty; 1 the question was refused; 2 it could not be asked."
)]
pub(crate) struct Query {
    /// The question, in PromQL.
    #[arg(value_name = "EXPR")]
    pub(crate) expr: String,
    /// When: RFC 3339, seconds since the epoch, or `-1h` for an hour ago; now when left out.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "start")]
    pub(crate) time: Option<String>,
    /// Ask over a range, from here on; times as with --time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,
    /// The end of the range; now when left out.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "start")]
    pub(crate) end: Option<String>,
    /// The distance of the times in the range: a duration or seconds.
    #[arg(long, value_name = "DURATION", default_value = "1m", requires = "start")]
    pub(crate) step: String,
    /// How to print the answer.
    #[arg(long, value_name = "table|json|csv", default_value = "table", hide_possible_values = true)]
    pub(crate) format: Format,
    /// Print what each part of the question cost, too: series, samples, time.
    #[arg(long)]
    pub(crate) explain: bool,
    /// How long it may take.
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    #[command(flatten)]
    pub(crate) whom: Whom,
}

/// Who is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Whom to ask")]
pub(crate) struct Whom {
    /// Address of a running Farero or metrics engine; http://127.0.0.1:9090 when nothing else is said.
    #[arg(long, env = "FARERO_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// API token of a Farero with log-in.
    #[arg(long, env = "FARERO_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Unix socket of a running Farero.
    #[arg(long, env = "FARERO_SOCKET", value_name = "PATH", conflicts_with = "url")]
    pub(crate) socket: Option<PathBuf>,
    /// Data folder: of a Farero that listens on a socket there, which is then asked, or of any other one, whose folder is read. Nothing in it
    /// is changed, and who writes there may go on.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "socket"])]
    pub(crate) data: Option<PathBuf>,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// As the API answers.
    Json,
    /// A column for each label, then time and value.
    Csv,
}
