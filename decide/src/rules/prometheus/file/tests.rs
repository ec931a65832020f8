//! Rule files as people write them, and as they get them wrong. Pure.

use proptest::prelude::*;

use super::*;

fn errors(text: &str) -> Vec<String> {
    read_rule_file(text, false).expect_err(text)
}

#[test]
fn alr_02_all_keys_are_read() {
    let text = r#"
groups:
- name: all
  interval: 30s
  query_offset: 1m
  limit: 10
  labels: {team: sre, severity: none}
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
    labels: {a: "1"}
  - alert: Down
    expr: up == 0
    for: 5m
    keep_firing_for: 1h30m
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.job }} is {{ $value }}"}
- name: empty
"#;
    let file = read_rule_file(text, false).unwrap();
    let [group, empty] = file.groups.as_slice() else { panic!("{file:?}") };
    assert_eq!((group.interval, group.query_offset), (Some(Duration::from_secs(30)), Some(Duration::from_mins(1))));
    assert_eq!((group.limit, group.rules.len(), empty.rules.len()), (10, 2, 0));
    let [record, alert] = group.rules.as_slice() else { panic!() };
    assert_eq!((record.record.as_str(), record.name()), ("job:up:sum", "job:up:sum"));
    assert_eq!((alert.hold, alert.keep_firing_for), (Duration::from_mins(5), Duration::from_mins(90)));
    assert_eq!(alert.annotations[0].1, "{{ $labels.job }} is {{ $value }}");
    assert_eq!(read_rule_file("", false), Ok(RuleFile::default()));
}

#[test]
fn alr_02_unknown_fields_have_their_line() {
    let text = "groups:\n- name: g\n  foo: 1\n  rules:\n  - alert: A\n    expr: up\n    bar: 2\n";
    let all = "yaml: unmarshal errors:\n  line 3: field foo not found in type rulefmt.RuleGroup\n  \
        line 7: field bar not found in type rulefmt.Rule";
    assert_eq!(errors(text), [all]);
    assert!(read_rule_file(text, true).is_ok(), "lenient");
    assert_eq!(
        errors("groups:\n- name: g\n  name: h\n  rules: []\n")[0],
        "yaml: unmarshal errors:\n  line 3: mapping key \"name\" already defined at line 2"
    );
}

#[test]
fn alr_02_wrong_types_are_told_as_go_tells_them() {
    assert_eq!(
        errors("- a\n"),
        [
            "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into rulefmt.RuleGroups",
            "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into rulefmt.ruleGroups"
        ]
    );
    let both = |words: &str| vec![format!("yaml: unmarshal errors:\n  {words}"); 2];
    assert_eq!(errors("groups:\n- name: g\n  limit: abc\n"), both("line 3: cannot unmarshal !!str `abc` into int"));
    assert_eq!(
        errors("groups:\n- name: g\n  labels: a very long text\n"),
        both("line 3: cannot unmarshal !!str `a very ...` into map[string]string")
    );
    assert_eq!(errors("groups:\n- name: g\n  interval: 5x\n"), vec!["not a valid duration string: \"5x\""; 2]);
}

#[test]
fn alr_02_mistakes_are_told_with_line_and_column() {
    let text = r#"groups:
- name: g
  rules:
  - alert: A
    record: b
    expr: up ==
- name: g
  rules:
  - record: 'a b'
    expr: up
    for: 5m
    keep_firing_for: 5m
    annotations: {a: b}
    labels: {"__name__": x, "a-b": y}
  - expr: ""
  - alert: B
    expr: up
    labels: {"x": "{{ $labels.foo "}
    annotations: {"y": "{{ nope }}", z: "{{ $foo }}"}
  - record: up{a="b"}
    expr: up
- rules: []
"#;
    let expect = [
        r#"5:13: 4:12: group "g", rule 1, "A": only one of 'record' and 'alert' must be set"#,
        r#"6:11: group "g", rule 1, "A": could not parse expression: 1:6: parse error: "#,
        r#"7:3: groupname: "g" is repeated in the same file"#,
        r#"9:13: group "g", rule 1, "a b": invalid field 'annotations' in recording rule"#,
        r#"9:13: group "g", rule 1, "a b": invalid field 'for' in recording rule"#,
        r#"9:13: group "g", rule 1, "a b": invalid field 'keep_firing_for' in recording rule"#,
        r#"group "g", rule 1, "a b": invalid label name: __name__"#,
        r#"0:0: 0:0: group "g", rule 2, "": one of 'record' or 'alert' must be set"#,
        r#"15:11: group "g", rule 2, "": field 'expr' must be set in rule"#,
        r#"group "g", rule 3, "B": label "x": template: __alert_B:1: unclosed action"#,
        r#"group "g", rule 3, "B": annotation "y": template: __alert_B:1: function "nope" not defined"#,
        r#"group "g", rule 3, "B": annotation "z": template: __alert_B:1: undefined variable "$foo""#,
        r#"20:13: group "g", rule 4, "up{a=\"b\"}": braces present in the recording rule name; should it be in expr?: up{a="b"}"#,
        "22:3: Groupname must not be empty",
    ];
    let mut got = errors(text);
    // What is wrong with an expression is said by its own reader.
    got[1].truncate(expect[1].len());
    assert_eq!(got, expect);
}

#[test]
fn alr_02_duplicates_are_found_once() {
    let text = "groups:\n- name: g\n  rules:\n  - {record: a, expr: x}\n  - {record: a, expr: y}\n  - {alert: a, expr: z}\n  \
        - {record: a, expr: x, labels: {b: c}}\n";
    let file = read_rule_file(text, false).unwrap();
    assert_eq!(duplicates(&file), [("a".to_owned(), vec![])]);
}

proptest! {
    #[test]
    fn alr_02_never_panics(text in "(groups:|\n|- |  |name: |rules: |expr: |up|\\{|\\}|\\[|\\]|: |alert: |for: |5m|limit: |'|\"|&a|\\*a|labels:|x){0,40}") {
        let _ = read_rule_file(&text, false);
    }
}
