//! Back-off after failed log-ins, per account and address together and per address alone. Pure: time is an argument.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::Timestamp;

use crate::limits::{FREE_TRIES, LONGEST_WAIT, THROTTLED};

/// Failures from one address, over all accounts, before it has to wait: an office shares one.
const FREE_TRIES_OF_ADDRESS: u32 = 20;

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// Remembers failed log-ins. After [`FREE_TRIES`] failures the wait doubles with each: 2 s, 4 s, … up to
/// [`LONGEST_WAIT`]; it is forgotten after as long without a failure.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Failures>>);

impl Throttle {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much longer a log-in has to wait; zero when it may be tried.
    pub(crate) fn wait(&self, account: &str, address: &str, now: Timestamp) -> Duration {
        let known = self.lock();
        let left = |key: String, free: u32| {
            known.get(&key).map_or(Duration::ZERO, |f| delay(f.count, free).saturating_sub(now.since(f.last)))
        };
        left(pair(account, address), FREE_TRIES).max(left(alone(address), FREE_TRIES_OF_ADDRESS))
    }

    /// Notes a failure.
    pub(crate) fn failed(&self, account: &str, address: &str, now: Timestamp) {
        let mut known = self.lock();
        for key in [pair(account, address), alone(address)] {
            if known.len() >= THROTTLED && !known.contains_key(&key) {
                known.retain(|_, f| now.since(f.last) < LONGEST_WAIT);
                if known.len() >= THROTTLED {
                    let oldest = known.iter().min_by_key(|(_, f)| f.last).map(|(k, _)| k.clone());
                    oldest.map(|k| known.remove(&k));
                }
            }
            let entry = known.entry(key).or_insert(Failures { count: 0, last: now });
            if now.since(entry.last) > LONGEST_WAIT {
                entry.count = 0;
            }
            *entry = Failures { count: entry.count.saturating_add(1), last: now };
        }
    }

    /// Forgets the failures of an account that has logged in.
    pub(crate) fn succeeded(&self, account: &str, address: &str) {
        self.lock().remove(&pair(account, address));
    }
}

fn pair(account: &str, address: &str) -> String {
    format!("{}\n{address}", account.trim().to_lowercase())
}

fn alone(address: &str) -> String {
    format!("\n{address}")
}

fn delay(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => Duration::from_secs(2u64.saturating_pow(over.saturating_add(1))).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_one_success_ends_it() {
        let throttle = Throttle::default();
        let now = Timestamp::from_secs(1_000);
        let mut waits = Vec::new();
        for _ in 0..6 {
            throttle.failed("ana", "10.0.0.1", now);
            waits.push(throttle.wait("Ana", "10.0.0.1", now).as_secs());
        }
        assert_eq!(waits, [0, 0, 2, 4, 8, 16]);
        assert_eq!(throttle.wait("ana", "10.0.0.2", now), Duration::ZERO);
        assert_eq!(throttle.wait("ana", "10.0.0.1", now + Duration::from_secs(16)), Duration::ZERO);
        throttle.succeeded("ana", "10.0.0.1");
        assert_eq!(throttle.wait("ana", "10.0.0.1", now), Duration::ZERO);
    }

    #[test]
    fn memory_is_bounded_and_waits_too() {
        let throttle = Throttle::default();
        for i in 0..(THROTTLED + 100) {
            throttle.failed(&format!("user{i}"), "10.0.0.1", Timestamp::from_secs(i64::try_from(i).unwrap()));
        }
        assert!(throttle.lock().len() <= THROTTLED);
        let now = Timestamp::from_secs(i64::try_from(THROTTLED).unwrap() + 99);
        assert_eq!(throttle.wait("x", "10.0.0.1", now), LONGEST_WAIT);
    }
}
