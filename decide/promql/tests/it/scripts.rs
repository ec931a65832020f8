//! Runs scripts in Prometheus's `promqltest` notation: ours, and those of a folder named by `FARERO_PROMQLTEST`.

use std::path::Path;

use crate::script::run::run_script;

/// Runs the scripts of a folder; prints a line per file and gives all failures.
fn run_folder(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "test"));
    files.sort();
    assert!(!files.is_empty(), "no scripts in {}", folder.display());
    let mut failures = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (mut passed, mut failed) = (0, 0);
        for case in run_script(&text) {
            match case.failed {
                None => passed += 1,
                Some(why) => {
                    failed += 1;
                    failures.push(format!("{name}:{}: {}\n    {why}", case.line, case.expr));
                }
            }
        }
        eprintln!("{name}: {passed} passed, {failed} failed");
    }
    failures
}

#[test]
fn met_14_own_scripts() {
    let failures = run_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A measure, not a gate: prints counts and failures of scripts that are not part of this repository.
#[test]
fn scripts_of_a_named_folder() {
    let Ok(folder) = std::env::var("FARERO_PROMQLTEST") else { return };
    for failure in run_folder(Path::new(&folder)) {
        eprintln!("{failure}");
    }
}
