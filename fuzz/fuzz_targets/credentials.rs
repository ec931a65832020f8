//! Any header as a cookie or an authorization: what is found is one of ours in form, and is in the header. Pure.
#![no_main]

use auth::credentials::{bearer, cookie, is_token, secret_in_cookie};
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    headers.append(header::COOKIE, value.clone());
    headers.append(header::AUTHORIZATION, value);
    for name in ["farero_session", "__Host-farero", "farero_step", ""] {
        if let Some(secret) = secret_in_cookie(&headers, name) {
            assert!(!secret.is_empty() && secret.len() <= 100 && secret.is_ascii());
            assert!(data.windows(secret.len()).any(|w| w == secret.as_bytes()));
            assert_eq!(cookie(&headers, name), Some(secret));
        }
    }
    if let Some(given) = bearer(&headers) {
        assert!(!is_token(given, "farero_") || given.starts_with("farero_"));
    }
});
