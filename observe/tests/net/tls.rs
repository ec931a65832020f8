//! TLS checks against nginx with good and bad certificates.

use kernel::Timestamp;
use kernel::probe::Outcome;
use serde_json::json;

use super::nginx::Nginx;
use super::support::{ClockAt, ask, ask_at, error, expect, fact, free_port, reading, reading_label};

/// 2050-01-01, when the good certificates end.
const ENDS: f64 = 2_524_608_000.0;

#[tokio::test]
async fn chk_09_certificates_are_judged_and_measured() {
    use Outcome::{Down, Up};
    let nginx = Nginx::start();
    let ours = json!({ "ca_file": nginx.ca_file() });
    let named = json!({ "ca_file": nginx.ca_file(), "server_name": "other.example" });
    let cases = [
        ("localhost", nginx.valid, ours.clone(), Up, "", ENDS),
        ("127.0.0.1", nginx.valid, ours.clone(), Up, "", ENDS),
        (
            "localhost",
            nginx.expired,
            ours.clone(),
            Down,
            "the certificate expired on 2020-01-01T00:00:00.000Z",
            1_577_836_800.0,
        ),
        (
            "localhost",
            nginx.wrong_name,
            ours.clone(),
            Down,
            "made for another name: localhost expected, other.example found",
            ENDS,
        ),
        ("localhost", nginx.wrong_name, named, Up, "", ENDS),
        ("localhost", nginx.unknown, ours, Down, "the certificate's issuer is unknown", ENDS),
        ("localhost", nginx.unknown, json!({ "insecure": true }), Up, "", ENDS),
        ("localhost", nginx.expired, json!({ "insecure": true }), Up, "", 1_577_836_800.0),
    ];
    for (host, port, tls, outcome, error_part, ends) in cases {
        let result = ask(json!({ "tls": { "address": format!("{host}:{port}"), "tls": tls } })).await;
        expect(&result, outcome, error_part);
        assert_eq!(reading(&result, "probe_ssl_earliest_cert_expiry"), ends);
        let path = reading(&result, "probe_ssl_last_chain_expiry_timestamp_seconds");
        assert_eq!(path, if outcome == Up { ends } else { 0.0 });
    }
}

#[tokio::test]
async fn sec_10_the_handshake_is_shown() {
    let nginx = Nginx::start();
    let address = format!("localhost:{}", nginx.valid);
    let result = ask(json!({ "tls": { "address": address, "tls": { "ca_file": nginx.ca_file() } } })).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(fact(&result, "certificate"), "CN=farero test");
    assert_eq!(fact(&result, "certificate issuer"), "CN=Farero test authority");
    assert_eq!(fact(&result, "certificate names"), "localhost, 127.0.0.1");
    assert_eq!(fact(&result, "certificate ends"), "2050-01-01T00:00:00.000Z");
    assert_eq!(fact(&result, "certificate chain"), "2");
    assert_eq!(fact(&result, "protocol"), "TLS 1.3");
    assert!(fact(&result, "cipher").starts_with("TLS_AES_"));
    assert_eq!(reading_label(&result, "probe_tls_version_info", "version"), "TLS 1.3");
    assert_eq!(reading_label(&result, "probe_tls_cipher_info", "cipher"), fact(&result, "cipher"));
    let address = format!("localhost:{}", nginx.unknown);
    let old = ask(json!({ "tls": { "address": address, "tls": { "insecure": true } } })).await;
    assert_eq!(fact(&old, "protocol"), "TLS 1.2");
    let too_old =
        ask(json!({ "tls": { "address": address, "tls": { "insecure": true, "min_version": "1.3" } } })).await;
    expect(&too_old, Outcome::Down, "no common TLS protocol or cipher");
}

#[tokio::test]
async fn chk_09_ends_within_the_time_wanted() {
    let nginx = Nginx::start();
    let check = json!({ "tls": { "address": format!("localhost:{}", nginx.valid), "tls": { "ca_file": nginx.ca_file() }, "valid_for": "30d" } });
    let at = |text: &str| ClockAt(Timestamp::parse(text).unwrap());
    expect(&ask_at(check.clone(), &at("2049-11-30T00:00:00Z")).await, Outcome::Up, "");
    let near = ask_at(check.clone(), &at("2049-12-15T00:00:00Z")).await;
    expect(&near, Outcome::Down, "a certificate of the chain ends on 2050-01-01T00:00:00.000Z, within 30d");
    assert_eq!(fact(&near, "certificate days left"), "17.0");
    expect(&ask_at(check, &at("2050-01-02T00:00:00Z")).await, Outcome::Down, "the certificate expired on 2050-01-01");
}

#[tokio::test]
async fn chk_09_what_is_not_tls_is_said() {
    let nginx = Nginx::start();
    let plain = ask(json!({ "tls": format!("127.0.0.1:{}", nginx.plain) })).await;
    assert_eq!(plain.outcome, Outcome::Down);
    assert!(error(&plain).contains("does not speak TLS"), "{}", error(&plain));
    let nobody = ask(json!({ "tls": format!("127.0.0.1:{}", free_port()) })).await;
    expect(&nobody, Outcome::Down, "nothing listens there");
}
