//! Secrets on the command line and in use: encrypted files, credentials, and values that change while Farero runs.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use tests::binary::{path, run};
use tests::{Farero, wait_for};

/// Runs `farero` with something on its standard input.
fn tell(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn sec_12_encrypted_files_are_made_listed_changed_and_never_shown() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (identity, plain, sealed) = (at("identity"), at("s.yaml"), at("s.yaml.age"));
    let made = run(&["secrets", "key", &identity]);
    assert!(made.code == 0 && made.out.starts_with("age1"), "{made:?}");
    assert_eq!(std::fs::metadata(&identity).unwrap().mode() & 0o777, 0o600);
    assert_eq!(run(&["secrets", "key", &identity]).code, 2, "an identity is never overwritten");

    std::fs::write(&plain, "db: { password: hunter22 }\ntoken: abc-abc\n").unwrap();
    assert_eq!(run(&["secrets", "encrypt", &plain, "--age-identity", &identity]).code, 0);
    assert!(!std::fs::read_to_string(&sealed).unwrap().contains("hunter22"));
    let listed = run(&["secrets", "list", &sealed, "--age-identity", &identity]);
    assert_eq!((listed.code, listed.out.as_str()), (0, "db.password\ntoken\n"), "{}", listed.err);

    let set = tell(&["secrets", "set", &sealed, "token", "--age-identity", &identity], "nuevo\n");
    assert_eq!(set.0, 0, "{}", set.2);
    let set = tell(&["secrets", "set", &at("new.env.age"), "CLAVE", "--age-identity", &identity], "de cero\n");
    assert_eq!(set.0, 0, "{}", set.2);
    let listed = run(&["secrets", "list", &at("new.env.age"), "--age-identity", &identity]);
    assert_eq!(listed.out, "CLAVE\n");

    let edited = Command::new(path())
        .args(["secrets", "edit", &sealed, "--age-identity", &identity])
        .env("VISUAL", "sed -i s/nuevo/editado/")
        .output()
        .unwrap();
    assert!(edited.status.success(), "{}", String::from_utf8_lossy(&edited.stderr));
    let other = at("other");
    assert_eq!(run(&["secrets", "key", &other]).code, 0);
    let refused = run(&["secrets", "list", &sealed, "--age-identity", &other]);
    assert!(refused.code == 2 && refused.err.contains("encrypted for others"), "{}", refused.err);
    for text in [&listed.err, &refused.err, &set.1, &set.2] {
        assert!(!text.contains("hunter22") && !text.contains("nuevo"), "{text}");
    }
}

/// A target that answers well to whoever brings the token of the day.
async fn guarded() -> (String, Arc<Mutex<String>>) {
    let token = Arc::new(Mutex::new("primera-llave".to_owned()));
    let check = async |State(token): State<Arc<Mutex<String>>>, headers: HeaderMap| {
        let given = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        if given == format!("Bearer {}", token.lock()) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    };
    let app = Router::new().fallback(check).with_state(token.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_a_secret_that_is_changed_is_used_without_a_restart() {
    let (url, token) = guarded().await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("token"), "primera-llave\n").unwrap();
    let identity = at("identity");
    assert_eq!(run(&["secrets", "key", &identity]).code, 0);
    let plan = format!(
        "system: prueba\ntimezone: UTC\ndefaults: {{ every: 1s, attempts: 1 }}\nservices:\n  \
         cred: {{ check: {{ http: {{ url: \"{url}\", auth: {{ bearer: \"${{credential:token}}\" }} }} }} }}\n  \
         age: {{ check: {{ http: {{ url: \"{url}\", auth: {{ bearer: \"${{age:llaves.env.age#TOKEN}}\" }} }} }} }}\n"
    );
    let credentials = folder.path().display().to_string();
    let environment = [("CREDENTIALS_DIRECTORY", credentials.as_str()), ("FARERO_AGE_IDENTITY", identity.as_str())];
    let mut farero = Farero::prepared(&[("plan.yaml", &plan)], &environment);
    let sealed = farero.plan().join("llaves.env.age").display().to_string();
    let seal = |value: &str| tell(&["secrets", "set", &sealed, "TOKEN", "--age-identity", &identity], value).0;
    assert_eq!(seal("primera-llave"), 0);
    farero.launch();
    farero.ready().await;
    let both = || async { farero.query("sum(probe_success)").await.filter(|n| *n == 2.0) };
    wait_for("both know the first token", both).await;

    *token.lock() = "segunda-llave".to_owned();
    wait_for("the first one is not good any more", || async {
        farero.query("sum(probe_success)").await.filter(|n| *n == 0.0)
    })
    .await;
    std::fs::write(at("token"), "segunda-llave\n").unwrap();
    assert_eq!(seal("segunda-llave"), 0);
    wait_for("both know the second token", both).await;
    let output = farero.output();
    assert!(!output.contains("primera-llave") && !output.contains("segunda-llave"), "{output}");
}
