//! `service-unchecked`: a service or host that nothing looks at. Pure.
//!
//! ```yaml
//! services:
//!   nginx: { kind: proxy }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let looked_at = |c: &crate::Component| c.metrics.is_some() || c.all_checks().next().is_some();
    let blind = review.plan.components().filter(|(_, c)| !looked_at(c));
    blind
        .map(|(name, _)| {
            let path = review.component_path(name);
            let asleep =
                |what: &str| review.loaded.inactive.iter().any(|i| i.path.starts_with(&format!("{path}.{what}")));
            let (en, es) = match (asleep("check"), asleep("metrics")) {
                (true, true) => {
                    ("its checks and its metrics are inactive", "sus revisiones y métricas están inactivas")
                }
                (true, false) => ("all its checks are inactive", "todas sus revisiones están inactivas"),
                (false, true) => ("its metrics are inactive", "sus métricas están inactivas"),
                (false, false) => ("it has no check and no metrics", "no tiene revisión ni métricas"),
            };
            let (help_en, help_es) = if asleep("check") || asleep("metrics") {
                (
                    "supply what they wait for, or give it a check that needs none of it",
                    "dé el valor que esperan, o añada una revisión que no lo necesite",
                )
            } else {
                (
                    "give it a check, or `state: future` if it is not there yet",
                    "añada una revisión, o `state: future` si aún no existe",
                )
            };
            review
                .finding(
                    "service-unchecked",
                    &path,
                    format!("nothing tells when `{name}` is down: {en}"),
                    format!("nada avisa cuando `{name}` está caído: {es}"),
                )
                .advise(help_en, help_es)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn services_without_checks_are_named() {
        check(
            "service-unchecked",
            "services:\n  a: {}\n  b: {check: {tcp: 'b:1'}}\n  c: {metrics: 'http://c/metrics'}\n  d: {state: future}\n  \
             e: {check: {tcp: 'e:1', state: future}}\n  f: {metrics: 'http://${param:p}/metrics'}\nparameters:\n  p: {meaning: m}\n",
            &[
                "2: nothing tells when `a` is down: it has no check and no metrics",
                "6: nothing tells when `e` is down: all its checks are inactive",
                "7: nothing tells when `f` is down: its metrics are inactive",
            ],
        );
    }
}
