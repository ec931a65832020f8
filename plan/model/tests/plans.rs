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

#[test]
fn pln_03_components_have_a_kind_an_environment_and_what_they_need() {
    for system in ["sigcerh", "nuam", "ecplacas", "conecta360", "vision"] {
        let plan = check(system).plan.unwrap();
        let kinds: std::collections::BTreeSet<String> =
            plan.components().map(|(_, c)| format!("{:?}", c.kind)).collect();
        assert!(plan.components().count() >= 3 && kinds.len() >= 2, "{system}: {kinds:?}");
        for (name, component) in plan.components() {
            for needed in &component.depends_on {
                assert!(plan.component(needed).is_some(), "{system}: {name} needs {needed}");
            }
        }
    }
    let plan = check("ecplacas").plan.unwrap();
    let handled = plan.components().filter(|(_, c)| c.handles.unit.is_some() && c.handles.compose_service.is_some());
    assert!(handled.count() >= 1, "one component under several names: a unit of systemd and a Compose service");
}

#[test]
fn pln_08_every_activity_says_when_who_and_how() {
    for system in ["sigcerh", "nuam", "ecplacas", "conecta360", "vision"] {
        let plan = check(system).plan.unwrap();
        assert!(!plan.tasks.is_empty(), "{system} has no activities");
        for (name, task) in &plan.tasks {
            assert!(!task.label.is_empty() && !task.every.to_string().is_empty(), "{system}: {name}");
            let unknown =
                task.by.iter().find(|role| !plan.roles.contains_key(*role) && !plan.people.contains_key(*role));
            assert_eq!(unknown, None, "{system}: {name} is done by somebody whom the plan does not know");
        }
    }
    let plan = check("sigcerh").plan.unwrap();
    let backup = &plan.tasks["respaldo-bd"];
    assert_eq!((backup.mode, backup.every.to_string().as_str()), (plan_model::task::Mode::Automatic, "day at 02:00"));
    assert!(backup.evidence.is_some() && backup.maintenance.is_some());
}

#[test]
fn rol_03_providers_and_whom_to_escalate_to_are_known_in_order() {
    let plan = check("sigcerh").plan.unwrap();
    assert_eq!(plan.escalation, ["director-ti", "gerencia"], "IT director, then management");
    for name in ["proveedor-servidor", "soporte-dominio"] {
        let contact = &plan.contacts[name];
        assert!(contact.label.is_some() && contact.email.is_some() && contact.phone.is_some(), "{name}");
    }
    assert!(!check("conecta360").plan.unwrap().contacts.is_empty());
}

#[test]
fn rol_05_groups_that_are_only_informed() {
    for (system, names) in [
        ("vision", ["funcional", "frontend", "integraciones"].as_slice()),
        ("sigcerh", &["usuarios"]),
        ("conecta360", &["ventanas"]),
    ] {
        let plan = check(system).plan.unwrap();
        for name in names {
            assert!(plan.audiences.contains_key(*name), "{system}: {name}");
        }
    }
}
