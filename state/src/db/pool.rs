//! A few things of a kind that many borrow, one at a time each. Pure.

use parking_lot::{Condvar, Mutex};

/// A fixed number of things; whoever comes when all are out waits.
pub(crate) struct Pool<T> {
    slots: Vec<Mutex<T>>,
    free: Mutex<Vec<usize>>,
    returned: Condvar,
}

/// A place that goes back when it is dropped, after a panic too.
struct Turn<'a> {
    free: &'a Mutex<Vec<usize>>,
    returned: &'a Condvar,
    slot: usize,
}

impl<T> Pool<T> {
    pub(crate) fn new(things: Vec<T>) -> Self {
        let slots: Vec<_> = things.into_iter().map(Mutex::new).collect();
        let free = Mutex::new((0..slots.len()).collect());
        Self { slots, free, returned: Condvar::new() }
    }

    /// Borrows one for as long as `work` takes. `work` must not borrow again: there are few.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let turn = self.take();
        work(&mut self.slots[turn.slot].lock())
    }

    fn take(&self) -> Turn<'_> {
        let mut free = self.free.lock();
        loop {
            if let Some(slot) = free.pop() {
                return Turn { free: &self.free, returned: &self.returned, slot };
            }
            self.returned.wait(&mut free);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.free.lock().push(self.slot);
        self.returned.notify_one();
    }
}
