//! `access-unheld`, `single-administrator`, `approval-unreachable`, `restricted-unheld`: rights that nobody can use. Pure.
//!
//! ```yaml
//! people: { ana: { login: ana } }
//! access:
//!   - { role: administrator, to: [ana] }
//! approvals:
//!   - { for: plan, by: [ana], need: 1 }   # only ana may say yes, and never to what ana asks for
//! ```

use kernel::access::Role;
use plan_syntax::Diagnostic;

use super::{Advise, Review, names};
use crate::{Approval, ApprovalOf, Plan};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = unheld(review);
    out.extend(single_administrator(review));
    out.extend(review.plan.approvals.iter().enumerate().filter_map(|(at, a)| unreachable(review, at, a)));
    out.extend(restricted(review));
    out
}

/// Access given to names behind which stands no account.
fn unheld(review: &Review<'_>) -> Vec<Diagnostic> {
    let empty = review.plan.access.iter().enumerate().filter(|(_, a)| review.plan.accounts_of_all(&a.to).is_empty());
    empty
        .map(|(at, access)| {
            let (en, es) = names(access.to.iter().map(String::as_str));
            let role = access.role;
            let found = review.finding(
                "access-unheld",
                &format!("access[{at}]"),
                format!("nobody has the role `{role}` that is given to {en}: none of them has an account"),
                format!("nadie tiene el rol `{role}` que se da a {es}: ninguno tiene cuenta"),
            );
            found.advise(
                "write `login:` with the account's name beside a person who belongs to them",
                "escriba `login:` con el nombre de la cuenta en una persona que les pertenezca",
            )
        })
        .collect()
}

