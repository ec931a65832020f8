//! Killed in the middle of a storm, Farero tells everything after all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use tests::{Farero, Hooks, Target, eventually};

const ALERTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn chn_08_no_alert_is_lost_by_a_kill() {
    let (target, hooks) = (Target::start().await, Hooks::start().await);
    let plan = r#"
system: prueba
timezone: UTC
outgoing: { allow: ["127.0.0.1"] }
language: en
defaults: { every: 5s, scrape_every: 1s, evaluate_every: 1s }
severities: { critical: { rank: critical, deliver: now, channels: [hook] } }
channels: { hook: { webhook: { url: "${env:HOOK}" } } }
services: { exporter: { metrics: "${env:EXPORTER}/metrics", check: { http: "${env:EXPORTER}/api/health" } } }
"#;
    let rules = r#"
groups:
  - name: storm
    rules:
      - alert: Broken
        expr: broken == 1
        labels: { severity: critical }
        annotations: { summary: "number {{ $labels.number }} is broken" }
"#;
    let metrics = |value: u8| {
        (0..ALERTS).fold(String::new(), |mut all, number| {
            writeln!(all, "broken{{number=\"{number}\"}} {value}").unwrap();
            all
        })
    };
    target.metrics(metrics(0));
    hooks.slow(Duration::from_millis(400));
    let environment = [("HOOK", hooks.url()), ("EXPORTER", &target.url())];
    let mut farero = Farero::start(&[("plan.yaml", plan), ("rules/storm.yaml", rules)], &environment).await;
    tests::wait_for("all series are there", || farero.query("count(broken) == 1000")).await;

    target.metrics(metrics(1));
    eventually("the storm is being told", || hooks.all().len() >= 2).await;
    farero.kill();
    let before = hooks.all().len();
    farero.launch();
    farero.ready().await;
    let mut kills = 1;
    // Twice more, in the middle of what is left.
    while kills < 3 && told(&hooks).len() < ALERTS {
        let seen = hooks.all().len();
        eventually("one more message, or all are told", || hooks.all().len() > seen || told(&hooks).len() == ALERTS)
            .await;
        farero.kill();
        farero.launch();
        farero.ready().await;
        kills += 1;
    }
    eventually("every alert is told", || told(&hooks).len() == ALERTS).await;

    let mut keys: BTreeMap<String, usize> = BTreeMap::new();
    for hook in hooks.all() {
        *keys.entry(hook.key).or_default() += 1;
    }
    let twice = keys.values().filter(|n| **n > 1).count();
    println!(
        "{ALERTS} alerts in {} messages, {before} before the first kill, {kills} kills, {twice} messages twice",
        keys.len()
    );
    // One channel sends one message at a time, so a kill can repeat one message at most.
    assert!(twice <= kills, "{twice} messages came twice, {kills} kills: {keys:?}");
    assert!(keys.values().all(|n| *n <= 1 + kills), "{keys:?}");
}

/// Numbers of the alerts that were told as firing.
fn told(hooks: &Hooks) -> BTreeSet<String> {
    hooks
        .all()
        .iter()
        .flat_map(|hook| hook.body["alerts"].as_array().cloned().unwrap_or_default())
        .filter(|alert| alert["status"] == "firing" && alert["labels"]["alertname"] == "Broken")
        .map(|alert| alert["labels"]["number"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_10_absence_is_blind_not_down() {
    let target = Target::start().await;
    let plan = r#"
system: prueba
timezone: UTC
outgoing: { allow: ["127.0.0.1"] }
defaults: { every: 1s, attempts: 1, evaluate_every: 1s }
services: { backend: { check: { http: "${env:BACKEND}/api/health" } } }
"#;
    let mut farero = Farero::start(&[("plan.yaml", plan)], &[("BACKEND", &target.url())]).await;
    tests::wait_for("the first success", || farero.query("probe_success == 1")).await;
    farero.kill();
    farero.launch();
    farero.ready().await;
    tests::wait_for("watched again", || farero.query("probe_success == 1")).await;
    assert_eq!(farero.query("count_over_time((probe_success == 0)[5m:1s])").await, None, "nothing was down");
}

#[tokio::test(flavor = "multi_thread")]
async fn chk_10_an_outside_heartbeat_hears_farero_until_it_dies() {
    let (target, hooks) = (Target::start().await, Hooks::start().await);
    let plan = r#"
system: prueba
timezone: UTC
outgoing: { allow: ["127.0.0.1"] }
watchdog: { url: "${env:HEARTBEAT}", every: 1s }
services: { backend: { check: { http: "${env:BACKEND}/api/health" } } }
"#;
    let environment = [("HEARTBEAT", hooks.url()), ("BACKEND", &target.url())];
    let mut farero = Farero::start(&[("plan.yaml", plan)], &environment).await;
    eventually("three calls", || hooks.all().len() >= 3).await;
    farero.kill();
    let heard = hooks.all().len();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(hooks.all().len() <= heard + 1, "a dead Farero is silent");
}
