//! Whole plans: what loads, what does not, what is left out. Pure.

use kernel::{Duration, Rank};
use plan_syntax::{SourceFile, render};

use super::*;
use crate::{Deliver, ItemKind, Reason};

fn options() -> LoadOptions {
    LoadOptions { folder: "plans/x".into(), environment: None, today: jiff::civil::date(2026, 3, 1) }
}

fn loaded(text: &str) -> Loaded {
    load(&[SourceFile::new("plan.yaml", text)], &options())
}

fn ok(text: &str) -> Loaded {
    let loaded = loaded(text);
    let said = render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default());
    assert!(loaded.plan.is_some(), "{said}");
    loaded
}

const HEAD: &str = "system: x\ntimezone: America/Lima\n";

#[test]
fn the_smallest_plan_loads() {
    let plan =
        ok("system: vision\ntimezone: America/Bogota\nservices: {web: {check: {http: https://x.example}}}\n").plan;
    let plan = plan.unwrap();
    let settings = plan.effective("web", "check").unwrap();
    assert_eq!((settings.every, settings.timeout), (Duration::from_secs(60), Duration::from_secs(10)));
    assert_eq!((settings.attempts, settings.pause), (3, Duration::from_secs(1)));
    assert_eq!(plan.time_zone().iana_name(), Some("America/Bogota"));
    assert!(plan.effective("web", "other").is_none());
}

#[test]
fn chk_02_settings_come_from_the_nearest_that_says_them() {
    let plan = ok(&format!(
        "{HEAD}defaults: {{every: 5m, timeout: 30s, slow: 5s, host_every: 20s}}\nalerts: {{down: c, slow: a, hold: 2m}}\n\
         severities: {{c: {{rank: critical}}, a: {{rank: medium}}}}\n\
         services:\n  ocr:\n    alerts: {{slow: c}}\n    checks:\n      salud: {{http: 'http://x', slow: 15s, attempts: 1}}\n      \
         rapido: {{tcp: 'x:1', every: 2s, timeout: 500ms}}\nhosts: {{vm: {{check: {{host: }}}}}}\n"
    ))
    .plan
    .unwrap();
    let salud = plan.effective("ocr", "salud").unwrap();
    assert_eq!((salud.every, salud.slow, salud.attempts), (Duration::from_mins(5), Some(Duration::from_secs(15)), 1));
    assert_eq!((salud.down_severity.as_deref(), salud.slow_severity.as_deref()), (Some("c"), Some("c")));
    assert_eq!((salud.hold, salud.intensive), (Duration::from_mins(2), Duration::from_mins(1)));
    let quick = plan.effective("ocr", "rapido").unwrap();
    assert_eq!((quick.pause, quick.intensive), (Duration::from_millis(200), Duration::from_secs(1)));
    assert_eq!(plan.effective("vm", "check").unwrap().every, Duration::from_secs(20));
    assert_eq!(plan.severities["a"].rank, Rank::Warning);
}

#[test]
fn pln_10_open_values_put_what_needs_them_to_sleep() {
    let loaded = ok(&format!(
        "{HEAD}parameters:\n  url: {{meaning: base}}\n  n: {{meaning: attempts, value: 2}}\n  u: {{meaning: unit, value: m}}\n\
         channels:\n  sms: {{state: optional, sms: {{url: 'http://x', to: ['${{param:url}}']}}}}\n\
         services:\n  a:\n    checks:\n      one: {{http: '${{param:url}}/x', every: '5${{param:u}}'}}\n      \
         two: {{tcp: 'x:1', attempts: '${{param:n}}', every: '5${{param:u}}', slow: '${{param:url}}'}}\n"
    ));
    let plan = loaded.plan.as_ref().unwrap();
    let names: Vec<_> = plan.checks().map(|(_, name, _)| name).collect();
    assert_eq!(names, ["two"]);
    let two = plan.effective("a", "two").unwrap();
    assert_eq!((two.attempts, two.every), (2, Duration::from_mins(5)));
    let asleep: Vec<_> = loaded.inactive.iter().map(|i| (i.path.as_str(), i.kind, i.optional)).collect();
    assert_eq!(
        asleep,
        [
            ("channels.sms", ItemKind::Channel, true),
            ("services.a.checks.one", ItemKind::Check, false),
            ("services.a.checks.two.slow", ItemKind::Setting, false)
        ]
    );
    assert_eq!(loaded.open_parameters[0].waiting.len(), 3);
    assert!(loaded.open_parameters[0].needed);
    assert!(loaded.inactive[1].text(kernel::Language::Es).contains("url"));
}

