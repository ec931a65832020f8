//! One test for each action, and for what Prometheus refuses.

use super::*;

fn rule(action: Action) -> RuleText {
    RuleText { action, ..RuleText::default() }
}

fn from(action: Action, source: &[&str], regex: &str) -> RuleText {
    let source_labels = source.iter().map(|s| (*s).to_owned()).collect();
    RuleText { source_labels, regex: regex.to_owned(), ..rule(action) }
}

/// The labels a rule leaves, as `a=1 b=2`; `dropped` when it drops them.
fn run(text: RuleText, labels: &[(&str, &str)]) -> String {
    let rule = text.compile(NameScheme::Utf8).unwrap();
    let mut builder = LabelBuilder::new(&Labels::new(labels.iter().copied()));
    if !rule.apply(&mut builder) {
        return "dropped".to_owned();
    }
    builder.labels().iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
}

const LABELS: &[(&str, &str)] = &[("a", "foo"), ("b", "bar"), ("c", "baz")];

#[test]
fn replace() {
    let to = |source: &[&str], regex: &str, target: &str, replacement: &str| {
        let text = from(Action::Replace, source, regex);
        run(RuleText { target_label: target.to_owned(), replacement: replacement.to_owned(), ..text }, LABELS)
    };
    assert_eq!(to(&["a"], "f(.*)", "d", "ch${1}-ch${1}"), "a=foo b=bar c=baz d=choo-choo");
    assert_eq!(to(&["a", "b"], "foo;(.).*", "d", "$1"), "a=foo b=bar c=baz d=b");
    assert_eq!(to(&["a"], "x(.*)", "d", "y"), "a=foo b=bar c=baz");
    assert_eq!(to(&["a"], "(.*)", "b", ""), "a=foo c=baz");
    assert_eq!(to(&[], "(.*)", "d", "static"), "a=foo b=bar c=baz d=static");
    assert_eq!(to(&["a"], "(?P<x>f)(.*)", "${x}_$2", "$x$$1"), "a=foo b=bar c=baz f_oo=f$1");
    // `$1x` is the group `1x`, which there is none of; the empty result takes the label out.
    assert_eq!(to(&["a"], "f(.*)", "b", "$1x"), "a=foo c=baz");
    assert_eq!(to(&["none"], "(.+)", "d", "$1"), "a=foo b=bar c=baz");
    assert_eq!(to(&["none"], "(.*)", "a", "$1"), "b=bar c=baz");
}

#[test]
fn replace_to_a_name_that_is_none() {
    let text = RuleText { target_label: "${1}".to_owned(), ..from(Action::Replace, &["a"], "(.*)") };
    let mut builder = LabelBuilder::new(&Labels::new([("a", "no-name")]));
    let legacy = text.clone().compile(NameScheme::Legacy).unwrap();
    assert!(legacy.apply(&mut builder));
    assert_eq!(builder.labels().len(), 1);
    text.compile(NameScheme::Utf8).unwrap().apply(&mut builder);
    assert_eq!(builder.get("no-name"), "no-name");
}

#[test]
fn keep_and_drop() {
    assert_eq!(run(from(Action::Keep, &["a"], "f.*"), LABELS), "a=foo b=bar c=baz");
    assert_eq!(run(from(Action::Keep, &["a"], "o"), LABELS), "dropped");
    assert_eq!(run(from(Action::Drop, &["a", "c"], "foo;baz"), LABELS), "dropped");
    assert_eq!(run(from(Action::Drop, &["a"], "o"), LABELS), "a=foo b=bar c=baz");
}

#[test]
fn keepequal_and_dropequal() {
    let equal = |action, target: &str| {
        let labels = &[("__port1", "80"), ("__port2", "80"), ("__port3", "81")];
        let text = from(action, &["__port1"], USUAL_REGEX);
        run(RuleText { target_label: target.to_owned(), ..text }, labels) == "dropped"
    };
    assert_eq!((equal(Action::KeepEqual, "__port2"), equal(Action::KeepEqual, "__port3")), (false, true));
    assert_eq!((equal(Action::DropEqual, "__port2"), equal(Action::DropEqual, "__port3")), (true, false));
}

