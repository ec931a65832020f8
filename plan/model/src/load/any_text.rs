//! Any text as a plan: loading never panics, and what it says can be printed. The fuzz target's bounded sister. Pure.

use proptest::prelude::*;

use crate::{LoadOptions, Loaded, SourceFile, diff, load};

/// Few enough for every test run; the fuzz target has no such bound.
const CASES: u32 = 48;

fn take(files: &[SourceFile]) -> Loaded {
    let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
    let loaded = load(files, &options);
    let _ = plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default());
    assert_eq!(loaded.plan.is_some(), !loaded.has_errors());
    assert!(diff(&loaded, &loaded).is_empty());
    assert!(loaded.diagnostics.iter().all(|d| d.code != "internal"), "{:?}", loaded.diagnostics);
    loaded
}

/// Words that make plans, so that texts get past the first key.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "(system|timezone|services|hosts|channels|severities|parameters|check|checks|http|tcp|alerts|disk|every|slow|state)",
        "(planned|future|optional|5m|90%|day at 02:00|America/Lima|x|https://x|x:1|true|3|~|'')",
        "(: |:\n  |:\n    |\n|\n  |\n    |- |, |\\[|\\]|\\{|\\}|&a |\\*a|<<: \\*a|\\$\\{param:x\\}|\\$\\{env:X\\}|#|\"|')",
        "\\PC{0,4}",
    ];
    proptest::collection::vec(word, 0..60).prop_map(|w| w.concat())
}

/// A good plan with one piece taken out or put in somewhere.
fn damaged() -> impl Strategy<Value = String> {
    let plan = include_str!("any_text.yaml");
    (0..plan.len(), 0..40usize, words()).prop_map(move |(at, cut, put)| {
        let start = (0..=at).rev().find(|i| plan.is_char_boundary(*i)).unwrap_or(0);
        let end = (start + cut..=plan.len()).find(|i| plan.is_char_boundary(*i)).unwrap_or(plan.len());
        format!("{}{put}{}", &plan[..start], &plan[end..])
    })
}

#[test]
fn the_undamaged_plan_is_good() {
    assert!(take(&[SourceFile::new("plan.yaml", include_str!("any_text.yaml"))]).plan.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn words_never_panic(one in words(), two in words()) {
        take(&[SourceFile::new("a.yaml", one), SourceFile::new("b.yaml", two)]);
    }

    #[test]
    fn damaged_plans_never_panic(text in damaged()) {
        take(&[SourceFile::new("plan.yaml", text)]);
    }
}
