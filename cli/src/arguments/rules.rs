//! Arguments of `farero rules`. Pure.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Check Prometheus rule files, as promtool does; the standard input without a file.
    Check(Check),
    /// Run Prometheus's unit-test files of rules, as promtool does.
    Test(Test),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Rule files.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What else to look for: duplicate-rules, all or none.
    #[arg(long, value_name = "WHAT", default_value = "duplicate-rules", value_parser = ["all", "duplicate-rules", "none"])]
    pub(crate) lint: String,
    /// Let what else was found count as a mistake; the exit code is 3 then.
    #[arg(long)]
    pub(crate) lint_fatal: bool,
    /// Let keys pass that are not known.
    #[arg(long)]
    pub(crate) ignore_unknown_fields: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Test files.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Run only tests whose name this regular expression finds; may be given several times.
    #[arg(long, value_name = "REGEX")]
    pub(crate) run: Vec<String>,
    /// Show failures of alerts as differences.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Write the results as JUnit's XML into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Let keys pass that are not known.
    #[arg(long)]
    pub(crate) ignore_unknown_fields: bool,
}
