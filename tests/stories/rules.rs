//! `farero rules` beside Debian's promtool: the same files, the same lines, the same exit codes.

use std::path::Path;
use std::process::Command;

use tests::binary::{Ran, run};

const RULES: &str = r#"groups:
- name: g
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.job }} is down"}
"#;

fn tests(expected: &str) -> String {
    format!(
        "rule_files: ['*.rules.yml']\ntests:\n- name: first\n  interval: 1m\n  input_series: [{{series: 'up{{job=\"a\"}}', values: '1 0x9'}}]\n  \
         alert_rule_test:\n  - {{eval_time: 5m, alertname: Down, exp_alerts: [{{exp_labels: {{job: a, severity: {expected}}}, \
         exp_annotations: {{summary: a is down}}}}]}}\n  promql_expr_test:\n  \
         - {{expr: 'job:up:sum', eval_time: 0s, exp_samples: [{{labels: 'job:up:sum{{job=\"a\"}}', value: 1}}]}}\n"
    )
}

/// What promtool says, in the folder of the files.
fn promtool(folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new("promtool").args(arguments).current_dir(folder).output();
    let output = output.expect("Debian's promtool: apt-get install prometheus");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

fn same(ours: &Ran, theirs: &Ran) {
    assert_eq!((ours.code, &ours.out, &ours.err), (theirs.code, &theirs.out, &theirs.err));
}

#[test]
fn alr_02_rules_are_tested_as_promtool_tests_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("a.rules.yml"), RULES).unwrap();
    std::fs::write(path("good.yml"), tests("critical")).unwrap();
    std::fs::write(path("bad.yml"), tests("warning")).unwrap();
    std::fs::write(path("none.yml"), "rule_files: [none.yml.rules]\ntests: []\n").unwrap();
    std::fs::write(path("wrong.yml"), "rule_files: [x]\ntests: 5x\n").unwrap();
    for files in [vec!["good.yml"], vec!["good.yml", "bad.yml"], vec!["none.yml"]] {
        let files: Vec<String> = files.into_iter().map(path).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        same(
            &run(&[&["rules", "test"], files.as_slice()].concat()),
            &promtool(folder.path(), &[&["test", "rules"], files.as_slice()].concat()),
        );
    }
    let (bad, xml) = (path("bad.yml"), path("out.xml"));
    let ran = run(&["rules", "test", "--diff", "--junit", &xml, &bad]);
    assert!(
        ran.code == 1 && ran.err.contains("-     severity=\"warning\"\n            +     severity=\"critical\""),
        "{}",
        ran.err
    );
    let written = std::fs::read_to_string(xml).unwrap();
    assert!(written.contains("<testcase name=\"first\">\n      <failure"), "{written}");
    assert_eq!(run(&["rules", "test", "--run", "^second$", &bad]).code, 0);
    assert_eq!(run(&["rules", "test", "--run", "(", &bad]).code, 2);
    assert_eq!(run(&["rules", "test", &path("wrong.yml")]).code, 1);
}

#[test]
fn alr_02_rules_are_checked_as_promtool_checks_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("good.yml"), RULES).unwrap();
    std::fs::write(
        path("twice.yml"),
        RULES.replace("  - alert: Down", "  - {record: job:up:sum, expr: up}\n  - alert: Down"),
    )
    .unwrap();
    std::fs::write(path("bad.yml"), RULES.replace("for: 2m", "fro: 2m")).unwrap();
    let (good, twice, bad) = (path("good.yml"), path("twice.yml"), path("bad.yml"));
    for files in [vec![good.as_str()], vec![&good, &twice], vec!["--lint-fatal", &twice], vec!["--lint=none", &twice]] {
        let ours = run(&[&["rules", "check"], files.as_slice()].concat());
        same(&ours, &promtool(folder.path(), &[&["check", "rules"], files.as_slice()].concat()));
    }
    let ran = run(&["rules", "check", &bad]);
    assert_eq!(ran.code, 1);
    let words = "yaml: unmarshal errors:\n  line 8: field fro not found in type rulefmt.Rule\n";
    assert_eq!(ran.err, format!("  FAILED:\n{bad}: {words}"));
    assert_eq!(run(&["rules", "check", "--ignore-unknown-fields", &bad]).code, 0);
}
