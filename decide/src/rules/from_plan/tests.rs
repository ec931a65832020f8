//! The rules that follow from SIGCERH's thresholds, as PromQL. Pure.

use decide_promql::Limits;
use decide_promql::memory::MemoryReader;
use kernel::alert::EventKind;
use kernel::{Labels, Timestamp};

use super::*;
use crate::health::Explanations;
use crate::rules::{Turn, decide_group};
use crate::testing::{at, plan, plan_with};

/// All rules as `name severity for | expr`.
fn lines(plan: &Plan) -> Vec<String> {
    let line = |r: &Rule| {
        let RuleKind::Alert { hold, .. } = r.kind else { panic!("{r:?}") };
        format!("{} {} {hold} | {}", r.name, r.labels[0].1.source(), r.query.text())
    };
    rules_from_plan(plan).iter().flat_map(|g| g.rules.iter().map(line)).collect()
}

#[test]
fn alr_06_the_rules_of_sigcerh_as_people_would_have_written_them() {
    let expect = [
        "ServiceDown critica 0s | last_over_time(probe_success{system=\"sigcerh\", service=~\"frontend|gemini\"}[12m]) == 0",
        "ServiceDown critica 0s | last_over_time(probe_success{system=\"sigcerh\", service=\"backend\"}[12m]) == 0",
        "DatabaseDown critica 0s | last_over_time(probe_success{system=\"sigcerh\", service=\"postgres\"}[12m]) == 0",
        "HostDown critica 0s | probe_success{system=\"sigcerh\", service=\"servidor\"} == 0",
        "ServiceSlow advertencia 0s | last_over_time(probe_duration_seconds{system=\"sigcerh\", \
         service=~\"frontend|postgres|gemini\"}[12m]) and last_over_time(probe_slow{system=\"sigcerh\", \
         service=~\"frontend|postgres|gemini\"}[12m]) == 1",
        "ServiceSlow advertencia 0s | last_over_time(probe_duration_seconds{system=\"sigcerh\", service=\"backend\"}[12m]) \
         and last_over_time(probe_slow{system=\"sigcerh\", service=\"backend\"}[12m]) == 1",
        "CertificateExpiresSoon critica 0s | last_over_time(probe_ssl_earliest_cert_expiry{system=\"sigcerh\"}[12m]) \
         - time() < 86400 * 7",
        "CertificateExpiresSoon advertencia 0s | last_over_time(probe_ssl_earliest_cert_expiry{system=\"sigcerh\"}[12m]) \
         - time() < 86400 * 30",
        "ScrapeDown advertencia 1m | up{system=\"sigcerh\"} == 0",
        "HostDiskFull critica 0s | 100 * (node_filesystem_size_bytes{system=\"sigcerh\"} - \
         node_filesystem_free_bytes{system=\"sigcerh\"}) / ((node_filesystem_size_bytes{system=\"sigcerh\"} - \
         node_filesystem_free_bytes{system=\"sigcerh\"}) + node_filesystem_avail_bytes{system=\"sigcerh\"}) > 90",
        "HostDiskFull advertencia 0s | 100 * (node_filesystem_size_bytes{system=\"sigcerh\"} - \
         node_filesystem_free_bytes{system=\"sigcerh\"}) / ((node_filesystem_size_bytes{system=\"sigcerh\"} - \
         node_filesystem_free_bytes{system=\"sigcerh\"}) + node_filesystem_avail_bytes{system=\"sigcerh\"}) > 80",
        "HostMemoryHigh critica 0s | 100 * (1 - node_memory_MemAvailable_bytes{system=\"sigcerh\"} / \
         node_memory_MemTotal_bytes{system=\"sigcerh\"}) > 95",
        "HostMemoryHigh advertencia 0s | 100 * (1 - node_memory_MemAvailable_bytes{system=\"sigcerh\"} / \
         node_memory_MemTotal_bytes{system=\"sigcerh\"}) > 85",
        "HostCpuHigh advertencia 10m | 100 * (1 - avg by (system, service) \
         (rate(node_cpu_seconds_total{system=\"sigcerh\", mode=\"idle\"}[2m]))) > 90",
    ];
    let got = lines(&plan());
    for (got, expect) in got.iter().zip(expect) {
        assert_eq!(got, expect);
    }
    assert_eq!(got.len(), expect.len(), "{got:#?}");
}

