//! `farero check`: every error and finding of plans, each with its place. I/O.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use kernel::{Clock, Language};
use plan_syntax::{Diagnostic, Level, Style};
use run::plans::{Checked, check_folder};
use serde_json::{Value, json};

use crate::arguments::Check;

pub(crate) fn run(arguments: &Check) -> Result<ExitCode> {
    let mut errors = false;
    let mut all = Vec::new();
    for folder in &arguments.plans {
        let checked = check_folder(folder, arguments.environment.as_deref(), run::SystemClock.now())?;
        errors |= checked.read.is_none();
        if arguments.json {
            all.push(as_json(folder, &checked));
        } else {
            print(folder, &checked, arguments.errors_only);
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(ExitCode::from(if errors { crate::exit::NO } else { crate::exit::OK }))
}

/// Prints the errors of plans to the standard error; whether there are any.
pub(crate) fn print_errors(folders: &[PathBuf], environment: Option<&str>) -> Result<bool> {
    let mut errors = false;
    for folder in folders {
        let checked = check_folder(folder, environment, run::SystemClock.now())?;
        for diagnostic in checked.diagnostics.iter().filter(|d| d.level == Level::Error) {
            eprintln!("{}", render(diagnostic, &checked));
        }
        errors |= checked.read.is_none();
    }
    Ok(errors)
}

fn render(diagnostic: &Diagnostic, checked: &Checked) -> String {
    let style = Style { color: std::io::stdout().is_terminal(), language: Language::En };
    plan_syntax::render(std::slice::from_ref(diagnostic), &checked.loaded.sources, style).trim_end().to_owned()
}

fn print(folder: &Path, checked: &Checked, errors_only: bool) {
    for diagnostic in checked.diagnostics.iter().filter(|d| !errors_only || d.level != Level::Finding) {
        println!("{}\n", render(diagnostic, checked));
    }
    if !errors_only && !checked.loaded.open_parameters.is_empty() {
        println!("{}: open parameters, what waits for them stays inactive:", folder.display());
        for open in &checked.loaded.open_parameters {
            println!("  {}: {}", open.name, open.meaning);
        }
        println!();
    }
    let count = |level: Level| checked.diagnostics.iter().filter(|d| d.level == level).count();
    println!(
        "{}: {} errors, {} warnings, {} findings, {} inactive items",
        folder.display(),
        count(Level::Error),
        count(Level::Warning),
        count(Level::Finding),
        checked.loaded.inactive.len()
    );
}

fn as_json(folder: &Path, checked: &Checked) -> Value {
    json!({
        "plan": folder.display().to_string(),
        "system": checked.read.as_ref().map(|r| r.plan.system.clone()),
        "usable": checked.read.is_some(),
        "diagnostics": checked.diagnostics,
        "inactive": checked.loaded.inactive,
        "open_parameters": checked.loaded.open_parameters,
    })
}
