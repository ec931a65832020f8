//! What a request carries to prove who sent it: the session's cookie, an API token. Pure.

use http::{HeaderMap, header};

/// Longest secret that is looked up: ours have 43 and 50 characters.
const SECRET_BYTES: usize = 100;

/// The value of a cookie; the first one, where a browser sends several of a name.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|h| h.to_str().ok());
    all.flat_map(|h| h.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| v)
}

/// The secret in a cookie, where it can be one of ours: letters of base64url, not too long.
pub fn secret_in_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    cookie(headers, name).filter(|s| is_secret(s))
}

/// The secret after `Authorization: Bearer`, whatever it is.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Whether a text can be one of our tokens: it begins as they do and holds nothing that they do not.
pub fn is_token(text: &str, prefix: &str) -> bool {
    text.len() <= SECRET_BYTES && text.strip_prefix(prefix).is_some_and(is_secret)
}

fn is_secret(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.len() <= SECRET_BYTES && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse::<http::HeaderName>().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn cookies_are_read_as_browsers_write_them() {
        let check = |value: &'static str, expect: Option<&str>| {
            assert_eq!(secret_in_cookie(&headers(&[("cookie", value)]), "farero_session"), expect, "{value}");
        };
        check("farero_session=abc-_1; x=y", Some("abc-_1"));
        check("x=y;farero_session=abc", Some("abc"));
        check("farero_session=", None);
        check("farero_session=a b", None);
        check("farero_session=a\"b", None);
        check("farero_sessions=abc", None);
        check("farero_session", None);
        check("farero_session=first; farero_session=second", Some("first"));
        let long: &'static str = Box::leak(format!("farero_session={}", "a".repeat(101)).into_boxed_str());
        check(long, None);
    }

    #[test]
    fn bearers_are_read_whatever_their_case() {
        assert_eq!(bearer(&headers(&[("authorization", "BEARER  farero_x")])), Some("farero_x"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic abc")])), None);
        assert!(
            is_token("farero_abc", "farero_") && !is_token("farero_", "farero_") && !is_token("ghp_abc", "farero_")
        );
    }
}
