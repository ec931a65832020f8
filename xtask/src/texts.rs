//! Texts for people: paths they name must exist; nothing in the tree speaks of the machine it was made on. I/O.

use std::path::Path;

use anyhow::Result;

/// Texts whose paths are checked.
const TEXTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Things that must be there.
const REQUIRED: &[&str] =
    &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "deny.toml", ".ci/run"];

pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut out: Vec<String> =
        REQUIRED.iter().filter(|p| !root.join(p).exists()).map(|p| format!("{p}: missing")).collect();
    for name in TEXTS.iter().filter(|name| root.join(name).exists()) {
        let text = std::fs::read_to_string(root.join(name))?;
        out.extend(dead_paths(root, name, &text));
    }
    out.extend(foreign_paths(root)?);
    Ok(out)
}

/// Everything between backticks that looks like a path of this tree and is not there.
fn dead_paths(root: &Path, name: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for word in line.split('`').skip(1).step_by(2).filter(|w| is_path(w)) {
            let bare = word.trim_end_matches('/');
            if !root.join(bare).exists() {
                out.push(format!("{name}:{}: `{word}` is not there (any more)", number + 1));
            }
        }
    }
    out
}

fn is_path(word: &str) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    let rooms = [
        "kernel", "plan", "observe", "store", "decide", "act", "state", "web", "run", "demo", "cli", "plans", "docs",
        "xtask", "tests", "fuzz", ".ci",
    ];
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    plain && word.contains('/') && rooms.contains(&first)
}

/// Absolute paths of a developer's machine have no place in the tree.
fn foreign_paths(root: &Path) -> Result<Vec<String>> {
    let marks = [concat!("/wo", "rk/"), concat!("/fa", "rm/"), concat!("/var/tmp", "/t/"), concat!("bash_", "jobs")];
    let mut out = Vec::new();
    for path in
        crate::files(root, &[".rs", ".md", ".toml", ".yaml", ".yml", ".js", ".css", ".html", ".sh", ".py", "run"])?
    {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|m| line.contains(m)) {
                out.push(format!("{}:{}: names a path of one machine", crate::relative(root, &path), number + 1));
            }
        }
    }
    Ok(out)
}
