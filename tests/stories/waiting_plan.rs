//! A changed plan that waits for others to say yes: over reloads and a kill, until it is used, or refused.

use reqwest::Client;
use tests::{Farero, Target, eventually, wait_for};

fn plan(services: &str) -> String {
    format!(
        "system: prueba\ntimezone: UTC\ndefaults: {{ every: 1s, attempts: 1, evaluate_every: 1s }}\n\
         approvals:\n  - {{ for: plan }}\nservices:\n{services}"
    )
}

/// A person with the role of approver, logged in with a client of their own.
async fn approver(farero: &Farero, name: &str) -> Client {
    let csrf = farero.csrf("/people").await;
    let form = format!("csrf={csrf}&name={name}&kind=person&role=approver&systems=*&language=en&hours=1");
    let answer = farero.form(farero.client().post(farero.url("/people")), form).send().await.unwrap();
    let page = answer.text().await.unwrap();
    let at = page.find("/setup/").or_else(|| page.find("/password/")).unwrap_or_else(|| panic!("no link: {page}"));
    let path: String = page[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-/".contains(*c)).collect();
    let client = tests::farero::client();
    let form = format!("password={0}&again={0}", tests::farero::PASSWORD);
    let answer = farero.form(client.post(farero.url(&path)), form).send().await.unwrap();
    assert!(answer.status().is_success(), "{}: {}", answer.status(), answer.text().await.unwrap());
    client
}

/// Says yes or no to a request, as one of the approvers; the page that follows.
async fn answer(farero: &Farero, client: &Client, id: i64, said: &str) -> String {
    let url = farero.url(&format!("/approvals/{id}"));
    let page = client.get(&url).send().await.unwrap().text().await.unwrap();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let csrf = csrf.unwrap_or_else(|| panic!("no form: {page}"));
    let form = format!("csrf={csrf}&answer={said}&note=");
    let answer = farero.form(client.post(format!("{url}/answer")), form).send().await.unwrap();
    answer.text().await.unwrap()
}

/// The number of the request that waits.
async fn waiting(farero: &Farero) -> i64 {
    let ask = || async {
        let all = farero.json("/api/farero/v1/approvals?waiting=true").await;
        all.as_array().and_then(|a| a.first()).and_then(|r| r["id"].as_i64())
    };
    wait_for("a request for approval", ask).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pln_02_a_changed_plan_waits_for_two_people_over_reloads_and_a_kill() {
    let target = Target::start().await;
    let one = plan("  one: { check: { http: \"${env:BACKEND}/api/health\" } }\n");
    let two = format!("{one}  two: {{ check: {{ http: \"${{env:BACKEND}}/api/health\" }} }}\n");
    let three = format!("{two}  three: {{ check: {{ http: \"${{env:BACKEND}}/api/health\" }} }}\n");
    let mut farero = Farero::start(&[("plan.yaml", &one)], &[("BACKEND", &target.url())]).await;
    farero.log_in().await;
    wait_for("the first plan needs no approval", || farero.query("probe_success{service=\"one\"}")).await;
    let (ana, eva) = (approver(&farero, "ana").await, approver(&farero, "eva").await);

    farero.write("plan.yaml", &two);
    let id = waiting(&farero).await;
    wait_for("the page that says that it waits", || async {
        farero.page("/plan/prueba").await.contains(&format!("/approvals/{id}")).then_some(())
    })
    .await;
    answer(&farero, &ana, id, "yes").await;
    assert!(answer(&farero, &ana, id, "yes").await.contains("you have answered already"), "one person counts once");

    farero.kill();
    farero.launch();
    farero.ready().await;
    wait_for("the plan that was in use is in use again", || farero.query("probe_success{service=\"one\"}")).await;
    assert_eq!(farero.query("probe_success{service=\"two\"}").await, None, "the changed one still waits");
    assert_eq!(waiting(&farero).await, id, "and is the same request");
    assert!(farero.output().contains("the changed plan waits for approval"), "{}", farero.output());

    answer(&farero, &eva, id, "yes").await;
    wait_for("with the second yes it is used, without a word", || farero.query("probe_success{service=\"two\"}")).await;

    farero.write("plan.yaml", &three);
    let id = waiting(&farero).await;
    answer(&farero, &eva, id, "no").await;
    eventually("the refusal is said", || farero.output().contains("the changed plan was rejected")).await;
    farero.kill();
    farero.launch();
    farero.ready().await;
    wait_for("the plan before stays", || farero.query("probe_success{service=\"two\"}")).await;
    assert_eq!(farero.query("probe_success{service=\"three\"}").await, None, "what was refused is not used");
}
