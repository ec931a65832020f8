//! HTTP checks against nginx.

use kernel::probe::{EVIDENCE_BODY_BYTES, Outcome, Phase};
use serde_json::{Value, json};

use super::nginx::Nginx;
use super::support::{ask, error, expect, fact, free_port, phases, reading, reading_label, try_prepare};

/// Asks a path with settings of the kind `http`.
async fn check(nginx: &Nginx, path: &str, settings: Value, outcome: Outcome, error_part: &str) {
    let mut settings = settings;
    settings["url"] = nginx.url(path).into();
    let result = ask(json!({ "http": settings })).await;
    assert_eq!(result.outcome, outcome, "{path}: {result:#?}");
    expect(&result, outcome, error_part);
}

#[tokio::test]
async fn chk_01_status_decides_when_nothing_else_is_asked() {
    let nginx = Nginx::start();
    let result = ask(json!({ "http": nginx.url("/") })).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(result.evidence.status.as_deref(), Some("HTTP/1.1 200 OK"));
    assert_eq!(result.evidence.body.as_deref(), Some("hello"));
    assert_eq!(reading(&result, "probe_http_status_code"), 200.0);
    assert_eq!(reading(&result, "probe_http_content_length"), 5.0);
    assert_eq!(reading(&result, "probe_http_version"), 1.1);
    assert_eq!(reading(&result, "probe_http_ssl"), 0.0);
    assert_eq!(reading(&result, "probe_http_redirects"), 0.0);
    assert_eq!(reading(&result, "probe_ip_protocol"), 4.0);
    assert_eq!(phases(&result), [Phase::Resolve, Phase::Connect, Phase::Processing, Phase::Transfer]);
    let total: f64 = result.phases.iter().map(|(_, ms)| ms).sum();
    assert!(total <= result.duration.as_secs_f64() * 1_000.0);

    let broken = ask(json!({ "http": nginx.url("/broken") })).await;
    expect(&broken, Outcome::Down, "status 503");
    assert_eq!(broken.evidence.status.as_deref(), Some("HTTP/1.1 503 Service Unavailable"));
    assert_eq!(reading(&broken, "probe_http_status_code"), 503.0);
    check(&nginx, "/nothing", json!({}), Outcome::Down, "status 404").await;
}

#[tokio::test]
async fn chk_01_what_the_answer_must_be() {
    use Outcome::{Down, Up};
    let nginx = Nginx::start();
    let cases = [
        ("/empty", json!({ "status": [204] }), Up, ""),
        ("/", json!({ "status": ["3xx", 204] }), Down, "status 200 instead of 3xx or 204"),
        ("/broken", json!({ "status": ["5xx"] }), Up, ""),
        ("/", json!({ "contains": "hell" }), Up, ""),
        ("/", json!({ "contains": "heaven" }), Down, "the body does not hold `heaven`"),
        ("/", json!({ "not_contains": "hello" }), Down, "the body holds `hello`"),
        ("/", json!({ "regex": "^hel+o$" }), Up, ""),
        ("/", json!({ "regex": "^x" }), Down, "the body does not match `^x`"),
        ("/json", json!({ "json": { "$.status": "ok", "$.n": 1.0 } }), Up, ""),
        ("/json", json!({ "json": { "$.status": "bad" } }), Down, "$.status is \"ok\" instead of \"bad\""),
        ("/json", json!({ "json": { "$.gone": 1 } }), Down, "$.gone is not in the body"),
        ("/json", json!({ "json": { "$.parts[*].ok": true } }), Down, "is false instead of true"),
        ("/", json!({ "json": { "$.a": 1 } }), Down, "the body is not JSON"),
        ("/json", json!({ "headers": { "Content-Type": "^application/json" } }), Up, ""),
        (
            "/json",
            json!({ "headers": { "Content-Type": "xml" } }),
            Down,
            "the header content-type does not match `xml`",
        ),
        ("/json", json!({ "headers": { "X-Gone": "." } }), Down, "the header x-gone is missing"),
    ];
    for (path, expect, outcome, error_part) in cases {
        check(&nginx, path, json!({ "expect": expect }), outcome, error_part).await;
    }
    let all =
        ask(json!({ "http": { "url": nginx.url("/broken"), "expect": { "contains": "x1", "regex": "x2" } } })).await;
    assert_eq!(error(&all), "status 503; the body does not hold `x1`; the body does not match `x2`");
    assert_eq!(reading(&all, "probe_failed_due_to_regex"), 1.0);
}

