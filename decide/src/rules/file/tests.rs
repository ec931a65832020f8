//! The rule files of the plans, and every mistake at its place. Pure.

use plan_syntax::SourceFile;

use super::*;
use crate::testing::plan;

fn read_text(text: &str) -> (RulesRead, Sources) {
    let sources = Sources::new(&[SourceFile::new("rules/a.yaml", text)], "plans/x");
    let file = RuleFile { path: "rules/a.yaml".into(), text: text.into() };
    (read_rule_files(&[file], &sources, &plan()), sources)
}

/// The diagnostics as `line:column code message`, and the text they underline.
fn told(text: &str) -> Vec<(String, String)> {
    let (read, sources) = read_text(text);
    let line = |d: &Diagnostic| {
        let under = sources.slice(d.place.span).to_owned();
        (format!("{}:{} {} {}", d.place.line, d.place.column, d.code, d.message), under)
    };
    read.diagnostics.iter().map(line).collect()
}

const ECPLACAS: &str = r#"groups:
  - name: ecplacas_maintenance
    rules:
      - alert: HighResponseTime
        expr: histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) > 0.2
        for: 2m
        labels:
          severity: warning
          category: performance
        annotations:
          summary: "Tiempo de respuesta elevado"
          description: "El percentil 95 es {{ $value }}s"
      - alert: DatabaseConnectionsHigh
        expr: mysql_global_status_threads_connected / mysql_global_variables_max_connections > 0.8
        for: 5m
        labels: { severity: critical, category: database }
        annotations:
          description: "Uso de conexiones: {{ $value }}%"
  - name: conecta360_alerts
    interval: 30s
    limit: 10
    query_offset: 1m
    labels: { team: casos, severity: low }
    rules:
      - alert: HighErrorRate
        expr: |
          rate(http_requests_total{status=~"5.."}[5m])
            > 0.05
        for: 5m
        keep_firing_for: 10m
        labels: { severity: high }
      - alert: DatabaseDown
        expr: up{job="postgres"} == 0
        for: 1m
      - record: job:up:count
        expr: count by (job) (up)
"#;

#[test]
fn alr_02_rule_groups_of_ecplacas_and_conecta360() {
    let (read, _) = read_text(ECPLACAS);
    assert_eq!(read.diagnostics, []);
    let [first, second] = read.groups.as_slice() else { panic!("{:?}", read.groups) };
    assert_eq!(
        (first.name.as_str(), first.interval, first.rules.len()),
        ("ecplacas_maintenance", Duration::from_secs(15), 2)
    );
    assert_eq!(
        (second.interval, second.limit, second.query_offset),
        (Duration::from_secs(30), 10, Duration::from_mins(1))
    );
    let kind = RuleKind::Alert { hold: Duration::from_mins(5), keep_firing_for: Duration::from_mins(10) };
    assert_eq!(second.rules[0].kind, kind);
    let labels = |i: usize| -> Vec<(&str, &str)> {
        second.rules[i].labels.iter().map(|(n, t)| (n.as_str(), t.source())).collect()
    };
    assert_eq!(labels(0), [("team", "casos"), ("severity", "high")]);
    assert_eq!(labels(1), [("team", "casos"), ("severity", "low")]);
    assert_eq!(second.rules[2].kind, RuleKind::Record);
}

#[test]
fn alr_01_all_mistakes_are_told_at_once() {
    let all = told(
        "groups:\n- name: a\n  intervall: 5m\n  limit: many\n  rules:\n  - alert: X\n    exp: up\n  - alert: Y\n    expr: up ==\n    \
         for: 5 parsecs\n  - record: a{b}\n    expr: up\n    annotations: {a: b}\n  - alert: Z\n    record: z\n    expr: up\n\
         - name: a\n  rules: []\n- rules: []\n",
    );
    let starts: Vec<&str> = all.iter().map(|(line, _)| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        starts,
        ["3:3", "4:10", "7:5", "6:5", "10:10", "9:16", "13:5", "11:13", "14:12", "17:9", "19:3"],
        "{all:#?}"
    );
    assert!(all[0].0.contains("a group has no key `intervall`"));
    assert!(all[4].0.contains("`parsecs` is not a unit"));
}

#[test]
fn alr_01_places_inside_of_texts() {
    let check = |yaml: &str, place: &str, under: &str| {
        let text = format!("groups:\n- name: a\n  rules:\n  - alert: X\n    {yaml}");
        let all = told(&text);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].0.starts_with(place), "{all:?}");
        assert_eq!(all[0].1, under, "{all:?}");
    };
    check("expr: up{job=} == 0\n", "5:18 promql", "}");
    check("expr: \"up{job=\\\"a\\\"} === 0\"\n", "5:28 promql", "=");
    check("expr: 'rate(up) > 0'\n", "5:17 promql", "up");
    check("expr: |\n      rate(up[5m])\n        > foo(1)\n", "7:11 promql", "foo");
    check("expr: |\n      rate(up[5m])\n        + up{a=~\"(\"}\n", "7:17 promql", "\"(\"");
    check("expr: >-\n      rate(up[5m])\n      > foo(1)\n", "7:9 promql", "foo");
    check("expr: up\n    annotations:\n      summary: \"Sí: {{ $valor }} aquí\"\n", "7:24 template", "$valor");
    check(
        "expr: up\n    annotations:\n      d: |\n        uno\n        dos {{ humanise $value }}\n",
        "9:16 template",
        "humanise",
    );
    check("expr: up[5m]\n", "5:11 promql", "up[5m]");
}

#[test]
fn files_that_are_no_rule_files() {
    assert!(told("").is_empty());
    assert!(told("- a\n")[0].0.contains("a rule file is a map, not a list"));
    assert!(told("groups: 5\n")[0].0.contains("`groups` of a rule file is a list"));
    assert!(told("groups:\n- name: x\n  rules:\n  - 7\n")[0].0.contains("a rule is a map, not a number"));
    assert!(told("groups:\n- name: x\n  rules:\n  - alert: a\n    expr:\n")[0].0.contains("`expr` has no value"));
}
