//! `farero import grafana`: dashboards of Grafana into files of a plan. I/O.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use decide::dashboards::check::check_expression;
use kernel::Language;
use kernel::phrase::in_language;
use plan_grafana::{Fate, import, to_yaml};

use crate::arguments::import::Grafana;

pub(super) fn dashboards(arguments: &Grafana, language: Language) -> Result<ExitCode> {
    let Grafana { files, out, system, report, force } = arguments;
    let folder = out.clone().or_else(|| system.as_ref().map(|s| PathBuf::from("plans").join(s).join("dashboards")));
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let (mut reports, mut used, mut trouble, mut lost) = (Vec::new(), BTreeSet::new(), false, false);
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let mut found = match import(&text, &check_expression) {
            Ok(found) => found,
            Err(error) => {
                eprintln!("farero: {}: {}", file.display(), in_language(&error.to_string(), language));
                trouble = true;
                continue;
            }
        };
        found.id = free(&found.id, &mut used);
        found.report.id.clone_from(&found.id);
        let is_empty = found.dashboard.all_panels().next().is_none();
        lost |= is_empty || found.report.notes.iter().any(|n| n.fate == Fate::NotTaken);
        if !is_empty {
            write(folder.as_deref(), &found.id, &to_yaml(&found.id, &found.dashboard), *force)?;
        }
        eprint!("{}: {}", file.display(), found.report.text(language));
        reports.push(found.report);
    }
    if let Some(path) = report {
        let text = serde_json::to_string_pretty(&reports)?;
        std::fs::write(path, text + "\n").with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(ExitCode::from(match (trouble, lost) {
        (true, _) => crate::exit::TROUBLE,
        (false, true) => crate::exit::NO,
        (false, false) => crate::exit::OK,
    }))
}

/// A name that no other of the same call has.
fn free(id: &str, used: &mut BTreeSet<String>) -> String {
    let mut name = id.to_owned();
    let mut number = 2;
    while !used.insert(name.clone()) {
        name = format!("{id}-{number}");
        number += 1;
    }
    name
}

fn write(folder: Option<&Path>, id: &str, yaml: &str, force: bool) -> Result<()> {
    let Some(folder) = folder else { return crate::print::text(yaml) };
    let path = folder.join(format!("{id}.yaml"));
    ensure!(force || !path.exists(), "{} is there already; --force writes over it", path.display());
    std::fs::write(&path, yaml).with_context(|| format!("{} cannot be written", path.display()))
}
