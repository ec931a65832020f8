//! `threshold-order`: a graver severity begins at a lower bound than a lighter one, or two begin at the same. Pure.
//!
//! ```yaml
//! alerts:
//!   disk:
//!     - { above: 80%, severity: critica }
//!     - { above: 90%, severity: advertencia }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review};
use crate::severity::AlertPolicy;
use crate::threshold::Threshold;

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = of_policy(review, &review.plan.alerts, "alerts");
    for (name, component) in review.plan.components() {
        if let Some(own) = &component.alerts {
            out.extend(of_policy(review, own, &format!("{}.alerts", review.component_path(name))));
        }
    }
    out
}

fn of_policy(review: &Review<'_>, policy: &AlertPolicy, base: &str) -> Vec<Diagnostic> {
    let rank = |t: &Threshold| review.plan.severities.get(&t.severity).map(|s| s.rank);
    let mut out = Vec::new();
    for (measure, list) in [("cpu", &policy.cpu), ("memory", &policy.memory), ("disk", &policy.disk)] {
        for (index, one) in list.iter().enumerate() {
            let swapped = |other: &&Threshold| rank(other) < rank(one) && other.above.percent() >= one.above.percent();
            let Some(other) = list.iter().find(swapped) else { continue };
            let (graver, lighter) = (&one.severity, &other.severity);
            let found = review.finding(
                "threshold-order",
                &format!("{base}.{measure}[{index}].above"),
                format!(
                    "{measure} is `{graver}` above {} already, and only `{lighter}` above {}",
                    one.above, other.above
                ),
                format!("{measure} ya es `{graver}` sobre {}, y solo `{lighter}` sobre {}", one.above, other.above),
            );
            out.push(found.advise(
                "let the graver one begin at the higher bound",
                "que la más grave empiece en el límite más alto",
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn alr_13_graver_begins_higher() {
        check(
            "threshold-order",
            "severities: {c: {rank: critical}, a: {rank: warning}}\nalerts:\n  disk:\n    - {above: 80%, severity: c}\n    \
             - {above: 90%, severity: a}\n  memory: [{above: 95%, severity: c}, {above: 85%, severity: a}]\n",
            &["4: disk is `c` above 80% already, and only `a` above 90%"],
        );
    }
}
