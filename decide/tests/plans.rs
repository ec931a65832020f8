//! The plans of the five systems: their rules are read, their thresholds become rules, what is suspicious is said.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use decide::rules::{RuleKind, lint, read_rule_files, rules_from_plan};
use plan_model::load::{LoadOptions, Loaded, load};
use plan_syntax::{Diagnostic, SourceFile};

fn folder(system: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plans").join(system)
}

fn files(folder: &Path, below: &Path, out: &mut Vec<SourceFile>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, below, out);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            out.push(SourceFile::new(path.strip_prefix(below).unwrap().to_str().unwrap(), text));
        }
    }
}

fn loaded(system: &str) -> Loaded {
    let (folder, mut all) = (folder(system), Vec::new());
    files(&folder, &folder, &mut all);
    let options = LoadOptions { folder: system.to_owned(), environment: None, today: jiff::civil::date(2026, 11, 22) };
    load(&all, &options)
}

/// What is said about the rule files: errors and remarks.
fn said(system: &str) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let loaded = loaded(system);
    let plan = loaded.plan.as_ref().unwrap_or_else(|| panic!("{system}: {:#?}", loaded.diagnostics));
    let read = read_rule_files(&loaded.rule_files, &loaded.sources, plan);
    let remarks = lint(&read, plan, &loaded.sources);
    (read.diagnostics, remarks)
}

#[test]
fn alr_02_the_rule_files_of_all_plans_are_read() {
    for system in ["nuam", "ecplacas", "sigcerh", "conecta360", "vision"] {
        assert_eq!(said(system).0, [], "{system}");
    }
}

#[test]
fn alr_26_the_contradictions_of_the_documents_are_said() {
    let has = |system: &str, code: &str, file: &str| {
        let remarks = said(system).1;
        let found = remarks.iter().any(|d| d.code == code && d.place.file.ends_with(file));
        assert!(found, "{system}: no {code} in {file}: {remarks:#?}");
    };
    has("conecta360", "rate-as-fraction", "conecta360_alerts.yaml");
    has("ecplacas", "ratio-as-percent", "ecplacas_maintenance.yaml");
    let metric = |d: &&Diagnostic| d.code == "no-such-metric" && d.message.contains("`vision_monthly_usage`");
    assert_eq!(said("vision").1.iter().filter(metric).count(), 1, "said once, however many rules need it");
}

#[test]
fn alr_06_sigcerhs_thresholds_become_rules() {
    let loaded = loaded("sigcerh");
    let groups = rules_from_plan(loaded.plan.as_ref().unwrap());
    let names: std::collections::BTreeSet<&str> =
        groups.iter().flat_map(|g| &g.rules).map(|r| r.name.as_str()).collect();
    for name in ["ServiceDown", "DatabaseDown", "ServiceSlow", "HostDiskFull", "HostMemoryHigh", "HostCpuHigh"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
}

/// All alerting rules of a system whose expression has a text, from the plan's thresholds and from its rule files:
/// `severity for | comparison`.
fn bounds(system: &str, metric: &str) -> Vec<String> {
    let loaded = loaded(system);
    let plan = loaded.plan.as_ref().unwrap();
    let read = read_rule_files(&loaded.rule_files, &loaded.sources, plan);
    let mut out = Vec::new();
    for rule in rules_from_plan(plan).iter().chain(&read.groups).flat_map(|g| &g.rules) {
        let RuleKind::Alert { hold, .. } = rule.kind else { continue };
        let text = rule.query.text();
        if !text.contains(metric) {
            continue;
        }
        let severity = rule.labels.iter().find(|(name, _)| name == "severity").map_or("", |(_, t)| t.source());
        let from = text.rfind(['>', '<']).unwrap();
        out.push(format!("{severity} {hold} | {}", &text[from..]));
    }
    out.sort();
    out
}

/// A plan's thresholds of a resource, where the host that they hold for still waits for its address.
fn policy(system: &str, resource: &str) -> serde_json::Value {
    let loaded = loaded(system);
    serde_json::to_value(&loaded.plan.as_ref().unwrap().alerts).unwrap()[resource].clone()
}

#[test]
fn alr_14_memory_is_watched_where_the_documents_ask_for_it() {
    let memory = "node_memory_MemAvailable_bytes";
    assert_eq!(bounds("sigcerh", memory), ["advertencia 2m | > 85", "critica 2m | > 95"]);
    assert_eq!(
        policy("conecta360", "memory"),
        serde_json::json!([{ "above": "80%", "for": "10m", "severity": "medium", "runbook": null }])
    );
    // The morning's health check, and the average of a day among the sustainability figures.
    assert_eq!(bounds("ecplacas", memory), ["warning 0s | >= 0.8", "warning 2m | > 80"]);
}

#[test]
fn alr_15_cpu_is_watched_where_the_documents_ask_for_it() {
    let cpu = "node_cpu_seconds_total";
    assert_eq!(bounds("sigcerh", cpu), ["advertencia 10m | > 90"]);
    assert_eq!(
        policy("conecta360", "cpu"),
        serde_json::json!([{ "above": "80%", "for": "10m", "severity": "medium", "runbook": null }])
    );
    assert_eq!(bounds("ecplacas", cpu), ["warning 0s | >= 0.7"]);
}

#[test]
fn dsh_01_dsh_03_dsh_04_dsh_05_every_plan_has_the_dashboards_that_its_document_asks_for() {
    for (system, wanted) in [
        ("sigcerh", ["sistema", "lanzamiento"].as_slice()),
        ("conecta360", &["global", "servicio", "infraestructura", "negocio"]),
        ("nuam", &["sistema"]),
        ("ecplacas", &["sistema"]),
        ("vision", &["sistema"]),
    ] {
        let loaded = loaded(system);
        let plan = loaded.plan.as_ref().unwrap_or_else(|| panic!("{system}: {:#?}", loaded.diagnostics));
        assert_eq!(decide::dashboards::check(plan, &loaded), [], "{system}");
        for id in wanted {
            assert!(plan.dashboards[*id].all_panels().count() >= 5, "{system}: {id}");
        }
    }
}
