//! Any text as a provider's answer and as an ID token: nothing is believed, nothing panics. Pure.
#![no_main]

use auth::oidc::{Callback, Ceremony, check_id_token};
use libfuzzer_sys::fuzz_target;

/// A key of which nobody has the private part.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let own = |t: &str| t.to_owned();
    let ceremony = Ceremony { provider: own("x"), state: own("s3cr3t-st4te"), nonce: own("n"), verifier: own("v"), redirect: own("r") };
    if let Some(callback) = Callback::read(text) {
        if callback.code_for(&ceremony, "https://id.example.org", true).is_ok() {
            assert_eq!(callback.state.as_deref(), Some("s3cr3t-st4te"));
            assert_eq!(callback.issuer.as_deref(), Some("https://id.example.org"));
        }
    }
    assert!(check_id_token(text, "https://id.example.org", "farero", "n", KEYS).is_err());
    // The token's own three parts, so that reading gets further than the first dot.
    let parts: Vec<String> = text.split('\n').take(3).map(|p| auth::to_base64(p.as_bytes())).collect();
    assert!(check_id_token(&parts.join("."), "https://id.example.org", "farero", "n", KEYS).is_err());
    let _ = check_id_token("a.b.c", "https://id.example.org", "farero", "n", text);
});
