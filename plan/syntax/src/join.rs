//! Files of one plan joined into one tree: maps are joined, a name that stands in two files is an error. Pure.

use crate::diagnostic::Diagnostic;
use crate::source::Sources;
use crate::tree::{Entry, Map, Node, Value};

/// Joins the roots of several files. Maps right below the root are joined name by name; those named in `deep` one level
/// further. Roots that are no maps are reported.
pub fn join(sources: &Sources, roots: Vec<Node>, deep: &[&str]) -> (Option<Node>, Vec<Diagnostic>) {
    let mut out: Option<Node> = None;
    let mut diagnostics = Vec::new();
    for root in roots {
        if matches!(root.value, Value::Null { .. }) {
            continue;
        }
        let Value::Map(map) = root.value else {
            let message = format!("a plan file holds keys, and this is {}", root.kind_name());
            diagnostics.push(Diagnostic::error("not-a-plan", sources.place(root.span), message).expected("a map"));
            continue;
        };
        match out.as_mut().and_then(Node::as_map_mut) {
            Some(into) => join_maps(sources, into, map, deep, 0, &mut diagnostics),
            None => out = Some(Node::new(Value::Map(map), root.span)),
        }
    }
    (out, diagnostics)
}

fn join_maps(sources: &Sources, into: &mut Map, more: Map, deep: &[&str], level: usize, out: &mut Vec<Diagnostic>) {
    for (key, entry) in more {
        let Some(first) = into.get_mut(&key) else {
            into.insert(key, entry);
            continue;
        };
        let goes_deeper = level == 0 || (level == 1 && deep.contains(&&*key));
        match (&mut first.node.value, entry) {
            (Value::Map(into), Entry { node: Node { value: Value::Map(more), .. }, .. }) if goes_deeper => {
                let level = if deep.contains(&&*key) { 0 } else { level + 1 };
                join_maps(sources, into, more, deep, level, out);
            }
            (Value::Null { written: false }, entry) => *first = entry,
            (_, Entry { node: Node { value: Value::Null { written: false }, .. }, .. }) => {}
            (_, entry) => out.push(
                Diagnostic::error("defined-twice", sources.place(entry.key_span), format!("`{key}` is defined twice"))
                    .related(sources.place(first.key_span), "the first is here")
                    .help("keep one of them, or give one another name"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    #[test]
    fn files_are_joined_and_doubles_cite_both_places() {
        let files = [
            SourceFile::new("plan.yaml", "system: x\nservices:\n  a: {}\noverview:\n  today: {n: 1}\n"),
            SourceFile::new("b.yaml", "services:\n  b: {}\n  a: {}\nsystem: y\noverview:\n  today: {m: 1}\n"),
            SourceFile::new("c.yaml", "- 1\n"),
            SourceFile::new("d.yaml", "services:\n"),
        ];
        let sources = Sources::new(&files, "");
        let roots = (0..4).filter_map(|f| crate::read(&sources, f).root).collect();
        let (root, diagnostics) = join(&sources, roots, &["overview"]);
        let root = root.unwrap();
        assert!(root.at("services.b").is_some() && root.at("overview.today.m").is_some());
        let said: Vec<_> =
            diagnostics.iter().map(|d| (d.code, &*d.place.file, d.place.line, d.related.len())).collect();
        assert_eq!(
            said,
            [("defined-twice", "b.yaml", 3, 1), ("defined-twice", "b.yaml", 4, 1), ("not-a-plan", "c.yaml", 1, 0)]
        );
    }
}
