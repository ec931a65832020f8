//! Who was recognised a moment ago, so that a request costs no look into the database. Pure but for a lock: time is an argument.
//!
//! Invariants: what is remembered is never older than [`IDENTITY_AGE`]; a change of people, rights, tokens or sessions through
//! this process forgets everything at once; what was read before such a change is not remembered after it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::Timestamp;

use super::Identity;

/// How long somebody is remembered: what another process changes in the database is heeded after this long.
pub(crate) const IDENTITY_AGE: Duration = Duration::from_secs(5);

/// Sessions and tokens remembered at once, some 500 bytes each; beyond it the memory begins anew.
pub(crate) const IDENTITIES: usize = 10_000;

/// Sessions and tokens of the last seconds.
#[derive(Default)]
pub(crate) struct Known(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    by_hash: HashMap<String, Entry>,
    /// Counts the changes of people and rights.
    epoch: u64,
}

struct Entry {
    identity: Identity,
    until: Timestamp,
    plans: u64,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic between two assignments leaves a map that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the changes of people and rights: read it before the database is read.
    pub(crate) fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    /// Who a secret's hash belongs to, where that was found out a moment ago under the same plans.
    pub(crate) fn get(&self, hash: &str, plans: u64, now: Timestamp) -> Option<Identity> {
        let inner = self.lock();
        let entry = inner.by_hash.get(hash)?;
        (entry.plans == plans && now < entry.until).then(|| entry.identity.clone())
    }

    /// Remembers who was found out under an epoch; does nothing when something has changed since.
    pub(crate) fn put(&self, hash: String, identity: Identity, (epoch, plans): (u64, u64), now: Timestamp) {
        let mut inner = self.lock();
        if inner.epoch != epoch {
            return;
        }
        if inner.by_hash.len() >= IDENTITIES {
            inner.by_hash.retain(|_, e| now < e.until);
            if inner.by_hash.len() >= IDENTITIES {
                inner.by_hash.clear();
            }
        }
        inner.by_hash.insert(hash, Entry { identity, until: now + IDENTITY_AGE, plans });
    }

    /// Forgets everybody: people, rights, tokens or sessions have changed.
    pub(crate) fn forget(&self) {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.by_hash.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Proof;
    use crate::auth::access::Access;

    fn identity(name: &str) -> Identity {
        let (access, proof) = (Access::default(), Proof::Token { id: 1, owner: "x".into() });
        Identity { user_id: None, name: name.into(), access, language: None, proof }
    }

    #[test]
    fn sec_12_what_changed_is_forgotten_at_once_and_the_rest_soon() {
        let (known, at) = (Known::default(), Timestamp::from_secs);
        known.put("a".into(), identity("ana"), (known.epoch(), 1), at(10));
        assert_eq!(known.get("a", 1, at(11)).unwrap().name, "ana");
        assert!(known.get("a", 2, at(11)).is_none(), "the plans have changed");
        assert!(known.get("a", 1, at(15)).is_none(), "it is too old");
        let before = known.epoch();
        known.forget();
        assert!(known.get("a", 1, at(11)).is_none());
        known.put("a".into(), identity("ana"), (before, 1), at(11));
        assert!(known.get("a", 1, at(11)).is_none(), "it was read before the change");
    }

    #[test]
    fn memory_is_bounded() {
        let known = Known::default();
        for i in 0..IDENTITIES + 10 {
            known.put(i.to_string(), identity("x"), (0, 0), Timestamp::from_secs(1));
        }
        assert!(known.lock().by_hash.len() <= IDENTITIES);
    }
}
