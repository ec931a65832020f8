//! Plans change while Farero runs.

use nix::sys::signal::Signal;
use tests::{Farero, Target, eventually, wait_for};

fn plan(services: &str) -> String {
    format!(
        "system: prueba\ntimezone: UTC\ndefaults: {{ every: 1s, attempts: 1, evaluate_every: 1s }}\nservices:\n{services}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn pln_01_a_bad_new_plan_is_refused_and_the_old_one_stays() {
    let target = Target::start().await;
    let one = plan("  one: { check: { http: \"${env:BACKEND}/api/health\" } }\n");
    let farero = Farero::start(&[("plan.yaml", &one)], &[("BACKEND", &target.url())]).await;
    wait_for("the first service", || farero.query("probe_success{service=\"one\"}")).await;

    farero.write("plan.yaml", &one.replace("check:", "chek:"));
    eventually("the bad plan is refused", || farero.output().contains("refused")).await;
    wait_for("the old plan goes on", || farero.query("probe_success{service=\"one\"}")).await;

    let both = plan(
        "  one: { check: { http: \"${env:BACKEND}/api/health\" } }\n  two: { check: { http: \"${env:BACKEND}/api/health\" } }\n",
    );
    farero.write("plan.yaml", &both);
    wait_for("the second service, without a word", || farero.query("probe_success{service=\"two\"}")).await;

    farero.write("plan.yaml", &one);
    farero.signal(Signal::SIGHUP);
    wait_for("the second service is gone", || async {
        farero.query("count(probe_success)").await.filter(|n| *n == 1.0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pln_10_a_check_without_its_value_is_loud_and_waits() {
    let plan = plan("  one: { check: { http: \"${env:FARERO_TEST_UNSET}/health\" } }\n");
    let farero = Farero::start(&[("plan.yaml", &plan)], &[]).await;
    eventually("the reason is in the log", || farero.output().contains("FARERO_TEST_UNSET")).await;
    assert_eq!(farero.query("probe_success").await, None, "neither up nor down");
}
