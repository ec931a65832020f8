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
            let asleep = review.loaded.inactive.iter().any(|i| i.path.starts_with(&format!("{path}.check")));
            let (en, es) = if asleep {
                ("all its checks are inactive", "todas sus revisiones están inactivas")
            } else {
                ("it has no check and no metrics", "no tiene revisión ni métricas")
            };
            review
                .finding(
                    "service-unchecked",
                    &path,
                    format!("nothing tells when `{name}` is down: {en}"),
                    format!("nada avisa cuando `{name}` está caído: {es}"),
                )
                .advise(
                    "give it a check, or `state: future` if it is not there yet",
                    "añada una revisión, o `state: future` si aún no existe",
                )
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
             e: {check: {tcp: 'e:1', state: future}}\n",
            &[
                "2: nothing tells when `a` is down: it has no check and no metrics",
                "6: nothing tells when `e` is down: all its checks are inactive",
            ],
        );
    }
}
