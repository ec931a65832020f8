//! `farero check`: every error and finding of plans, each with its place. I/O.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use kernel::phrase::in_language;
use kernel::{Clock, Language};
use plan_syntax::{Diagnostic, Level, Style};
use run::plans::{Checked, check_folder};
use serde_json::{Value, json};

use crate::arguments::Check;
use crate::print::line;

pub(crate) fn run(arguments: &Check, language: Language) -> Result<ExitCode> {
    // JSON is for programs and stays English, with the Spanish that findings have of their own.
    let (mut errors, mut trouble) = (false, false);
    let mut all = Vec::new();
    // `plans/*` also names files that lie beside the plans, such as their JSON Schema.
    let several = arguments.plans.len() > 1;
    for folder in arguments.plans.iter().filter(|f| !(several && f.is_file())) {
        let checked = match check_folder(folder, arguments.environment.as_deref(), run::SystemClock.now()) {
            Ok(checked) => checked,
            Err(error) => {
                eprintln!("farero: {}", in_language(&error.to_string(), language));
                trouble = true;
                continue;
            }
        };
        errors |= checked.read.is_none();
        if arguments.json {
            all.push(as_json(folder, &checked));
        } else {
            print(folder, &checked, arguments.errors_only, language)?;
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
pub(crate) fn check_to_run(
    folders: &[PathBuf],
    environment: Option<&str>,
    language: Language,
) -> Result<Option<Vec<Checked>>> {
    let mut all = Vec::new();
    for folder in folders {
        let checked = check_folder(folder, environment, run::SystemClock.now())?;
        for diagnostic in checked.diagnostics.iter().filter(|d| d.level == Level::Error) {
            eprintln!("{}", render(diagnostic, &checked, language));
        }
        all.push(checked);
    }
    Ok(all.iter().all(|c| c.read.is_some()).then_some(all))
}

fn render(diagnostic: &Diagnostic, checked: &Checked, language: Language) -> String {
    let style = Style { color: std::io::stdout().is_terminal(), language };
    plan_syntax::render(std::slice::from_ref(diagnostic), &checked.loaded.sources, style).trim_end().to_owned()
}

fn print(folder: &Path, checked: &Checked, errors_only: bool, language: Language) -> Result<()> {
    for diagnostic in checked.diagnostics.iter().filter(|d| !errors_only || d.level != Level::Finding) {
        line(&format!("{}\n", render(diagnostic, checked, language)))?;
    }
    let count = |level: Level| checked.diagnostics.iter().filter(|d| d.level == level).count();
    line(&format!(
        "{}: {}, {}, {}, {}",
        folder.display(),
        counted(count(Level::Error), language.pick(["error", "errores"], ["error", "errors"])),
        counted(count(Level::Warning), language.pick(["aviso", "avisos"], ["warning", "warnings"])),
        counted(count(Level::Finding), language.pick(["hallazgo", "hallazgos"], ["finding", "findings"])),
        counted(
            checked.loaded.inactive.len(),
            language.pick(["elemento inactivo", "elementos inactivos"], ["inactive item", "inactive items"])
        ),
    ))
}

/// A count with its word in the singular or the plural.
fn counted(n: usize, [one, several]: [&str; 2]) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
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
