//! How many requests somebody may make: a bucket per token, per session and per address of strangers. Pure but for a lock: time
//! is an argument.
//!
//! The generic cell rate algorithm (ITU-T I.371): each caller has a time at which its bucket would be full again; a request
//! moves it on, and is turned away when it lies too far ahead.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::Timestamp;

/// Requests a second of one API token, on average: Grafana with a wall of panels asks for some tens.
pub(crate) const TOKEN_A_SECOND: u32 = 50;

/// Requests of one API token at once, before the average counts.
pub(crate) const TOKEN_AT_ONCE: u32 = 200;

/// Requests a second of one session, on average: a person with several pages open.
pub(crate) const SESSION_A_SECOND: u32 = 25;

/// Requests of one session at once.
pub(crate) const SESSION_AT_ONCE: u32 = 150;

/// Requests a second that nobody proved to be theirs, per address: an office behind one address logs in.
pub(crate) const STRANGERS_A_SECOND: u32 = 10;

/// Requests of strangers from one address at once.
pub(crate) const STRANGERS_AT_ONCE: u32 = 100;

/// Callers that are counted at once; those whose buckets are full again are forgotten first.
pub(crate) const CALLERS: usize = 20_000;

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum By {
    /// An API token.
    Token,
    /// A session.
    Session,
    /// The address of somebody who proved nothing.
    Address,
}

impl By {
    const ALL: [Self; 3] = [Self::Token, Self::Session, Self::Address];

    const fn limits(self) -> (u32, u32) {
        match self {
            Self::Token => (TOKEN_A_SECOND, TOKEN_AT_ONCE),
            Self::Session => (SESSION_A_SECOND, SESSION_AT_ONCE),
            Self::Address => (STRANGERS_A_SECOND, STRANGERS_AT_ONCE),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Address => "address",
        }
    }
}

/// The buckets of all callers.
#[derive(Default)]
pub(crate) struct Rates {
    full_at_us: Mutex<HashMap<(By, String), i64>>,
    turned_away: [AtomicU64; 3],
}

impl Rates {
    fn lock(&self) -> MutexGuard<'_, HashMap<(By, String), i64>> {
        // A panic between two assignments leaves a map that is whole.
        self.full_at_us.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request.
    ///
    /// # Errors
    /// It is one too many; how long to wait.
    pub(crate) fn take(&self, by: By, caller: &str, now: Timestamp) -> Result<(), Duration> {
        let (a_second, at_once) = by.limits();
        let step = 1_000_000 / i64::from(a_second);
        let room = step * i64::from(at_once);
        let now_us = now.as_millis() * 1_000;
        let mut all = self.lock();
        if all.len() >= CALLERS {
            all.retain(|_, full| *full > now_us);
            if all.len() >= CALLERS {
                all.clear();
            }
        }
        let full = all.entry((by, caller.to_owned())).or_insert(now_us);
        let next = (*full).max(now_us) + step;
        if next - now_us <= room {
            *full = next;
            return Ok(());
        }
        drop(all);
        self.turned_away[by as usize].fetch_add(1, Ordering::Relaxed);
        Err(Duration::from_micros(u64::try_from(next - now_us - room).unwrap_or(0)))
    }

    /// How many requests were turned away, by what they were counted by.
    pub(crate) fn turned_away(&self) -> [(&'static str, u64); 3] {
        By::ALL.map(|by| (by.as_str(), self.turned_away[by as usize].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_a_burst_passes_and_the_average_counts_after_it() {
        let (rates, now) = (Rates::default(), Timestamp::from_secs(1_000));
        let burst = (0..TOKEN_AT_ONCE + 50).filter(|_| rates.take(By::Token, "1", now).is_ok()).count();
        assert_eq!(burst, TOKEN_AT_ONCE as usize);
        let wait = rates.take(By::Token, "1", now).unwrap_err();
        assert!(wait <= Duration::from_millis(u64::from(1_000 / TOKEN_A_SECOND)), "{wait:?}");
        assert!(rates.take(By::Token, "2", now).is_ok() && rates.take(By::Session, "1", now).is_ok());
        let later = now + Duration::from_secs(1);
        let after = (0..200).filter(|_| rates.take(By::Token, "1", later).is_ok()).count();
        assert_eq!(after, TOKEN_A_SECOND as usize);
        assert_eq!(rates.turned_away()[0], ("token", 51 + 200 - u64::from(TOKEN_A_SECOND)));
    }

    #[test]
    fn memory_is_bounded() {
        let rates = Rates::default();
        for i in 0..CALLERS + 10 {
            let _ = rates.take(By::Address, &i.to_string(), Timestamp::from_secs(1));
        }
        assert!(rates.lock().len() <= CALLERS);
    }
}
