//! `certificate-unwatched`: certificates are met, and nobody is told before they end (ALR-29). Pure.
//!
//! ```yaml
//! services:
//!   web: { check: { http: "https://web.example" } }   # and no `alerts.certificate`
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review, names};
use crate::CheckKind;

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let meets = |kind: &CheckKind| match kind {
        CheckKind::Http(http) => http.url.written().starts_with("https://"),
        CheckKind::Websocket(ws) => ws.url.written().starts_with("wss://"),
        CheckKind::Tls(_) => true,
        _ => false,
    };
    let unwatched: Vec<(String, String)> = review
        .plan
        .checks()
        .filter(|(_, _, check)| check.kinds().iter().any(meets))
        .filter(|(c, _, _)| {
            let third_party = review.plan.component(c).is_some_and(|p| p.third_party);
            !third_party && review.plan.alert_policy(c).certificate.is_empty()
        })
        .map(|(c, n, _)| (format!("{c}/{n}"), review.check_path(c, n)))
        .collect();
    let Some((_, path)) = unwatched.first() else { return Vec::new() };
    let (en, es) = names(unwatched.iter().map(|(name, _)| name.as_str()));
    let found = review.finding(
        "certificate-unwatched",
        path,
        format!("nobody is told before the certificates of {en} end"),
        format!("nadie recibe aviso antes de que venzan los certificados de {es}"),
    );
    vec![found.advise(
        "add `alerts.certificate`, such as 30 and 7 days ahead",
        "añada `alerts.certificate`, por ejemplo con 30 y 7 días de anticipación",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn alr_29_certificates_are_watched() {
        let rest = "services: {a: {check: {http: 'https://a'}}, b: {check: {http: 'http://b'}}}\n";
        check("certificate-unwatched", rest, &["1: nobody is told before the certificates of `a/check` end"]);
        let watched = "alerts: {certificate: [{within: 30d, severity: s}]}\nseverities: {s: {rank: low}}\n";
        check("certificate-unwatched", &format!("{rest}{watched}"), &[]);
    }
}
