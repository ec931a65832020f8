//! What the reader takes and what it says. Pure.

use proptest::prelude::*;

use super::*;
use crate::source::SourceFile;

fn reading(text: &str) -> (Reading, Sources) {
    let sources = Sources::new(&[SourceFile::new("plan.yaml", text)], "");
    (read(&sources, 0), sources)
}

fn codes(text: &str) -> Vec<(&'static str, u32, u32)> {
    reading(text).0.diagnostics.iter().map(|d| (d.code, d.place.line, d.place.column)).collect()
}

#[test]
fn values_have_places() {
    let (read, sources) = reading("a:\n  ñ: [1, \"dos\", 3.5]\n  b: &x {c: true}\n  d: *x\n");
    let root = read.root.unwrap();
    assert!(read.diagnostics.is_empty() && !read.partial);
    assert_eq!(sources.slice(root.at("a.ñ[1]").unwrap().span), "\"dos\"");
    assert_eq!(sources.slice(root.entry_at("a.b.c").unwrap().0), "c");
    assert_eq!(sources.slice(root.at("a.d.c").unwrap().span), "true");
    assert_eq!(root.at("a.ñ[7]"), None);
    assert_eq!(root.at("a.x"), None);
}

#[test]
fn merge_keys_fill_in_what_is_not_said() {
    let (read, _) = reading("base: &b {x: 1, y: 1}\nother: &o {y: 2, z: 2}\nuse:\n  <<: [*b, *o]\n  x: 0\n");
    let root = read.root.unwrap();
    let value = |path| root.at(path).unwrap().as_text().unwrap().to_owned();
    assert_eq!([value("use.x"), value("use.y"), value("use.z")], ["0", "1", "2"]);
}

#[test]
fn mistakes_are_found_together() {
    assert_eq!(codes("a: 1\nb: 2\na: 3\n"), [("duplicate-key", 3, 1)]);
    assert_eq!(codes("a:\n\tb: 1\n"), [("yaml", 2, 2)]);
    assert_eq!(codes("a: 'open\nb: 2\n"), [("yaml", 1, 4)]);
    assert_eq!(codes("a: 1\n---\nb: 2\n"), [("several-documents", 2, 1)]);
    assert_eq!(codes("a: !secret x\n"), [("unknown-tag", 1, 4)]);
    assert_eq!(codes("[a]: 1\n"), [("bad-key", 1, 1)]);
    assert_eq!(codes("a: *nobody\n"), [("yaml", 1, 4)]);
    assert_eq!(codes("a: &a [*a]\n"), [("recursive-alias", 1, 8)]);
    assert_eq!(codes("a: {<<: 5}\n"), [("bad-merge", 1, 9)]);
}

#[test]
fn reading_goes_on_after_a_mistake() {
    let (read, _) = reading("a: {x: 1\nb:\n  c: 1\nd: ]\ne: 5\n");
    assert!(read.partial);
    let root = read.root.unwrap();
    assert_eq!(root.at("e").and_then(Node::as_text), Some("5"));
    assert!(read.diagnostics.len() >= 2, "{:?}", read.diagnostics);
}

#[test]
fn aliases_cannot_grow_without_bound() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = n - 1;
        let ten = vec![format!("*a{before}"); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{ten}]\n"));
    }
    assert!(codes(&text).iter().any(|c| c.0 == "too-many-aliases"));
    let deep = format!("a: {}{}\n", "[".repeat(200), "]".repeat(200));
    assert!(codes(&deep).iter().any(|c| c.0 == "too-deep"), "{:?}", codes(&deep));
}

#[test]
fn an_empty_file_is_no_mistake() {
    for text in ["", "# only a remark\n", "---\n"] {
        let (read, _) = reading(text);
        assert!(read.diagnostics.is_empty(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "[a-z:\\- \\[\\]{},&*!<|>'\"#\n\t0-9ñ%?]{0,200}") {
        let _ = reading(&text);
    }

    #[test]
    fn never_panics_on_anything(text in any::<String>()) {
        let _ = reading(&text);
    }
}
