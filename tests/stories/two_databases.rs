//! Farero on PostgreSQL: what people live through when the server goes away, and how they get there and back.

use std::time::Duration;

use tests::binary::run;
use tests::postgres::{Server, psql};
use tests::{Farero, Hooks, Target, eventually, wait_for};

const PLAN: &str = r#"
system: prueba
timezone: UTC
language: en
defaults: { every: 1s, timeout: 500ms, attempts: 1, evaluate_every: 1s }
severities: { critical: { rank: critical, deliver: now, channels: [hook] } }
channels: { hook: { webhook: { url: "${env:HOOK}" } } }
alerts: { down: critical }
outgoing: { allow: ["127.0.0.1"] }
services: { backend: { check: { http: "${env:BACKEND}/api/health" } } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn chn_08_an_outage_of_postgresql_loses_no_alert() {
    let (server, target, hooks) = (Server::start(), Target::start().await, Hooks::start().await);
    let database = server.new_database();
    let environment = [
        ("HOOK", hooks.url()),
        ("BACKEND", &*target.url()),
        ("FARERO_STATE", "${env:STATE_URL}"),
        ("STATE_URL", &*database),
    ];
    let mut farero = Farero::start(&[("plan.yaml", PLAN)], &environment).await;
    assert!(!farero.data().join("farero.db").exists(), "nothing is kept in a file");
    let told = ("ServiceDown".to_owned(), "backend".to_owned());
    wait_for("the first success", || farero.query("probe_success == 1")).await;
    target.off().await;
    eventually("people hear of the failure", || hooks.alerts("firing").contains(&told)).await;

    // The server dies while the alert is open; the recovery happens while it is away.
    server.crash();
    target.on().await;
    wait_for("Farero goes on watching", || farero.query("probe_success == 1")).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(hooks.alerts("resolved"), [], "what is not stored is not told");
    server.resume();
    eventually("people hear of the recovery", || hooks.alerts("resolved").contains(&told)).await;
    assert_eq!(hooks.alerts("firing").len(), 1, "told once: {:?}", hooks.all());
    let stuck = "SELECT count(*) FROM outbox WHERE state = 'sending'";
    eventually("what became of both deliveries is stored", || psql(&database, stuck).as_deref() == Some("0")).await;

    // In good order, and by a kill of Farero itself.
    server.stop();
    target.off().await;
    farero.kill();
    server.resume();
    farero.launch();
    farero.ready().await;
    let keys = || hooks.all().into_iter().map(|hook| hook.key).collect::<std::collections::BTreeSet<_>>();
    eventually("people hear of the second failure", || keys().len() == 3).await;
    let history = "SELECT count(*) || ' ' || count(resolved_ms) FROM alerts";
    assert_eq!(psql(&database, history).as_deref(), Some("2 1"));
    // Of what was being sent when the server or Farero ended nothing stays half done.
    let open = "SELECT count(*) FROM outbox WHERE state <> 'sent'";
    eventually("every delivery is stored", || psql(&database, open).as_deref() == Some("0")).await;
    assert!(!farero.output().contains("panicked"), "{}", farero.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_backed_up_while_running_restored_and_moved() {
    let (server, target) = (Server::start(), Target::start().await);
    let mut farero =
        Farero::start(&[("plan.yaml", PLAN)], &[("HOOK", "http://127.0.0.1:9/"), ("BACKEND", &target.url())]).await;
    farero.log_in().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (data, file) = (farero.data().display().to_string(), path("backup.db"));

    let made = run(&["state", "backup", &file, "--data", &data, "--json"]);
    assert_eq!(made.code, 0, "{made:?}");
    let made: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!((&made["outcome"], &made["manifest"]["format"]), (&"backed up".into(), &1.into()));
    assert!(made["untold"].is_null(), "{made}");
    let told = farero.page("/api/farero/v1/trail?action=state.backup").await;
    assert!(told.contains("backup.db") && told.contains("\"local\""), "the running Farero tells its trail: {told}");
    assert_eq!(run(&["state", "backup", &file, "--data", &data]).code, 2, "never over another file");
    assert_eq!(run(&["state", "verify", &file]).code, 0);
    let refused = run(&["state", "restore", &file, "--to", &data]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("another Farero is using"), "{refused:?}");
    let database = server.new_database();
    let busy = run(&["state", "move", "--from", &data, "--to", &database]);
    assert!(busy.code == 2 && busy.err.contains("another Farero is using"), "{busy:?}");

    farero.kill();
    let moved = run(&["state", "move", "--from", &data, "--to", &database]);
    assert_eq!(moved.code, 0, "{moved:?}");
    assert!(moved.out.contains("users") && moved.out.contains("each with its hash"), "{moved:?}");
    assert_eq!(psql(&database, "SELECT name FROM users").as_deref(), Some("admin"));
    let told = psql(&database, "SELECT action || ' ' || actor_kind FROM trail ORDER BY sequence DESC LIMIT 1");
    assert_eq!(told.as_deref(), Some("state.move local"));
    let again = run(&["state", "restore", &file, "--to", &database]);
    assert!(again.code == 2 && again.err.contains("is not empty"), "{again:?}");
    let old = run(&["run", farero.plan().to_str().unwrap(), "--data", &data, "--listen", "127.0.0.1:0"]);
    assert!(old.code == 2 && old.err.contains("was moved to postgres://"), "{old:?}");

    // On the server people are still logged in: their sessions moved too.
    farero.set("FARERO_STATE", &database);
    farero.launch();
    farero.ready().await;
    assert!(farero.page("/").await.contains("backend"));
    let second = path("second.db");
    assert_eq!(run(&["state", "backup", &second, "--state", &database]).code, 0);
    let restored = path("restored");
    assert_eq!(run(&["state", "restore", &second, "--to", &restored]).code, 0);
    let files = std::fs::read_dir(&restored).unwrap().flatten().filter_map(|f| std::fs::read(f.path()).ok());
    let told = files.into_iter().any(|bytes| bytes.windows(13).any(|w| w == b"state.restore"));
    assert!(told, "the restored trail says how it came here");
    let mut broken = std::fs::read(&second).unwrap();
    // Everywhere, so that it is still a sound database.
    let places: Vec<_> = broken.windows(5).enumerate().filter(|(_, w)| *w == b"admin").map(|(at, _)| at).collect();
    places.iter().for_each(|at| broken[*at] = b'b');
    std::fs::write(&second, broken).unwrap();
    let found = run(&["state", "verify", &second]);
    assert!(found.code == 1 && found.out.contains("the rows of trail are not the same"), "{found:?}");
}
