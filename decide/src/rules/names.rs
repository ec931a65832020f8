//! What people call the things that labels name: messages say "Frontend · Main page", not `frontend/web`. Pure.

use kernel::Labels;
use plan_model::Plan;

/// Longest reason in a text; all of it stands on the check's page.
const LONGEST_REASON: usize = 200;

/// The same labels, with the plan's label for people as the value of `service` and `check` where the plan has one.
pub(super) fn named(plan: &Plan, labels: &Labels) -> Labels {
    let Some(service) = labels.get("service") else { return labels.clone() };
    let Some(component) = plan.component(service) else { return labels.clone() };
    let named = labels.with("service", component.label_or(service));
    let Some(check) = labels.get("check") else { return named };
    let label = component.all_checks().find(|(name, _)| *name == check).and_then(|(_, c)| c.label.as_deref());
    label.map_or(named.clone(), |label| named.with("check", label))
}

/// What a check said was wrong, fit to stand inside a sentence: one line, without its full stop.
pub(super) fn shortened(reason: &str) -> String {
    let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::deliver::cut(line.trim_end_matches('.'), LONGEST_REASON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alr_21_reasons_fit_into_a_sentence() {
        assert_eq!(shortened("status 503,\n expected  below 400."), "status 503, expected below 400");
        assert_eq!(shortened(&"ñ".repeat(500)).chars().count(), LONGEST_REASON);
    }
    use crate::testing::plan_with;

    #[test]
    fn alr_13_labels_become_what_people_call_them() {
        let plan = plan_with(serde_json::json!({
            "services": {
                "a": { "label": "Tienda", "checks": { "x": { "label": "Página", "tcp": "a:1" }, "y": { "tcp": "a:2" } } },
                "b": { "check": { "tcp": "b:1" } }
            },
            "hosts": { "h": { "label": "Servidor", "check": { "host": {} } } }
        }));
        let check = |service: &str, check: &str, expect: [&str; 2]| {
            let got = named(&plan, &Labels::new([("service", service), ("check", check)]));
            assert_eq!([got.get("service"), got.get("check")], expect.map(Some), "{service}/{check}");
        };
        check("a", "x", ["Tienda", "Página"]);
        check("a", "y", ["Tienda", "y"]);
        check("b", "check", ["b", "check"]);
        check("h", "check", ["Servidor", "check"]);
        check("gone", "x", ["gone", "x"]);
    }
}