#[test]
fn alr_04_a_check_with_a_severity_of_its_own_gets_a_rule_of_its_own() {
    let plan = plan_with(serde_json::json!({
        "defaults": { "every": "1m" },
        "alerts": { "down": "critica", "blind": "advertencia", "hold": "2m" },
        "services": {
            "a": { "checks": { "x": { "tcp": "a:1", "down": "advertencia" }, "y": { "tcp": "a:2" } } },
            "b": { "check": { "tcp": "b:1" } },
            "c": { "check": { "tcp": "c:1", "every": "1h" } }
        },
        "hosts": {}
    }));
    let got = lines(&plan);
    let expect = [
        "ServiceDown advertencia 2m | probe_success{system=\"sigcerh\", service=\"a\", check=\"x\"} == 0",
        "ServiceDown critica 2m | probe_success{system=\"sigcerh\", service=\"b\"} == 0",
        "ServiceDown critica 2m | probe_success{system=\"sigcerh\", service=\"a\", check=\"y\"} == 0",
        "ServiceDown critica 2m | last_over_time(probe_success{system=\"sigcerh\", service=\"c\"}[2h1m]) == 0",
        "CheckBlind advertencia 2m | present_over_time(probe_success{system=\"sigcerh\", service=~\"a|b\"}[12m]) unless \
         present_over_time(probe_success{system=\"sigcerh\", service=~\"a|b\"}[3m])",
        "CheckBlind advertencia 2m | present_over_time(probe_success{system=\"sigcerh\", service=\"c\"}[12h]) unless \
         present_over_time(probe_success{system=\"sigcerh\", service=\"c\"}[3h])",
    ];
    assert_eq!(got, expect);
}

#[test]
fn alr_04_what_has_no_severity_is_left_out_of_every_selector() {
    let plan = plan_with(serde_json::json!({
        "alerts": {},
        "services": {
            "a": { "checks": { "x": { "tcp": "a:1", "every": "1m", "down": "critica" }, "y": { "tcp": "a:2" } } },
            "b": { "check": { "tcp": "b:1" } }
        },
        "hosts": {}
    }));
    assert_eq!(
        lines(&plan),
        ["ServiceDown critica 0s | probe_success{system=\"sigcerh\", service=\"a\", check=\"x\"} == 0"]
    );
}

/// Evaluates all groups over series and gives `rule severity: summary [value]` of what fires.
fn firing(plan: &Plan, series: &MemoryReader, now: Timestamp) -> Vec<String> {
    let (limits, none, explanations) = (Limits::default(), Labels::default(), Explanations::default());
    let mut out = Vec::new();
    for group in rules_from_plan(plan) {
        let mut memory = Vec::new();
        // Twice, an hour apart, so that every `for` has passed.
        for now in [now - std::time::Duration::from_secs(900), now] {
            let turn = Turn {
                plan,
                memory: &memory,
                recorded: &[],
                last_turn: None,
                watching_since: now,
                explanations: &explanations,
                reason: &|l| (l.get("service") == Some("backend")).then(|| String::from("status 503.")),
                reader: series,
                limits: &limits,
                external_labels: &none,
                external_url: "",
                now,
            };
            let decision = decide_group(&group, &turn);
            assert!(decision.report.rules.iter().all(|r| r.error.is_none()), "{:?}", decision.report);
            let fired = decision.events.iter().filter(|e| e.kind == EventKind::Fired);
            out.extend(fired.map(|e| {
                let text = |name| e.alert.annotations.get(name).unwrap_or_default();
                let why = text("description").split_once(": ").map_or("", |(_, why)| why);
                format!("{} {}: {} [{}] {why}", e.alert.rule, e.alert.severity(), text("summary"), text("value"))
                    .trim()
                    .to_owned()
            }));
            memory = decision.active;
        }
    }
    out.sort();
    out.dedup();
    out
}

