//! The five plans of this repository load without errors. Reads files, so it stands outside of the room.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test; SHOW=1 prints what it found")]

use std::path::{Path, PathBuf};

use plan_model::{LoadOptions, Loaded, SourceFile, load, wants};

fn files(folder: &Path, below: &Path, out: &mut Vec<SourceFile>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(below).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            files(folder, &path, out);
        } else if wants(&name) {
            out.push(SourceFile::new(name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn read(system: &str) -> Loaded {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plans").join(system);
    let mut found = Vec::new();
    files(&folder, &folder, &mut found);
    assert!(found.len() > 1, "{} holds no plan", folder.display());
    let today = jiff::civil::date(2026, 11, 22);
    load(&found, &LoadOptions { folder: format!("plans/{system}"), environment: None, today })
}

fn check(system: &str) -> Loaded {
    let loaded = read(system);
    if std::env::var_os("SHOW").is_some() {
        print!("{}", plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default()));
    }
    let said = plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default());
    assert!(loaded.plan.is_some(), "{said}");
    loaded
}

#[test]
fn pln_01_all_five_plans_load() {
    for system in ["sigcerh", "nuam", "ecplacas", "conecta360", "vision"] {
        let loaded = check(system);
        assert_eq!(loaded.plan.unwrap().system, system);
    }
}
