//! What schedules say, over changes of clocks. Pure.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// The local starts of the next occurrences, with their ends where they are windows.
fn check(schedule: &str, zone_name: &str, after: &str, expect: &[&str]) {
    let zone = zone(zone_name);
    let schedule: Schedule = schedule.parse().unwrap_or_else(|e| panic!("{e}"));
    let local = |t: Timestamp| t.in_zone(&zone).strftime("%Y-%m-%d %H:%M").to_string();
    let after: jiff::civil::DateTime = after.parse().unwrap();
    let after = Timestamp::from_jiff(zone.to_timestamp(after).unwrap());
    let found: Vec<String> = schedule
        .occurrences(after, after + std::time::Duration::from_secs(10 * 366 * 86_400), &zone, expect.len().max(1))
        .into_iter()
        .map(|o| if o.start == o.end { local(o.start) } else { format!("{} to {}", local(o.start), local(o.end)) })
        .collect();
    assert_eq!(found, expect, "{schedule}");
}

#[test]
fn pln_04_every_form_of_the_plans() {
    let lima = "America/Lima";
    let now = "2026-02-03 07:30";
    check("day at 02:00", lima, now, &["2026-02-04 02:00", "2026-02-05 02:00"]);
    check("every 6h", lima, now, &["2026-02-03 12:00", "2026-02-03 18:00", "2026-02-04 00:00"]);
    check("5m", lima, now, &["2026-02-03 07:35"]);
    check("7h", "UTC", "1970-01-01 00:00", &["1970-01-01 07:00", "1970-01-01 14:00"]);
    check("day 22:00-00:00", lima, now, &["2026-02-03 22:00 to 2026-02-04 00:00"]);
    check("day 22:00-06:00", lima, now, &["2026-02-03 22:00 to 2026-02-04 06:00"]);
    check("day", lima, now, &["2026-02-04 00:00 to 2026-02-05 00:00"]);
    check("weekdays at 09:00", lima, "2026-02-06 10:00", &["2026-02-09 09:00"]);
    check("week on sunday 02:00-04:00", lima, now, &["2026-02-08 02:00 to 2026-02-08 04:00"]);
    check("week on monday, thursday and friday at 07:00", lima, now, &["2026-02-05 07:00", "2026-02-06 07:00"]);
    check("week", lima, now, &["2026-02-09 00:00 to 2026-02-16 00:00"]);
    check("month on first sunday 01:00-05:00", lima, now, &["2026-03-01 01:00 to 2026-03-01 05:00"]);
    check("month on fifth sunday at 01:00", lima, now, &["2026-03-29 01:00", "2026-05-31 01:00"]);
    check("month on last day at 23:00", lima, now, &["2026-02-28 23:00", "2026-03-31 23:00"]);
    check("month on day 31 at 00:00", lima, now, &["2026-03-31 00:00", "2026-05-31 00:00"]);
    check("month on last friday", lima, now, &["2026-02-27 00:00 to 2026-02-28 00:00"]);
    check("month", lima, now, &["2026-03-01 00:00 to 2026-04-01 00:00"]);
    check("quarter on first monday at 09:00", lima, now, &["2026-04-06 09:00", "2026-07-06 09:00"]);
    check("quarter", lima, now, &["2026-04-01 00:00 to 2026-07-01 00:00"]);
    check("half-year", lima, now, &["2026-07-01 00:00 to 2027-01-01 00:00"]);
    check("6 months on day 15 at 08:00", lima, now, &["2026-07-15 08:00"]);
    check("year on 15 march", lima, now, &["2026-03-15 00:00 to 2026-03-16 00:00"]);
    check("year on 29 february at 10:00", lima, now, &["2028-02-29 10:00", "2032-02-29 10:00"]);
    check("90d elapsed", lima, now, &["2026-05-04 07:30"]);
    check("cron: 0 2 * * 1#1", lima, now, &["2026-03-02 02:00"]);
    check("cron: 0 0 30 2 *", lima, now, &[]);
    for text in ["continuous", "on deploy", "on event go-live", "for 7d after go-live"] {
        check(text, lima, now, &[]);
        assert!(!text.parse::<Schedule>().unwrap().is_on_calendar());
    }
}

#[test]
fn pln_05_clocks_that_change() {
    // Madrid: 29 March 2026, 02:00 becomes 03:00; 25 October 2026, 03:00 becomes 02:00.
    check("day at 02:30", "Europe/Madrid", "2026-03-28 12:00", &["2026-03-29 03:00", "2026-03-30 02:30"]);
    check("day 02:15-02:45", "Europe/Madrid", "2026-03-28 12:00", &["2026-03-29 03:00"]);
    check("day at 02:30", "Europe/Madrid", "2026-10-24 12:00", &["2026-10-25 02:30", "2026-10-26 02:30"]);
    check("cron: 30 2 * * *", "Europe/Madrid", "2026-03-28 12:00", &["2026-03-29 03:00", "2026-03-30 02:30"]);
    check("cron: 30 2 * * *", "Europe/Madrid", "2026-10-24 12:00", &["2026-10-25 02:30", "2026-10-26 02:30"]);
    // Santiago: 6 September 2026, midnight becomes 01:00.
    check("day at 00:00", "America/Santiago", "2026-09-05 12:00", &["2026-09-06 01:00", "2026-09-07 00:00"]);
    check("day", "America/Santiago", "2026-09-05 12:00", &["2026-09-06 01:00 to 2026-09-07 00:00"]);
    check("12h", "America/Santiago", "2026-09-05 12:30", &["2026-09-06 01:00", "2026-09-06 13:00", "2026-09-07 00:00"]);
}

