//! The five plans of this repository pass; what is found in them is expected.

use std::collections::BTreeMap;

use serde_json::Value;
use tests::binary::{root, run};

#[test]
fn pln_02_the_five_plans_pass_with_their_findings() {
    let names = ["conecta360", "ecplacas", "nuam", "sigcerh", "vision"];
    let folders: Vec<String> = names.iter().map(|n| root().join("plans").join(n).display().to_string()).collect();
    let mut arguments = vec!["check", "--json"];
    arguments.extend(folders.iter().map(String::as_str));
    let ran = run(&arguments);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let all: Value = serde_json::from_str(&ran.out).unwrap();
    let mut shown = String::new();
    for plan in all.as_array().unwrap() {
        assert_eq!(plan["usable"], true, "{plan}");
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for diagnostic in plan["diagnostics"].as_array().unwrap() {
            let line = format!(
                "{} {}",
                diagnostic["level"].as_str().unwrap_or("?"),
                diagnostic["code"].as_str().unwrap_or("?")
            );
            *counts.entry(line).or_default() += 1;
        }
        shown.push_str(&format!(
            "{}: {} inactive\n",
            plan["system"].as_str().unwrap(),
            plan["inactive"].as_array().unwrap().len()
        ));
        for (line, count) in counts {
            shown.push_str(&format!("  {count} × {line}\n"));
        }
    }
    insta::assert_snapshot!(shown);
}
