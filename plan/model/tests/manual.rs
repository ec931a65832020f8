//! The user's manual tells the truth: its examples load, and the schema that editors use is the current one. Reads files,
//! so it stands outside of the room.

use std::path::Path;

use plan_model::{LoadOptions, SourceFile, load};

/// What an example may refer to without showing it, one top-level key a line.
const AROUND_ES: &str = "\
system: x
timezone: UTC
environments: {prod: {}, dev: {}}
parameters: {intervalo: {meaning: x, value: 5m}}
roles: {devops: {people: [ana]}}
people: {ana: {name: Ana, email: ana@example.org, mobile: '+51900000001'}}
severities: {critica: {rank: critical}, advertencia: {rank: warning}, informativa: {rank: info}}
channels: {correo: {slack: {url: '${env:A}'}}, sms: {slack: {url: '${env:B}'}}}
";

const AROUND_EN: &str = "\
system: x
timezone: UTC
environments: {prod: {}, dev: {}}
parameters: {interval: {meaning: x, value: 5m}}
roles: {devops: {people: [ana]}}
people: {ana: {name: Ana, email: ana@example.org, mobile: '+51900000001'}}
severities: {critical: {rank: critical}, warning: {rank: warning}, info: {rank: info}}
channels: {mail: {slack: {url: '${env:A}'}}, sms: {slack: {url: '${env:B}'}}}
";

/// An example with those lines around it whose keys it does not have itself.
fn whole(example: &str, around: &str) -> String {
    let key = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let own: Vec<String> =
        example.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase())).map(key).collect();
    let missing = around.lines().filter(|line| !own.contains(&key(line)));
    example.lines().chain(missing).map(|line| format!("{line}\n")).collect()
}

fn examples(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_manuals_examples_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (page, around) in [("docs/es/plan.md", AROUND_ES), ("docs/en/plan.md", AROUND_EN)] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let (plans, rules): (Vec<_>, Vec<_>) = examples(&text).into_iter().partition(|e| !e.contains("\ngroups:"));
        assert!(plans.len() >= 14 && rules.len() == 1, "{page}: {} plans, {} rules", plans.len(), rules.len());
        for example in plans {
            let named = ["servicio-caido", "disco-lleno", "bd-caida", "service-down", "disk-full", "database-down"];
            let mut files: Vec<SourceFile> =
                named.iter().map(|n| SourceFile::new(format!("runbooks/{n}.md"), format!("# {n}\n"))).collect();
            files.extend(
                ["revision-semanal", "weekly-review"].map(|n| SourceFile::new(format!("checklists/{n}.md"), "")),
            );
            files.push(SourceFile::new("plan.yaml", whole(example, around)));
            let today = jiff::civil::date(2026, 3, 1);
            let loaded = load(&files, &LoadOptions { folder: page.to_owned(), environment: None, today });
            let said = plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default());
            assert!(loaded.plan.is_some(), "{said}");
        }
    }
}

#[test]
fn the_schema_beside_the_plans_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plans/plan.schema.json");
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        kept == plan_model::schema(),
        "the types have changed: write it anew with `cargo run -- schema > plans/plan.schema.json`"
    );
}
