//! Commands that are really run. I/O.

use std::time::{Duration, Instant};

use kernel::probe::Outcome;

use super::*;

fn shell(script: &str) -> Invocation {
    let secret = |s: &str| Secret::new(s.to_owned());
    Invocation {
        program: secret("/bin/sh"),
        arguments: vec![secret("-c"), secret(script)],
        environment: vec![("EXTRA".to_owned(), secret("given"))],
        directory: Some(PathBuf::from("/")),
    }
}

async fn check(script: &str, outcome: Outcome, error: Option<&str>) {
    let finished = run(&shell(script)).await.unwrap();
    let attempt = Attempt::for_test();
    let probed = judge(&finished, &attempt);
    assert_eq!(probed.outcome, outcome, "{script}: {probed:?}");
    let (_, _, facts) = attempt.into_parts();
    let said = facts.into_iter().find(|(name, _)| *name == "slow").map(|(_, why)| why).or(probed.error);
    match error {
        Some(part) => assert!(said.as_ref().is_some_and(|e| e.contains(part)), "{script}: {said:?}"),
        None => assert_eq!(said, None, "{script}"),
    }
}

#[tokio::test]
async fn exit_codes_are_nagioss() {
    check("echo OK - fine; exit 0", Outcome::Up, None).await;
    check("echo 'WARNING - nearly|a=1'; exit 1", Outcome::Slow, Some("WARNING - nearly")).await;
    check("echo CRITICAL; exit 2", Outcome::Down, Some("CRITICAL")).await;
    check("echo UNKNOWN; exit 3", Outcome::Blind, Some("UNKNOWN")).await;
    check("echo oh >&2; exit 22", Outcome::Down, Some("oh (exit 22 is none of 0 to 3")).await;
    check("kill -9 $$", Outcome::Blind, Some("signal 9")).await;
}

#[tokio::test]
async fn a_command_that_is_not_there_is_blind() {
    let invocation = Invocation { program: Secret::new("/no/such/plugin".to_owned()), ..shell("") };
    let error = run(&invocation).await.unwrap_err().to_string();
    assert!(error.contains("not there"), "{error}");
    assert!(!error.contains("plugin"), "program and arguments may be secret: {error}");
}

#[tokio::test]
async fn sec_the_environment_is_clean() {
    let finished = run(&shell("env; pwd")).await.unwrap();
    let text = String::from_utf8(finished.stdout).unwrap();
    assert!(text.contains("EXTRA=given") && text.ends_with("/\n"), "{text}");
    let allowed = ["PATH", "HOME", "LANG", "EXTRA", "PWD", "OLDPWD", "SHLVL", "_"];
    for line in text.lines().filter(|l| l.contains('=')) {
        assert!(allowed.contains(&line.split('=').next().unwrap()), "{line} was passed on");
    }
}

#[tokio::test]
async fn output_is_bounded_and_does_not_block_the_child() {
    let finished = run(&shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; exit 0")).await.unwrap();
    assert_eq!((finished.stdout.len(), finished.stderr.len()), (child::MOST_OUTPUT, child::MOST_OUTPUT));
    assert!(finished.was_cut && finished.status.success());
}

fn is_running(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

async fn until_gone(pid: i32) {
    let began = Instant::now();
    while is_running(pid) {
        assert!(began.elapsed() < Duration::from_secs(5), "process {pid} was left behind");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_timeout_kills_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let script = format!("sleep 60 & echo $! $$ > {0}.new; mv {0}.new {0}; wait", file.display());
    let invocation = shell(&script);
    let running = tokio::spawn(async move { run(&invocation).await });
    let pids = loop {
        if let Ok(text) = std::fs::read_to_string(&file) {
            break text.split_whitespace().map(|p| p.parse().unwrap()).collect::<Vec<i32>>();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(pids.iter().all(|p| is_running(*p)));
    running.abort();
    for pid in pids {
        until_gone(pid).await;
    }
}

#[tokio::test]
async fn a_grandchild_in_the_background_holds_nothing_up() {
    let began = Instant::now();
    let finished = run(&shell("sleep 60 & echo $!; exit 0")).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10));
    until_gone(String::from_utf8(finished.stdout).unwrap().trim().parse().unwrap()).await;
}
