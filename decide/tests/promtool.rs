//! Rules tested beside Debian's `promtool test rules`: the same files, and what is said of them word for word.
//!
//! Nothing is expected in these files, or something wrong, so that all that was found is printed. What 3.x does otherwise than
//! Debian's 2.42 is left out: samples on the left bound of a range, comparisons of templates with messages of newer Go.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use decide::rules::prometheus::{RuleFile, read_rule_file};
use decide::rules::testing::{Showing, read_test_file, run_tests};

/// A folder for one test's files.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("farero-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What promtool prints to the standard error: nothing when all tests hold.
fn promtool(arguments: &[&str], file: &Path) -> String {
    let output = Command::new("promtool").args(arguments).arg(file).output();
    let output = output.expect("Debian's promtool is needed: apt-get install prometheus");
    String::from_utf8(output.stderr).unwrap()
}

/// What is wrong with a test file, printed as promtool prints it.
fn ours(rules: &str, rules_path: &Path, tests: &str) -> String {
    let rules: Vec<(String, RuleFile)> = match read_rule_file(rules, false) {
        Ok(file) => vec![(rules_path.display().to_string(), file)],
        Err(errors) => panic!("{errors:?}"),
    };
    let file = read_test_file(tests, false).unwrap();
    let failures: Vec<String> =
        run_tests(&file, &rules, &|_| true, Showing::default()).into_iter().flat_map(|t| t.failures).collect();
    if failures.is_empty() { String::new() } else { format!("  FAILED:\n{}\n", failures.join("\n")) }
}

/// Compares both on the same files.
fn compare(name: &str, rules: &str, tests: &str) {
    let folder = Folder::new(name);
    let rules_path = folder.write("rules.yml", rules);
    let tests_path = folder.write("tests.yml", tests);
    let expect = promtool(&["test", "rules"], &tests_path);
    let got = ours(rules, &rules_path, tests);
    assert!(expect.len() > 100, "promtool found something to print: {expect}");
    for (number, (a, b)) in got.lines().zip(expect.lines()).enumerate() {
        assert_eq!(a, b, "line {number} of {name}\n{tests}");
    }
    assert_eq!(got, expect, "{name}");
}

/// Numbers that look random and are the same each time (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len() as u64) as usize]
    }
}

const RULES: &str = r#"
groups:
- name: first
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
    labels: {kind: sum}
  - record: down
    expr: up == 0
  - alert: Down
    expr: up == 0
    labels: {severity: critical, twice: "{{ $labels.job }}-{{ $value }}"}
    annotations: {summary: "{{ $labels.instance }} of {{ $labels.job }}: {{ $value | humanize }}"}
  - alert: LongDown
    expr: up == 0
    for: 3m
  - alert: Sticky
    expr: up == 0
    for: 1m
    keep_firing_for: 4m
- name: second
  limit: 5
  rules:
  - alert: FewUp
    expr: job:up:sum{kind="sum"} < 1.5
    annotations:
      all: "{{ range query \"sum by (instance) (up)\" | sortByLabel \"instance\" }}{{ .Labels.instance }}={{ .Value }} {{ end }}"
  - record: firing
    expr: count by (alertname) (ALERTS{alertstate="firing"})
  - alert: Any
    expr: firing > 1
    for: 2m
  - alert: Absent
    expr: absent(up{job="a"})
"#;

/// Tests of alerts and expressions at random times over random series.
#[test]
fn alr_02_alerts_and_series_are_promtool_s() {
    let mut dice = Dice(0x5eed_cafe);
    let mut tests =
        String::from("rule_files: [rules.yml]\nevaluation_interval: 1m\ngroup_eval_order: [first, second]\ntests:\n");
    let expressions = [
        "ALERTS",
        "ALERTS_FOR_STATE",
        "job:up:sum",
        "down",
        "firing",
        "count_over_time(down[7m30s])",
        "sum(up) > 0",
        "up offset 1m",
        "1 + 1",
        "vector(0) / 0 > 1",
    ];
    for number in 0..30 {
        let step = dice.pick(&["30s", "1m", "2m"]);
        writeln!(tests, "- name: test {number}\n  interval: {step}\n  input_series:").unwrap();
        for series in ["up{job=\"a\",instance=\"1\"}", "up{job=\"a\",instance=\"2\"}", "up{job=\"b\",instance=\"1\"}"] {
            let values: Vec<&str> =
                (0..24).map(|_| dice.pick(&["0", "0", "0", "1", "_", "stale", "0x3", "1x2"])).collect();
            writeln!(tests, "  - {{series: '{series}', values: '{}'}}", values.join(" ")).unwrap();
        }
        tests.push_str("  alert_rule_test:\n");
        for alert in ["Down", "LongDown", "Sticky", "FewUp", "Any", "Absent"] {
            for _ in 0..3 {
                let at = dice.roll(1_200);
                writeln!(tests, "  - {{eval_time: {at}s, alertname: {alert}, exp_alerts: [{{exp_labels: {{a: b}}}}]}}")
                    .unwrap();
            }
        }
        tests.push_str("  promql_expr_test:\n");
        for _ in 0..6 {
            let (at, expr) = (dice.roll(1_200), dice.pick(&expressions));
            writeln!(tests, "  - {{expr: '{expr}', eval_time: {at}s, exp_samples: [{{labels: x, value: 1.5}}]}}")
                .unwrap();
        }
    }
    compare("alerts", RULES, &tests);
}

