//! Refused attempts on their way to the trail: the first of a kind is told at once, its like are counted and told together, so
//! that nobody can fill the disk by being refused. Pure: time is an argument.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::Timestamp;
use kernel::trail::{Actor, Deed};

/// After the first attempt of a kind its like are counted for this long and then told as one.
pub const COUNTED_FOR: Duration = Duration::from_secs(10 * 60);

/// Kinds that are remembered at once: what, to what, by whom, from where. More are counted together.
pub const KINDS: usize = 1_000;

/// Attempts of strangers told one by one within a minute, all kinds together: an attacker with many addresses writes about
/// 1 MB an hour and not more. What people and tokens are refused does not count here, so that no stranger can hide it.
pub const A_MINUTE: u32 = 30;

/// Refused attempts of the last minutes.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Known>);

#[derive(Default)]
struct Known {
    kinds: HashMap<Kind, Counted>,
    /// Those that were told by neither name nor kind.
    untold: Option<Counted>,
    minute: i64,
    told: u32,
}

#[derive(PartialEq, Eq, Hash)]
struct Kind {
    action: String,
    object: String,
    actor: String,
    from: String,
}

struct Counted {
    first: Deed,
    since: Timestamp,
    last: Timestamp,
    more: u64,
}

impl Counted {
    fn of(deed: &Deed) -> Self {
        Self { first: deed.clone(), since: deed.at, last: deed.at, more: 0 }
    }

    fn count(&mut self, at: Timestamp) {
        self.more += 1;
        self.last = at;
    }

    /// The entry that tells of those that were counted.
    fn tell(&self, now: Timestamp) -> Option<Deed> {
        let mut deed = self.first.clone();
        deed.at = now;
        let told = deed.set("attempts", self.more.to_string()).set("first", self.since.to_string());
        (self.more > 0).then(|| told.set("last", self.last.to_string()))
    }
}

impl Kind {
    fn of(deed: &Deed) -> Self {
        let object = format!("{} {}", deed.object.kind, deed.object.name);
        let actor = format!("{} {}", deed.actor.kind(), deed.actor.name());
        Self { action: deed.action.clone(), object, actor, from: network(&deed.from) }
    }
}

/// The address of an IPv4 caller, or the /64 of an IPv6 caller: whoever has one of the latter has all of it.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(v6)) => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}:{:x}", s[0], s[1], s[2], s[3])
        }
        _ => address.to_owned(),
    }
}

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be told now of an attempt that was refused: itself, or nothing, for it was counted.
    pub(crate) fn take(&self, deed: Deed) -> Option<Deed> {
        let mut guard = self.lock();
        let known = &mut *guard;
        let now = deed.at;
        let minute = now.as_millis().div_euclid(60_000);
        if known.minute != minute {
            (known.minute, known.told) = (minute, 0);
        }
        let kind = Kind::of(&deed);
        if let Some(counted) = known.kinds.get_mut(&kind) {
            counted.count(now);
            return None;
        }
        let stranger = deed.actor == Actor::Nobody;
        if (stranger && known.told >= A_MINUTE) || known.kinds.len() >= KINDS {
            known.untold.get_or_insert_with(|| Counted::of(&anonymous(&deed))).count(now);
            return None;
        }
        known.told += u32::from(stranger);
        known.kinds.insert(kind, Counted::of(&deed));
        Some(deed)
    }

    /// What was counted long enough, each kind as one; with `all`, what was counted so far.
    pub(crate) fn due(&self, now: Timestamp, all: bool) -> Vec<Deed> {
        let mut guard = self.lock();
        let known = &mut *guard;
        let is_due = |c: &Counted| all || now.since(c.since) >= COUNTED_FOR;
        let mut out: Vec<Deed> = known.kinds.values().filter(|c| is_due(c)).filter_map(|c| c.tell(now)).collect();
        known.kinds.retain(|_, c| !is_due(c));
        if known.untold.as_ref().is_some_and(is_due) {
            out.extend(known.untold.take().and_then(|c| c.tell(now)));
        }
        out.sort_by(|a, b| (&a.action, &a.from).cmp(&(&b.action, &b.from)));
        out
    }
}

/// The deed that stands for many of all kinds.
fn anonymous(deed: &Deed) -> Deed {
    Deed::new(deed.at, Actor::Nobody, "access.refuse")
        .on("access", "many")
        .refused("more attempts of more kinds than are told one by one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(600_000 + seconds)
    }

    fn attempt(seconds: i64, object: &str, from: &str) -> Deed {
        Deed::new(at(seconds), Actor::Nobody, "access.refuse").on("access", object).from(from).refused("no")
    }

    #[test]
    fn sec_12_the_first_is_told_and_its_like_are_counted() {
        let refusals = Refusals::default();
        assert!(refusals.take(attempt(0, "POST /x", "192.0.2.1")).is_some());
        for i in 1..500 {
            assert!(refusals.take(attempt(i, "POST /x", "192.0.2.1")).is_none());
        }
        assert!(refusals.take(attempt(1, "POST /y", "192.0.2.1")).is_some(), "another thing is another kind");
        assert_eq!(refusals.due(at(10), false), []);
        let told = refusals.due(at(601), false);
        assert_eq!(told.len(), 1, "what happened once is told already");
        let value = |field: &str| told[0].change.iter().find(|c| c.field == field).unwrap().after.clone().unwrap();
        assert_eq!((value("attempts"), value("last")), ("499".to_owned(), at(499).to_string()));
        assert!(refusals.take(attempt(602, "POST /x", "192.0.2.1")).is_some(), "a new count begins with a first");
    }

    #[test]
    fn sec_12_an_attacker_with_many_addresses_cannot_fill_the_disk() {
        let refusals = Refusals::default();
        let mut told = 0;
        for i in 0..100_000 {
            let from = format!("10.{}.{}.{}", i / 65_536, i / 256 % 256, i % 256);
            told += usize::from(refusals.take(attempt(i64::from(i) / 1_000, "POST /x", &from)).is_some());
        }
        assert!(told <= 2 * A_MINUTE as usize, "{told} in a hundred seconds");
        assert!(refusals.lock().kinds.len() <= KINDS);
        let rest = refusals.due(at(3_600), false);
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].change[0].after.as_deref(), Some(&*(100_000 - told).to_string()));
    }

    #[test]
    fn an_ipv6_network_is_one_caller() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::9"), network("2001:db8:1:3::9"));
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
    }
}