#[tokio::test]
async fn chk_01_redirects_are_followed_and_counted() {
    let nginx = Nginx::start();
    let result = ask(json!({ "http": nginx.url("/moved") })).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(reading(&result, "probe_http_redirects"), 1.0);
    assert_eq!(fact(&result, "redirected to"), nginx.url("/json"));
    check(&nginx, "/moved", json!({ "follow_redirects": false, "expect": { "status": [302] } }), Outcome::Up, "").await;
    check(&nginx, "/round", json!({}), Outcome::Down, "more than 10 redirects").await;
    let get = json!({ "method": "POST", "body": "abc", "expect": { "regex": "^GET $" } });
    check(&nginx, "/see-other", get, Outcome::Up, "").await;
}

#[tokio::test]
async fn chk_01_method_headers_body_and_log_in() {
    let nginx = Nginx::start();
    let post = json!({ "method": "post", "body": "12345", "expect": { "contains": "POST 5" } });
    check(&nginx, "/method", post, Outcome::Up, "").await;
    check(&nginx, "/private", json!({}), Outcome::Down, "status 401").await;
    let user = json!({ "auth": { "user": "ana", "password": "${env:SECRET}" } });
    check(&nginx, "/private", user, Outcome::Up, "").await;
    let in_url = format!("http://ana:hunter22-secret@127.0.0.1:{}/private", nginx.plain);
    expect(&ask(json!({ "http": in_url })).await, Outcome::Up, "");
    let bearer = json!({ "auth": { "bearer": "${env:SECRET}" }, "headers": { "Host": "a.example" },
        "expect": { "contains": "auth=Bearer hunter22-secret agent=Farero/", "regex": "host=a.example$" } });
    check(&nginx, "/echo", bearer, Outcome::Up, "").await;
}

#[tokio::test]
async fn chn_11_secrets_stay_out_of_evidence_and_of_other_hosts() {
    let nginx = Nginx::start();
    let with_token = |path: &str| json!({ "http": { "url": nginx.url(path), "headers": { "X-Token": "${env:SECRET}" }, "auth": { "bearer": "${env:SECRET}" } } });
    let echoed = ask(with_token("/echo")).await;
    let body = echoed.evidence.body.as_deref().unwrap_or_default();
    assert!(body.contains("auth=Bearer [redacted]") && body.contains("token=[redacted]"), "{body}");
    // 127.0.0.1 sends on to localhost, which is another origin.
    let elsewhere = ask(with_token("/elsewhere")).await;
    let body = elsewhere.evidence.body.as_deref().unwrap_or_default();
    assert!(body.contains("auth= ") && body.contains("token= "), "{body}");
    let missing = try_prepare(json!({ "http": { "url": nginx.url("/"), "auth": { "bearer": "${env:GONE}" } } }));
    assert_eq!(missing.unwrap_err().to_string(), "${env:GONE} cannot be resolved: it is not set");
}

#[tokio::test]
async fn chk_09_https_shows_certificate_protocol_and_version() {
    let nginx = Nginx::start();
    let url = format!("https://localhost:{}/json", nginx.valid);
    let result = ask(json!({ "http": { "url": url, "tls": { "ca_file": nginx.ca_file() } } })).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(result.evidence.status.as_deref(), Some("HTTP/2.0 200 OK"));
    assert_eq!(reading(&result, "probe_http_version"), 2.0);
    assert_eq!(reading(&result, "probe_http_ssl"), 1.0);
    assert_eq!(reading(&result, "probe_ssl_earliest_cert_expiry"), 2_524_608_000.0);
    assert_eq!(reading_label(&result, "probe_tls_version_info", "version"), "TLS 1.3");
    assert_eq!(phases(&result), [Phase::Resolve, Phase::Connect, Phase::Tls, Phase::Processing, Phase::Transfer]);
    let url = format!("https://127.0.0.1:{}/json", nginx.unknown);
    let old = ask(json!({ "http": { "url": url, "tls": { "insecure": true } } })).await;
    expect(&old, Outcome::Up, "");
    assert_eq!(old.evidence.status.as_deref(), Some("HTTP/1.1 200 OK"));
    let refused = ask(json!({ "http": url })).await;
    expect(&refused, Outcome::Down, "the certificate's issuer is unknown");
    assert_eq!(reading(&refused, "probe_ssl_earliest_cert_expiry"), 2_524_608_000.0);
}

