//! What the project does with itself: tests, tidiness, coverage of requirements, benchmarks. I/O.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program is for the terminal")]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

mod bench;
mod coverage;
mod house;
mod packages;
mod phrases;
mod sizes;
mod test;
mod texts;

#[derive(Parser)]
#[command(about = "Tests, tidiness and measurements of Farero")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the tests need and run all of them.
    Test {
        /// Do not install anything; say what is missing instead.
        #[arg(long)]
        no_install: bool,
        /// Passed on to `cargo test`.
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Check the house: who imports whom, sizes of files and functions, first lines, paths in texts, sentences without Spanish.
    Tidy,
    /// List the requirement ids with and without a test.
    Coverage {
        /// Only this capability, such as CHK.
        capability: Option<String>,
    },
    /// Measure and print, beside the peer where it is installed. Never part of the tests.
    Bench {
        /// Only these parts: probes, schedule, overview, access, start, size.
        parts: Vec<String>,
    },
}

fn main() -> Result<()> {
    let root = root()?;
    match Arguments::parse().command {
        Command::Test { no_install, rest } => test::run(&root, !no_install, &rest),
        Command::Tidy => tidy(&root),
        Command::Coverage { capability } => coverage::print(&root, capability.as_deref()),
        Command::Bench { parts } => bench::run(&root, &parts),
    }
}

/// All findings at once, so that one run shows everything there is to mend.
fn tidy(root: &Path) -> Result<()> {
    let mut findings = house::check(root)?;
    findings.extend(sizes::check(root)?);
    findings.extend(texts::check(root)?);
    findings.extend(phrases::check(root)?);
    for finding in &findings {
        println!("{finding}");
    }
    anyhow::ensure!(
        findings.is_empty(),
        "{} findings; mend them, or say in the same commit why the rule should change",
        findings.len()
    );
    println!("tidy: nothing to mend");
    Ok(())
}

fn root() -> Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).context("xtask has no parent folder")
}

/// All files that Git knows (or would add), with one of these endings.
fn files(root: &Path, endings: &[&str]) -> Result<Vec<PathBuf>> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files cannot be run: install git")?;
    anyhow::ensure!(output.status.success(), "git ls-files failed: run inside a checkout");
    let mut all: Vec<PathBuf> = String::from_utf8(output.stdout)?
        .lines()
        .filter(|line| endings.iter().any(|e| line.ends_with(e)))
        .map(|line| root.join(line))
        .filter(|path| path.is_file())
        .collect();
    all.sort();
    all.dedup();
    Ok(all)
}

fn relative<'a>(root: &Path, path: &'a Path) -> &'a str {
    path.strip_prefix(root).ok().and_then(Path::to_str).unwrap_or("?")
}
