//! Whether calls from outside come as expected (CHK-10), judged as Healthchecks judges them. Pure.
//!
//! A call that was expected while Farero itself was down is excused: what counts begins with `watching_since`.

use std::time::Duration as StdDuration;

use jiff::tz::TimeZone;
use kernel::heartbeat::{Ping, PingKind};
use kernel::probe::Outcome;
use kernel::{Duration, Language, Timestamp};
use plan_model::check::HeartbeatCheck;

/// Period where the plan gives neither period nor schedule.
pub const DEFAULT_PERIOD: Duration = Duration::from_secs(86_400);
/// Shortest grace where the plan gives none; else it is a tenth of the period.
pub const SHORTEST_GRACE: Duration = Duration::from_secs(60);

/// When a schedule has no more occurrences.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// The verdict on a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Up, slow (took too long), down, or blind (nothing was due yet).
    pub outcome: Outcome,
    /// Why.
    pub why: String,
    /// When the next call is expected; it is late after the grace.
    pub expected_at: Timestamp,
    /// When the verdict changes if no call comes.
    pub deadline: Timestamp,
    /// Since when the job runs, where it told its start.
    pub running_since: Option<Timestamp>,
}

/// The verdict on a heartbeat. `pings` may be in any order; `zone` is the system's, for a schedule.
pub fn decide_heartbeat(
    check: &HeartbeatCheck,
    pings: &[Ping],
    watching_since: Timestamp,
    zone: &TimeZone,
    now: Timestamp,
) -> Heartbeat {
    let period = check.period.unwrap_or(DEFAULT_PERIOD);
    let grace = grace_of(check).std();
    let newest =
        |wanted: &dyn Fn(&Ping) -> bool| pings.iter().filter(|p| p.at <= now && wanted(p)).max_by_key(|p| p.at);
    let finish = newest(&|p| p.kind != PingKind::Start);
    let start = newest(&|p| p.kind == PingKind::Start);
    let reference = finish.map_or(watching_since, |p| p.at.max(watching_since));
    let expected_at = match &check.schedule {
        Some(schedule) => schedule.next_after(reference, zone).map_or(NEVER, |o| o.end),
        None => reference + period.std(),
    };
    let running = start.filter(|s| finish.is_none_or(|f| s.at > f.at));
    let longest = check.max_duration.map_or(grace, |d| d.std());
    let deadline = running.map_or(expected_at + grace, |s| s.at.max(watching_since) + longest);
    let (outcome, why) = verdict(check, finish, running, deadline, now);
    Heartbeat { outcome, why, expected_at, deadline, running_since: running.map(|s| s.at) }
}

fn verdict(
    check: &HeartbeatCheck,
    finish: Option<&Ping>,
    running: Option<&Ping>,
    deadline: Timestamp,
    now: Timestamp,
) -> (Outcome, String) {
    let ago = |t: Timestamp| Duration::from(now.since(t)).humanize(Language::En);
    if now > deadline {
        let why = match (running, finish) {
            (Some(start), _) => format!("started {} ago and not finished", ago(start.at)),
            (None, Some(last)) => format!("the last call came {} ago", ago(last.at)),
            (None, None) => "no call has come yet".to_owned(),
        };
        return (Outcome::Down, why);
    }
    let Some(last) = finish else {
        let why = if running.is_some() { "running for the first time" } else { "no call has come yet; none is late" };
        return (Outcome::Blind, why.to_owned());
    };
    if last.kind == PingKind::Fail || last.exit_code.is_some_and(|code| code != 0) {
        let why = match last.exit_code {
            Some(code) => format!("the job reported failure with exit code {code}, {} ago", ago(last.at)),
            None => format!("the job reported failure {} ago", ago(last.at)),
        };
        return (Outcome::Down, why);
    }
    let took = last.duration_ms.map(Duration::from_millis);
    match (took, check.max_duration) {
        (Some(took), Some(most)) if took > most => {
            (Outcome::Slow, format!("took {}, more than {}", took.humanize(Language::En), most.humanize(Language::En)))
        }
        _ if running.is_some() => (Outcome::Up, "running".to_owned()),
        _ => (Outcome::Up, format!("the last call came {} ago", ago(last.at))),
    }
}

/// How long a job took that finishes at `at`: since its start, where it told one after its last finish.
pub fn decide_took(pings: &[Ping], at: Timestamp) -> Option<Duration> {
    let newest =
        |start: bool| pings.iter().filter(|p| p.at <= at && (p.kind == PingKind::Start) == start).map(|p| p.at).max();
    let began = newest(true)?;
    newest(false).is_none_or(|finished| began > finished).then(|| Duration::from(at.since(began)))
}

