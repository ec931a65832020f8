//! Measurements of the release binary beside the peer, printed; never a test. I/O.
//!
//! Machines are shared and noisy: each figure is the median of several rounds, target after target in turn, so that ratios hold
//! where absolute numbers do not. Everything runs on 127.0.0.1.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

mod access;
mod overview;
mod probes;
mod process;
mod server;
mod start;

/// Rounds of each measurement; one with [`QUICK`].
const ROUNDS: usize = 3;

/// Word beside the names of measurements: one round of each, for a first look.
const QUICK: &str = "quick";

/// The measurements by name.
const PARTS: &[(&str, &str)] = &[
    ("probes", "CPU per 1,000 HTTP checks and memory, beside prometheus with blackbox_exporter"),
    ("schedule", "lateness at 1,000 checks a second"),
    ("many", "10,000 checks every 10 s"),
    ("overview", "time to answer the overview with 1,000 checks"),
    ("access", "authenticated reads of the API with 1,000 checks"),
    ("trail", "a million entries of the trail, chained, exported and verified"),
    ("start", "start to ready"),
    ("size", "size of the binary"),
];

pub(crate) fn run(root: &Path, parts: &[String]) -> Result<()> {
    let rounds = if parts.iter().any(|p| p == QUICK) { 1 } else { ROUNDS };
    let parts: Vec<&String> = parts.iter().filter(|p| *p != QUICK).collect();
    for part in &parts {
        ensure!(PARTS.iter().any(|(name, _)| name == *part), "`{part}` is no measurement: {}", list());
    }
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|p| *p == name);
    if wanted("trail") {
        trail(root)?;
        if parts.len() == 1 {
            return Ok(());
        }
    }
    let farero = build(root)?;
    if wanted("size") {
        let size = std::fs::metadata(&farero)?.len() as f64 / 1e6;
        println!("size      binary {size:.1} MB (aim < 60)");
    }
    if wanted("start") {
        start::run(&farero)?;
    }
    if wanted("overview") {
        overview::run(&farero)?;
    }
    if wanted("access") {
        access::run(&farero)?;
    }
    if wanted("schedule") {
        probes::schedule(&farero, rounds)?;
    }
    if wanted("many") {
        probes::many(&farero, rounds)?;
    }
    if wanted("probes") {
        probes::compare(&farero, rounds)?;
    }
    Ok(())
}

/// Needs no server: an example of the room itself.
fn trail(root: &Path) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--release", "--locked", "--quiet", "--package", "prove-trail", "--example", "bench_trail"])
        .current_dir(root)
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "the trail could not be measured");
    Ok(())
}

fn list() -> String {
    PARTS.iter().map(|(name, what)| format!("{name} ({what})")).collect::<Vec<_>>().join(", ")
}

/// Names a binary that is there already; it is measured then, and none is built.
const BINARY: &str = "FARERO_BINARY";

/// Builds the release binary and says where it is.
fn build(root: &Path) -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(BINARY) {
        return Ok(PathBuf::from(given));
    }
    let began = std::time::Instant::now();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--package", "farero"])
        .current_dir(root)
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "the release binary cannot be built");
    println!("build     {:.0} s (from nothing only on a first run)", began.elapsed().as_secs_f64());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/farero"))
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
