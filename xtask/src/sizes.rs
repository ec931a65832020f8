//! Sizes of files and functions. I/O.

use std::path::Path;

use anyhow::Result;

/// A file longer than this must be split.
const FILE_LINES: usize = 600;

/// A function longer than this must be split.
const FUNCTION_LINES: usize = 70;

/// Places that may be longer, each with its reason. This list may only shrink.
const EXCEPTIONS: &[(&str, &str)] = &[];

pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for path in crate::files(root, &[".rs"])? {
        let name = crate::relative(root, &path);
        let text = std::fs::read_to_string(&path)?;
        out.extend(
            check_file(name, &text).into_iter().filter(|f| !EXCEPTIONS.iter().any(|(place, _)| f.starts_with(place))),
        );
    }
    Ok(out)
}

fn check_file(name: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    if !text.starts_with("//!") {
        out.push(format!("{name}:1: the first line must be a `//!` comment that says what the file is for"));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES {
        out.push(format!("{name}: {lines} lines, at most {FILE_LINES}: split it by topic"));
    }
    out.extend(long_functions(name, text));
    out
}

/// Functions by indentation: rustfmt puts a function's closing brace under its `fn`.
fn long_functions(name: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let Some(function) = function_name(bare) else { continue };
        let closing = format!("{}}}", &line[..line.len() - bare.len()]);
        let end = lines[start..].iter().position(|l| **l == closing).map(|n| start + n);
        let header_end = lines[start..].iter().position(|l| l.ends_with('{') || l.ends_with(';') || l.ends_with('}'));
        let has_body = header_end.is_some_and(|n| lines[start + n].ends_with('{'));
        if let Some(end) = end.filter(|_| has_body) {
            let length = end + 1 - start;
            if length > FUNCTION_LINES {
                out.push(format!(
                    "{name}:{}: fn {function} has {length} lines, at most {FUNCTION_LINES}: split it",
                    start + 1
                ));
            }
        }
    }
    out
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line;
    for word in
        ["pub(crate) ", "pub(super) ", "pub(in ", "pub ", "default ", "const ", "async ", "unsafe ", "extern \"C\" "]
    {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(&rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_')?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_long_functions_and_files() {
        let long = format!("//! x\nfn a() {{\n{}}}\n", "    b();\n".repeat(FUNCTION_LINES));
        let found = check_file("x.rs", &long);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("x.rs:2: fn a has 72 lines"), "{found:?}");
        assert!(check_file("x.rs", "fn a() {}\n")[0].contains("first line"));
        let file = format!("//! x\n{}", "\n".repeat(FILE_LINES));
        assert!(check_file("x.rs", &file)[0].contains("601 lines"));
    }
}
