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
use crate::print::line;

pub(crate) fn run(arguments: &Check) -> Result<ExitCode> {
    let (mut errors, mut trouble) = (false, false);
    let mut all = Vec::new();
    // `plans/*` also names files that lie beside the plans, such as their JSON Schema.
    let several = arguments.plans.len() > 1;
    for folder in arguments.plans.iter().filter(|f| !(several && f.is_file())) {
        let checked = match check_folder(folder, arguments.environment.as_deref(), run::SystemClock.now()) {
            Ok(checked) => checked,
            Err(error) => {
                eprintln!("farero: {error}");
                trouble = true;
                continue;
            }
        };
        errors |= checked.read.is_none();
        if arguments.json {
            all.push(as_json(folder, &checked));
        } else {
            print(folder, &checked, arguments.errors_only)?;
        }
    }
    if arguments.json {
        line(&serde_json::to_string_pretty(&all)?)?;
    }
    Ok(ExitCode::from(match (trouble, errors) {
        (true, _) => crate::exit::TROUBLE,
        (false, true) => crate::exit::NO,
        (false, false) => crate::exit::OK,
    }))
}

/// Checks plans that are to be run; `None` when there are errors, which are printed to the standard error.
pub(crate) fn check_to_run(folders: &[PathBuf], environment: Option<&str>) -> Result<Option<Vec<Checked>>> {
    let mut all = Vec::new();
    for folder in folders {
        let checked = check_folder(folder, environment, run::SystemClock.now())?;
        for diagnostic in checked.diagnostics.iter().filter(|d| d.level == Level::Error) {
            eprintln!("{}", render(diagnostic, &checked));
        }
        all.push(checked);
    }
    Ok(all.iter().all(|c| c.read.is_some()).then_some(all))
}

fn render(diagnostic: &Diagnostic, checked: &Checked) -> String {
    let style = Style { color: std::io::stdout().is_terminal(), language: Language::En };
    plan_syntax::render(std::slice::from_ref(diagnostic), &checked.loaded.sources, style).trim_end().to_owned()
}

fn print(folder: &Path, checked: &Checked, errors_only: bool) -> Result<()> {
    for diagnostic in checked.diagnostics.iter().filter(|d| !errors_only || d.level != Level::Finding) {
        line(&format!("{}\n", render(diagnostic, checked)))?;
    }
    let count = |level: Level| checked.diagnostics.iter().filter(|d| d.level == level).count();
    line(&format!(
        "{}: {}, {}, {}, {}",
        folder.display(),
        counted(count(Level::Error), "error"),
        counted(count(Level::Warning), "warning"),
        counted(count(Level::Finding), "finding"),
        counted(checked.loaded.inactive.len(), "inactive item"),
    ))
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
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
