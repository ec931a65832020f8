//! `down-unheard`: checks whose failure raises no alert. Pure.
//!
//! ```yaml
//! services:
//!   web: { check: { http: "https://web.example" } }   # and no `alerts.down` anywhere
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review, names};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let silent: Vec<(String, String)> = review
        .plan
        .checks()
        .filter(|(_, _, check)| check.host.is_none())
        .filter(|(c, n, _)| review.plan.effective(c, n).is_some_and(|s| s.down_severity.is_none()))
        .map(|(c, n, _)| (format!("{c}/{n}"), review.check_path(c, n)))
        .collect();
    let Some((_, path)) = silent.first() else { return Vec::new() };
    if !review.loaded.rule_files.is_empty() {
        return Vec::new();
    }
    let (en, es) = names(silent.iter().map(|(name, _)| name.as_str()));
    let found = review.finding(
        "down-unheard",
        path,
        format!("nobody hears when these fail: {en}"),
        format!("nadie se entera cuando fallan: {es}"),
    );
    vec![found.advise(
        "name a severity under `alerts.down`, or write rules of your own under rules/",
        "nombre una severidad en `alerts.down`, o escriba reglas propias en rules/",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn alr_06_failures_raise_alerts() {
        let rest = "services:\n  a: {check: {tcp: 'a:1'}}\n  b: {check: {tcp: 'b:1', down: s}}\nseverities: {s: {rank: low}}\n";
        check("down-unheard", rest, &["2: nobody hears when these fail: `a/check`"]);
    }
}
