//! Units of systemd on this machine, and the process behind them (CHK-04). I/O.
//!
//! Asked by `systemctl show`, as an argument vector: the same on every distribution, and it needs neither rights nor
//! a D-Bus library. Where there is no systemd the result is blind.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use kernel::probe::{Phase, Reading};
use kernel::secret::Secret;
use plan_model::check::SystemdCheck;
use tokio::time::Instant;

use super::command::{Invocation, run};
use super::process::{ProcessFacts, read_facts};
use super::{Attempt, PrepareError, Preparing, Probed};

mod unit;

use unit::{UnitState, parse_show};

/// Most restart counts remembered to count over an interval; one for each attempt within it.
const MOST_COUNTS: usize = 32;

/// A systemd check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedSystemd {
    unit: String,
    max_restarts: Option<u32>,
    every: std::time::Duration,
    counts: Mutex<VecDeque<(Instant, u64)>>,
}

/// Makes the check ready.
pub(crate) fn prepare_systemd(check: &SystemdCheck, with: &Preparing<'_>) -> Result<PreparedSystemd, PrepareError> {
    let unit = with.resolve(&check.unit)?.expose().trim().to_owned();
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b);
    if unit.is_empty() || unit.len() > 255 || !unit.bytes().all(is_allowed) {
        return Err(PrepareError::unusable("unit", "it is no name of a unit: letters, digits and :-_.\\@ only"));
    }
    let every = with.settings().every.std();
    Ok(PreparedSystemd { unit, max_restarts: check.max_restarts, every, counts: Mutex::default() })
}

/// Asks once.
pub(crate) async fn probe_systemd(systemd: &PreparedSystemd, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Processing);
    attempt.doing("asking systemctl");
    let finished = match run(&invocation(&systemd.unit)).await {
        Ok(finished) => finished,
        Err(e) => return Probed::blind(format!("systemctl: {e} Is systemd installed on this machine?")),
    };
    let error = String::from_utf8_lossy(&finished.stderr).trim().to_owned();
    if !finished.status.success() {
        return judge_failure(&error);
    }
    let state = match parse_show(&String::from_utf8_lossy(&finished.stdout)) {
        Some(state) => state,
        None => return Probed::blind(format!("systemctl printed no state of the unit. {error}")),
    };
    let process = (state.main_pid > 0).then(|| read_facts(state.main_pid)).flatten();
    record(&systemd.unit, &state, process.as_ref(), attempt);
    let restarts = systemd.restarts_in_interval(Instant::now(), state.restarts);
    judge(&state, process.as_ref(), restarts, systemd.max_restarts)
}

fn invocation(unit: &str) -> Invocation {
    let arguments = ["show", "--no-pager", unit::PROPERTIES, "--", unit];
    Invocation {
        program: Secret::new("systemctl".to_owned()),
        arguments: arguments.into_iter().map(|a| Secret::new(a.to_owned())).collect(),
        environment: vec![("LC_ALL".to_owned(), Secret::new("C".to_owned()))],
        directory: None,
    }
}

/// systemctl itself failed: nothing is known of the unit.
fn judge_failure(error: &str) -> Probed {
    if error.contains("not been booted with systemd") || error.contains("Failed to connect to bus") {
        return Probed::blind("systemd does not run on this machine: systemctl cannot reach it").with_status(error);
    }
    Probed::blind(format!("systemctl failed: {error}"))
}

impl PreparedSystemd {
    /// Restarts since the check was asked about one interval ago. The attempts of one run look at the same interval.
    fn restarts_in_interval(&self, now: Instant, count: u64) -> Option<u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // Nine tenths: the run before began one interval ago, but its answer came a moment later.
        let is_old = |at: &Instant| now.duration_since(*at) >= self.every.mul_f64(0.9);
        while counts.len() > 1 && counts.get(1).is_some_and(|(at, _)| is_old(at)) {
            counts.pop_front();
        }
        let before = counts.front().map(|(_, n)| *n);
        if counts.len() < MOST_COUNTS {
            counts.push_back((now, count));
        }
        before.map(|n| count.saturating_sub(n))
    }
}

/// node_exporter's names for units, and those of Prometheus's clients for the process behind one.
fn record(unit: &str, state: &UnitState, process: Option<&ProcessFacts>, attempt: &Attempt) {
    for known in unit::STATES {
        let value = f64::from(u8::from(state.active == known));
        attempt.read(Reading::new("node_systemd_unit_state", value).label("name", unit).label("state", known));
    }
    attempt.read(Reading::new("node_systemd_service_restart_total", state.restarts as f64).label("name", unit));
    attempt.fact("unit", unit);
    if let Some(process) = process {
        attempt.fact("process", format!("{} (pid {})", process.name, process.pid));
        attempt.read(Reading::new("process_resident_memory_bytes", process.resident_bytes));
        attempt.read(Reading::new("process_cpu_seconds_total", process.cpu_seconds));
        attempt.read(Reading::new("process_threads", process.threads));
    }
}

