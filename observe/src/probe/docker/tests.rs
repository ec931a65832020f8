//! Verdicts on recorded answers of Docker Engine. I/O for the one without a socket.

use kernel::probe::Outcome;

use super::*;

const RUNNING: &str = r#"{"Id":"76ea","Name":"/backend","State":{"Status":"running","Running":true,"OOMKilled":false,
    "ExitCode":0,"Error":"","StartedAt":"2026-02-03T07:00:00.5Z"},"RestartCount":2,
    "Config":{"Image":"sigcerh/backend:1","Labels":{"com.docker.compose.service":"backend"}}}"#;

fn container(changes: &[(&str, &str)]) -> Container {
    let json = changes.iter().fold(RUNNING.to_owned(), |json, (from, to)| json.replace(from, to));
    Container::parse(json.as_bytes()).unwrap()
}

fn check(changes: &[(&str, &str)], outcome: Outcome, error: &str) {
    let probed = judge_container(&container(changes));
    assert_eq!(probed.outcome, outcome, "{changes:?}: {probed:?}");
    assert!(probed.error.clone().unwrap_or_default().contains(error), "{changes:?}: {probed:?}");
}

#[test]
fn chk_05_states_of_a_container() {
    let health = |status: &str, output: &str| {
        let log = format!(r#"[{{"ExitCode":0,"Output":""}},{{"ExitCode":1,"Output":"{output}\n"}}]"#);
        format!(r#""ExitCode":0,"Health":{{"Status":"{status}","FailingStreak":3,"Log":{log}}}"#)
    };
    let code = r#""ExitCode":0"#;
    check(&[], Outcome::Up, "");
    check(&[(code, &health("healthy", ""))], Outcome::Up, "");
    check(&[(code, &health("starting", ""))], Outcome::Up, "");
    check(&[(code, &health("none", ""))], Outcome::Up, "");
    check(&[(code, &health("unhealthy", "port 3000 refused"))], Outcome::Down, "backend: unhealthy: port 3000 refused");
    let out_of_memory = [("\"running\"", "\"exited\""), (code, "\"ExitCode\":137"), (":false", ":true")];
    check(&out_of_memory, Outcome::Down, "exited with code 137, out of memory");
    check(&[("\"running\"", "\"paused\"")], Outcome::Down, "paused");
    check(&[("\"running\"", "\"restarting\""), (code, "\"ExitCode\":1")], Outcome::Down, "restarting with code 1");
    check(
        &[("\"running\"", "\"created\""), ("\"Error\":\"\"", "\"Error\":\"no such file\"")],
        Outcome::Down,
        "no such file",
    );
}

#[test]
fn chk_05_reads_restarts_start_and_labels() {
    let read = container(&[]);
    assert_eq!((read.name.as_str(), read.restarts, read.started_seconds), ("backend", 2.0, Some(1_770_102_000.5)));
    assert_eq!(read.compose_service.as_deref(), Some("backend"));
    assert_eq!(container(&[("2026-02-03T07:00:00.5Z", "0001-01-01T00:00:00Z")]).started_seconds, None);
}

#[tokio::test]
async fn chk_05_without_docker_it_is_blind_unless_it_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let wanted = Wanted::Container("x".into());
    let docker = PreparedDocker { docker: Docker::Unix(socket), wanted, answered: AtomicBool::new(false) };
    let error = docker.docker.container("x").await.unwrap_err();
    let probed = judge_error(&error, &docker);
    assert_eq!(probed.outcome, Outcome::Blind);
    assert!(probed.error.unwrap().contains("no Docker listens there"));
    docker.answered.store(true, Ordering::Relaxed);
    assert_eq!(judge_error(&error, &docker).outcome, Outcome::Down);
}
