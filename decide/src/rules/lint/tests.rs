//! The suspicious rules of the documents, and rules without reproach. Pure.

use plan_model::RuleFile;
use plan_syntax::SourceFile;

use super::*;
use crate::rules::read_rule_files;
use crate::testing::{plan, plan_with};

/// What is said about one rule, as `code | underlined | help`.
fn said(plan: &Plan, rule: &str) -> Vec<String> {
    let text = format!("groups:\n- name: g\n  rules:\n{rule}");
    let sources = Sources::new(&[SourceFile::new("rules/a.yaml", &*text)], "");
    let read = read_rule_files(&[RuleFile { path: "rules/a.yaml".into(), text: text.clone() }], &sources, plan);
    assert_eq!(read.diagnostics, []);
    let line = |d: &Diagnostic| {
        assert!(d.es.is_some());
        format!("{} | {} | {}", d.code, sources.slice(d.place.span), d.help.as_deref().unwrap_or_default())
    };
    lint(&read, plan, &sources).iter().map(line).collect()
}

#[test]
fn alr_26_conectas_rate_per_second_is_no_five_percent() {
    let rule = "  - alert: HighErrorRate\n    expr: rate(http_requests_total{status=~\"5..\"}[5m]) > 0.05\n    for: 5m\n    \
                labels: { severity: high }\n    annotations:\n      description: 'Error rate is above 5%'\n";
    let corrected = "rate-as-fraction | rate(http_requests_total{status=~\"5..\"}[5m]) > 0.05 | write `sum without (status) \
        (rate(http_requests_total{status=~\"5..\"}[5m])) / sum without (status) (rate(http_requests_total[5m])) > 0.05`";
    let plan = plan();
    let all = said(&plan, rule);
    assert_eq!(all[0], "unknown-severity | high | ");
    assert_eq!(all[1..], [corrected]);
    let summed = rule.replace(
        "rate(http_requests_total{status=~\"5..\"}[5m])",
        "sum by (service) (rate(http_requests_total{job=\"backend\", code=\"500\"}[5m]))",
    );
    let expect = "write `sum by (service) (rate(http_requests_total{job=\"backend\", code=\"500\"}[5m])) / sum by (service) \
                  (rate(http_requests_total{job=\"backend\"}[5m])) > 0.05`";
    assert!(said(&plan, &summed)[1].ends_with(expect), "{:?}", said(&plan, &summed));
    let offered = expect.trim_start_matches("write `").trim_end_matches('`');
    assert!(crate::rules::Query::parse(offered).is_ok());
}

#[test]
fn alr_26_ecplacas_prints_a_share_as_percent() {
    let rule = "  - alert: DatabaseConnectionsHigh\n    expr: threads_connected / max_connections > 0.8\n    for: 5m\n    \
                labels: { severity: critica }\n    annotations:\n      description: Database connections at {{ $value }}% of maximum\n";
    let plan = plan();
    assert_eq!(
        said(&plan, rule),
        ["ratio-as-percent | $value | write `{{ $value | humanizePercentage }}` and take the `%` after it out"]
    );
    for good in ["{{ $value | humanizePercentage }} de 80%", "{{ $value }} de 1", "{{ $labels.x }}%"] {
        assert!(said(&plan, &rule.replace("{{ $value }}%", good)).is_empty(), "{good}");
    }
    assert!(said(&plan, &rule.replace("expr: t", "expr: 100 * t").replace("0.8", "80")).is_empty());
    assert_eq!(said(&plan, &rule.replace("{{ $value }}%", "{{ printf \"%.1f%%\" $value }}")).len(), 1);
}

#[test]
fn alr_26_severities_that_are_not_known_or_not_heard() {
    let plan = plan_with(serde_json::json!({ "severities": {
        "critica": { "rank": "critical", "channels": ["equipo"] },
        "aviso": { "rank": "warning", "deliver": "within 1h" }
    }}));
    let check = |labels: &str, expect: &[&str]| {
        let rule = format!("  - alert: A\n    expr: probe_success == 0\n    labels: {labels}\n");
        assert_eq!(said(&plan, &rule), expect, "{labels}");
    };
    check("{ severity: critica }", &[]);
    check("{ severity: critical }", &[]);
    check("{ severity: critcia }", &["unknown-severity | critcia | did you mean `critica`?"]);
    check("{ team: a }", &["unknown-severity | A | "]);
    check("{ severity: '{{ $labels.severity }}' }", &[]);
    let help = "give `severities.aviso.channels` a channel, or `deliver: info` if it is only to be shown";
    check("{ severity: aviso }", &[&format!("nobody-hears | aviso | {help}")]);
}

#[test]
fn alr_26_a_hold_shorter_than_the_datas_interval() {
    let plan = plan();
    let check = |expr: &str, hold: &str, expect: Option<&str>| {
        let rule = format!("  - alert: A\n    expr: {expr}\n    for: {hold}\n    labels: {{ severity: critica }}\n");
        let all = said(&plan, &rule);
        assert_eq!(
            all.first().map(|l| l.split(" | ").last().unwrap().to_owned()),
            expect.map(ToOwned::to_owned),
            "{all:?}"
        );
    };
    let advice = "write `for: 10m` so that at least two values must agree, or leave it out";
    check("probe_success{service=\"backend\"} == 0", "2m", Some(advice));
    check("probe_success{service=\"backend\"} == 0", "5m", None);
    check("probe_success{service=\"backend\"} == 0", "0s", None);
    check("node_load1 > 4", "1m", None);
    check(
        "up{job=\"backend\"} == 0",
        "10s",
        Some("write `for: 30s` so that at least two values must agree, or leave it out"),
    );
}

#[test]
fn alr_26_metrics_that_nothing_produces() {
    let check = |plan: &Plan, expr: &str, expect: usize| {
        let all = said(plan, &format!("  - record: a:b\n    expr: {expr}\n"));
        assert_eq!(all.len(), expect, "{expr}: {all:?}");
    };
    let plan = plan();
    check(&plan, "up{job=\"postgres\"} == 0", 1);
    check(&plan, "up{job=~\"back.*\"} == 0", 0);
    check(&plan, "rate(anything_total[5m])", 0);
    check(&plan, "a:b + probe_success + node_load1 + ALERTS + farero_build_info", 0);
    let bare = plan_with(serde_json::json!({ "services": { "a": { "check": { "tcp": "a:1" } } }, "hosts": {} }));
    check(&bare, "rate(anything_total[5m]) + node_load1", 2);
    check(&bare, "probe_success", 0);
}
