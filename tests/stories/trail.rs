//! The audit trail of a real Farero: what goes in, exports that verify by themselves, and damage that is named.

use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::binary::{Ran, run};
use tests::farero::PASSWORD;
use tests::{Farero, Target, wait_for};

const PLAN: &str = "system: prueba
timezone: UTC
environment: prod
environments: { prod: {} }
defaults: { every: 1s, attempts: 1, evaluate_every: 1s }
severities: { critica: { rank: critical } }
alerts: { down: critica }
roles: { qa-lead: { people: [ana] } }
people: { ana: { login: admin } }
access: [ { role: approver, to: [qa-lead] } ]
signatures: { salida: { checklist: salida, by: [qa-lead] } }
services:
  one: { check: { http: \"${env:BACKEND}/api/health\" } }
";

const DOCUMENT: &str = "# Salida\n\n- [ ] pruebas verdes\n";

async fn started() -> (Farero, Target) {
    let target = Target::start().await;
    let files = [("plan.yaml", PLAN), ("checklists/salida.md", DOCUMENT)];
    let farero = Farero::start(&files, &[("BACKEND", &target.url())]).await;
    farero.log_in().await;
    (farero, target)
}

/// The actions in the trail, oldest first, each with its outcome.
async fn told(farero: &Farero) -> Vec<(String, String)> {
    let word = |v: &Value| v.as_str().unwrap_or("?").to_owned();
    let all = farero.json("/api/farero/v1/trail?limit=1000").await;
    let entries = all.as_array().unwrap().iter().rev();
    entries.map(|e| (word(&e["deed"]["action"]), word(&e["deed"]["outcome"]))).collect()
}

fn verify(place: &str) -> Ran {
    run(&["trail", "verify", place])
}

fn verify_data(data: &Path) -> Ran {
    run(&["trail", "verify", "--data", data.to_str().unwrap()])
}

#[tokio::test(flavor = "multi_thread")]
async fn log_11_everything_that_farero_and_its_people_do_is_in_the_trail_and_can_be_proved() {
    let (mut farero, target) = started().await;
    // People: a change, a refused attempt of a stranger, a wrong password.
    let post = |path: &str, form: &str| farero.form(farero.client().post(farero.url(path)), form.to_owned());
    let csrf = farero.csrf("/plan/prueba").await;
    let reloaded = post("/plan/prueba/reload", &format!("csrf={csrf}")).send().await.unwrap();
    assert!(reloaded.status().is_success(), "{}", reloaded.status());
    let stranger = tests::farero::client();
    for _ in 0..5 {
        let answer = stranger.post(farero.url("/api/farero/v1/reload")).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    let wrong = farero.form(stranger.post(farero.url("/login")), "name=admin&password=wrong-wrong-wrong".into());
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    // The machine: an alert.
    target.answer(500);
    wait_for("the alert is told", || async {
        told(&farero).await.iter().any(|(a, _)| a == "alert.fire").then_some(())
    })
    .await;

    let all = told(&farero).await;
    let count = |action: &str, outcome: &str| all.iter().filter(|(a, o)| a == action && o == outcome).count();
    assert_eq!(all[0].0, "trail.key", "{all:?}");
    for (action, outcome) in [
        ("farero.start", "done"),
        ("plan.use", "done"),
        ("session.begin", "done"),
        ("plan.reload", "done"),
        ("session.begin", "refused"),
    ] {
        assert!(count(action, outcome) >= 1, "{action} {outcome}: {all:?}");
    }
    assert_eq!(count("access.refuse", "refused"), 1, "the like of it is counted: {all:?}");
    let found = farero.json("/api/farero/v1/trail?actor=admin&action=plan.&limit=5").await;
    assert_eq!(found[0]["deed"]["action"], "plan.reload");
    assert_eq!(found[0]["deed"]["from"], "127.0.0.1");

    exports_prove_it(&farero).await;
    // While it runs, after it was killed, and after an end in order.
    let data = farero.data();
    let whole = |ran: Ran| assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    whole(verify_data(&data));
    farero.kill();
    whole(verify_data(&data));
    farero.launch();
    farero.ready().await;
    farero.signal(Signal::SIGTERM);
    wait_for("the end", || async { verify_json(&data).filter(|r| r["unsigned"] == 0) }).await;
    damage_is_named(&data);
}

/// Exports verify by themselves, whole or in part; damage is named.
async fn exports_prove_it(farero: &Farero) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trail.jsonl");
    let place = file.to_str().unwrap();
    let export = farero.page("/trail/export?format=jsonl").await;
    std::fs::write(&file, &export).unwrap();
    let ran = verify(place);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("export whole") && ran.out.contains("0 entries after it"), "{}", ran.out);
    let key = run(&["trail", "key", "--data", farero.data().to_str().unwrap()]).out;
    assert_eq!(run(&["trail", "verify", place, "--key", key.trim()]).code, 0);
    let other = "0".repeat(64);
    assert_eq!(run(&["trail", "verify", place, "--key", &other]).code, 1, "signed by a key that is not trusted");
    // An excerpt verifies as the part of the chain that it is.
    std::fs::write(&file, farero.page("/trail/export?format=jsonl&actor=admin").await).unwrap();
    let ran = verify(place);
    assert!(ran.code == 0 && ran.out.contains("left out and shown as hashes"), "{}{}", ran.out, ran.err);
    std::fs::write(&file, farero.page("/trail/export?format=csv").await).unwrap();
    assert_eq!(verify(place).code, 0);
    // Damage is an answer, not an accident.
    std::fs::write(&file, export.replace("plan.reload", "plan.relaod")).unwrap();
    let ran = verify(place);
    assert!(ran.code == 1 && ran.out.contains("was changed: its content does not give its hash"), "{}", ran.out);
    std::fs::write(&file, &export[..export.len() / 2]).unwrap();
    assert_eq!(verify(place).code, 1);
    assert_eq!(verify("/does/not/exist").code, 2);
}

fn verify_json(data: &Path) -> Option<Value> {
    serde_json::from_str(&run(&["trail", "verify", "--json", "--data", data.to_str()?]).out).ok()
}

/// Somebody with the database's own tools gets past the triggers.
fn damage_is_named(data: &Path) {
    let edit = |sql: &str| {
        let path = data.join("farero.db");
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    let says = |text: &str| {
        let ran = verify_data(data);
        assert!(ran.code == 1 && ran.out.contains(text), "`{text}` is not in:\n{}{}", ran.out, ran.err);
    };
    edit("DROP TRIGGER trail_kept_update; DROP TRIGGER trail_kept_delete");
    edit("UPDATE trail SET actor = 'eva' WHERE sequence = 3");
    says("entry 3: the column actor says something else");
    edit("UPDATE trail SET deed = replace(deed, '\"outcome\":\"done\"', '\"outcome\":\"failed\"') WHERE sequence = 2");
    says("entry 2 was changed");
    edit("DELETE FROM trail WHERE sequence = 4");
    says("entry 4 is missing");
    edit("DELETE FROM trail WHERE sequence >= (SELECT max(sequence) FROM trail)");
    says("the end was cut");
    edit("DROP TRIGGER trail_checkpoints_kept_delete; DELETE FROM trail_checkpoints");
    says("the end was cut");
    std::fs::remove_file(data.join("trail-checkpoints.jsonl")).unwrap();
    says("entry 4 is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn ckl_06_a_document_is_signed_with_the_password_and_its_copy_proves_it() {
    let (farero, _target) = started().await;
    let path = "/plan/prueba/documents/checklists/salida.md";
    let page = farero.page(path).await;
    assert!(page.contains("Falta") && page.contains("0 / 1"), "a missing signature is visible");
    let csrf = farero.csrf(path).await;
    let sha256 = page.split("name=\"sha256\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let sign = async |password: &str, sha256: &str| {
        let form = format!("csrf={csrf}&role=qa-lead&sha256={sha256}&note=listo&password={password}");
        let url = farero.url("/plan/prueba/sign/checklists/salida.md");
        farero.form(farero.client().post(url), form).send().await.unwrap()
    };
    assert_eq!(sign("wrong", &sha256).await.status(), 422);
    assert_eq!(sign(PASSWORD, &"0".repeat(64)).await.status(), 422, "another text than the one shown");
    assert!(sign(PASSWORD, &sha256).await.status().is_success());
    assert_eq!(sign(PASSWORD, &sha256).await.status(), 422, "once");
    let page = farero.page(path).await;
    assert!(page.contains("1 / 1") && page.contains("Completo") && page.contains("listo"), "{page}");

    let copy = farero.page(&format!("/plan/prueba/signed/checklists/salida.md?sha256={sha256}")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("salida.signed.json");
    std::fs::write(&file, &copy).unwrap();
    let place = file.to_str().unwrap();
    let ran = verify(place);
    assert!(
        ran.code == 0 && ran.out.contains("admin signed checklists/salida.md as qa-lead"),
        "{}{}",
        ran.out,
        ran.err
    );
    std::fs::write(&file, copy.replace("pruebas verdes", "pruebas rojas")).unwrap();
    let ran = verify(place);
    assert!(ran.code == 1 && ran.out.contains("the text of checklists/salida.md was changed"), "{}", ran.out);

    farero.write("checklists/salida.md", "# Salida\n\n- [ ] pruebas verdes y azules\n");
    wait_for("the new text must be signed anew", || async { farero.page(path).await.contains("0 / 1").then_some(()) })
        .await;
    let ran = verify_data(&farero.data());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
