//! All tests: what they need is installed first, the binary they run is built first. I/O.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

pub(crate) fn run(root: &Path, install: bool, rest: &[String]) -> Result<()> {
    crate::packages::provide(install)?;
    // The end-to-end tests start the real binary. Built together with the tests: by itself it would have other features of its
    // dependencies, and most of them would be built twice.
    cargo(root, &["build", "--locked", "--workspace", "--bins", "--lib", "--tests", "--examples"])?;
    let mut arguments = vec!["test", "--locked", "--workspace", "--no-fail-fast"];
    arguments.extend(rest.iter().map(String::as_str));
    cargo(root, &arguments)
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    let status =
        Command::new(env!("CARGO")).args(arguments).current_dir(root).status().context("cargo cannot be run")?;
    anyhow::ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}
