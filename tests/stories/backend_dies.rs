//! The backend dies, people hear of it, it comes back, people hear of that.

use tests::{Farero, Hooks, MailServer, Target, eventually};

/// A plan that watches one backend every second and tells by mail and webhook.
fn plan() -> &'static str {
    r#"
system: prueba
label: Sistema de prueba
timezone: America/Lima
outgoing: { allow: ["127.0.0.1"] }
language: es
defaults: { every: 1s, timeout: 500ms, attempts: 2, evaluate_every: 1s }
severities:
  critica: { label: Crítica, rank: critical, deliver: now, channels: [correo, gancho] }
channels:
  correo: { email: { server: "${env:SMTP}", security: none, from: farero@example.org, to: [equipo@example.org] } }
  gancho: { webhook: { url: "${env:HOOK}" } }
alerts: { down: critica }
services:
  backend:
    label: Backend
    check: { http: "${env:BACKEND}/api/health", pause: 100ms, runbook: servicio-caido.md }
"#
}

const RUNBOOK: &str = "# Servicio caído\n\n## Síntoma\n\nEl servicio no responde.\n";

#[tokio::test(flavor = "multi_thread")]
async fn alr_06_a_dead_backend_is_told_and_so_is_its_recovery() {
    let (target, hooks, mail) = (Target::start().await, Hooks::start().await, MailServer::plain());
    let farero = Farero::start(
        &[("plan.yaml", plan()), ("runbooks/servicio-caido.md", RUNBOOK)],
        &[("SMTP", &mail.address()), ("HOOK", hooks.url()), ("BACKEND", &target.url())],
    )
    .await;
    tests::wait_for("the first success", || farero.query("probe_success{service=\"backend\"} == 1")).await;

    target.off().await;
    let told = ("ServiceDown".to_owned(), "backend".to_owned());
    eventually("the webhook hears of the failure", || hooks.alerts("firing").contains(&told)).await;
    eventually("the mail hears of the failure", || !mail.subjects().is_empty()).await;
    let first = &mail.mails()[0];
    assert_eq!(first["subject"], "Crítica: Backend no responde");
    let text = first["text"].as_str().unwrap();
    assert!(text.contains("Servicio: Backend") && text.contains("servicio-caido"), "{text}");
    assert_eq!(text.matches(&farero.url("/alerts/")).count(), 1, "the way to the page, once: {text}");
    assert!(first["html"].as_str().unwrap().contains("<html lang=\"es\""), "{first}");
    assert!(first["id"].as_str().unwrap().ends_with("@farero>"), "{first}");

    target.on().await;
    eventually("the webhook hears of the recovery", || hooks.alerts("resolved").contains(&told)).await;
    eventually("the mail hears of the recovery", || mail.subjects().len() == 2).await;
    assert_eq!(mail.subjects()[1], "Recuperado (Crítica): Backend no responde");
    assert_eq!(hooks.alerts("firing").len(), 1, "told once: {:?}", hooks.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_02_one_failed_try_opens_no_alert() {
    let (target, hooks) = (Target::start().await, Hooks::start().await);
    let mail = MailServer::plain();
    let farero = Farero::start(
        &[("plan.yaml", plan()), ("runbooks/servicio-caido.md", RUNBOOK)],
        &[("SMTP", &mail.address()), ("HOOK", hooks.url()), ("BACKEND", &target.url())],
    )
    .await;
    tests::wait_for("the first success", || farero.query("probe_success == 1")).await;
    // Shorter than both attempts and their pause: the second try finds it well again.
    for _ in 0..4 {
        target.answer(500);
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        target.answer(200);
        tokio::time::sleep(std::time::Duration::from_millis(1_300)).await;
    }
    assert_eq!(hooks.all().len(), 0, "{:?}", hooks.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_07_a_parent_that_is_down_explains_its_children() {
    let (database, backend, hooks) = (Target::start().await, Target::start().await, Hooks::start().await);
    let plan = r#"
system: prueba
timezone: America/Lima
outgoing: { allow: ["127.0.0.1"] }
defaults: { every: 1s, timeout: 500ms, attempts: 1, evaluate_every: 1s }
severities: { critica: { rank: critical, deliver: now, channels: [gancho] } }
channels: { gancho: { webhook: { url: "${env:HOOK}" } } }
alerts: { down: critica, hold: 3s }
services:
  database: { check: { http: "${env:DATABASE}/api/health" } }
  backend: { depends_on: [database], check: { http: "${env:BACKEND}/api/health" } }
"#;
    let environment = [("HOOK", hooks.url()), ("DATABASE", &database.url()), ("BACKEND", &backend.url())];
    let farero = Farero::start(&[("plan.yaml", plan)], &environment).await;
    tests::wait_for("both are up", || farero.query("count(probe_success == 1) == 2")).await;
    database.off().await;
    backend.answer(503);
    eventually("the database's failure is told", || !hooks.alerts("firing").is_empty()).await;
    tests::wait_for("the backend's alert fires too", || {
        farero.query("ALERTS{alertname=\"ServiceDown\",service=\"backend\",alertstate=\"firing\"}")
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let told: Vec<String> = hooks.alerts("firing").into_iter().map(|(_, service)| service).collect();
    assert_eq!(told, ["database"], "the backend's failure is explained, so it is shown and not told");
}
