//! Values that must not be shown, references to them, and taking them out of texts. Pure.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

mod forms;
mod redactor;

pub use redactor::{MOST_SECRETS, Redactor};

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// Secrets shorter than this are not looked for in texts: `a` would redact every word.
pub const SHORTEST_REDACTED: usize = 4;

/// A value that is never printed: neither by `{}` (it has none) nor by `{:?}`, nor serialized.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, to hand to a driver or a request; never to a log, an error or a page.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// A text from a plan that may hold references: `${env:NAME}`, `${file:PATH}`, `${credential:NAME}`, `${age:FILE#KEY}`,
/// `${vault:MOUNT/PATH#KEY}`. What it stands for is known only when it
/// is resolved, shortly before use; printed, it shows the references as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

/// A reference inside a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Where to look: `env`, `file`, …
    pub scheme: String,
    /// What to look for there.
    pub name: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{{}:{}}}", self.scheme, self.name)
    }
}

/// Why a reference has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reference} cannot be resolved: {reason}")]
pub struct ResolveError {
    /// The reference as written.
    pub reference: Reference,
    /// What happened and what to do.
    pub reason: String,
}

/// Finds what references stand for; the real one lives in `run`.
pub trait Resolver: Send + Sync {
    /// The value that a reference stands for.
    fn resolve(&self, reference: &Reference) -> Result<Secret, ResolveError>;
}

/// One piece of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Stands for itself.
    Literal(&'a str),
    /// Stands for something else.
    Reference(Reference),
}

impl Text {
    /// From a text as written in the plan.
    pub fn new(written: impl Into<String>) -> Self {
        Self(written.into())
    }

    /// As written, references and all. Safe to show unless the plan holds a literal secret (a finding).
    pub fn written(&self) -> &str {
        &self.0
    }

    /// Literals and references in order. `$${` stands for a literal `${`; a reference without a scheme or an end is
    /// taken literally.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let (mut out, mut from, mut at) = (Vec::new(), 0, 0);
        while let Some(found) = self.0[at..].find("${") {
            let start = at + found;
            if start > from && self.0.as_bytes()[start - 1] == b'$' {
                out.push(Piece::Literal(&self.0[from..start - 1]));
                from = start;
                at = start + 2;
                continue;
            }
            let Some(len) = self.0[start..].find('}') else { break };
            let inner = &self.0[start + 2..start + len];
            at = start + len + 1;
            if let Some((scheme, name)) = inner.split_once(':') {
                out.push(Piece::Literal(&self.0[from..start]));
                out.push(Piece::Reference(Reference {
                    scheme: scheme.trim().to_owned(),
                    name: name.trim().to_owned(),
                }));
                from = at;
            }
        }
        out.push(Piece::Literal(&self.0[from..]));
        out.retain(|p| !matches!(p, Piece::Literal("")));
        out
    }

    /// The references in order.
    pub fn references(&self) -> Vec<Reference> {
        self.pieces()
            .into_iter()
            .filter_map(|p| match p {
                Piece::Reference(r) => Some(r),
                Piece::Literal(_) => None,
            })
            .collect()
    }

    /// The whole text with every reference replaced.
    ///
    /// # Errors
    /// The first reference that has no value.
    pub fn resolve(&self, resolver: &dyn Resolver) -> Result<Secret, ResolveError> {
        let mut out = String::new();
        for piece in self.pieces() {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Reference(r) => out.push_str(resolver.resolve(&r)?.expose()),
            }
        }
        Ok(Secret::new(out))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A text that may hold references: ${env:NAME}, ${file:PATH}, ${credential:NAME}, ${age:FILE#KEY} or ${vault:MOUNT/PATH#KEY}."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Resolver for Fixed {
        fn resolve(&self, r: &Reference) -> Result<Secret, ResolveError> {
            match r.name.as_str() {
                "HOST" => Ok(Secret::new("db.example".into())),
                _ => Err(ResolveError { reference: r.clone(), reason: "it is not set".into() }),
            }
        }
    }

    fn check(written: &str, expect: Result<&str, &str>) {
        let got = Text::new(written).resolve(&Fixed);
        match (got, expect) {
            (Ok(s), Ok(e)) => assert_eq!(s.expose(), e),
            (Err(e), Err(part)) => assert!(e.to_string().contains(part), "{e}"),
            (got, expect) => panic!("{written}: {got:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn resolves_references() {
        check("plain", Ok("plain"));
        check("pg://${env:HOST}:5432/x", Ok("pg://db.example:5432/x"));
        check("${env:HOST}${env:HOST}", Ok("db.exampledb.example"));
        check("$${env:HOST}", Ok("${env:HOST}"));
        check("${broken", Ok("${broken"));
        check("a ${env:GONE} b", Err("${env:GONE} cannot be resolved: it is not set"));
    }

    #[test]
    fn chn_11_secrets_do_not_print() {
        let secret = Secret::new("hunter22".into());
        assert_eq!(format!("{secret:?}"), REDACTED);
    }
}
