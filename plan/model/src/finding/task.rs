//! `task-without-role`: work that people do, and nobody is named (ROL-02). Pure.
//!
//! ```yaml
//! tasks:
//!   revisar-logs: { label: Revisar logs, every: week }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review};
use crate::task::Mode;

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let orphans = review.plan.tasks.iter().filter(|(_, t)| t.mode != Mode::Automatic && t.by.is_empty());
    orphans
        .map(|(name, task)| {
            review
                .finding(
                    "task-without-role",
                    &format!("tasks.{name}"),
                    format!("people do `{}`, and no role is named", task.label),
                    format!("`{}` lo hacen personas, y no se nombra ningún rol", task.label),
                )
                .advise(
                    "name who does it under `by:`, or write `mode: automatic`",
                    "nombre quién lo hace en `by:`, o escriba `mode: automatic`",
                )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn rol_02_work_has_somebody() {
        check(
            "task-without-role",
            "roles: {r: {}}\ntasks:\n  a: {label: A, every: week}\n  b: {label: B, every: week, by: [r]}\n  \
             c: {label: C, every: week, mode: automatic}\n",
            &["3: people do `A`, and no role is named"],
        );
    }
}
