//! Any text as a rule file and as a file of unit tests: read or refused; what was read can be evaluated. Pure.
#![no_main]

use decide::rules::prometheus::read_rule_file;
use decide::rules::testing::{Showing, read_test_file, run_tests};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let rules = read_rule_file(text, true);
    let (rules_text, tests_text) = text.split_once("\n---\n").unwrap_or((text, text));
    let (Ok(first), Ok(mut tests)) = (read_rule_file(rules_text, true), read_test_file(tests_text, true)) else {
        return;
    };
    // Long tests are right, and slow.
    let short = kernel::Duration::from_mins(60);
    tests.tests.retain(|t| t.alerts.iter().all(|a| a.eval_time < short) && t.expressions.iter().all(|e| e.eval_time < short));
    tests.evaluation_interval = tests.evaluation_interval.max(kernel::Duration::from_mins(1));
    let files = [("a".to_owned(), first)];
    for tested in run_tests(&tests, &files, &|_| true, Showing { diff: text.len() % 2 == 0 }) {
        assert!(!tested.name.is_empty());
    }
    drop(rules);
});
