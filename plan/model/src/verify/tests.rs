//! Mistakes between the parts of a plan, as people see them. Pure.

use kernel::Language::{En, Es};
use plan_syntax::{Style, render};

use crate::{LoadOptions, SourceFile, load};

/// What a plan's author sees, in a language.
fn said(files: &[SourceFile], language: kernel::Language) -> String {
    let options = LoadOptions { folder: "plans/x".into(), environment: None, today: jiff::civil::date(2026, 3, 1) };
    let loaded = load(files, &options);
    assert!(loaded.plan.is_none());
    let errors: Vec<_> = loaded.diagnostics.iter().filter(|d| d.level < plan_syntax::Level::Finding).cloned().collect();
    render(&errors, &loaded.sources, Style { color: false, language })
}

#[test]
fn pln_01_all_mistakes_of_all_files_with_their_places() {
    let files = [
        SourceFile::new(
            "plan.yaml",
            "system: SIGCERH\ntimezone: America/Limma\nlanguage: spanish\nparameters:\n  url: { meaning: x, valor: 5 }\n\
             roles:\n  dba: { headcount: half }\n",
        ),
        SourceFile::new(
            "services.yaml",
            "services:\n  backend:\n    kind: http-servce\n    check: { http: '${param:ulr}/x', every: 5, attempts: 0 }\n    depends_on: [ocrr]\n  \
             ocr:\n    check:\n      http: { url: https://ocr, expect: { regex: '(' } }\n      timout: 5s\n      slow:\n",
        ),
        SourceFile::new(
            "tasks.yaml",
            "tasks:\n  t: { label: T, every: week on lunes }\n  u: { every: day, by: dba }\nroles:\n  dba: {}\n",
        ),
    ];
    insta::assert_snapshot!(said(&files, En));
    insta::assert_snapshot!("pln_12_all_mistakes_in_spanish", said(&files, Es));
}

#[test]
fn references_and_kinds_are_checked_with_suggestions() {
    let files = [
        SourceFile::new(
            "plan.yaml",
            "system: x\ntimezone: UTC\nauthor: devop\nroles: { devops: { people: [ana] } }\npeople: { anna: {} }\n\
             escalation: [devops, boss]\nenvironments: { prod: {} }\nseverities:\n  critica: { rank: critical, channels: [corre] }\n\
             channels:\n  correo: { email: { server: 'mail:x', from: a@b, to: [ana, 'role:dba', a@b] }, fallback: sms }\n  \
             sms: { sms: { url: 'ftp://x', to: [] }, slack: { url: '${env:S}' }, fallback: correo }\n  nada: {}\n\
             alerts: { down: critico, disk: [ { above: 90%, severity: critica, runbook: disco } ] }\n",
        ),
        SourceFile::new(
            "services.yaml",
            "services:\n  a: { depends_on: [b, a, cc] }\n  b: { depends_on: [c], environments: [pro] }\n  c: { depends_on: [a] }\n  \
             all: { check: { composite: { of: [all/check, a, b/salud, other], at_least: 9 } } }\n  \
             'my service': { check: { tcp: host, http: example.org } }\n  \
             k:\n    checks:\n      one: { tls: { address: 'h:443', tls: { min_version: '1.1' } }, every: 10s, timeout: 20s }\n      \
             two: { http: { url: 'https://h', method: get, auth: { password: x }, expect: { json: { status: ok } } } }\n      \
             three: { heartbeat: { schedule: continuous }, labels: { check: x, 1a: y } }\n      \
             four: { dns: { name: x, record: MXX } }\n      five: { every: 10s, timeout: 5s, tcp: 'a:1', runbook: disco-leno }\n\
             hosts: { k: {} }\ntasks: { t: { label: T, every: day, by: [nobody], checklist: semana } }\n",
        ),
        SourceFile::new("runbooks/disco-lleno.md", "# Disco lleno\n"),
        SourceFile::new("checklists/semanal.md", "# Semanal\n"),
    ];
    insta::assert_snapshot!(said(&files, En));
    insta::assert_snapshot!("pln_12_references_in_spanish", said(&files, Es));
}

#[test]
fn dsh_09_mistakes_in_dashboards_with_their_places() {
    let files = [
        SourceFile::new("plan.yaml", "system: x\ntimezone: UTC\nroles: { dba: {} }\n"),
        SourceFile::new(
            "dashboards/uno.yaml",
            "dashboards:\n  uno:\n    title: Uno\n    refresh: 1s\n    restricted_to: [dbaa, viewer]\n    \
             links: [{ title: Ir, url: 'javascript:alert(1)' }, { title: Ir, url: '//x.example' }, { title: Bien, url: /alerts }]\n    \
             variables:\n      env: { list: [prod] }\n      job: { values_of: job, query: 'up{service=\"$servicio\"}' }\n      \
             servicio: { values_of: service, list: [a] }\n      nada: {}\n      lista: { list: [uno, dos], start: dso }\n      \
             libre: { text: '', all: true }\n      1a: { text: x }\n    \
             panels:\n      - { title: A, query: 'up{job=\"$jbo\"}', x: 0, y: 0 }\n      \
             - { title: B, query: up, x: 6, y: 4 }\n      \
             - { title: C, query: up, x: 20, y: 30 }\n      - { title: D, query: up, x: 3 }\n      \
             - { title: E }\n      - { title: F, kind: text }\n      - { title: G, kind: stat, query: up, draw: bars }\n      \
             - { title: I, query: up, queries: [{ query: up }], min: 5, max: 5 }\n      \
             - { title: J, query: up, thresholds: [{ colour: green }, { from: 9, colour: red }, { from: 5, colour: blue }] }\n      \
             - { title: K, query: up, values: [{ text: x }, { is: 0 }, { is: 1, from: 2, text: y }] }\n      \
             - { title: L, query: up, series: [{ name: '/(/' }] }\n      \
             - { title: 'M $nadda ${job:shout}', query: up }\n  dos: { title: Dos, rows: [{ title: Vacía }] }\n  \
             tres: { title: Tres, panels: [{ query: up, unit: seconts }, { kind: gague, query: up }, { query: up, width: 30 }] }\n",
        ),
    ];
    insta::assert_snapshot!(said(&files, En));
    insta::assert_snapshot!("pln_12_mistakes_in_dashboards_in_spanish", said(&files, Es));
}
