//! Which documents must be signed, and by whom (CKL-06). Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Document, DocumentKind, Plan};

/// A document that must be signed: a checklist or a runbook, by people who fill a role.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    /// The checklist, a file under `checklists/`.
    #[serde(default)]
    pub checklist: Option<String>,
    /// The runbook, a file under `runbooks/`.
    #[serde(default)]
    pub runbook: Option<String>,
    /// Roles of the plan that must sign it.
    pub by: Vec<String>,
    /// How many people of each role; 1 when left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 20))]
    pub need: Option<u32>,
    /// What the signature stands for.
    #[serde(default)]
    pub meaning: Option<String>,
}

/// One signature that a document needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required<'p> {
    /// The role.
    pub role: &'p str,
    /// How many people of it.
    pub need: u32,
    /// What the signature stands for.
    pub meaning: Option<&'p str>,
}

impl SignOff {
    /// The document's path in the plan's folder; `None` where the plan names none.
    pub fn path(&self) -> Option<String> {
        let named = |kind: DocumentKind, name: &Option<String>| {
            name.as_ref().map(|n| format!("{}{}", kind.folder(), Document::plain_name(kind, n)))
        };
        named(DocumentKind::Checklist, &self.checklist).or_else(|| named(DocumentKind::Runbook, &self.runbook))
    }
}

impl Plan {
    /// Who must sign a document, by its path; the same role in two places counts once, with the larger number.
    pub fn required_signatures(&self, path: &str) -> Vec<Required<'_>> {
        let mut out: Vec<Required<'_>> = Vec::new();
        for sign_off in self.signatures.values().filter(|s| s.path().as_deref() == Some(path)) {
            for role in &sign_off.by {
                let need = sign_off.need.unwrap_or(1);
                match out.iter_mut().find(|r| r.role == role) {
                    Some(known) => known.need = known.need.max(need),
                    None => out.push(Required { role, need, meaning: sign_off.meaning.as_deref() }),
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ckl_06_a_document_names_who_must_sign_it() {
        let of = |by: &[&str], need, checklist: &str| SignOff {
            checklist: Some(checklist.into()),
            by: by.iter().map(ToString::to_string).collect(),
            need,
            ..SignOff::default()
        };
        assert_eq!(of(&["a"], None, "salida").path().as_deref(), Some("checklists/salida.md"));
        assert_eq!(of(&["a"], None, "checklists/salida.md").path().as_deref(), Some("checklists/salida.md"));
        let runbook = SignOff { runbook: Some("caida".into()), ..SignOff::default() };
        assert_eq!(runbook.path().as_deref(), Some("runbooks/caida.md"));
        assert_eq!(SignOff::default().path(), None);
    }
}
