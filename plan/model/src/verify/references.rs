//! References as they are written: sources that exist, names that they can look for. Whether there is a value is known only
//! where the plan runs. Pure.

use kernel::secret::{Reference, Text};
use plan_syntax::suggest::{listing, nearest};
use plan_syntax::{Diagnostic, Node, Value};

use super::Verifier;

/// Where values come from; `param` is put in before anything is checked.
const SOURCES: &[&str] = &["env", "file", "credential", "age", "vault", "param"];

/// Keys of texts for people: what looks like a reference there is none.
const FREE: &[&str] = &["label", "description", "meaning", "purpose", "note", "query", "title", "summary", "text"];

impl Verifier<'_> {
    pub(super) fn references(&mut self) {
        let root = self.root;
        self.references_in(root, "");
    }

    fn references_in(&mut self, node: &Node, key: &str) {
        match &node.value {
            // What looks like a reference in a dashboard is a variable.
            Value::Map(map) => map
                .iter()
                .filter(|(key, _)| &***key != "dashboards")
                .for_each(|(key, entry)| self.references_in(&entry.node, key)),
            Value::List(all) => all.iter().for_each(|node| self.references_in(node, key)),
            Value::Scalar(scalar) if !FREE.contains(&key) && scalar.text.contains("${") => {
                for reference in Text::new(&*scalar.text).references() {
                    if let Some(error) = self.reference(&reference, node) {
                        self.out.push(error);
                    }
                }
            }
            _ => {}
        }
    }

    fn reference(&self, reference: &Reference, node: &Node) -> Option<Diagnostic> {
        let (scheme, name) = (reference.scheme.as_str(), reference.name.as_str());
        let place = self.sources.place(node.origin.unwrap_or(node.span));
        if !SOURCES.contains(&scheme) {
            // A shell's `${NAME:-else}` is none of ours.
            if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_lowercase()) {
                return None;
            }
            let message = format!("`{scheme}` is no source of values in `{reference}`");
            let near = nearest(scheme, SOURCES.iter().copied()).map(|n| format!("did you mean `${{{n}:{name}}}`?"));
            let help = near.unwrap_or_else(|| "write `$${` where a literal `${` is meant".to_owned());
            let expected = listing(SOURCES.iter().copied(), 8, "or");
            return Some(Diagnostic::error("unknown-source", place, message).help(help).expected(expected));
        }
        let expected = unusable(scheme, name)?;
        let message = format!("`{reference}` names nothing that can be looked up");
        Some(Diagnostic::error("bad-reference", place, message).expected(expected))
    }
}

/// What a reference's name should look like, when it does not.
fn unusable(scheme: &str, name: &str) -> Option<&'static str> {
    let keyed = || name.split_once('#').filter(|(place, key)| !place.is_empty() && !key.is_empty());
    match scheme {
        "credential" if name.is_empty() || name.contains('/') || name.starts_with('.') => {
            Some("the name of a systemd credential, such as ${credential:smtp-password}")
        }
        "age" => {
            let good = keyed().is_some_and(|(file, _)| !file.starts_with('/') && !file.split('/').any(|p| p == ".."));
            (!good).then_some("a file in the plan's folder and a key, such as ${age:secrets.yaml.age#db.password}")
        }
        "vault" => {
            let place = keyed().and_then(|(place, _)| place.trim_matches('/').split_once('/'));
            let good = place
                .is_some_and(|(mount, path)| !mount.is_empty() && path.split('/').all(|p| !p.is_empty() && p != ".."));
            (!good).then_some("mount, path and key, such as ${vault:kv/sigcerh/postgres#password}")
        }
        _ if name.is_empty() => Some("a name, such as ${env:SMTP_PASSWORD} or ${file:/run/secrets/smtp}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{LoadOptions, SourceFile, load};

    fn check(reference: &str, expect: Option<&str>) {
        let text = format!(
            "system: x\ntimezone: UTC\nservices:\n  a:\n    description: 'a ${{thing:b}}'\n    check: {{ tcp: '{reference}' }}\n"
        );
        let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
        let loaded = load(&[SourceFile::new("plan.yaml", text)], &options);
        let said: Vec<_> = loaded.diagnostics.iter().filter(|d| d.level == plan_syntax::Level::Error).collect();
        match (said.as_slice(), expect) {
            ([], None) => {}
            ([one], Some(part)) => {
                let all = format!("{} {}: {} {:?} {:?}", one.place.line, one.code, one.message, one.help, one.expected);
                assert!(all.starts_with("6 ") && all.contains(part), "{reference}: {all}");
            }
            (said, expect) => panic!("{reference}: {said:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn sec_12_the_checker_knows_the_sources_of_secrets() {
        check("${env:DB}", None);
        check("${credential:db}", None);
        check("${age:s.yaml.age#db.password}", None);
        check("${vault:kv/sigcerh/db#password}", None);
        check("${HOST:-localhost}:1", None);
        check("${valut:kv/db#x}", Some("did you mean `${vault:kv/db#x}`?"));
        check("${secret:x}", Some("unknown-source"));
        check("${age:../s.age#x}", Some("a file in the plan's folder"));
        check("${age:s.age}", Some("and a key"));
        check("${vault:kv/db}", Some("mount, path and key"));
        check("${vault:db#x}", Some("mount, path and key"));
        check("${credential:a/b}", Some("systemd credential"));
        check("${env:}", Some("bad-reference"));
    }
}
