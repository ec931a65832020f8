//! Test files that hold and that do not. Pure.

use super::*;
use crate::rules::prometheus::read_rule_file;

const RULES: &str = r#"
groups:
- name: g
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - alert: Down
    expr: up == 0
    for: 5m
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.instance }} of {{ $labels.job }} is down, {{ $externalLabels.site }}"}
  - record: lat:rate
    expr: rate(lat[5m])
"#;

fn run(tests: &str) -> Vec<String> {
    let file = read_test_file(tests, false).unwrap();
    let rules = [("rules.yml".to_owned(), read_rule_file(RULES, false).unwrap())];
    run_tests(&file, &rules, &|_| true, Showing::default()).into_iter().flat_map(|t| t.failures).collect()
}

const GOOD: &str = r#"
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  external_labels: {site: lima}
  input_series:
  - {series: 'up{job="a", instance="x"}', values: '1 1 0x10'}
  - {series: 'up{job="a", instance="y"}', values: '1x12'}
  - {series: 'lat', values: '{{schema:0 sum:1 count:2 buckets:[1 1]}}+{{sum:1 count:2 buckets:[1 1]}}x12'}
  alert_rule_test:
  - {eval_time: 6m, alertname: Down, exp_alerts: []}
  - eval_time: 7m
    alertname: Down
    exp_alerts:
    - exp_labels: {job: a, instance: x, severity: critical}
      exp_annotations: {summary: x of a is down, lima}
  promql_expr_test:
  - expr: job:up:sum
    eval_time: 1m
    exp_samples: [{labels: 'job:up:sum{job="a"}', value: 2}]
  - expr: sum(job:up:sum) * 2
    eval_time: 5m30s
    exp_samples: [{labels: '{}', value: 2}]
  - expr: lat
    eval_time: 1m
    exp_samples: [{labels: lat, histogram: '{{sum:2 count:4 buckets:[2 2]}}'}]
  - expr: count_over_time(ALERTS{alertstate="pending"}[1h])
    eval_time: 12m
    exp_samples: [{labels: '{alertname="Down", alertstate="pending", job="a", instance="x", severity="critical"}', value: 5}]
"#;

#[test]
fn alr_02_tests_that_hold() {
    let text = GOOD.replace("is down, lima}", "'is down, lima'}").replace("x of a 'is", "'x of a is");
    assert_eq!(run(&text), Vec::<String>::new());
}

#[test]
fn alr_02_what_does_not_hold_is_shown_as_promtool_shows_it() {
    let text = r#"
rule_files: [rules.yml]
tests:
- name: first
  interval: 1m
  input_series: [{series: 'up{job="a"}', values: '0x10'}]
  alert_rule_test:
  - {eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: b}}]}
  promql_expr_test:
  - {expr: up, eval_time: 1m, exp_samples: [{labels: 'up{job="a"}', value: 1.5}]}
  - {expr: up, eval_time: 1m}
  - {expr: 'up{', eval_time: 1m}
"#;
    let got = run(text);
    let alert = concat!(
        "    name: first,\n    alertname: Down, time: 5m, \n        exp:[\n            0:\n",
        "              Labels:{alertname=\"Down\", job=\"b\"}\n              Annotations:{}\n            ], \n        got:[\n",
        "            0:\n              Labels:{alertname=\"Down\", job=\"a\", severity=\"critical\"}\n",
        "              Annotations:{summary=\" of a is down, \"}\n            ]"
    );
    assert_eq!(got[0], alert);
    let sample = "{__name__=\"up\", job=\"a\"}";
    assert_eq!(
        got[1],
        format!("    expr: \"up\", time: 1m,\n        exp: {sample} 1.5E+00\n        got: {sample} 0E+00")
    );
    assert_eq!(got[2], format!("    expr: \"up\", time: 1m,\n        exp: nil\n        got: {sample} 0E+00"));
    assert!(got[3].starts_with("    expr: \"up{\", time: 1m, err: 1:"), "{}", got[3]);
    assert_eq!(got.len(), 4);
    let file = read_test_file(text, false).unwrap();
    let rules = [("rules.yml".to_owned(), read_rule_file(RULES, false).unwrap())];
    let shown = run_tests(&file, &rules, &|_| true, Showing { diff: true });
    assert!(
        shown[0].failures[0].contains("\n            -     job=\"b\"\n            +     job=\"a\""),
        "{}",
        shown[0].failures[0]
    );
    let xml = junit(&[("a<b.yml".to_owned(), shown)]);
    assert!(xml.contains("<testsuite name=\"a&lt;b.yml\" tests=\"1\" failures=\"1\""), "{xml}");
    assert!(run_tests(&file, &rules, &|t| t.name == "other", Showing::default()).is_empty());
}

#[test]
fn alr_02_start_fuzzy_order_and_limits() {
    let text = r#"
rule_files: [rules.yml]
evaluation_interval: 30s
fuzzy_compare: true
group_eval_order: [g]
tests:
- interval: 30s
  start_timestamp: 2026-01-01T00:00:00Z
  input_series: [{series: x, values: '0.1x4'}]
  promql_expr_test:
  - {expr: 'x * 3', eval_time: 30s, exp_samples: [{labels: '{}', value: 0.3}]}
  - {expr: 'timestamp(x)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1767225660}]}
"#;
    assert_eq!(run(text), Vec::<String>::new());
    assert_eq!(run(&text.replace("fuzzy_compare: true", "")).len(), 1);
    assert_eq!(run(&text.replace("[g]", "[g, g]")), ["group name repeated in evaluation order: g"]);
    assert!(run(&text.replace("eval_time: 1m", "eval_time: 100y"))[0].contains("the limit is"));
    let wrong = |text: &str| read_test_file(text, false).unwrap_err();
    assert_eq!(wrong("test: 1"), "yaml: unmarshal errors:\n  line 1: field test not found in type main.unitTestFile");
    assert_eq!(wrong("tests: [{start_timestamp: soon}]"), "cannot parse \"soon\" to a valid timestamp");
}

#[test]
fn alr_02_a_rule_that_fails_ends_its_test() {
    let rules = "groups:\n- name: g\n  rules:\n  - {record: r, expr: x * on (a) x}\n";
    let rules = [("r.yml".to_owned(), read_rule_file(rules, false).unwrap())];
    let text = "tests:\n- interval: 1m\n  input_series: [{series: 'x{b=\"1\"}', values: 1x3}, {series: 'x{b=\"2\"}', values: 1x3}]\n  \
        promql_expr_test: [{expr: x, eval_time: 1m}]\n";
    let file = read_test_file(text, false).unwrap();
    let failures = &run_tests(&file, &rules, &|_| true, Showing::default())[0].failures;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].starts_with("    rule: r, time: 0s, err: "), "{failures:?}");
}
