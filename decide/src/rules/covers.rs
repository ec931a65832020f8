//! Which checks a rule looks at: for the page of a check, which shows its rules. Pure.

use decide_promql::ast::{ExprKind, Selector};
use kernel::Labels;

use super::query::Query;

/// Kinds of checks that may shake hands for TLS.
const WITH_TLS: [&str; 7] = ["http", "tls", "smtp", "grpc", "websocket", "postgres", "mysql"];

/// Whether a rule's expression selects series of a check, known by the labels that all its series share.
pub fn covers(query: &Query, check: &Labels) -> bool {
    let mut found = false;
    query.expr().walk(&mut |expr| {
        let selector = match &expr.kind {
            ExprKind::Selector(selector) => selector,
            ExprKind::Range(range) => &range.selector,
            _ => return,
        };
        found |= selects(selector, check);
    });
    found
}

fn selects(selector: &Selector, check: &Labels) -> bool {
    let kind = check.get("kind").unwrap_or_default();
    let of_kind = match selector.name.as_deref().unwrap_or_default() {
        name if name.starts_with("probe_ssl") => WITH_TLS.contains(&kind),
        name if name.starts_with("probe_") => true,
        name if name.starts_with("node_") || name.starts_with("farero_host") => kind == "host",
        _ => false,
    };
    // Labels that the check's series do not all have (a mount, a mode) say nothing about the check.
    let fits = |m: &kernel::series::Matcher| &*m.name == "__name__" || check.get(&m.name).is_none_or(|v| m.matches(v));
    of_kind && selector.matchers.iter().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_shown_with_their_checks() {
        let check = |expr: &str, kind: &str, expect: bool| {
            let labels = Labels::new([("system", "s"), ("service", "backend"), ("check", "salud"), ("kind", kind)]);
            assert_eq!(covers(&Query::parse(expr).unwrap(), &labels), expect, "{expr}");
        };
        check("probe_success{system=\"s\", service=~\"backend|ocr\"} == 0", "http", true);
        check("probe_success{system=\"s\", service=\"ocr\"} == 0", "http", false);
        check("last_over_time(probe_slow{system=\"s\"}[12m]) == 1", "tcp", true);
        check("probe_ssl_earliest_cert_expiry - time() < 86400", "redis", false);
        check("probe_ssl_earliest_cert_expiry - time() < 86400", "tls", true);
        check("rate(node_cpu_seconds_total{mode=\"idle\"}[2m]) > 1", "host", true);
        check("up == 0", "http", false);
    }
}
