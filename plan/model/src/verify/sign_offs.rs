//! Documents that must be signed: the document exists, the roles exist and can be filled by as many people (CKL-06). Pure.

use super::Verifier;
use crate::DocumentKind;

impl Verifier<'_> {
    pub(super) fn sign_offs(&mut self) {
        let plan = self.plan;
        for (name, sign_off) in &plan.signatures {
            let path = format!("signatures.{name}");
            self.document(DocumentKind::Checklist, sign_off.checklist.as_ref(), format_args!("{path}.checklist"));
            self.document(DocumentKind::Runbook, sign_off.runbook.as_ref(), format_args!("{path}.runbook"));
            match (&sign_off.checklist, &sign_off.runbook) {
                (None, None) => {
                    let message = format!("`{name}` names no document to sign");
                    self.error("nothing-to-sign", format_args!("{path}"), message).help =
                        Some("name one under `checklist:` or `runbook:`".into());
                }
                (Some(_), Some(_)) => {
                    let message = format!("`{name}` names two documents, one signature is for one");
                    self.error("two-to-sign", format_args!("{path}"), message).help =
                        Some("write an entry of its own for each of them".into());
                }
                _ => {}
            }
            if sign_off.by.is_empty() {
                let message = format!("nobody is to sign `{name}`");
                self.error("nobody-signs", format_args!("{path}.by"), message).help =
                    Some("name at least one role under `by:`".into());
            }
            for (index, role) in sign_off.by.iter().enumerate() {
                self.refer(role, &["roles"], "role", format_args!("{path}.by[{index}]"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{LoadOptions, SourceFile, load};

    #[test]
    fn ckl_06_what_is_to_be_signed_and_by_whom_must_exist() {
        let plan = "system: x\ntimezone: UTC\nroles: { qa: { people: [] } }\nsignatures:\n  a: { checklist: salidda, by: [qa] }\n  \
                    b: { by: [qa] }\n  c: { checklist: salida, runbook: caida, by: [boss] }\n  d: { runbook: caida, by: [] }\n";
        let files = [
            SourceFile::new("plan.yaml", plan),
            SourceFile::new("checklists/salida.md", "# Salida\n"),
            SourceFile::new("runbooks/caida.md", "# Caída\n"),
        ];
        let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
        let codes: Vec<_> = load(&files, &options).diagnostics.into_iter().map(|d| (d.place.line, d.code)).collect();
        let expect = [
            (5, "unknown-document"),
            (6, "nothing-to-sign"),
            (7, "two-to-sign"),
            (7, "unknown-reference"),
            (8, "nobody-signs"),
        ];
        for one in expect {
            assert!(codes.iter().any(|(line, code)| (*line, *code) == one), "{one:?} is not in {codes:?}");
        }
    }
}
