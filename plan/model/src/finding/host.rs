//! `same-host`: several hosts measured by a check that sees only the machine Farero runs on (CHK-06). Pure.
//!
//! ```yaml
//! hosts:
//!   web1: { check: { host: {} } }
//!   web2: { check: { host: {} } }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review, names};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let all: Vec<(&str, &str)> =
        review.plan.checks().filter(|(_, _, check)| check.host.is_some()).map(|(c, n, _)| (c, n)).collect();
    let [_, (component, check), ..] = all.as_slice() else { return Vec::new() };
    let (en, es) = names(all.iter().map(|(c, _)| *c));
    let found = review.warning(
        "same-host",
        &format!("{}.host", review.check_path(component, check)),
        format!("{en} are measured by checks that all see the same machine, the one Farero runs on"),
        format!("{es} se miden con revisiones que ven la misma máquina, aquella donde corre Farero"),
    );
    vec![found.advise(
        "keep the check for that machine; for others name their node_exporter under `metrics:`",
        "deje la revisión en esa máquina; para las otras nombre su node_exporter en `metrics:`",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn chk_06_one_machine_is_measured_once() {
        let rest = "hosts:\n  a: {check: {host: {}}}\n  b: {check: {host: {}}}\n";
        check(
            "same-host",
            rest,
            &["3: `a` and `b` are measured by checks that all see the same machine, the one Farero runs on"],
        );
        check("same-host", "hosts:\n  a: {check: {host: {}}}\n", &[]);
    }
}
