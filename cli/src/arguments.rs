//! What can be said on the command line. Pure.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::language::Tongue;

pub(crate) mod import;
pub(crate) mod limits;
pub(crate) mod metrics;
pub(crate) mod query;
pub(crate) mod rules;
pub(crate) mod trail;

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
    /// Language of what is printed about plans and messages; the terminal's when left out.
    #[arg(long, global = true, env = "FARERO_LANGUAGE", value_name = "es|en", hide_possible_values = true)]
    pub(crate) language: Option<Tongue>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[allow(clippy::large_enum_variant, reason = "one is made, at start")]
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
    /// Encrypted files of secrets.
    Secrets(Secrets),
    /// Run the metrics engine alone, without a plan: remote-write, OTLP and Prometheus's API.
    Metrics(metrics::Metrics),
    /// Take in what other programs kept: samples in OpenMetrics' form, blocks of Prometheus, dashboards of Grafana.
    Import(import::Import),
    /// Ask a question in PromQL: of a running Farero, of a metrics engine, or of a data folder.
    Query(query::Query),
    /// The audit trail: verify it, export it, show its public key.
    Trail(trail::Trail),
    /// Prometheus's rule files: check them, run their unit tests.
    Rules(rules::Rules),
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
        !matches!(self, Self::Run(_) | Self::Metrics(_))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Folders of plans. Without one: farero-plan, made on the first start.
    #[arg(value_name = "DIR")]
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
    /// File with the log-in settings (OIDC providers).
    #[arg(long, env = "FARERO_LOGIN", value_name = "FILE")]
    pub(crate) login: Option<PathBuf>,
    /// Let anybody who reaches the address read metrics, the Prometheus API and badges without log-in.
    #[arg(long, env = "FARERO_OPEN_METRICS")]
    pub(crate) open_metrics: bool,
    /// A further name under which it answers; the public URL's, the certificate's and the machine's are known.
    #[arg(long = "host", env = "FARERO_HOSTS", value_name = "NAME", value_delimiter = ',')]
    pub(crate) hosts: Vec<String>,
    /// Unix socket for the local command line; `farero.sock` in the data folder when left out, `none` for none.
    #[arg(long, env = "FARERO_SOCKET", value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Bytes that measurements may take (`512MB`, `10GB`), 0 without a limit; the oldest go first. How long they are kept stands in
    /// the plans (`retention`).
    #[arg(long, env = "FARERO_RETENTION_SIZE", default_value = "0", value_name = "BYTES", value_parser = metrics::bytes)]
    pub(crate) retention_size: u64,
    /// How much older than the newest sample of its group a sample may be that comes late; 0s for not at all.
    #[arg(long, env = "FARERO_OUT_OF_ORDER_WINDOW", default_value = "1h", value_name = "DURATION", value_parser = metrics::duration)]
    pub(crate) out_of_order_window: Duration,
    /// Series that are held in memory at the same time; more are refused.
    #[arg(long, env = "FARERO_MAX_SERIES", default_value_t = 2_000_000)]
    pub(crate) max_series: usize,
    #[command(flatten)]
    pub(crate) receive: limits::Receive,
    #[command(flatten)]
    pub(crate) tls: Tls,
    #[command(flatten)]
    pub(crate) secrets: SecretSources,
}

/// TLS of its own.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct Tls {
    /// Certificate chain (PEM) for HTTPS; read again when it changes and on SIGHUP.
    #[arg(long, env = "FARERO_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, env = "FARERO_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Have a certificate for this name made and renewed by an ACME authority; its terms of service are agreed to.
    #[arg(long, env = "FARERO_ACME", value_name = "DOMAIN", value_delimiter = ',', conflicts_with = "tls_cert")]
    pub(crate) acme: Vec<String>,
    /// Whom the ACME authority writes to.
    #[arg(long, env = "FARERO_ACME_EMAIL", value_name = "ADDRESS", requires = "acme")]
    pub(crate) acme_email: Option<String>,
    /// Directory of the ACME authority.
    #[arg(long, env = "FARERO_ACME_DIRECTORY", value_name = "URL", default_value = run::config::LETS_ENCRYPT)]
    pub(crate) acme_directory: String,
    /// Certificate authority (PEM) that vouches for the ACME authority itself, on inside networks.
    #[arg(long, env = "FARERO_ACME_CA", value_name = "FILE", requires = "acme")]
    pub(crate) acme_ca: Option<PathBuf>,
    /// Address of a plain HTTP door that leads to HTTPS, such as 0.0.0.0:80.
    #[arg(long, env = "FARERO_HTTP_REDIRECT", value_name = "ADDRESS")]
    pub(crate) http_redirect: Option<SocketAddr>,
}