#[tokio::test]
async fn chk_01_bodies_are_bounded() {
    let nginx = Nginx::start();
    let result = ask(json!({ "http": { "url": nginx.url("/large"), "expect": { "contains": "not there" } } })).await;
    expect(&result, Outcome::Down, "the body was longer than what is read of it");
    assert_eq!(result.evidence.body.map(|b| b.len()), Some(EVIDENCE_BODY_BYTES));
    let unread = ask(json!({ "http": nginx.url("/large") })).await;
    expect(&unread, Outcome::Up, "");
    assert_eq!(fact(&unread, "body"), "it is longer than what is read of it");
}

#[tokio::test]
async fn chk_02_timeout_says_how_far_it_came() {
    let nginx = Nginx::start();
    let result = ask(json!({ "http": nginx.url("/slow"), "timeout": "400ms" })).await;
    expect(&result, Outcome::Down, "no answer within 400ms: given up while reading the answer");
    assert_eq!(phases(&result).last(), Some(&Phase::Transfer));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let result = ask(json!({ "http": url, "timeout": "200ms", "attempts": 2, "pause": "10ms" })).await;
    expect(&result, Outcome::Down, "given up while waiting for the answer");
    assert_eq!(result.attempts, 2);
}

#[tokio::test]
async fn chk_14_slow_is_not_down() {
    let nginx = Nginx::start();
    let check = |slow: &str| json!({ "http": nginx.url("/"), "slow": slow });
    let result = ask(check("0")).await;
    expect(&result, Outcome::Slow, "");
    assert!(result.outcome.is_success());
    assert!(fact(&result, "slow").ends_with("s, more than 0s"));
    expect(&ask(check("4s")).await, Outcome::Up, "");
}

#[tokio::test]
async fn chk_02_the_first_success_ends_the_attempts() {
    let port = free_port();
    let check = json!({ "http": format!("http://127.0.0.1:{port}/"), "attempts": 10, "pause": "50ms" });
    let asking = tokio::spawn(ask(check));
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    let app = axum::Router::new().fallback(|| async { "up again" });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let result = asking.await.unwrap();
    expect(&result, Outcome::Up, "");
    assert!((2..=10).contains(&result.attempts), "{result:#?}");
    assert_eq!(result.evidence.body.as_deref(), Some("up again"));
}

#[tokio::test]
async fn chk_01_errors_say_what_happened() {
    let port = free_port();
    let refused = ask(json!({ "http": format!("http://127.0.0.1:{port}/") })).await;
    expect(&refused, Outcome::Down, &format!("127.0.0.1:{port} refuses the connection: nothing listens there"));
    let unknown = ask(json!({ "http": "http://no-such-host.invalid/", "timeout": "10s" })).await;
    expect(&unknown, Outcome::Down, "the name no-such-host.invalid is not known, or has no address");
    assert_eq!(reading(&refused, "probe_http_status_code"), 0.0, "as blackbox_exporter says it");
    for (check, part) in [
        (json!({ "url": "ftp://a.example/" }), "http.url cannot be used: it begins neither with http:// nor"),
        (json!({ "url": "nonsense" }), "http.url cannot be used: relative URL without a base"),
        (
            json!({ "url": "http://a", "expect": { "regex": "(" } }),
            "http.expect.regex cannot be used: regex parse error",
        ),
        (json!({ "url": "http://a", "expect": { "json": { "x": 1 } } }), "`x` is no JSON path"),
        (
            json!({ "url": "https://a", "tls": { "ca_file": "/nowhere.pem" } }),
            "tls.ca_file cannot be used: it cannot be read",
        ),
        (
            json!({ "url": "https://a", "tls": { "min_version": "1.1" } }),
            "tls.min_version cannot be used: write 1.2 or 1.3",
        ),
    ] {
        let error = try_prepare(json!({ "http": check })).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
