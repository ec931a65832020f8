//! Whether a request that changes something comes from this site's own pages. Pure.
//!
//! Browsers say so in `Sec-Fetch-Site`, older ones in `Origin`; a request that says neither is refused, as no form of a
//! browser sends it. Programs use API tokens and are not asked.

use http::{HeaderMap, header};

/// Whether the headers of a request show that one of this site's own pages sent it.
pub(crate) fn is_same(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text(header::HOST.as_str());
    let origin = text(header::ORIGIN.as_str()).and_then(|o| o.split_once("://")).map(|(_, h)| h);
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&'static str, &'static str)], expect: bool) {
        let headers = pairs.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        assert_eq!(is_same(&headers), expect, "{pairs:?}");
    }

    #[test]
    fn only_own_pages_pass() {
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], false);
        check(&[("origin", "http://farero.example"), ("host", "farero.example")], true);
        check(&[("origin", "http://evil.example"), ("host", "farero.example")], false);
        check(&[("origin", "null"), ("host", "farero.example")], false);
        check(&[("host", "farero.example")], false);
    }
}