/// Templates over one sample: each function, and what fails.
#[test]
fn alr_22_templates_are_promtool_s() {
    let templates = [
        "{{ $labels.job }} {{ $labels.none }}| {{ $value }} {{ .Value }} {{ .Labels.job }} {{ $labels }}",
        "{{ . }} {{ $externalLabels }} {{ $externalLabels.site }} {{ $externalURL }}",
        "{{ query \"nothing\" | first | value }}",
        "{{ with query \"up\" }}{{ . | first | value }}{{ end }} {{ len (query \"up\") }} {{ (index (query \"up\") 0).Value }}",
        "{{ range $i, $v := query \"up\" }}{{ $i }} {{ $v }} {{ .Labels.job }};{{ end }}",
        "{{ range query \"none\" }}x{{ else }}none{{ end }}",
        "{{ if gt $value 90.0 }}a{{ else if ge $value 1.0 }}b{{ else }}c{{ end }}",
        "{{ if gt $value 90 }}x{{ end }}",
        "{{ eq 1 1.0 }}",
        "{{ lt \"a\" 1 }}",
        "{{ eq \"a\" \"b\" \"a\" }} {{ ne 1 2 }} {{ le 1.0 2.0 }} {{ and 1 0 }} {{ or 0 \"x\" }} {{ not 0 }}",
        "{{ humanize $value }} {{ humanize 1234567 }} {{ humanize 0.00012 }} {{ humanize \"12\" }} {{ humanize \"x\" }}",
        "{{ humanize1024 1048576.0 }} {{ humanize1024 0.5 }} {{ humanizePercentage 0.1234567 }}",
        "{{ humanizeDuration 0 }} {{ humanizeDuration 0.0012 }} {{ humanizeDuration 59.5 }} {{ humanizeDuration 3661 }}",
        "{{ humanizeDuration 123456 }} {{ humanizeDuration -90 }} {{ humanizeDuration \"3.5\" }}",
        "{{ humanizeTimestamp 1435065584.128 }} {{ toTime 1435065584 }} {{ (toTime 0).Unix }} {{ (toTime 9).Format \"15:04:05\" }}",
        "{{ printf \"%.2f|%5.1f|%-8.3f|%08.2f|%+d|%x|%q|%v|%t\" 1.005 2.25 3.5 -4.5 5 255 \"a\" $value true }}",
        "{{ printf \"%d %s %.2f%%\" $value 3 4 }} {{ printf \"%s\" }} {{ printf \"x\" 1 }}",
        "{{ printf \"%e %g %G %6.3e\" 123456.789 1e21 1e-7 0.5 }} {{ 1e6 }} {{ 1e21 }} {{ 0.00001 }} {{ 100000.0 }}",
        "{{ print 1 2 \"a\" 3 4 true nil }} {{ println 1 \"a\" }}",
        "{{ title \"it's a test_case\" }} {{ toUpper \"aé\" }} {{ toLower \"AÉ\" }}",
        "{{ stripPort \"a:1\" }} {{ stripPort \"[::1]:80\" }} {{ stripPort \"::1\" }} {{ stripDomain \"a.b.c:1\" }} {{ stripDomain \"10.0.0.1\" }}",
        "{{ match \"^a\" \"ab\" }} {{ reReplaceAll \"(a)(b)\" \"$2-${1}x\" \"abab\" }}",
        "{{ graphLink \"up == 1\" }} {{ tableLink \"a b{c=\\\"d\\\"}\" }} {{ parseDuration \"1h30m\" }}",
        "{{ args 1 \"x\" }} {{ (args 1 \"x\").arg1 }} {{ strvalue (first (query \"up\")) }}| {{ label \"job\" (first (query \"up\")) }}",
        "{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $labels.job }} {{ define \"u\" }}{{ .arg0 }}{{ end }}{{ template \"u\" (args 1) }}",
        "a  {{- /* c */ -}}  b {{ \"x\" -}}  c  {{- \"y\" }} {{ `raw {{` }}",
        "{{ html \"<a b='c'>\" }} {{ js \"it's <b>\" }} {{ urlquery \"a b&c\" }} {{ slice \"abcd\" 1 3 }} {{ index $labels \"job\" }}",
        "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ $y }}{{ end }}{{ $x }} {{ with $z := \"w\" }}{{ $z }}{{ . }}{{ end }}",
        "{{ len \"abc\" }} {{ len $labels }} {{ 'a' }} {{ 0x10 }} {{ -1 }} {{ true }} {{ 1.50 }}",
        "{{ $labels.job.x }}",
        "{{ $value.x }}",
        "{{ index $labels 3 }}",
        "{{ index (query \"up\") 7 }}",
        "{{ len 3 }}",
        "{{ nil }}",
        "{{ 1 2 }}",
        "line one\nline two {{ $value.x }}",
        "{{ range $k, $v := $labels }}{{ $k }}={{ $v }},{{ end }}",
        "{{ range $i, $v := query \"up\" }}{{ if $i }}{{ break }}{{ end }}{{ $i }}{{ end }}",
        "{{ $value | printf \"%.3f\" | printf \"<%s>\" }} {{ \"a\" | printf \"%s-%s\" \"b\" }}",
        "{{ externalURL | len | eq 0 }}",
    ];
    let mut rules = String::from("groups:\n- name: g\n  rules:\n");
    let mut tests = String::from(
        "rule_files: [rules.yml]\ntests:\n- interval: 1m\n  external_labels: {site: lima}\n  external_url: http://x.example/p\n  \
         input_series:\n  - {series: 'up{job=\"a\"}', values: '1.5x5'}\n  - {series: 'other{job=\"a\"}', values: '1x5'}\n  alert_rule_test:\n",
    );
    // What needs the address fails in promtool, which has none; that nothing is expected of it is enough.
    for (number, template) in templates.iter().filter(|t| !t.contains("externalURL |")).enumerate() {
        let quoted = serde_json::to_string(template).unwrap();
        writeln!(rules, "  - alert: T{number:02}\n    expr: up\n    annotations: {{text: {quoted}}}").unwrap();
        writeln!(tests, "  - {{eval_time: 1m, alertname: T{number:02}, exp_alerts: []}}").unwrap();
    }
    compare("templates", &rules, &tests);
}

