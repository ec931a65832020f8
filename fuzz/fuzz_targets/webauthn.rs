//! Any bytes as a browser's answer about a passkey: nothing is believed, nothing panics. Pure.
#![no_main]

use auth::to_base64;
use auth::webauthn::{AssertionAnswer, PublicKey, RegistrationAnswer, Site, verify_assertion, verify_registration};
use libfuzzer_sys::fuzz_target;

const CHALLENGE: [u8; 32] = [7; 32];

/// COSE, Ed25519, of which nobody has the private part.
const KEY: &[u8] = &[
    0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32, 0xd7, 0x5a, 0x98, 1, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9,
    0x64, 7, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 2, 0x1a, 0x68, 0xf7, 7, 0x51, 0x1a,
];

fuzz_target!(|data: &[u8]| {
    let Some(site) = Site::of("https://farero.example.org") else { return };
    // The client data that pass every check, so that what follows them is reached.
    let client = |kind: &str| {
        let text = format!(r#"{{"type":"{kind}","challenge":"{}","origin":"{}"}}"#, to_base64(&CHALLENGE), site.origin);
        to_base64(text.as_bytes())
    };
    let whole = to_base64(data);
    let answer = RegistrationAnswer { id: whole.clone(), client_data: client("webauthn.create"), attestation: whole.clone() };
    let _ = verify_registration(&site, &CHALLENGE, &answer);
    let foreign = RegistrationAnswer { client_data: whole.clone(), ..answer };
    assert!(verify_registration(&site, &CHALLENGE, &foreign).is_err());
    let (first, second) = data.split_at(data.len() / 2);
    let login = AssertionAnswer {
        id: whole.clone(),
        client_data: client("webauthn.get"),
        authenticator_data: to_base64(first),
        signature: to_base64(second),
        user_handle: String::new(),
    };
    assert!(verify_assertion(&site, &CHALLENGE, &to_base64(KEY), 0, &login).is_err());
    let _ = verify_assertion(&site, &CHALLENGE, &whole, 0, &login);
    let _ = PublicKey::read(data);
});
