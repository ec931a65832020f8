//! The API against its own document, tried by schemathesis as every kind of caller: no failure of Farero, no answer that the
//! document does not name.

use std::process::Command;

use tests::{Farero, Target, wait_for};

const PLAN: &str = r#"
system: prueba
timezone: UTC
outgoing: { allow: ["127.0.0.1"] }
defaults: { every: 1s, attempts: 1, evaluate_every: 1s }
severities: { critica: { rank: critical, deliver: now, channels: [equipo] } }
channels: { equipo: { webhook: { url: "${env:HOOK}" } } }
alerts: { down: critica }
services:
  backend: { check: { http: "${env:BACKEND}/api/health" } }
  abajo: { check: { tcp: "127.0.0.1:9" } }
  latido: { check: { heartbeat: { period: 1h } } }
"#;

/// How hard a kind of caller tries: phases, cases of each endpoint, and how often, within what Farero lets such a caller ask.
/// Every parameter's edges are tried once, by the caller that may do most by token; all together take two minutes at most.
struct Effort {
    phases: &'static str,
    cases: &'static str,
    rate: &'static str,
}

/// Tries the API with these headers; what schemathesis says when it finds something.
async fn attempt(farero: &Farero, headers: &[(&str, &str)], effort: &Effort) -> Result<(), String> {
    let program = tokio::task::spawn_blocking(tests::tools::schemathesis).await.unwrap();
    let document = farero.data().join("../openapi.json");
    std::fs::write(&document, farero.page("/api/openapi.json").await).unwrap();
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg(&document)
        .args([
            "--url",
            &farero.url(""),
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance",
        ])
        .args([
            "--phases",
            effort.phases,
            "--max-examples",
            effort.cases,
            "--rate-limit",
            effort.rate,
            "--seed",
            "7",
            // One: the parser of CPython 3.11 is not safe with several threads (its gh-106905), and the rate is the limit anyway.
            "--workers",
            "1",
        ])
        .args([
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
            "--no-color",
            "--no-shrink",
            "--continue-on-failure",
        ])
        .current_dir(document.parent().unwrap());
    for (name, value) in headers {
        command.args(["-H", &format!("{name}:{value}")]);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// All that a token may be let do: it takes little away from the role.
const VERBS: &str = "see,acknowledge,run,approve,edit";

/// Roles that are tried besides the administrator, who is tried by session.
const ROLES: [&str; 6] = ["viewer", "responder", "operator", "approver", "editor", "auditor"];

/// A service account with a built-in role everywhere, and a token of it that may do whatever the role may.
async fn token_of(farero: &Farero, role: &str, csrf: &str) -> String {
    let form = format!("csrf={csrf}&name=maquina-{role}&kind=service&role={role}&systems=*");
    let answer = farero.form(farero.client().post(farero.url("/people")), form).send().await.unwrap();
    let path = answer.url().path().to_owned();
    let form = format!("csrf={csrf}&name=schemathesis&verbs={VERBS}&days=30");
    let answer = farero.form(farero.client().post(farero.url(&format!("{path}/tokens"))), form).send().await.unwrap();
    given(&answer.text().await.unwrap())
}

/// The token that a page shows once.
fn given(page: &str) -> String {
    let at = page.find("farero_").unwrap_or_else(|| panic!("no token: {page}"));
    page[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect()
}

/// A new token with a scope, made on the page of settings.
async fn token(farero: &Farero, scope: &str, csrf: &str) -> String {
    let form = format!("csrf={csrf}&name=schemathesis-{scope}&scope={scope}&days=30");
    let answer = farero.form(farero.client().post(farero.url("/settings/tokens")), form).send().await.unwrap();
    given(&answer.text().await.unwrap())
}

async fn csrf(farero: &Farero) -> String {
    let page = farero.page("/settings").await;
    page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_the_api_answers_as_its_document_says_to_everybody() {
    let target = Target::start().await;
    let hooks = tests::Hooks::start().await;
    let environment = [("BACKEND", target.url()), ("HOOK", hooks.url().to_owned())];
    let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let farero = Farero::start(&[("plan.yaml", PLAN)], &environment).await;
    farero.log_in().await;
    wait_for("an alert, so that there is one to be asked for", || async {
        farero.json("/api/farero/v1/alerts").await.as_array().and_then(|a| a.first().cloned())
    })
    .await;
    let page_csrf = csrf(&farero).await;
    let (read, write) = (token(&farero, "read", &page_csrf).await, token(&farero, "write", &page_csrf).await);
    let (cookie, csrf) = farero.session().await;
    let fuzzing = |cases, rate| Effort { phases: "fuzzing", cases, rate };
    let read = [("Authorization", format!("Bearer {read}"))];
    let write = [("Authorization", format!("Bearer {write}"))];
    let session = [("Cookie", cookie), ("X-CSRF-Token", csrf), ("Sec-Fetch-Site", "same-origin".to_owned())];
    type Caller<'a> = (&'a str, Vec<(&'a str, String)>, Effort);
    let mut callers: Vec<Caller<'_>> = vec![
        ("nobody", Vec::new(), fuzzing("2", "8/s")),
        ("a token that reads", read.to_vec(), fuzzing("4", "40/s")),
        ("a token that writes", write.to_vec(), Effort { phases: "coverage,fuzzing", cases: "4", rate: "45/s" }),
        ("an administrator", session.to_vec(), fuzzing("4", "20/s")),
    ];
    for role in ROLES {
        let token = token_of(&farero, role, &page_csrf).await;
        callers.push((role, vec![("Authorization", format!("Bearer {token}"))], fuzzing("2", "45/s")));
    }
    let mut wrong = Vec::new();
    for (name, headers, effort) in callers {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        if let Err(said) = attempt(&farero, &headers, &effort).await {
            wrong.push(format!("as {name}:\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(!farero.output().contains("panicked"), "{}", farero.output());
    assert!(farero.page("/").await.contains("prueba"), "it goes on");
}
