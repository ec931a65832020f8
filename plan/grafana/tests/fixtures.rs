//! Own small dashboards in Grafana's forms, new and old: what they become, what is said of the rest, and that a plan loads it.
//! Reads files, so it stands outside of the room.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test; it tells what became of files at hand"
)]

use std::path::Path;

use kernel::Language;
use plan_grafana::{Imported, import, to_yaml};
use plan_model::{LoadOptions, SourceFile, load};

fn read(name: &str) -> Imported {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    import(&std::fs::read_to_string(path).unwrap(), &decide::dashboards::check::check_expression).unwrap()
}

/// What is written loads in a plan, and comes out as it went in.
fn loads(found: &Imported) -> String {
    let yaml = to_yaml(&found.id, &found.dashboard);
    let files = [
        SourceFile::new("plan.yaml", "system: x\ntimezone: UTC\n"),
        SourceFile::new("dashboards/d.yaml", yaml.clone()),
    ];
    let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
    let loaded = load(&files, &options);
    let said = plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default());
    let plan = loaded.plan.clone().unwrap_or_else(|| panic!("{said}\n{yaml}"));
    let wrong = decide::dashboards::check(&plan, &loaded);
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(to_yaml(&found.id, &plan.dashboards[&found.id]), yaml);
    yaml
}

fn check(name: &str) {
    let found = read(name);
    let yaml = loads(&found);
    insta::assert_snapshot!(name, format!("{yaml}\n---\n{}", found.report.text(Language::En)));
}

#[test]
fn a_dashboard_of_today_becomes_one_of_the_plan() {
    check("new.json");
}

#[test]
fn rows_graphs_and_single_numbers_of_old_become_panels() {
    check("old.json");
}

#[test]
fn the_form_of_elements_and_a_layout_is_read() {
    check("elements.json");
}

/// Any dashboards in the folder `GRAFANA_DASHBOARDS`, for trying real ones: each loads.
#[test]
fn any_dashboards_at_hand_load() {
    let Some(folder) = std::env::var_os("GRAFANA_DASHBOARDS") else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        match import(&text, &decide::dashboards::check::check_expression) {
            Ok(found) if found.dashboard.all_panels().next().is_some() => {
                loads(&found);
                eprintln!("{}: {}", path.display(), found.report.text(Language::En));
            }
            Ok(found) => eprintln!("{}: NOTHING: {}", path.display(), found.report.text(Language::En)),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
}
