//! How much of a gate each sender may take up: who sends a lot at once waits for himself, not the others for him. Pure but for a lock.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use observe_receive::writer::SenderName;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::limits::WRITES_OF_ONE;

/// With so many senders noted, those that have nothing at work are forgotten before another is.
const NOTED: usize = 1_000;

/// The permits of those who have something at work.
#[derive(Debug, Default)]
pub(super) struct Shares {
    all: Mutex<HashMap<SenderName, Weak<Semaphore>>>,
}

impl Shares {
    /// The permits of one sender, which all of its messages share.
    pub(super) fn of(&self, who: &SenderName) -> Arc<Semaphore> {
        let mut all = self.all.lock();
        if let Some(own) = all.get(who).and_then(Weak::upgrade) {
            return own;
        }
        if all.len() >= NOTED {
            all.retain(|_, own| own.strong_count() > 0);
        }
        let own = Arc::new(Semaphore::new(WRITES_OF_ONE));
        all.insert(who.clone(), Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_permits_of_its_own_and_is_forgotten_after_them() {
        let shares = Shares::default();
        let name = |n: usize| SenderName { space: String::new(), sender: n.to_string() };
        let (a, again, b) = (shares.of(&name(0)), shares.of(&name(0)), shares.of(&name(1)));
        let held: Vec<_> = (0..WRITES_OF_ONE).map(|_| a.clone().try_acquire_owned().unwrap()).collect();
        assert!(again.try_acquire().is_err() && b.try_acquire().is_ok());
        drop((a, again, held));
        assert_eq!(shares.of(&name(0)).available_permits(), WRITES_OF_ONE);
        (2..3 * NOTED).for_each(|n| drop(shares.of(&name(n))));
        assert!(shares.all.lock().len() <= NOTED);
        assert!(Arc::ptr_eq(&b, &shares.of(&name(1))), "who has something at work is kept");
    }
}
