//! Whatever is asked, the answer is a refusal that says why, never a failure of Farero.

use reqwest::Method;
use tests::Farero;

const PLAN: &str =
    "system: prueba\ntimezone: UTC\nservices:\n  backend: { check: { http: \"http://127.0.0.1:9/\" } }\n";

/// Requests that nobody should send: method, path, content type, body.
fn requests() -> Vec<(Method, String, &'static str, String)> {
    let (get, post) = (Method::GET, Method::POST);
    let (form, json) = ("application/x-www-form-urlencoded", "application/json");
    let long = "(".repeat(9_000);
    let deep = "(".repeat(20_000);
    let ask = |path: &str| (get.clone(), path.to_owned(), "", String::new());
    let tell = |path: &str, kind: &'static str, body: &str| (post.clone(), path.to_owned(), kind, body.to_owned());
    vec![
        ask("/api/farero/v1/nothing"),
        ask("/api/farero/v1/checks/no/such/check"),
        ask("/api/farero/v1/checks/prueba/backend/check/results?limit=-1"),
        ask("/api/farero/v1/checks/prueba/backend/check/results?limit=many"),
        ask("/api/farero/v1/checks/prueba/backend/check/chart?range=forever"),
        ask("/api/farero/v1/checks/%00/%ff/%2e%2e"),
        ask("/api/farero/v1/alerts/zzzz"),
        ask("/api/farero/v1/alerts?before=yesterday"),
        ask("/api/farero/v1/deliveries?state=lost"),
        ask("/api/farero/v1/deliveries?limit=99999999999999999999999"),
        ask("/api/farero/v1/systems/nobody/overview"),
        ask("/api/v1/query"),
        ask("/api/v1/query?query=sum(("),
        ask("/api/v1/query?query=up&time=tomorrow"),
        ask("/api/v1/query_range?query=up&start=5&end=1&step=1"),
        ask("/api/v1/query_range?query=up&start=0&end=9999999999&step=0.001"),
        ask("/api/v1/query_range?query=up&start=NaN&end=1&step=0"),
        ask("/api/v1/series"),
        ask(&format!("/api/v1/query?query={long}")),
        ask("/badge/prueba/..%2f..%2fetc%2fpasswd"),
        ask("/badge/nobody/state.svg"),
        ask("/assets/x/../../../etc/passwd"),
        ask("/assets/%2e%2e/%2e%2e/etc/passwd"),
        ask("/plan/prueba/documents/..%2f..%2fplan.yaml"),
        ask("/alerts/zzzz"),
        ask("/s/prueba/backend/nothing"),
        ask("/ping/%F0%9F%92%A9"),
        ask("/setup/nothing"),
        tell("/api/v1/query", form, &format!("query={deep}")),
        tell("/api/v1/query", json, "{\"query\":1}"),
        tell("/api/farero/v1/systems/prueba/intensive", json, "{\"minutes\":"),
        tell("/api/farero/v1/systems/prueba/intensive", json, "{\"minutes\":-7}"),
        tell("/api/farero/v1/systems/prueba/intensive", json, "[]"),
        tell("/api/farero/v1/systems/prueba/intensive", form, "minutes=1"),
        tell("/api/farero/v1/alerts/zzzz/acknowledge", json, "\u{0}"),
        tell("/api/farero/v1/deliveries/confirm/no/such/key", json, "{}"),
        tell("/api/farero/v1/systems/prueba/channels/nobody/test", json, "{}"),
        tell("/api/farero/v1/checks/prueba/backend/nothing/now", json, "{}"),
        tell("/login", form, "name=%ff%00&password=x"),
        tell("/login", json, "{}"),
        tell("/settings/users", form, "name=&role=emperor"),
        tell("/settings/tokens", form, "name=x&scope=all&days=-1"),
        tell("/settings/tokens/99999999999999999999/revoke", form, ""),
        (Method::DELETE, "/api/farero/v1/checks".to_owned(), "", String::new()),
        (Method::PUT, "/".to_owned(), "", String::new()),
        // Last, because the server may close the connection after it.
        tell("/login", form, &format!("name=a&password={}", "y".repeat(3_000_000))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_with_a_reason_and_break_nothing() {
    let farero = Farero::start(&[("plan.yaml", PLAN)], &[]).await;
    farero.log_in().await;
    let mut wrong = Vec::new();
    for (method, path, kind, body) in requests() {
        let request = farero.client().request(method.clone(), farero.url(&path)).header("origin", farero.url(""));
        let request = if kind.is_empty() { request } else { request.header("content-type", kind).body(body) };
        let asked = format!("{method} {}", path.chars().take(100).collect::<String>());
        let Ok(answer) = request.send().await else {
            wrong.push(format!("{asked}: no answer"));
            continue;
        };
        let status = answer.status();
        let type_of = answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let text = answer.text().await.unwrap_or_default();
        if !status.is_client_error() {
            wrong.push(format!("{asked}: {status}: {}", text.chars().take(200).collect::<String>()));
        }
        if path.starts_with("/api/farero/") && !type_of.starts_with("application/problem+json") {
            wrong.push(format!("{asked}: {status} as `{type_of}`: {}", text.chars().take(200).collect::<String>()));
        }
        // Prometheus's clients expect Prometheus's own form.
        if path.starts_with("/api/v1/") && !text.contains("\"status\":\"error\"") {
            wrong.push(format!("{asked}: {status}: {}", text.chars().take(200).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!farero.output().contains("panicked"), "{}", farero.output());
    assert!(farero.page("/").await.contains("prueba"), "it goes on");
}
