//! How long a log-in must wait after failures. Pure: time is an argument, the counts are kept by the caller.
//!
//! Three counts run beside one another: of an account from one address, of an address over all accounts (an office shares
//! one), and of an account over all addresses (guessing from many places). The last wait is short, so that nobody can lock a
//! colleague out by guessing; and a browser that has logged in before has a count of its own and is not held up by it.

use std::time::Duration;

use kernel::Timestamp;

/// Longest wait of one address: an hour would let anyone lock a colleague out for the day.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Longest wait of an account over all addresses: its owner on a new device is never held up longer.
pub const LONGEST_WAIT_OF_ACCOUNT: Duration = Duration::from_secs(60);

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// One account from one address, or from one known browser.
    Pair,
    /// One address, all accounts.
    Address,
    /// One account, all addresses.
    Account,
}

impl Count {
    /// Failures that cost nothing: people mistype, an office shares an address, guessers need many more.
    const fn free(self) -> u32 {
        match self {
            Self::Pair => 3,
            Self::Address => 20,
            Self::Account => 10,
        }
    }

    const fn longest(self) -> Duration {
        match self {
            Self::Pair | Self::Address => LONGEST_WAIT,
            Self::Account => LONGEST_WAIT_OF_ACCOUNT,
        }
    }
}

/// Failures so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many without a success between them.
    pub count: u32,
    /// The last of them.
    pub last: Timestamp,
}

/// One more failure. After [`LONGEST_WAIT`] without any, counting begins anew.
pub fn after_failure(before: Option<Failures>, now: Timestamp) -> Failures {
    let kept = before.filter(|f| now.since(f.last) <= LONGEST_WAIT).map_or(0, |f| f.count);
    Failures { count: kept.saturating_add(1), last: now }
}

/// How much longer a log-in has to wait: nothing for the free failures, then 2 s, 4 s, 8 s, … up to the longest.
pub fn wait(count: Count, failures: Option<Failures>, now: Timestamp) -> Duration {
    let Some(failures) = failures else { return Duration::ZERO };
    let whole = match failures.count.checked_sub(count.free()) {
        None => Duration::ZERO,
        Some(over) => Duration::from_secs(2u64.saturating_pow(over.saturating_add(1))).min(count.longest()),
    };
    whole.saturating_sub(now.since(failures.last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(times: u32, now: Timestamp) -> Option<Failures> {
        (0..times).fold(None, |before, _| Some(after_failure(before, now)))
    }

    #[test]
    fn sec_12_the_wait_doubles_and_ends() {
        let now = Timestamp::from_secs(1_000);
        let waits = |count: Count| (0..24).map(|n| wait(count, failed(n, now), now).as_secs()).collect::<Vec<_>>();
        assert_eq!(waits(Count::Pair)[..8], [0, 0, 0, 2, 4, 8, 16, 32]);
        assert_eq!(waits(Count::Address)[19..23], [0, 2, 4, 8]);
        assert_eq!(waits(Count::Account)[9..16], [0, 2, 4, 8, 16, 32, 60]);
        assert_eq!(wait(Count::Pair, failed(100, now), now), LONGEST_WAIT);
        assert_eq!(wait(Count::Pair, failed(6, now), now + Duration::from_secs(16)), Duration::ZERO);
    }

    #[test]
    fn sec_12_guessing_from_many_places_never_locks_the_owner_out_for_long() {
        let now = Timestamp::from_secs(1_000);
        assert_eq!(wait(Count::Account, failed(10_000, now), now), LONGEST_WAIT_OF_ACCOUNT);
        let later = now + LONGEST_WAIT + Duration::from_secs(1);
        assert_eq!(after_failure(failed(50, now), later).count, 1, "forgotten after a quiet while");
    }
}