#[test]
fn alr_13_sigcerh_fires_at_the_documents_bounds() {
    let now = at("2026-11-22T10:00:00Z");
    let mut series = MemoryReader::default();
    let labels = |name: &str, service: &str, check: &str, more: &[(&str, &str)]| {
        let mut all = vec![("system", "sigcerh"), ("service", service), ("check", check), ("kind", "http")];
        all.extend_from_slice(more);
        Labels::metric(name, all)
    };
    let mut put = |labels: Labels, value: f64| {
        let from = now.as_millis() - 20 * 60_000;
        let samples: Vec<(i64, f64)> = (0..=80).map(|i| (from + i * 15_000, value)).collect();
        series.add(labels, &samples);
    };
    put(labels("probe_success", "backend", "salud", &[]), 0.0);
    put(labels("probe_success", "frontend", "check", &[]), 1.0);
    put(labels("probe_slow", "frontend", "check", &[]), 1.0);
    put(labels("probe_duration_seconds", "frontend", "check", &[]), 8.5);
    let expiry = now.as_secs_f64() + 10.0 * 86_400.0;
    put(labels("probe_ssl_earliest_cert_expiry", "frontend", "check", &[]), expiry);
    for (mount, used) in [("/", 92.0), ("/var", 80.0), ("/srv", 81.0)] {
        put(labels("node_filesystem_size_bytes", "servidor", "check", &[("mountpoint", mount)]), 100.0);
        put(labels("node_filesystem_free_bytes", "servidor", "check", &[("mountpoint", mount)]), 100.0 - used);
        put(labels("node_filesystem_avail_bytes", "servidor", "check", &[("mountpoint", mount)]), 100.0 - used);
    }
    put(labels("node_memory_MemTotal_bytes", "servidor", "check", &[]), 8e9);
    put(labels("node_memory_MemAvailable_bytes", "servidor", "check", &[]), 1e9);
    let cpu = labels("node_cpu_seconds_total", "servidor", "check", &[("mode", "idle"), ("cpu", "0")]);
    let from = now.as_millis() - 20 * 60_000;
    series.add(cpu, &(0..=80).map(|i| (from + i * 15_000, i as f64 * 0.75)).collect::<Vec<_>>());
    let expect = [
        "CertificateExpiresSoon advertencia: El certificado de Frontend vence en menos de 30 días [10 días]",
        "HostCpuHigh advertencia: CPU de Servidor al 95 % [95.0 %]",
        "HostDiskFull advertencia: Disco / de Servidor al 92 % [92.0 %]",
        "HostDiskFull advertencia: Disco /srv de Servidor al 81 % [81.0 %]",
        "HostDiskFull critica: Disco / de Servidor al 92 % [92.0 %]",
        "HostMemoryHigh advertencia: Memoria de Servidor al 88 % [87.5 %]",
        "ServiceDown critica: Backend · salud no responde [caído] status 503.",
        "ServiceSlow advertencia: Frontend va lento [8.5 s]",
    ];
    assert_eq!(firing(&plan(), &series, now), expect);
}

#[test]
fn alr_01_a_rule_can_be_copied_into_a_rule_file() {
    let mut text = String::from("groups:\n- name: copy\n  rules:\n");
    let groups = rules_from_plan(&plan());
    let rules: Vec<&Rule> = groups.iter().flat_map(|g| &g.rules).collect();
    for rule in &rules {
        rule.to_yaml().lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    let sources = plan_syntax::Sources::new(&[plan_syntax::SourceFile::new("rules/a.yaml", &*text)], "");
    let file = plan_model::RuleFile { path: "rules/a.yaml".into(), text };
    let read = crate::rules::read_rule_files(&[file], &sources, &plan());
    assert_eq!(read.diagnostics, []);
    let exprs: Vec<&str> = read.groups[0].rules.iter().map(|r| r.query.text()).collect();
    assert_eq!(exprs, rules.iter().map(|r| r.query.text()).collect::<Vec<_>>());
}

#[test]
fn names_of_any_form_give_rules() {
    for name in ["a-b", "a.b", "a b", "ñandú", "a\"b", "a\\b", "a|b"] {
        let mut plan = plan();
        let one = plan.services["backend"].clone();
        plan.services.insert(name.into(), one);
        assert_eq!(lines(&plan).len(), 14, "{name}");
    }
}

#[test]
fn many_checks_share_few_rules_and_none_is_left_out() {
    let mut plan = plan_with(serde_json::json!({ "defaults": { "every": "10s" }, "hosts": {}, "services": {} }));
    for i in 0..2_500 {
        let severity = if i % 2 == 0 { "critica" } else { "advertencia" };
        let check = serde_json::json!({ "check": { "tcp": "a:1", "down": severity, "slow_severity": severity } });
        plan.services.insert(format!("servicio-con-un-nombre-largo-{i}"), serde_json::from_value(check).unwrap());
    }
    let groups = rules_from_plan(&plan);
    let down: Vec<&Rule> = groups.iter().flat_map(|g| &g.rules).filter(|r| r.name == "ServiceDown").collect();
    assert_eq!(down.len(), 26);
    let named: usize = down.iter().map(|r| r.query.text().matches("servicio-").count()).sum();
    assert_eq!(named, 2_500);
}