/// The accounts that a plan gives a role, in an environment where one is named.
fn holders<'p>(plan: &'p Plan, role: Role, environments: &[String]) -> Vec<&'p str> {
    let holds =
        |own: &[String]| own.is_empty() || environments.iter().all(|e| own.contains(e)) && !environments.is_empty();
    let access = plan.access.iter().filter(|a| a.role == role && holds(&a.environments));
    let mut all: Vec<&str> = access.flat_map(|a| plan.accounts_of_all(&a.to)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn single_administrator(review: &Review<'_>) -> Option<Diagnostic> {
    let at = review.plan.access.iter().position(|a| a.role == Role::Administrator)?;
    let all = holders(review.plan, Role::Administrator, &[]);
    let [only] = all.as_slice() else { return None };
    let found = review.finding(
        "single-administrator",
        &format!("access[{at}]"),
        format!("`{only}` is the only administrator that the plan names"),
        format!("`{only}` es la única persona que el plan nombra para administrar"),
    );
    Some(found.advise(
        "name a second one, for holidays, illness and four eyes",
        "nombre a otra, para vacaciones, enfermedad y cuatro ojos",
    ))
}

/// An approval that fewer people can give than it needs.
fn unreachable(review: &Review<'_>, at: usize, approval: &Approval) -> Option<Diagnostic> {
    let plan = review.plan;
    if approval.by.is_empty() && !plan.access.iter().any(|a| a.role == Role::Approver) {
        return None; // Approvers may all be named on Farero's own pages: the plan knows none of them.
    }
    let role = if approval.what == ApprovalOf::Administrator { Role::Administrator } else { Role::Approver };
    let mut voters = holders(plan, role, &approval.environments);
    if !approval.by.is_empty() {
        let named = plan.accounts_of_all(&approval.by);
        // A role may also be given on Farero's own pages: only who is named counts where the plan gives none.
        voters = if plan.access.iter().any(|a| a.role == role) {
            named.into_iter().filter(|n| voters.contains(n)).collect()
        } else {
            named
        };
    }
    // Nobody knows who changed a plan; what else is asked for, its asker does not approve.
    let asks = approval.four_eyes && approval.what != ApprovalOf::Plan && !voters.is_empty();
    let needed = approval.needed() as usize + usize::from(asks);
    if voters.len() >= needed {
        return None;
    }
    let path = format!("approvals[{at}]");
    let what = approval.what.as_str();
    let need = approval.needed();
    let found = if voters.len() < need as usize {
        let have = voters.len();
        review.finding(
            "approval-unreachable",
            &path,
            format!("`{what}` needs {need} to say yes, and {have} can: it never happens"),
            format!("`{what}` pide {need} aprobaciones y pueden darlas {have}: nunca ocurre"),
        )
    } else {
        let (en, es) = names(voters.iter().copied());
        review.finding(
            "approval-unreachable",
            &path,
            format!("what {en} asks for under `{what}` can never be approved: four eyes leave too few of them"),
            format!("lo que pida {es} bajo `{what}` no se aprueba nunca: con cuatro ojos quedan muy pocos"),
        )
    };
    Some(found.advise(
        "give `login:` and the role to more people, name more under `by:`, or lower `need`",
        "dé `login:` y el rol a más personas, nombre más en `by:`, o baje `need`",
    ))
}

/// What is restricted to names behind which stands nobody: only auditors see it.
fn restricted(review: &Review<'_>) -> Vec<Diagnostic> {
    let plan = review.plan;
    let severities = plan.severities.iter().map(|(n, s)| (format!("severities.{n}"), n.as_str(), &s.restricted_to));
    let components = plan.components().map(|(n, c)| (review.component_path(n), n, &c.restricted_to));
    let all = severities.chain(components).filter(|(_, _, to)| !to.is_empty());
    let blind = all.filter(|(_, _, to)| {
        let by_role = to.iter().any(|n| Role::parse(n).is_some());
        !by_role && plan.accounts_of_all(to).is_empty()
    });
    blind
        .map(|(path, name, to)| {
            let (en, es) = names(to.iter().map(String::as_str));
            let found = review.finding(
                "restricted-unheld",
                &format!("{path}.restricted_to"),
                format!("nobody but auditors sees `{name}`: it is restricted to {en}, and none of them has an account"),
                format!("nadie salvo quien audita ve `{name}`: se restringe a {es}, y ninguno tiene cuenta"),
            );
            found.advise(
                "write `login:` beside a person who belongs to them",
                "escriba `login:` en una persona que les pertenezca",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    const PEOPLE: &str = "people: {ana: {login: ana}, eva: {login: eva}, leo: {}}\nroles: {dba: {people: [leo]}}\n";

    #[test]
    fn sec_12_access_that_nobody_has() {
        let plan = format!("{PEOPLE}access:\n  - {{role: viewer, to: [dba]}}\n  - {{role: viewer, to: [dba, ana]}}\n");
        check(
            "access-unheld",
            &plan,
            &["4: nobody has the role `viewer` that is given to `dba`: none of them has an account"],
        );
    }

    #[test]
    fn rol_04_a_single_administrator() {
        let plan = |to: &str| format!("{PEOPLE}access:\n  - {{role: administrator, to: [{to}]}}\n");
        check("single-administrator", &plan("ana, leo"), &["4: `ana` is the only administrator that the plan names"]);
        check("single-administrator", &plan("ana, eva"), &[]);
    }

    #[test]
    fn ckl_06_approvals_that_can_never_be_given() {
        let with = |what: &str, to: &str| {
            format!("{PEOPLE}access:\n  - {{role: approver, to: [{to}]}}\napprovals:\n  - {{for: {what}}}\n")
        };
        let plan = |rule: &str, to: &str| with(&format!("plan{rule}"), to);
        let alone = "6: what `ana` asks for under `deployment` can never be approved: four eyes leave too few of them";
        check("approval-unreachable", &with("deployment", "ana"), &[alone]);
        check("approval-unreachable", &with("deployment", "ana, eva"), &[]);
        let alone = "6: `plan` needs 2 to say yes, and 1 can: it never happens";
        check("approval-unreachable", &plan("", "ana"), &[alone]);
        check("approval-unreachable", &plan(", four_eyes: false", "ana"), &[]);
        check("approval-unreachable", &plan("", "ana, eva"), &[]);
        let few = "6: `plan` needs 2 to say yes, and 1 can: it never happens";
        check("approval-unreachable", &plan(", need: 2, by: [ana, leo]", "ana, eva"), &[few]);
        let none = "6: `plan` needs 2 to say yes, and 0 can: it never happens";
        check("approval-unreachable", &plan(", by: [dba]", "ana, eva"), &[none]);
    }

    #[test]
    fn inc_14_restricted_to_nobody() {
        let plan = format!(
            "{PEOPLE}severities:\n  a: {{rank: low, deliver: info, restricted_to: [dba]}}\n  \
             b: {{rank: low, deliver: info, restricted_to: [dba, auditor]}}\n"
        );
        check(
            "restricted-unheld",
            &plan,
            &["4: nobody but auditors sees `a`: it is restricted to `dba`, and none of them has an account"],
        );
    }
}