#[test]
fn hashmod() {
    // MD5("foo") = acbd18db4cc2f85c edef654fccc4a4d8; 0xedef654fccc4a4d8 mod 1000 = 304.
    let want = 0xedef_654f_ccc4_a4d8u64 % 1000;
    let text = RuleText { modulus: 1000, target_label: "d".to_owned(), ..from(Action::HashMod, &["a"], USUAL_REGEX) };
    assert_eq!(run(text, LABELS), format!("a=foo b=bar c=baz d={want}"));
}

#[test]
fn labelmap_copies() {
    let text = RuleText { replacement: "bar_${1}".to_owned(), ..from(Action::LabelMap, &[], "(b.*)") };
    assert_eq!(run(text, &[("a", "1"), ("b1", "2"), ("b2", "3")]), "a=1 b1=2 b2=3 bar_b1=2 bar_b2=3");
    let text = from(Action::LabelMap, &[], "__meta_(my_.*)");
    assert_eq!(run(text, &[("__meta_my_x", "1")]), "__meta_my_x=1 my_x=1");
}

#[test]
fn labeldrop_and_labelkeep() {
    assert_eq!(run(from(Action::LabelDrop, &[], "(b.*)"), &[("a", "1"), ("b1", "2"), ("bb", "3")]), "a=1");
    assert_eq!(run(from(Action::LabelKeep, &[], "(b.*)"), &[("a", "1"), ("b1", "2"), ("bb", "3")]), "b1=2 bb=3");
}

#[test]
fn lowercase_and_uppercase() {
    let to = |action| RuleText { target_label: "d".to_owned(), ..from(action, &["a"], USUAL_REGEX) };
    assert_eq!(run(to(Action::Lowercase), &[("a", "BaRÉİß")]), "a=BaRÉİß d=baréİß");
    assert_eq!(run(to(Action::Uppercase), &[("a", "baré ß")]), "a=baré ß d=BARÉ ß");
}

#[test]
fn what_is_refused() {
    let check = |text: RuleText, scheme: NameScheme, part: &str| {
        let error = text.clone().compile(scheme).expect_err(part);
        assert!(error.contains(part), "{text:?}: {error}");
    };
    use NameScheme::{Legacy, Utf8};
    let target = |action, target: &str| RuleText { target_label: target.to_owned(), ..rule(action) };
    check(rule(Action::Replace), Utf8, "requires 'target_label' value");
    check(target(Action::HashMod, "a"), Utf8, "requires non-zero modulus");
    check(target(Action::Replace, "a-b"), Legacy, "\"a-b\" is invalid 'target_label' for replace action");
    check(target(Action::Replace, "${-}"), Legacy, "is invalid 'target_label'");
    check(target(Action::Lowercase, "${1}"), Legacy, "is invalid 'target_label' for lowercase");
    check(RuleText { replacement: "x".into(), ..target(Action::Uppercase, "a") }, Utf8, "'replacement' can not be set");
    check(RuleText { regex: "a".into(), ..target(Action::KeepEqual, "a") }, Utf8, "requires only 'source_labels'");
    check(target(Action::LabelDrop, "a"), Utf8, "labeldrop action requires only 'regex'");
    check(
        RuleText { replacement: "a-$1".into(), ..rule(Action::LabelMap) },
        Legacy,
        "invalid 'replacement' for labelmap",
    );
    check(RuleText { regex: "(".into(), ..target(Action::Replace, "a") }, Utf8, "error parsing regexp");
    assert!(target(Action::Replace, "a-b").compile(Utf8).is_ok());
    assert!(target(Action::Replace, "a_${1}_$2").compile(Legacy).is_ok());
}

#[test]
fn temporary_labels_and_steps() {
    let rules = [
        RuleText { target_label: "__tmp".into(), ..from(Action::Replace, &["a"], "f(.*)") },
        from(Action::Keep, &["__tmp"], "oo"),
        from(Action::LabelDrop, &[], "__tmp"),
        from(Action::Drop, &["b"], "bar"),
        from(Action::Drop, &["c"], "never reached"),
    ];
    let rules: Vec<Rule> = rules.into_iter().map(|r| r.compile(NameScheme::Utf8).unwrap()).collect();
    let steps = relabel_steps(&Labels::new(LABELS.iter().copied()), &rules);
    assert_eq!(steps.iter().map(|s| s.keep).collect::<Vec<_>>(), [true, true, true, false]);
    assert_eq!(steps[0].output.get("__tmp"), Some("oo"));
    assert!(steps[3].output.is_empty());
}
