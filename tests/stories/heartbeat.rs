//! A nightly job calls in: late is a failure, a call is a recovery, start and finish tell how long it took.

use tests::{Farero, Hooks, eventually, wait_for};

const PLAN: &str = r#"
system: prueba
timezone: America/Lima
outgoing: { allow: ["127.0.0.1"] }
defaults: { every: 1s, attempts: 1, evaluate_every: 1s }
severities: { critica: { rank: critical, deliver: now, channels: [gancho] } }
channels: { gancho: { webhook: { url: "${env:HOOK}" } } }
alerts: { down: critica }
services:
  copias: { label: Copias, check: { heartbeat: { period: 2s, grace: 1s, max_duration: 1m } } }
"#;

/// The address to call, as the check's page shows it.
async fn address(farero: &Farero) -> String {
    let page = farero.page("/s/prueba/copias/check").await;
    let begin = page.find("http://").and_then(|_| page.find("/ping/")).expect("the page shows the address");
    let token: String = page[begin + "/ping/".len()..].chars().take_while(|c| !"<\"& \n".contains(*c)).collect();
    assert!(token.len() >= 20, "nobody guesses it: {token}");
    farero.url(&format!("/ping/{token}"))
}

async fn call(url: &str) -> u16 {
    tests::farero::client().get(url).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_10_a_late_job_is_told_and_a_call_is_its_recovery() {
    let hooks = Hooks::start().await;
    let farero = Farero::start(&[("plan.yaml", PLAN)], &[("HOOK", hooks.url())]).await;
    farero.log_in().await;
    let url = address(&farero).await;

    assert_eq!(call(&url).await, 200);
    wait_for("the job is well", || farero.query("probe_success{service=\"copias\"} == 1")).await;
    let told = ("ServiceDown".to_owned(), "copias".to_owned());
    eventually("its silence is told", || hooks.alerts("firing").contains(&told)).await;
    assert_eq!(call(&url).await, 200);
    eventually("its call is the recovery", || hooks.alerts("resolved").contains(&told)).await;

    // Reported failure, by word and by exit code: told at once, without waiting for the period to pass.
    let before = hooks.alerts("firing").len();
    assert_eq!(call(&format!("{url}/3")).await, 200);
    eventually("its failure is told", || hooks.alerts("firing").len() > before).await;
    let page = farero.page("/s/prueba/copias/check").await;
    assert!(page.contains("exit 3"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_10_start_and_finish_tell_how_long_a_job_took() {
    let plan = PLAN.replace("period: 2s", "period: 1h").replace("max_duration: 1m", "max_duration: 50ms");
    let hooks = Hooks::start().await;
    let farero = Farero::start(&[("plan.yaml", &plan)], &[("HOOK", hooks.url())]).await;
    farero.log_in().await;
    let url = address(&farero).await;

    let began = std::time::Instant::now();
    assert_eq!(call(&format!("{url}/start")).await, 200);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(call(&url).await, 200);
    let most = began.elapsed();
    let state = wait_for("the job is judged slow", || async {
        let check = farero.json("/api/farero/v1/checks/prueba/copias/check").await;
        (check["state"] == "slow").then_some(check)
    })
    .await;
    let why = state["last"]["evidence"].to_string();
    assert!(why.contains("took") || why.contains("more than"), "{why}");
    let page = farero.page("/s/prueba/copias/check").await;
    let shown = page.split("class=\"log\"").nth(1).expect("the calls are listed");
    assert!(shown.contains("ms") || most.as_millis() >= 1_000, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_10_an_unknown_address_or_word_is_refused() {
    let farero = Farero::start(&[("plan.yaml", PLAN)], &[("HOOK", "http://127.0.0.1:9/")]).await;
    farero.log_in().await;
    let url = address(&farero).await;
    assert_eq!(call(&farero.url("/ping/no-such-token")).await, 404);
    assert_eq!(call(&format!("{url}/sometimes")).await, 404);
    assert_eq!(call(&format!("{url}/256")).await, 404);
    assert_eq!(call(&farero.url(&format!("/ping/{}", "x".repeat(5_000)))).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_10_the_plan_may_name_the_address_by_reference() {
    let plan = PLAN.replace("period: 2s", "period: 1h, token: \"${env:COPIAS_TOKEN}\"");
    let token = "0123456789abcdef0123456789abcdef";
    let environment = [("HOOK", "http://127.0.0.1:9/"), ("COPIAS_TOKEN", token)];
    let farero = Farero::start(&[("plan.yaml", &plan)], &environment).await;
    assert_eq!(call(&farero.url(&format!("/ping/{token}"))).await, 200);
    wait_for("the job is well", || farero.query("probe_success{service=\"copias\"} == 1")).await;
}