/// Where secrets may come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct SecretSources {
    /// File with the age identity that opens encrypted files of the plan; a systemd credential `age-identity` when left out.
    #[arg(long, env = "FARERO_AGE_IDENTITY", value_name = "FILE")]
    pub(crate) age_identity: Option<PathBuf>,
    /// Address of HashiCorp Vault.
    #[arg(long, env = "VAULT_ADDR", value_name = "URL")]
    pub(crate) vault_addr: Option<String>,
    /// Vault's namespace.
    #[arg(long, env = "VAULT_NAMESPACE", value_name = "NAME")]
    pub(crate) vault_namespace: Option<String>,
    /// Certificate authority (PEM) that vouches for Vault.
    #[arg(long, env = "VAULT_CACERT", value_name = "FILE")]
    pub(crate) vault_ca: Option<PathBuf>,
    /// Token for Vault, best by reference: `${file:/run/secrets/vault}`, `${credential:vault-token}`.
    #[arg(long, env = "VAULT_TOKEN", value_name = "REFERENCE", hide_env_values = true)]
    pub(crate) vault_token: Option<String>,
    /// Role id for Vault's AppRole, best by reference.
    #[arg(long, env = "FARERO_VAULT_ROLE_ID", value_name = "REFERENCE", hide_env_values = true)]
    pub(crate) vault_role_id: Option<String>,
    /// Secret id for Vault's AppRole, best by reference.
    #[arg(long, env = "FARERO_VAULT_SECRET_ID", value_name = "REFERENCE", hide_env_values = true)]
    pub(crate) vault_secret_id: Option<String>,
    /// Where AppRole is mounted in Vault.
    #[arg(long, env = "FARERO_VAULT_APPROLE_MOUNT", value_name = "PATH", default_value = "approle")]
    pub(crate) vault_approle_mount: String,
}

#[derive(Debug, Args)]
pub(crate) struct Secrets {
    #[command(subcommand)]
    pub(crate) action: SecretsAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsAction {
    /// Make an age identity and print its recipient.
    Key {
        /// File for the identity; never overwritten.
        file: PathBuf,
    },
    /// Encrypt a file (`-`: the standard input) of secrets: YAML, TOML or NAME=value, by its name.
    Encrypt {
        /// The file.
        file: PathBuf,
        /// The encrypted file; the file's name and `.age` when left out.
        #[arg(short, long = "output", value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        to: Recipients,
    },
    /// Print the keys of an encrypted file, never its values.
    List {
        /// The encrypted file.
        file: PathBuf,
        /// File with the age identity.
        #[arg(long = "age-identity", env = "FARERO_AGE_IDENTITY", value_name = "FILE")]
        identity: Option<PathBuf>,
    },
    /// Set one key of an encrypted file to a value read from the standard input.
    Set {
        /// The encrypted file; made when missing.
        file: PathBuf,
        /// The key.
        key: String,
        #[command(flatten)]
        to: Recipients,
    },
    /// Edit an encrypted file with $EDITOR.
    Edit {
        /// The encrypted file; made when missing.
        file: PathBuf,
        #[command(flatten)]
        to: Recipients,
    },
}

/// Who may open an encrypted file.
#[derive(Debug, Args)]
pub(crate) struct Recipients {
    /// A recipient, `age1…`; besides those in the file `.age-recipients` beside it and the own identity's.
    #[arg(short, long = "recipient", value_name = "RECIPIENT")]
    pub(crate) recipients: Vec<String>,
    /// File with the age identity.
    #[arg(long, env = "FARERO_AGE_IDENTITY", value_name = "FILE")]
    pub(crate) age_identity: Option<PathBuf>,
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
    /// Address of the running Farero; without it and without a token, its Unix socket on this machine is used.
    #[arg(long, env = "FARERO_URL")]
    pub(crate) url: Option<String>,
    /// Its Unix socket; `farero.sock` in the data folder when left out.
    #[arg(long, env = "FARERO_SOCKET", value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Its data folder, where the socket lies.
    #[arg(long, env = "FARERO_DATA", default_value = "farero-data")]
    pub(crate) data: PathBuf,
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
        #[command(flatten)]
        secrets: SecretSources,
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