/// How late a call may be.
pub fn grace_of(check: &HeartbeatCheck) -> Duration {
    check.grace.unwrap_or_else(|| {
        let period = check.period.unwrap_or(DEFAULT_PERIOD).std();
        SHORTEST_GRACE.max(Duration::from(StdDuration::from_millis(period.as_millis() as u64 / 10)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    const START: &str = "2026-11-22T10:00:00Z";

    fn ping(minute: i64, kind: PingKind) -> Ping {
        let at = Timestamp::from_secs(at(START).as_millis() / 1_000 + minute * 60);
        Ping { at, kind, duration_ms: None, exit_code: None, body: None }
    }

    fn check(pings: &[Ping], minute: i64, outcome: Outcome, why: &str) {
        let spec = HeartbeatCheck {
            period: Some(Duration::from_mins(60)),
            grace: Some(Duration::from_mins(10)),
            max_duration: Some(Duration::from_mins(20)),
            ..HeartbeatCheck::default()
        };
        let now = ping(minute, PingKind::Start).at;
        let got = decide_heartbeat(&spec, pings, at(START), &TimeZone::UTC, now);
        assert_eq!(got.outcome, outcome, "minute {minute}: {got:?}");
        assert!(got.why.contains(why), "minute {minute}: {got:?}");
    }

    #[test]
    fn chk_10_calls_in_time_late_and_missing() {
        use PingKind::{Fail, Start, Success};
        check(&[], 30, Outcome::Blind, "none is late");
        check(&[], 70, Outcome::Blind, "none is late");
        check(&[], 71, Outcome::Down, "no call has come yet");
        check(&[ping(5, Success)], 75, Outcome::Up, "1 h 10 min ago");
        check(&[ping(5, Success)], 76, Outcome::Down, "the last call came 1 h 11 min ago");
        check(&[ping(5, Success), ping(50, Fail)], 51, Outcome::Down, "reported failure");
        check(&[ping(50, Fail), ping(55, Success)], 56, Outcome::Up, "");
        check(&[ping(5, Success), ping(60, Start)], 79, Outcome::Up, "running");
        check(&[ping(5, Success), ping(60, Start)], 81, Outcome::Down, "started 21 min ago and not finished");
        check(&[ping(60, Start)], 70, Outcome::Blind, "first time");
    }

    #[test]
    fn chk_10_a_job_that_takes_too_long_is_slow_and_an_exit_code_tells_of_failure() {
        let slow = Ping { duration_ms: Some(21 * 60_000), ..ping(5, PingKind::Success) };
        check(&[slow], 10, Outcome::Slow, "took 21 min, more than 20 min");
        let failed = Ping { exit_code: Some(3), ..ping(5, PingKind::Success) };
        check(&[failed], 10, Outcome::Down, "exit code 3");
    }

    #[test]
    fn chk_10_a_finish_took_as_long_as_since_its_own_start() {
        use PingKind::{Start, Success};
        let check = |pings: &[Ping], expect: Option<u64>| {
            assert_eq!(
                decide_took(pings, ping(60, Success).at),
                expect.map(|m| Duration::from_secs(m * 60)),
                "{pings:?}"
            );
        };
        check(&[], None);
        check(&[ping(5, Success)], None);
        check(&[ping(50, Start)], Some(10));
        check(&[ping(30, Start), ping(50, Start)], Some(10));
        check(&[ping(5, Success), ping(50, Start)], Some(10));
        check(&[ping(50, Start), ping(55, Success)], None);
    }

    #[test]
    fn chk_10_what_was_due_while_farero_was_down_is_excused() {
        let spec = HeartbeatCheck { period: Some(Duration::from_mins(60)), ..HeartbeatCheck::default() };
        let back = ping(600, PingKind::Start).at;
        let verdict = decide_heartbeat(&spec, &[ping(5, PingKind::Success)], back, &TimeZone::UTC, back);
        assert_eq!(verdict.outcome, Outcome::Up);
        assert_eq!(verdict.expected_at, back + StdDuration::from_secs(3_600));
    }

    #[test]
    fn chk_10_a_schedule_says_when_a_call_is_due() {
        let spec: HeartbeatCheck = serde_json::from_value(serde_json::json!({ "schedule": "day at 02:00" })).unwrap();
        let lima = TimeZone::get("America/Lima").unwrap();
        let judge = |now: &str| decide_heartbeat(&spec, &[ping(0, PingKind::Success)], at(START), &lima, at(now));
        assert_eq!(judge("2026-11-23T09:23:00Z").outcome, Outcome::Up);
        assert_eq!(judge("2026-11-23T09:25:00Z").outcome, Outcome::Down);
        assert_eq!(judge("2026-11-23T01:00:00Z").expected_at, at("2026-11-23T07:00:00Z"));
    }
}