#[test]
fn errors_say_what_to_write() {
    let wrong = |text: &str, part: &str| {
        let error = text.parse::<Schedule>().expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    };
    wrong("", "it is empty");
    wrong("fortnight", "`fortnight` is no cadence");
    wrong("monday", "write `week on monday`");
    wrong("week on lunes", "write `monday` for `lunes`");
    wrong("week on miercoles", "write `wednesday`");
    wrong("week at 02:00", "`week on monday at 07:00`");
    wrong("day 02:00", "write `at 02:00`");
    wrong("day at 2:00", "two digits");
    wrong("day at 25:00", "not a time");
    wrong("day 02:00-02:00", "the window is empty");
    wrong("month on day 32", "not a day from 1 to 31");
    wrong("month on sunday", "such as `first sunday`");
    wrong("year on 31 april", "not a day from 1 to 30");
    wrong("year on 1 marzo", "write `march`");
    wrong("5 parsecs", "not a unit of time");
    wrong("5 months", "1, 2, 3, 4, 6 or 12");
    wrong("on fire", "`deploy`, `pull-request` or `event NAME`");
    wrong("for ever", "such as `for 7d after go-live`");
    wrong("cron: 0 2", "cron's fields are wrong");
    wrong("10ms", "at least 1s");
    wrong(&"x".repeat(500), "longer than");
}

fn texts() -> impl Strategy<Value = String> {
    let time = prop_oneof![
        Just(String::new()),
        (0u8..24, 0u8..60).prop_map(|(h, m)| format!(" at {h:02}:{m:02}")),
        (0u8..24, 0u8..60, 0u8..24).prop_map(|(h, m, e)| format!(" {h:02}:{m:02}-{e:02}:59")),
    ];
    let day = prop_oneof!["monday", "wednesday", "sunday"];
    let on = prop_oneof![
        (1u8..=31).prop_map(|d| format!("day {d}")),
        Just("last day".to_owned()),
        ("(first|second|fifth|last)", day.clone()).prop_map(|(n, d)| format!("{n} {d}")),
    ];
    let dated = prop_oneof![
        "(day|weekdays)",
        day.prop_map(|d| format!("week on {d}")),
        ("(month|quarter|half-year|year|2 months)", on).prop_map(|(p, on)| format!("{p} on {on}")),
    ];
    prop_oneof![
        (dated, time)
            .prop_map(|(d, t)| d + &t)
            .prop_filter("empty window", |t| !t.contains("59-") || t.parse::<Schedule>().is_ok()),
        "(week|month|quarter|half-year|year|continuous|on deploy)",
        (1u32..100_000).prop_map(|s| format!("{s}s")),
        (1u32..400).prop_map(|d| format!("{d}d elapsed")),
        "cron: [0-5]?[0-9] [01]?[0-9] \\* \\* [0-6]",
    ]
}

proptest! {
    #[test]
    fn next_is_later_and_reads_back(
        text in texts(),
        at in 0i64..4_102_444_800_000,
        zone_name in prop_oneof![Just("America/Santiago"), Just("Europe/Madrid"), Just("America/Lima"), Just("Australia/Lord_Howe")],
    ) {
        let schedule: Schedule = text.parse().map_err(|e: ScheduleError| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(serde_json::from_str::<Schedule>(&serde_json::to_string(&schedule).unwrap()).unwrap(), schedule.clone());
        let zone = zone(zone_name);
        let mut after = Timestamp::from_millis(at);
        for _ in 0..4 {
            let Some(next) = schedule.next_after(after, &zone) else {
                prop_assert!(!schedule.is_on_calendar(), "{text} ends");
                break;
            };
            prop_assert!(next.start > after && next.end >= next.start, "{text}: {next:?} after {after}");
            // Nothing is passed over: from just before the next one, it is still the next one.
            let before = Timestamp::from_millis(next.start.as_millis() - 1).max(after);
            if !matches!(schedule.rule(), Rule::Elapsed(_)) {
                prop_assert_eq!(schedule.next_after(before, &zone).map(|o| o.start), Some(next.start), "{}", text);
            }
            after = next.start;
        }
    }

    #[test]
    fn never_panics(text in "(every |day|week|month|year|on|at|for|after|cron:|first|last|sunday|[0-9:\\-]{1,5}| |é|.){0,12}", at in any::<i64>()) {
        if let Ok(schedule) = text.parse::<Schedule>() {
            let _ = schedule.next_after(Timestamp::from_millis(at), &zone("Europe/Madrid"));
        }
    }
}
