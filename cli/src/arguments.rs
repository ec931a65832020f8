//! What can be said on the command line. Pure.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// Executes a team's maintenance plan: watches the system, decides what matters, tells people, proves what was done.
#[derive(Debug, Parser)]
#[command(name = "farero", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 all is well; 1 the answer is no (errors in the plan, plans differ, something is down, \
message not taken, a backup is damaged); 2 it could not be tried."
)]
pub(crate) struct Arguments {
    /// Write log lines as JSON.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the plans: watch, alert, serve the pages. Reads plans again on SIGHUP and when their files change.
    Run(Run),
    /// Check plans: every error and finding, each with its place.
    Check(Check),
    /// Show what is different between two versions of a plan.
    Diff(Diff),
    /// Print the JSON Schema of plan files, for editors.
    Schema,
    /// Ask a running Farero how things stand.
    Status(Status),
    /// Messages to people.
    Notify(Notify),
    /// Farero's own data: backup, restore, move to PostgreSQL.
    State(State),
    /// Start a stand-in of SIGCERH, watch it, and cause faults in it.
    Demo(Demo),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write the manual pages into a folder.
    Man {
        /// The folder; made when missing.
        folder: PathBuf,
    },
}

impl Command {
    /// Whether only errors belong into the log, because the command prints by itself.
    pub(crate) const fn is_quiet(&self) -> bool {
        !matches!(self, Self::Run(_))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Folders of plans.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) plans: Vec<PathBuf>,
    /// Folder for everything that Farero keeps.
    #[arg(long, env = "FARERO_DATA", default_value = "farero-data")]
    pub(crate) data: PathBuf,
    /// PostgreSQL database for what must survive, instead of a file in the data folder: `postgres://…`, may be a reference such
    /// as `${env:STATE_URL}` or `${file:/run/secrets/state-url}`. Measurements stay in the data folder.
    #[arg(long, env = "FARERO_STATE", value_name = "URL", hide_env_values = true)]
    pub(crate) state: Option<String>,
    /// Where to serve the pages.
    #[arg(long, env = "FARERO_LISTEN", default_value = "127.0.0.1:9810")]
    pub(crate) listen: SocketAddr,
    /// Address under which people reach the pages, for links in messages.
    #[arg(long, env = "FARERO_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Environment to read the plans for; each plan's own choice when left out.
    #[arg(long, env = "FARERO_ENVIRONMENT", value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Let anybody who reaches the address read metrics, the Prometheus API and badges without log-in.
    #[arg(long, env = "FARERO_OPEN_METRICS")]
    pub(crate) open_metrics: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Folders of plans.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) plans: Vec<PathBuf>,
    /// Environment to read the plans for.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print errors and warnings only, no findings.
    #[arg(long)]
    pub(crate) errors_only: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Folder of the one version.
    #[arg(value_name = "A")]
    pub(crate) before: PathBuf,
    /// Folder of the other version.
    #[arg(value_name = "B")]
    pub(crate) after: PathBuf,
    /// Environment to read both for.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Address of the running Farero.
    #[arg(long, env = "FARERO_URL", default_value = "http://127.0.0.1:9810")]
    pub(crate) url: String,
    /// API token; make one on the page "Settings".
    #[arg(long, env = "FARERO_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Notify {
    #[command(subcommand)]
    pub(crate) action: NotifyAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyAction {
    /// Send a test message over one channel of a plan, at once and from here.
    Test {
        /// The channel's name in the plan.
        channel: String,
        /// Folder of the plan.
        #[arg(value_name = "DIR", default_value = ".")]
        plan: PathBuf,
        /// Environment to read the plan for.
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct State {
    #[command(subcommand)]
    pub(crate) action: StateAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateAction {
    /// Write everything of the database into a file, consistently while Farero runs. Measurements (`series/`) are not in it.
    Backup {
        /// The file; it must not exist.
        file: PathBuf,
        /// The folder of the running Farero.
        #[arg(long, env = "FARERO_DATA", default_value = "farero-data")]
        data: PathBuf,
        /// The database of the running Farero, when it is not in the folder.
        #[arg(long, env = "FARERO_STATE", value_name = "URL", hide_env_values = true)]
        state: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look whether a backup holds what its manifest says.
    Verify {
        /// The file.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup into an empty place and prove that it arrived.
    Restore {
        /// The file.
        file: PathBuf,
        /// A data folder or a `postgres://` URL; neither in use nor filled. The URL may be a reference.
        #[arg(long, value_name = "PLACE")]
        to: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Move everything from a data folder to PostgreSQL and prove that it arrived. Farero must be stopped.
    Move {
        /// The data folder.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
        /// A `postgres://` URL of an empty database, or a reference to it.
        #[arg(long, value_name = "URL")]
        to: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(subcommand)]
    pub(crate) action: Option<DemoAction>,
    /// Where to serve Farero's pages.
    #[arg(long, default_value = "127.0.0.1:9810")]
    pub(crate) listen: SocketAddr,
    /// Port of the stand-in's page with faults and inbox.
    #[arg(long, default_value_t = 9811)]
    pub(crate) port: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DemoAction {
    /// Cause a fault in the demo that runs: backend, frontend, ocr, database, disk, cert, errors, mail.
    Break {
        /// Which fault.
        fault: demo::Fault,
    },
    /// End a fault.
    Mend {
        /// Which fault.
        fault: demo::Fault,
    },
}
