//! `single-person`: work that only one person can do (ROL-04). Pure.
//!
//! ```yaml
//! roles:
//!   dba: { people: [ana] }
//! tasks:
//!   respaldo: { label: Revisar respaldos, every: month, by: [dba] }
//! ```

use std::collections::HashSet;

use indexmap::IndexMap;
use plan_syntax::Diagnostic;

use super::{Advise, Review, names};
use crate::task::Mode;

/// The people that a list of roles and people stands for; `None` when it is not known that they are few.
fn people<'p>(review: &'p Review<'_>, by: &'p [String]) -> Option<HashSet<&'p str>> {
    let mut all = HashSet::new();
    for name in by {
        let Some(role) = review.plan.roles.get(name) else {
            all.insert(name.as_str());
            continue;
        };
        let most = role.headcount_max.or(role.headcount).or(role.fte);
        if most.is_some_and(|m| m > 1.0) || (most.is_none() && role.people.is_empty()) {
            return None;
        }
        if role.people.is_empty() {
            all.insert(name.as_str());
        }
        all.extend(role.people.iter().map(String::as_str));
    }
    Some(all)
}

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut alone: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (name, task) in review.plan.tasks.iter().filter(|(_, t)| t.mode != Mode::Automatic && !t.by.is_empty()) {
        let Some(who) = people(review, &task.by) else { continue };
        if let (1, Some(by)) = (who.len(), task.by.first()) {
            alone.entry(by).or_default().push(name);
        }
    }
    alone
        .into_iter()
        .map(|(by, tasks)| {
            let path = if review.plan.roles.contains_key(by) { format!("roles.{by}") } else { format!("people.{by}") };
            let (en, es) = names(tasks.iter().copied());
            review
                .finding(
                    "single-person",
                    &path,
                    format!("`{by}` is one person, and only they do: {en}"),
                    format!("`{by}` es una sola persona, y solo ella hace: {es}"),
                )
                .advise(
                    "name a second person or role, for holidays and illness",
                    "nombre otra persona o rol, para vacaciones y enfermedad",
                )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn rol_04_work_that_hangs_on_one_person() {
        check(
            "single-person",
            "people: {ana: {}, eva: {}}\nroles:\n  dba: {people: [ana]}\n  ops: {people: [ana, eva]}\n  qa: {fte: 0.5}\n  \
             dev: {headcount: 1, headcount_max: 2}\n\
             tasks:\n  a: {label: A, every: day, by: [dba]}\n  b: {label: B, every: day, by: [dba, ops]}\n  \
             c: {label: C, every: day, by: [qa]}\n  d: {label: D, every: day, by: [dev]}\n  \
             e: {label: E, every: day, by: [dba], mode: automatic}\n  f: {label: F, every: day, by: [dba]}\n",
            &["3: `dba` is one person, and only they do: `a` and `f`", "5: `qa` is one person, and only they do: `c`"],
        );
    }
}
