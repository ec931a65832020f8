//! Answers as an authenticator makes them, here by a key of ring's, and every way in which they can be wrong.

use ciborium::Value;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::webauthn::Site;

const CHALLENGE: &[u8] = &[9; 32];

fn site() -> Site {
    Site::of("https://farero.example.org").unwrap()
}

enum Key {
    P256(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    fn p256() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap())
    }

    fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    fn cose(&self) -> Vec<u8> {
        let int = |n: i64| Value::Integer(n.into());
        write(&match self {
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                Value::Map(vec![
                    (int(1), int(2)),
                    (int(3), int(-7)),
                    (int(-1), int(1)),
                    (int(-2), Value::Bytes(point[1..33].to_vec())),
                    (int(-3), Value::Bytes(point[33..].to_vec())),
                ])
            }
            Self::Ed(pair) => Value::Map(vec![
                (int(1), int(1)),
                (int(3), int(-8)),
                (int(-1), int(6)),
                (int(-2), Value::Bytes(pair.public_key().as_ref().to_vec())),
            ]),
        })
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).unwrap();
    out
}

fn client_data(kind: &str, challenge: &[u8], origin: &str) -> Vec<u8> {
    format!(r#"{{"type":"{kind}","challenge":"{}","origin":"{origin}","crossOrigin":false}}"#, to_base64(challenge))
        .into_bytes()
}

fn authenticator_data(site: &str, flags: u8, count: u32, credential: Option<(&[u8], &[u8])>) -> Vec<u8> {
    let mut out = digest(&SHA256, site.as_bytes()).as_ref().to_vec();
    out.push(flags);
    out.extend(count.to_be_bytes());
    if let Some((id, key)) = credential {
        out.extend([0; 16]);
        out.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        out.extend(id);
        out.extend(key);
    }
    out
}

fn attestation(format: &str, statement: Vec<(Value, Value)>, data: Vec<u8>) -> String {
    let text = |t: &str| Value::Text(t.into());
    to_base64(&write(&Value::Map(vec![
        (text("fmt"), text(format)),
        (text("attStmt"), Value::Map(statement)),
        (text("authData"), Value::Bytes(data)),
    ])))
}

const ID: &[u8] = b"credential-1";

fn registration(key: &Key, flags: u8) -> RegistrationAnswer {
    RegistrationAnswer {
        id: to_base64(ID),
        client_data: to_base64(&client_data("webauthn.create", CHALLENGE, &site().origin)),
        attestation: attestation("none", vec![], authenticator_data(&site().id, flags, 0, Some((ID, &key.cose())))),
    }
}

fn assertion(
    key: &Key,
    flags: u8,
    count: u32,
    kind: &str,
    challenge: &[u8],
    origin: &str,
    rp: &str,
) -> AssertionAnswer {
    let (client, data) = (client_data(kind, challenge, origin), authenticator_data(rp, flags, count, None));
    let signature = key.sign(&[data.as_slice(), digest(&SHA256, &client).as_ref()].concat());
    AssertionAnswer {
        id: to_base64(ID),
        client_data: to_base64(&client),
        authenticator_data: to_base64(&data),
        signature: to_base64(&signature),
        user_handle: String::new(),
    }
}

const REGISTER: u8 = 0b0100_0101;
const ASSERT: u8 = 0b0000_0101;

#[test]
fn sec_12_a_passkey_registers_and_logs_in() {
    for key in [Key::p256(), Key::ed25519()] {
        let registered = verify_registration(&site(), CHALLENGE, &registration(&key, REGISTER)).unwrap();
        assert_eq!(
            (registered.id.as_str(), registered.count, registered.backed_up),
            (to_base64(ID).as_str(), 0, false)
        );
        let answer = assertion(&key, ASSERT | 0b11000, 7, "webauthn.get", CHALLENGE, &site().origin, &site().id);
        let asserted = verify_assertion(&site(), CHALLENGE, &registered.public_key, 6, &answer).unwrap();
        assert_eq!(asserted, Asserted { count: 7, backed_up: true });
    }
}

#[test]
fn sec_12_answers_for_others_are_not_believed() {
    let key = Key::p256();
    let public = to_base64(&key.cose());
    let (here, id) = (site().origin, site().id);
    let check = |answer: &AssertionAnswer, stored: u32, expect: &str| {
        let error = verify_assertion(&site(), CHALLENGE, &public, stored, answer).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&assertion(&key, ASSERT, 1, "webauthn.create", CHALLENGE, &here, &id), 0, "another act");
    check(&assertion(&key, ASSERT, 1, "webauthn.get", &[8; 32], &here, &id), 0, "another question");
    check(&assertion(&key, ASSERT, 1, "webauthn.get", CHALLENGE, "https://evil.example", &id), 0, "another site");
    check(&assertion(&key, ASSERT, 1, "webauthn.get", CHALLENGE, "http://farero.example.org", &id), 0, "another site");
    check(&assertion(&key, ASSERT, 1, "webauthn.get", CHALLENGE, &here, "evil.example"), 0, "another site");
    check(&assertion(&key, 0b001, 1, "webauthn.get", CHALLENGE, &here, &id), 0, "did not verify");
    check(&assertion(&key, 0b100, 1, "webauthn.get", CHALLENGE, &here, &id), 0, "did not verify");
    check(&assertion(&key, ASSERT | 0b10000, 1, "webauthn.get", CHALLENGE, &here, &id), 0, "contradict");
    check(&assertion(&Key::p256(), ASSERT, 1, "webauthn.get", CHALLENGE, &here, &id), 0, "does not belong");
    check(&assertion(&key, ASSERT, 5, "webauthn.get", CHALLENGE, &here, &id), 5, "there may be a copy");
    check(&assertion(&key, ASSERT, 0, "webauthn.get", CHALLENGE, &here, &id), 5, "there may be a copy");
    let good = assertion(&key, ASSERT, 0, "webauthn.get", CHALLENGE, &here, &id);
    assert!(verify_assertion(&site(), CHALLENGE, &public, 0, &good).is_ok(), "devices that do not count");
}

#[test]
fn sec_12_every_changed_byte_of_an_assertion_is_seen() {
    let key = Key::ed25519();
    let public = to_base64(&key.cose());
    let good = assertion(&key, ASSERT, 1, "webauthn.get", CHALLENGE, &site().origin, &site().id);
    let flip = |text: &str, at: usize| {
        let mut bytes = from_base64(text).unwrap();
        bytes[at] ^= 1;
        to_base64(&bytes)
    };
    for at in 0..from_base64(&good.client_data).unwrap().len() {
        let bad = AssertionAnswer { client_data: flip(&good.client_data, at), ..good.clone() };
        assert!(verify_assertion(&site(), CHALLENGE, &public, 0, &bad).is_err(), "client data, byte {at}");
    }
    for at in 0..37 {
        let bad = AssertionAnswer { authenticator_data: flip(&good.authenticator_data, at), ..good.clone() };
        assert!(verify_assertion(&site(), CHALLENGE, &public, 0, &bad).is_err(), "authenticator data, byte {at}");
    }
    for at in 0..64 {
        let bad = AssertionAnswer { signature: flip(&good.signature, at), ..good.clone() };
        assert!(verify_assertion(&site(), CHALLENGE, &public, 0, &bad).is_err(), "signature, byte {at}");
    }
}

#[test]
fn sec_12_registrations_are_read_strictly() {
    let key = Key::p256();
    let good = registration(&key, REGISTER);
    let with = |format: &str, statement, data| RegistrationAnswer {
        attestation: attestation(format, statement, data),
        ..good.clone()
    };
    let data = authenticator_data(&site().id, REGISTER, 0, Some((ID, &key.cose())));
    let check = |answer: &RegistrationAnswer, expect: &str| {
        let error = verify_registration(&site(), CHALLENGE, answer).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    let extra = vec![(Value::Text("x".into()), Value::Null)];
    check(&with("none", extra.clone(), data.clone()), "not asked for");
    check(&with("tpm", vec![], data.clone()), "not asked for");
    check(&with("none", vec![], [data.clone(), vec![0]].concat()), "something follows");
    check(&with("none", vec![], data[..60].to_vec()), "too short");
    check(&with("none", vec![], authenticator_data(&site().id, ASSERT, 0, None)), "no credential came");
    check(&RegistrationAnswer { id: to_base64(b"other"), ..good.clone() }, "another credential");
    check(&RegistrationAnswer { client_data: "!".into(), ..good.clone() }, "no base64");
    check(&RegistrationAnswer { attestation: to_base64(&[0xa1, 0x61]), ..good.clone() }, "no CBOR");
    // The device vouches for itself with the new key.
    let text = |t: &str| Value::Text(t.into());
    let signed =
        [data.as_slice(), digest(&SHA256, &client_data("webauthn.create", CHALLENGE, &site().origin)).as_ref()]
            .concat();
    let vouched = |signature| vec![(text("alg"), Value::Integer((-7).into())), (text("sig"), Value::Bytes(signature))];
    assert!(verify_registration(&site(), CHALLENGE, &with("packed", vouched(key.sign(&signed)), data.clone())).is_ok());
    check(&with("packed", vouched(Key::p256().sign(&signed)), data.clone()), "does not belong");
    // With extensions, as many devices send them.
    let extensions = write(&Value::Map(vec![(text("credProtect"), Value::Integer(2.into()))]));
    let extended = [authenticator_data(&site().id, REGISTER | 0x80, 0, Some((ID, &key.cose()))), extensions].concat();
    assert!(verify_registration(&site(), CHALLENGE, &with("none", vec![], extended)).is_ok());
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_it_panic(client in ".{0,200}", bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let text = to_base64(&bytes);
        let answer = RegistrationAnswer { id: text.clone(), client_data: to_base64(client.as_bytes()), attestation: text.clone() };
        proptest::prop_assert!(verify_registration(&site(), CHALLENGE, &answer).is_err());
        let _ = PublicKey::read(&bytes);
        let _ = super::super::data::check_authenticator_data(&bytes, &site());
    }
}
