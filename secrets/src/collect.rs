//! The references of a plan, and the forms in which what they stand for may show itself. Pure.

use std::collections::BTreeSet;

use kernel::secret::{Reference, Secret, Text};

/// A part of a URL is taken for a secret of its own from this length on: shorter ones are words such as `health`.
const SECRET_SEGMENT: usize = 20;

/// Names of query fields whose values are secrets.
const SECRET_FIELDS: &[&str] =
    &["token", "key", "api_key", "apikey", "access_token", "secret", "sig", "signature", "password", "code"];

/// A line of a long value (a key in PEM) is taken for a secret of its own from this length on.
const SECRET_LINE: usize = 16;

/// Every reference in a plan that was made into a JSON value.
pub fn references(plan: &serde_json::Value) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    collect(plan, &mut found);
    found
}

fn collect(value: &serde_json::Value, found: &mut BTreeSet<Reference>) {
    match value {
        serde_json::Value::String(text) if text.contains("${") => found.extend(Text::new(text.as_str()).references()),
        serde_json::Value::Array(all) => all.iter().for_each(|v| collect(v, found)),
        serde_json::Value::Object(map) => map.values().for_each(|v| collect(v, found)),
        _ => {}
    }
}

/// A value and the parts of it that would give it away: what stands percent-encoded in it, a URL's password, tokens in
/// its path and query, the lines of a key.
pub fn telling_parts(value: &Secret) -> BTreeSet<Secret> {
    let text = value.expose();
    let mut out = BTreeSet::from([value.clone(), Secret::new(text.trim().to_owned()), decoded(text)]);
    if let Some((_, rest)) = text.split_once("://") {
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if let Some((user, _)) = authority.rsplit_once('@') {
            if let Some((_, password)) = user.split_once(':') {
                out.extend([Secret::new(password.to_owned()), decoded(password)]);
            }
            out.extend([Secret::new(user.to_owned()), decoded(user)]);
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        out.extend(path.split('/').filter(|s| s.len() >= SECRET_SEGMENT).map(|s| Secret::new(s.to_owned())));
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            if SECRET_FIELDS.contains(&name.to_lowercase().as_str()) {
                out.extend([Secret::new(value.to_owned()), decoded(value)]);
            }
        }
    }
    if text.trim().contains('\n') {
        let long = text.lines().map(str::trim).filter(|l| l.len() >= SECRET_LINE && !l.starts_with("-----"));
        out.extend(long.map(|l| Secret::new(l.to_owned())));
    }
    out
}

/// Words in the names of variables whose values are secrets.
const SECRET_NAMES: &[&str] =
    &["PASS", "SECRET", "TOKEN", "KEY", "CLAVE", "CONTRASE", "CREDENTIAL", "WEBHOOK", "AUTH", "PRIVATE"];

/// The parts of a value that are secrets without doubt: of sources that hold nothing else, of variables that are named so,
/// and passwords and tokens in URLs.
pub(crate) fn grave_parts(reference: &Reference, value: &Secret) -> BTreeSet<Secret> {
    let mut parts = telling_parts(value);
    let name = reference.name.to_uppercase();
    if reference.scheme == "env" && !SECRET_NAMES.iter().any(|word| name.contains(word)) {
        let whole = [value.expose(), value.expose().trim()];
        parts.retain(|part| value.expose().contains("://") && !whole.contains(&part.expose()));
    }
    parts
}

fn decoded(text: &str) -> Secret {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match tail.get(..2).filter(|_| *first == b'%').and_then(hex) {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    Secret::new(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let plan =
            serde_json::json!({ "a": ["${env:A}/x", { "b": "${vault:kv/db#password} ${env:A}" }], "c": "$${env:NO}" });
        let found: Vec<String> = references(&plan).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["${env:A}", "${vault:kv/db#password}"]);
    }

    #[test]
    fn what_may_be_a_port_or_a_name_stays_in_labels() {
        let grave = |scheme: &str, name: &str, value: &str| -> Vec<String> {
            let reference = Reference { scheme: scheme.to_owned(), name: name.to_owned() };
            grave_parts(&reference, &Secret::new(value.to_owned())).iter().map(|s| s.expose().to_owned()).collect()
        };
        assert!(grave("env", "DB_NAME", "sigcerh").is_empty());
        assert_eq!(grave("env", "DB_PASSWORD", "sigcerh"), ["sigcerh"]);
        assert_eq!(grave("vault", "kv/db#name", "sigcerh"), ["sigcerh"]);
        assert!(grave("env", "DB_URL", "postgres://a:hunter22@h/x").contains(&"hunter22".to_owned()));
    }

    #[test]
    fn sec_12_parts_that_give_a_value_away_are_known_too() {
        let parts = |text: &str| -> Vec<String> {
            telling_parts(&Secret::new(text.to_owned())).iter().map(|s| s.expose().to_owned()).collect()
        };
        let url = parts("postgres://ana:p%40ss-word@db.example/x?token=t%2Fk&sslmode=require");
        for part in ["p%40ss-word", "p@ss-word", "t%2Fk", "t/k"] {
            assert!(url.iter().any(|p| p == part), "{part}: {url:?}");
        }
        assert!(!url.iter().any(|p| p == "require" || p == "db.example"), "{url:?}");
        let hook = parts("https://hooks.example/services/T0/abcdefghijklmnopqrstuvwx");
        assert!(hook.iter().any(|p| p == "abcdefghijklmnopqrstuvwx") && !hook.iter().any(|p| p == "services"));
        let key = parts("-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END X-----\n");
        assert!(key.iter().any(|p| p == "MIIEvQIBADANBgkqhkiG9w0BAQ"), "{key:?}");
    }
}