#[test]
fn pln_14_future_and_planned_items_do_not_count() {
    let loaded = ok(&format!(
        "{HEAD}services:\n  a: {{state: future, check: {{tcp: 'a:1'}}}}\n  b: {{state: planned, from: 2026-03-01}}\n  \
         c: {{state: planned, from: 2026-03-02}}\n  d: {{state: planned}}\n  e: {{check: {{tcp: 'e:1', from: 2027-01-01}}}}\n"
    ));
    let plan = loaded.plan.unwrap();
    assert_eq!(plan.services.keys().collect::<Vec<_>>(), ["b", "e"]);
    assert!(plan.services["e"].check.is_none());
    let reasons: Vec<_> = loaded.inactive.iter().map(|i| i.reason.clone()).collect();
    let day = |y, m, d| Reason::Planned { from: Some(jiff::civil::date(y, m, d)) };
    assert_eq!(reasons, [Reason::Future, day(2026, 3, 2), Reason::Planned { from: None }, day(2027, 1, 1)]);
}

#[test]
fn environments_choose_items_and_values() {
    let text = format!(
        "{HEAD}environment: prod\nenvironments: {{prod: {{}}, dev: {{parameters: {{u: dev.example}}}}}}\n\
         parameters: {{u: {{meaning: host, value: prod.example}}}}\n\
         services: {{a: {{environments: [prod]}}, b: {{check: {{tcp: '${{param:u}}:1'}}}}}}\n"
    );
    let in_dev =
        load(&[SourceFile::new("plan.yaml", &text)], &LoadOptions { environment: Some("dev".into()), ..options() });
    let address = |l: &Loaded| match l.plan.as_ref().unwrap().services["b"].check.as_ref().unwrap().kinds().remove(0) {
        crate::CheckKind::Tcp(tcp) => tcp.address.written().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(address(&in_dev), "dev.example:1");
    assert!(!in_dev.plan.as_ref().unwrap().services.contains_key("a"));
    let in_prod = ok(&text);
    assert_eq!((in_prod.environment.as_deref(), address(&in_prod).as_str()), (Some("prod"), "prod.example:1"));
    assert!(in_prod.plan.unwrap().services.contains_key("a"));
}

#[test]
fn everything_in_the_folder_finds_its_place() {
    let files = [
        SourceFile::new(
            "plan.yaml",
            "system: x\ntimezone: UTC\nx-base: &b {every: 2m}\nservices: {a: {check: {tcp: 'a:1', <<: *b}}}\n",
        ),
        SourceFile::new("canales.yml", "severities: {i: {rank: info, deliver: daily at 07:00}}\n"),
        SourceFile::new("rules/r.yaml", "groups: []\n"),
        SourceFile::new("runbooks/r.md", "# Caída\n"),
        SourceFile::new("README.md", "not ours"),
    ];
    let loaded = load(&files, &options());
    let plan = loaded.plan.as_ref().unwrap();
    assert_eq!(plan.severities["i"].deliver, Deliver::Daily { minute: 420 });
    assert_eq!(plan.effective("a", "check").unwrap().every, Duration::from_mins(2));
    assert_eq!((loaded.rule_files.len(), loaded.documents.len()), (1, 1));
    let place = loaded.locate("severities.i.deliver").unwrap();
    assert_eq!((&*place.file, place.line), ("plans/x/canales.yml", 1));
}
