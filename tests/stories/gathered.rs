//! Warnings that may wait are gathered and told together, before their time is over.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tests::{Farero, Hooks, Target, eventually, wait_for};

const WITHIN: Duration = Duration::from_secs(10);

const PLAN: &str = r#"
system: prueba
timezone: UTC
outgoing: { allow: ["127.0.0.1"] }
language: en
defaults: { every: 1s, scrape_every: 1s, evaluate_every: 1s }
severities:
  warning: { rank: warning, deliver: within 10s, channels: [hook] }
channels: { hook: { webhook: { url: "${env:HOOK}" } } }
services: { exporter: { metrics: "${env:EXPORTER}/metrics" } }
"#;

const RULES: &str = r#"
groups:
  - name: warnings
    rules:
      - alert: Worn
        expr: worn == 1
        labels: { severity: warning }
        annotations: { summary: "part {{ $labels.part }} is worn" }
"#;

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn alr_05_warnings_are_gathered_and_told_together_in_time() {
    let (target, hooks) = (Target::start().await, Hooks::start().await);
    let worn = |first: u8, second: u8| format!("worn{{part=\"a\"}} {first}\nworn{{part=\"b\"}} {second}\n");
    target.metrics(worn(0, 0));
    let environment = [("HOOK", hooks.url()), ("EXPORTER", &target.url())];
    let farero = Farero::start(&[("plan.yaml", PLAN), ("rules/warnings.yaml", RULES)], &environment).await;
    wait_for("the parts are seen", || farero.query("count(worn) == 2")).await;

    target.metrics(worn(1, 0));
    wait_for("the first fires", || farero.query("ALERTS{alertname=\"Worn\",part=\"a\",alertstate=\"firing\"}")).await;
    let fired = now();
    target.metrics(worn(1, 1));
    wait_for("the second fires", || farero.query("count(ALERTS{alertname=\"Worn\",alertstate=\"firing\"}) == 2")).await;
    let both_in_time = now() - fired < WITHIN / 2;
    eventually("they are told", || hooks.alerts("firing").len() >= 2).await;

    let all = hooks.all();
    if both_in_time {
        assert_eq!(all.len(), 1, "one message for both: {all:?}");
    }
    // When it was taken, not when this test looked: by the clock that the receiver's machine shares.
    let waited = all[0].at - fired;
    assert!(waited <= WITHIN, "{waited:?} since it was seen to fire");
    assert!(waited >= WITHIN / 4, "gathered, not told at once: {waited:?}");
}
