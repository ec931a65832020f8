//! Secrets from HashiCorp Vault (its answers replayed): read by AppRole, renewed, changed, and used on while Vault is away.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use nix::sys::signal::Signal;
use parking_lot::Mutex;
use serde_json::json;
use tests::{Farero, Vault, eventually, wait_for};

/// A target that answers well to whoever brings the password of the day.
async fn guarded() -> (String, Arc<Mutex<String>>) {
    let password = Arc::new(Mutex::new("clave-de-vault".to_owned()));
    let check = async |State(password): State<Arc<Mutex<String>>>, headers: HeaderMap| {
        let given = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        if given == format!("Bearer {}", password.lock()) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    };
    let app = Router::new().fallback(check).with_state(password.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, password)
}

fn plan(url: &str, reference: &str) -> String {
    format!(
        "system: prueba\ntimezone: UTC\ndefaults: {{ every: 1s, attempts: 1 }}\nservices:\n  \
         a: {{ check: {{ http: {{ url: \"{url}\", auth: {{ bearer: \"{reference}\" }} }} }} }}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_values_come_from_vault_by_approle_and_outlive_its_absence() {
    let vault = Vault::start().await;
    vault.write("prueba/web", json!({ "password": "clave-de-vault", "port": 8080 }));
    // Tokens live for 12 s: the log-in is renewed while this test runs.
    let (role, secret) = vault.approle(Duration::from_secs(12));
    let (url, password) = guarded().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret-id");
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    let by_file = format!("${{file:{}}}", file.display());
    let environment =
        [("VAULT_ADDR", vault.address()), ("FARERO_VAULT_ROLE_ID", role), ("FARERO_VAULT_SECRET_ID", by_file.as_str())];
    let farero = Farero::start(&[("plan.yaml", &plan(&url, "${vault:kv/prueba/web#password}"))], &environment).await;
    let up = || async { farero.query("probe_success == 1").await };
    let down = || async { farero.query("probe_success == 0").await };
    wait_for("the value of Vault is good", up).await;

    *password.lock() = "clave-nueva-de-vault".to_owned();
    wait_for("it is not good any more", down).await;
    vault.write("prueba/web", json!({ "password": "clave-nueva-de-vault" }));
    // Longer than the first token lives: it was renewed meanwhile.
    tokio::time::sleep(Duration::from_secs(14)).await;
    farero.signal(Signal::SIGHUP);
    wait_for("the new value is read on a reload", up).await;

    assert_eq!(vault.log_ins(), 1, "the first log-in was renewed, again and again");

    drop(vault);
    farero.signal(Signal::SIGHUP);
    eventually("its absence is told", || farero.output().contains("the values in use stay")).await;
    wait_for("the value in use stays", up).await;
    let output = farero.output();
    for value in ["clave-de-vault", "clave-nueva-de-vault", secret, "hvs.token-of-approle"] {
        assert!(!output.contains(value), "{value}: {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_what_vault_refuses_is_said_so_that_it_can_be_mended() {
    let vault = Vault::start().await;
    vault.write("prueba/web", json!({ "password": "clave-de-vault" }));
    let (role, secret) = vault.approle(Duration::from_secs(600));
    let ask = async |reference: &str, environment: &[(&str, &str)]| {
        let farero = Farero::start(&[("plan.yaml", &plan("http://127.0.0.1:9", reference))], environment).await;
        wait_for("the reason", || async {
            let output = farero.output();
            output.lines().find(|l| l.contains("cannot be asked yet")).map(ToOwned::to_owned)
        })
        .await
    };
    let address = ("VAULT_ADDR", vault.address());
    let token = ("VAULT_TOKEN", vault.token());
    let approle = [address, ("FARERO_VAULT_ROLE_ID", role), ("FARERO_VAULT_SECRET_ID", secret)];
    let good = "${vault:kv/prueba/web#password}";
    let check = async |reference: &str, environment: &[(&str, &str)], part: &str| {
        let said = ask(reference, environment).await;
        assert!(said.contains(part), "{reference}: {said}");
        assert!(!said.contains(vault.token()) && !said.contains(secret), "{said}");
    };
    check("${vault:kv/prueba/web#pasword}", &[address, token], "did you mean `password`?").await;
    check("${vault:kv/prueba/nada#x}", &[address, token], "has no secret `prueba/nada`").await;
    check("${vault:kv/otra/web#x}", &approle, "does not allow `read` on `kv/data/otra/web`").await;
    check(good, &[address, ("VAULT_TOKEN", "s.nothing")], "refuses (403)").await;
    check(good, &[address], "Vault needs a log-in").await;
    check(good, &[token], "VAULT_ADDR").await;
    check(good, &[("VAULT_ADDR", "http://127.0.0.1:9"), token], "does not answer").await;
    check(good, &[address, ("FARERO_VAULT_ROLE_ID", "x"), ("FARERO_VAULT_SECRET_ID", "y")], "AppRole failed").await;
}
