//! `slow-unreachable`: a slow threshold that no answer can reach; `slow-unheard`: one that nobody hears of (CHK-14). Pure.
//!
//! ```yaml
//! services:
//!   ocr: { check: { http: "https://ocr.example/health", timeout: 5s, slow: 8s } }
//! ```

use kernel::Language::{En, Es};
use plan_syntax::Diagnostic;

use super::{Advise, Review};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (component, name, check) in review.plan.checks() {
        let Some(settings) = review.plan.effective(component, name) else { continue };
        let passive = check.heartbeat.is_some() || check.composite.is_some() || check.host.is_some();
        let Some(slow) = settings.slow.filter(|_| !passive) else { continue };
        let own = format!("{}.slow", review.check_path(component, name));
        let path = if review.loaded.locate(&own).is_some() { own } else { "defaults.slow".to_owned() };
        if slow >= settings.timeout {
            let found = review.warning(
                "slow-unreachable",
                &path,
                format!(
                    "`{component}/{name}` is never slow: it counts as down after {}, before {} are over",
                    settings.timeout.humanize(En),
                    slow.humanize(En)
                ),
                format!(
                    "`{component}/{name}` nunca es lento: cuenta como caído a los {}, antes de llegar a {}",
                    settings.timeout.humanize(Es),
                    slow.humanize(Es)
                ),
            );
            out.push(found.advise("make `slow` shorter than `timeout`", "ponga `slow` más corto que `timeout`"));
        } else if settings.slow_severity.is_none() && check.slow.is_some() {
            let found = review.finding(
                "slow-unheard",
                &path,
                format!("nobody hears when `{component}/{name}` is slow: no severity is named for it"),
                format!("nadie se entera cuando `{component}/{name}` está lento: no se nombra ninguna severidad"),
            );
            out.push(found.advise(
                "name one under `alerts.slow` or `slow_severity`",
                "nombre una en `alerts.slow` o `slow_severity`",
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn chk_14_slow_can_be_reached_and_heard() {
        let rest = "services:\n  a: {check: {tcp: 'a:1', timeout: 5s, slow: 5s}}\n  b: {check: {tcp: 'b:1', slow: 2s}}\n  \
                    c: {check: {tcp: 'c:1', slow: 2s, slow_severity: s}}\nseverities: {s: {rank: low}}\n";
        check(
            "slow-unreachable",
            rest,
            &["2: `a/check` is never slow: it counts as down after 5 s, before 5 s are over"],
        );
        check("slow-unheard", rest, &["3: nobody hears when `b/check` is slow: no severity is named for it"]);
    }
}
