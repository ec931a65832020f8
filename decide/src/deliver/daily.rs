//! When a daily digest is due in a time zone, over changes of the clock. Pure.
//!
//! There is one digest per local date. Where the clock leaps over the hour, the digest is due as much later as the leap
//! (02:30 becomes 03:30); where the hour comes twice, the first one counts (RFC 5545's rule, jiff's `compatible`).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::Timestamp;

/// The point at which the digest of a date is due.
pub fn on_date(date: Date, minute: u16, zone: &TimeZone) -> Timestamp {
    let (hour, minute) = (i8::try_from(minute / 60 % 24).unwrap_or(0), i8::try_from(minute % 60).unwrap_or(0));
    let due = date.at(hour, minute, 0, 0).to_zoned(zone.clone());
    due.map_or(Timestamp::from_millis(i64::MAX), |z| Timestamp::from_jiff(z.timestamp()))
}

/// The first point after `t` at which a digest is due.
pub fn next_after(t: Timestamp, minute: u16, zone: &TimeZone) -> Timestamp {
    around(t, minute, zone).into_iter().find(|due| *due > t).unwrap_or(Timestamp::from_millis(i64::MAX))
}

/// The last point at or before `t` at which a digest was due.
pub fn last_until(t: Timestamp, minute: u16, zone: &TimeZone) -> Timestamp {
    let all = around(t, minute, zone);
    all.into_iter().rev().find(|due| *due <= t).unwrap_or(Timestamp::from_millis(i64::MIN))
}

/// The local date that a digest is about: the day that ended at it when it is due before noon, else the same day.
pub fn date_told(due: Timestamp, zone: &TimeZone) -> Date {
    let local = due.in_zone(zone);
    if local.hour() < 12 { local.date().yesterday().unwrap_or(local.date()) } else { local.date() }
}

/// The due points of the dates near `t`, in order; two days to each side cover every leap a zone ever made.
fn around(t: Timestamp, minute: u16, zone: &TimeZone) -> Vec<Timestamp> {
    let today = t.in_zone(zone).date();
    let dates = (-2..=2).filter_map(|n| today.checked_add(jiff::Span::new().days(n)).ok());
    let mut all: Vec<Timestamp> = dates.map(|d| on_date(d, minute, zone)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;
    use proptest::prelude::*;

    fn check(zone: &str, minute: u16, after: &str, expect: &str) {
        let zone = TimeZone::get(zone).unwrap();
        assert_eq!(next_after(at(after), minute, &zone), at(expect), "{after}");
    }

    #[test]
    fn chn_09_digest_keeps_local_time_over_clock_changes() {
        check("America/Lima", 420, "2026-11-22T11:59:59Z", "2026-11-22T12:00:00Z");
        check("America/Lima", 420, "2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z");
        // Madrid: summer time ends on 25 October 2026.
        check("Europe/Madrid", 420, "2026-10-24T06:00:00Z", "2026-10-25T06:00:00Z");
        check("Europe/Madrid", 420, "2026-10-24T04:00:00Z", "2026-10-24T05:00:00Z");
        // Santiago: summer time begins on 6 September 2026 at midnight.
        check("America/Santiago", 420, "2026-09-05T12:00:00Z", "2026-09-06T10:00:00Z");
        check("America/Santiago", 420, "2026-09-04T12:00:00Z", "2026-09-05T11:00:00Z");
    }

    #[test]
    fn chn_09_a_missing_hour_comes_later_and_a_double_one_once() {
        // Madrid on 29 March 2026 has no 02:30, on 25 October it has two.
        check("Europe/Madrid", 150, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z");
        check("Europe/Madrid", 150, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z");
        check("Europe/Madrid", 150, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn the_day_told_of() {
        let lima = TimeZone::get("America/Lima").unwrap();
        assert_eq!(date_told(at("2026-11-22T12:00:00Z"), &lima).to_string(), "2026-11-21");
        assert_eq!(date_told(at("2026-11-23T04:00:00Z"), &lima).to_string(), "2026-11-22");
    }

    proptest! {
        #[test]
        fn chn_09_every_day_has_one_digest(start in 1_700_000_000i64..1_900_000_000, minute in 0u16..1440, zone in 0usize..4) {
            let zone = ["America/Lima", "Europe/Madrid", "America/Santiago", "Pacific/Apia"][zone];
            let zone = TimeZone::get(zone).unwrap();
            let mut t = Timestamp::from_secs(start);
            for _ in 0..10 {
                let next = next_after(t, minute, &zone);
                prop_assert!(next > t);
                prop_assert!(next.since(t).as_secs() <= 26 * 3_600);
                prop_assert_eq!(last_until(next, minute, &zone), next);
                let dates = (t.in_zone(&zone).date(), next.in_zone(&zone).date());
                prop_assert!(dates.1 >= dates.0);
                t = next;
            }
        }
    }
}