fn judge(state: &UnitState, process: Option<&ProcessFacts>, restarts: Option<u64>, max: Option<u32>) -> Probed {
    let status = state.to_string();
    if state.is_missing() {
        return Probed::down("the unit is not there: see `systemctl list-unit-files`").with_status(status);
    }
    if !state.is_active() {
        return Probed::down(state.why_not_active()).with_status(status);
    }
    if state.main_pid > 0 && !process.is_some_and(ProcessFacts::is_running) {
        let why = format!("the unit is active, but its main process {} does not run", state.main_pid);
        return Probed::down(why).with_status(status);
    }
    if let (Some(restarts), Some(max)) = (restarts, max)
        && restarts > u64::from(max)
    {
        let why = format!("restarted {restarts} times within the check's interval, more than {max}");
        return Probed::down(why).with_status(status);
    }
    Probed::up().with_status(status)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::probe::Outcome;

    use super::*;

    const ACTIVE: &str = "Type=notify\nRestart=always\nNRestarts=2\nMainPID=812\nResult=success\nExecMainStatus=0\n\
        LoadState=loaded\nActiveState=active\nSubState=running\n";

    fn facts(state: char) -> ProcessFacts {
        let name = "nginx".to_owned();
        ProcessFacts { pid: 812, name, state, cpu_seconds: 1.0, threads: 1.0, resident_bytes: 1.0 }
    }

    /// Checks recorded output of `systemctl show`, changed as said.
    fn check(change: &[(&str, &str)], process: Option<char>, expect: Outcome, error: &str) {
        let text = change.iter().fold(ACTIVE.to_owned(), |text, (from, to)| text.replace(from, to));
        let state = parse_show(&text).unwrap();
        let probed = judge(&state, process.map(facts).as_ref(), Some(3), Some(3));
        assert_eq!(probed.outcome, expect, "{change:?}: {probed:?}");
        assert!(probed.error.unwrap_or_default().contains(error), "{change:?}");
    }

    #[test]
    fn chk_04_unit_and_the_process_behind_it() {
        check(&[], Some('S'), Outcome::Up, "");
        check(&[("running", "exited"), ("MainPID=812", "MainPID=0")], None, Outcome::Up, "");
        check(&[("=active", "=reloading")], Some('S'), Outcome::Up, "");
        check(&[], None, Outcome::Down, "main process 812 does not run");
        check(&[], Some('Z'), Outcome::Down, "main process 812 does not run");
        check(&[("=active", "=inactive"), ("running", "dead")], None, Outcome::Down, "inactive (dead)");
        let failed =
            [("=active", "=failed"), ("running", "failed"), ("success", "exit-code"), ("Status=0", "Status=7")];
        check(&failed, None, Outcome::Down, "failed (failed): exit-code, status 7");
        check(&[("=active", "=activating"), ("running", "auto-restart")], None, Outcome::Down, "auto-restart");
        check(&[("=loaded", "=not-found"), ("=active", "=inactive")], None, Outcome::Down, "is not there");
    }

    #[test]
    fn chk_04_restarts_are_counted_over_the_interval() {
        let every = Duration::from_secs(60);
        let systemd = PreparedSystemd { unit: "x".into(), max_restarts: Some(2), every, counts: Mutex::default() };
        let start = Instant::now();
        let at = |s: u64, count| systemd.restarts_in_interval(start + Duration::from_secs(s), count);
        assert_eq!(at(0, 10), None);
        assert_eq!(at(60, 13), Some(3));
        assert_eq!(at(61, 13), Some(3), "a second attempt must not forgive the restarts");
        assert_eq!(at(120, 13), Some(0));
        assert_eq!(at(180, 14), Some(1));
        assert_eq!(at(240, 2), Some(0), "counted anew after `systemctl reset-failed`");
    }

    #[test]
    fn chk_04_without_systemd_it_is_blind() {
        let recorded = "System has not been booted with systemd as init system (PID 1). Can't operate.\n\
                        Failed to connect to bus: Host is down";
        let probed = judge_failure(recorded);
        assert_eq!(probed.outcome, Outcome::Blind);
        assert!(probed.error.unwrap().contains("systemd does not run on this machine"));
    }

    #[tokio::test]
    async fn chk_04_asks_this_machines_systemctl() {
        let finished = match run(&invocation("farero-no-such.service")).await {
            Ok(finished) => finished,
            Err(e) => return assert!(e.to_string().contains("not there"), "{e}"),
        };
        if finished.status.success() {
            let state = parse_show(&String::from_utf8(finished.stdout).unwrap()).unwrap();
            assert!(state.is_missing(), "{state:?}");
        } else {
            let error = String::from_utf8(finished.stderr).unwrap();
            assert_eq!(judge_failure(&error).outcome, Outcome::Blind, "{error}");
        }
    }
}