/// Rule files that promtool refuses are refused with its words, but for what 3.x says otherwise.
#[test]
fn alr_02_mistakes_are_promtool_s() {
    let files = [
        "groups:\n- name: g\n  foo: 1\n  rules:\n  - alert: A\n    expr: up\n",
        "groups:\n- name: g\n  interval: 5x\n",
        "groups:\n- name: g\n  rules: []\n- name: g\n  rules: []\n- rules: []\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, record: b, expr: up}\n",
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: ''\n  - record: r\n",
        "groups:\n- name: g\n  rules:\n  - record: r\n    expr: up\n    for: 5m\n    annotations: {a: b}\n",
        "groups:\n- name: g\n  name: h\n",
        "- a\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, annotations: {a: '{{ nope }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, annotations: {a: \"x\\n{{ end }}\"}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ if }}x{{ end }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ if true }}x'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ \"x }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ $x }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ .x | 3 }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ ( 1 }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ $labels.x }'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{ break }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: '{{/* x }}'}}\n",
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {__name__: x}}\n",
    ];
    let folder = Folder::new("mistakes");
    for (number, text) in files.iter().enumerate() {
        let path = folder.write(&format!("{number}.yml"), text);
        let expect = promtool(&["check", "rules"], &path);
        let errors = read_rule_file(text, false).expect_err(text);
        let name = path.display();
        let got: String = errors.iter().map(|e| format!("{name}: {e}\n")).collect();
        // 3.x reads the file a second time, and says once more what could not be read.
        let mut lines: Vec<&str> = got.lines().collect();
        lines.dedup();
        let got = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        // Debian's version knows the place of one of two names only.
        let expect = expect.replacen("  FAILED:\n", "", 1).replace(": 0:0: group", ": 0:0: 0:0: group");
        assert_eq!(got, expect, "{text}");
    }
}
