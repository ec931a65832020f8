//! `farero rules`: Prometheus's rule files checked and tested, printed as promtool prints it. I/O: files.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use decide::rules::prometheus::file::{RuleFile, duplicates, read_rule_file};
use decide::rules::testing::{Showing, TestGroup, Tested, junit, read_test_file, run_tests};
use regex::Regex;

use crate::arguments::rules::{Check, Rules, Test, What};
use crate::print::line;

/// Promtool's exit code where only linting found something.
const LINT: u8 = 3;

pub(crate) fn run(arguments: &Rules) -> Result<ExitCode> {
    match &arguments.what {
        What::Check(check) => run_check(check),
        What::Test(test) => run_test(test),
    }
}

fn run_check(arguments: &Check) -> Result<ExitCode> {
    let (mut wrong, mut linted) = (false, false);
    let mut texts: Vec<(String, Result<String, String>)> = Vec::new();
    if arguments.files.is_empty() {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("the standard input cannot be read")?;
        texts.push(("standard input".to_owned(), Ok(text)));
    }
    texts.extend(arguments.files.iter().map(|path| (path.display().to_string(), read_text(path))));
    for (name, text) in texts {
        line(&format!("Checking {name}"))?;
        let read = text.and_then(|text| {
            let read = read_rule_file(&text, arguments.ignore_unknown_fields);
            read.map_err(|errors| errors.iter().map(|e| format!("{name}: {e}")).collect::<Vec<_>>().join("\n"))
        });
        match read {
            Err(errors) => {
                eprintln!("  FAILED:\n{errors}");
                wrong = true;
            }
            Ok(file) => match lint(&file, &arguments.lint) {
                Some(found) => {
                    eprintln!("  FAILED:\n{found}");
                    linted = true;
                }
                None => line(&format!("  SUCCESS: {} rules found", rules_in(&file)))?,
            },
        }
        line("")?;
    }
    Ok(ExitCode::from(match (wrong, linted && arguments.lint_fatal) {
        (true, _) => crate::exit::NO,
        (false, true) => LINT,
        (false, false) => crate::exit::OK,
    }))
}

fn rules_in(file: &RuleFile) -> usize {
    file.groups.iter().map(|g| g.rules.len()).sum()
}

/// What linting says.
fn lint(file: &RuleFile, what: &str) -> Option<String> {
    let found = if what == "none" { Vec::new() } else { duplicates(file) };
    if found.is_empty() {
        return None;
    }
    let mut out = format!("lint error {} duplicate rule(s) found.\n", found.len());
    for (name, labels) in &found {
        out.push_str(&format!("Metric: {name}\nLabel(s):\n"));
        labels.iter().for_each(|(name, value)| out.push_str(&format!("\t{name}: {value}\n")));
    }
    out.push_str("Might cause inconsistency while recording expressions");
    Some(out)
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn run_test(arguments: &Test) -> Result<ExitCode> {
    let chosen: Vec<Regex> = arguments
        .run
        .iter()
        .map(|text| Regex::new(text).with_context(|| format!("--run: `{text}` is no regular expression")))
        .collect::<Result<_>>()?;
    let is_chosen = |test: &TestGroup| chosen.is_empty() || chosen.iter().any(|r| r.is_match(&test.name));
    let mut all: Vec<(String, Vec<Tested>)> = Vec::new();
    for path in &arguments.files {
        let name = path.display().to_string();
        line(&format!("Unit Testing:  {name}"))?;
        let tested = test_file(path, arguments, &is_chosen)
            .unwrap_or_else(|error| vec![Tested { name: name.clone(), failures: vec![error] }]);
        let failures: Vec<&String> = tested.iter().flat_map(|t| &t.failures).collect();
        if failures.is_empty() {
            line("  SUCCESS")?;
        } else {
            eprintln!("  FAILED:");
        }
        for failure in failures {
            eprintln!("{failure}");
            line("")?;
        }
        line("")?;
        all.push((name, tested));
    }
    if let Some(path) = &arguments.junit {
        std::fs::write(path, junit(&all)).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let failed = all.iter().any(|(_, tests)| tests.iter().any(|t| !t.failures.is_empty()));
    Ok(ExitCode::from(if failed { crate::exit::NO } else { crate::exit::OK }))
}

fn test_file(path: &Path, arguments: &Test, chosen: &dyn Fn(&TestGroup) -> bool) -> Result<Vec<Tested>, String> {
    let lenient = arguments.ignore_unknown_fields;
    let file = read_test_file(&read_text(path)?, lenient)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut rules: Vec<(String, RuleFile)> = Vec::new();
    for pattern in &file.rule_files {
        let pattern = folder.join(pattern);
        let found = files_of(&pattern)?;
        if found.is_empty() {
            eprintln!("  WARNING: no file match pattern {}", pattern.display());
        }
        for path in found {
            let name = path.display().to_string();
            let read = read_rule_file(&read_text(&path)?, lenient);
            let read = read.map_err(|all| all.iter().map(|e| format!("{name}: {e}")).collect::<Vec<_>>().join("\n"))?;
            rules.push((name, read));
        }
    }
    Ok(run_tests(&file, &rules, chosen, Showing { diff: arguments.diff }))
}

/// The files that a pattern names, sorted.
fn files_of(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let text = pattern.to_string_lossy();
    let found = glob::glob(&text).map_err(|e| format!("{text}: {e}"))?;
    Ok(found.filter_map(std::result::Result::ok).collect())
}
