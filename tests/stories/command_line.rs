//! The command line: exit codes, what is printed, and JSON.

use tests::binary::{root, run};

#[test]
fn pln_01_check_prints_every_mistake_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan");
    std::fs::create_dir(&plan).unwrap();
    std::fs::write(
        plan.join("plan.yaml"),
        "system: Prueba\ntimezone: America/Limaa\nservices:\n  backend:\n    chek: { http: http://x/ }\n    check: { http: http://x/, every: 5 }\n",
    )
    .unwrap();
    let ran = run(&["check", plan.to_str().unwrap()]);
    let shown = ran.out.replace(folder.path().to_str().unwrap(), "");
    assert_eq!(ran.code, 1, "{shown}");
    insta::assert_snapshot!(shown);
    let spanish = run(&["check", "--language", "es", plan.to_str().unwrap()]);
    let shown = spanish.out.replace(folder.path().to_str().unwrap(), "");
    assert_eq!(spanish.code, 1, "{shown}");
    insta::assert_snapshot!("pln_12_check_in_spanish", shown);
}

#[test]
fn exit_codes_are_as_documented() {
    let plans = root().join("plans/sigcerh");
    let plan = plans.to_str().unwrap();
    assert_eq!(run(&["check", plan]).code, 0);
    assert_eq!(run(&["check", "/does/not/exist"]).code, 2);
    assert_eq!(run(&["diff", plan, plan]).code, 0);
    assert_eq!(run(&["status", "--url", "http://127.0.0.1:1", "--token", "x"]).code, 2);
    assert_eq!(run(&["notify", "test", "nobody", plan]).code, 2);
    assert_eq!(run(&["frobnicate"]).code, 2);
    assert_eq!(run(&["demo", "break", "nothing"]).code, 2);
}

#[test]
fn pln_15_diff_says_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let after = folder.path().join("sigcerh");
    tests::farero::copy_folder(&root().join("plans/sigcerh"), &after);
    let file = after.join("plan.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("version: \"3.0.0\"", "version: \"3.1.0\"", 1)).unwrap();
    let before = root().join("plans/sigcerh");
    let ran = run(&["diff", before.to_str().unwrap(), after.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("version") && ran.out.contains("3.0.0") && ran.out.contains("3.1.0"), "{}", ran.out);
}

#[test]
fn schema_completions_and_manual_are_made() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema"]).out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).out.contains("farero"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", folder.path().to_str().unwrap()]).code, 0);
    assert!(folder.path().join("farero-check.1").exists());
}
