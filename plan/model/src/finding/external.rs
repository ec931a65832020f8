//! `external-own`: someone else's API that counts as one's own; `depends-on-others`: a service that stands or falls with
//! someone else's, and still counts in full (CHK-07). Pure.
//!
//! ```yaml
//! services:
//!   sri: { kind: external-api, check: { http: "https://api.sri.gob.ec/health" } }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review};
use crate::ComponentKind;

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (name, component) in review.plan.components() {
        let path = review.component_path(name);
        if component.kind == ComponentKind::ExternalApi && !component.third_party {
            let found = review.finding(
                "external-own",
                &path,
                format!("`{name}` is an external API, and its downtime counts as the system's own"),
                format!("`{name}` es una API externa, y su caída cuenta como del propio sistema"),
            );
            out.push(found.advise("write `third_party: true`", "escriba `third_party: true`"));
        }
        if component.third_party {
            continue;
        }
        for (index, other) in component.depends_on.iter().enumerate() {
            if !review.plan.component(other).is_some_and(|o| o.third_party) {
                continue;
            }
            let found = review.finding(
                "depends-on-others",
                &format!("{path}.depends_on[{index}]"),
                format!("`{name}` needs `{other}`, which others run: when `{other}` fails, `{name}` still counts as down"),
                format!("`{name}` necesita `{other}`, que es de otros: cuando `{other}` falla, `{name}` igual cuenta como caído"),
            );
            out.push(found.advise(
                "check what works without it too, and say in the runbook what to do meanwhile",
                "revise también lo que funciona sin él, y diga en el procedimiento qué hacer entretanto",
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn chk_07_what_others_run_is_marked() {
        let rest = "services:\n  sri: {kind: external-api, check: {http: 'https://s'}}\n  g: {kind: external-api, third_party: true}\n  \
                    ocr: {depends_on: [g, sri]}\n";
        check("external-own", rest, &["2: `sri` is an external API, and its downtime counts as the system's own"]);
        check(
            "depends-on-others",
            rest,
            &["4: `ocr` needs `g`, which others run: when `g` fails, `ocr` still counts as down"],
        );
    }
}
