//! The program `farero`: arguments, printing, exit codes. I/O.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program is for the terminal")]

use std::process::ExitCode;

use clap::Parser;

mod arguments;
mod command;
mod exit;
mod language;
mod local;
mod print;

use arguments::{Arguments, Command};

/// How it behaves is said where it is built (`.cargo/config.toml`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log(&arguments);
    let language = language::choose(arguments.language);
    let done = match arguments.command {
        Command::Run(run) => command::run::run(run, language),
        Command::Check(check) => command::check::run(&check, language),
        Command::Diff(diff) => command::diff::run(&diff, language),
        Command::Schema => command::schema::run(),
        Command::Status(status) => command::status::run(&status),
        Command::Notify(notify) => command::notify::run(&notify, language),
        Command::State(state) => command::state::run(&state),
        Command::Secrets(secrets) => command::secrets::run(&secrets),
        Command::Metrics(metrics) => command::metrics::run(metrics),
        Command::Query(query) => command::query::run(&query),
        Command::Trail(trail) => command::trail::run(&trail),
        Command::Rules(rules) => command::rules::run(&rules),
        Command::Import(import) => command::import::run(&import, language),
        Command::Demo(demo) => command::demo::run(&demo),
        Command::Completions { shell } => command::manual::completions(shell),
        Command::Man { folder } => command::manual::pages(&folder),
    };
    done.unwrap_or_else(|error| {
        eprintln!("farero: {}", run::redacting::redact(&format!("{error:#}")));
        ExitCode::from(exit::TROUBLE)
    })
}

/// Log lines go to the standard error without the secrets of the plans; `RUST_LOG` chooses which, `--log-json` their form.
/// What a panic says goes the same way.
fn start_log(arguments: &Arguments) {
    use tracing_subscriber::EnvFilter;
    let usual = if arguments.command.is_quiet() { "error" } else { "warn,farero=info,run=info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| run::redacting::Redacting(std::io::stderr()));
    std::panic::set_hook(Box::new(|panic| tracing::error!("panicked: {panic}")));
    if arguments.log_json {
        builder.json().init();
    } else {
        builder.with_target(false).compact().init();
    }
}
