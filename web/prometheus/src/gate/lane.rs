//! Where long work takes turns: few at once, each for a while, in the order in which they came. I/O: threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// So often whoever waits looks whether anybody still waits for it.
const LOOK: Duration = Duration::from_millis(20);

/// A lane.
#[derive(Debug)]
pub(super) struct Lane {
    at_once: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// All that are in the lane, running or not.
    members: usize,
    running: usize,
    queue: VecDeque<u64>,
    next: u64,
}

impl Lane {
    pub(super) fn new(at_once: usize) -> Self {
        Self { at_once, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Makes the caller a member, unless there are `most` already. Members leave with [`Lane::leave`], after [`Lane::enter`].
    pub(super) fn joins(&self, most: usize) -> bool {
        let mut state = self.state.lock();
        let joins = state.members < most;
        state.members += usize::from(joins);
        joins
    }

    /// Waits until a member may run; false when it was cancelled meanwhile. It counts as running in either case.
    pub(super) fn enter(&self, cancelled: &AtomicBool) -> bool {
        let mut state = self.state.lock();
        let ticket = state.next;
        state.next += 1;
        state.queue.push_back(ticket);
        while state.running >= self.at_once || state.queue.front() != Some(&ticket) {
            if cancelled.load(Relaxed) {
                state.queue.retain(|t| *t != ticket);
                state.running += 1;
                return false;
            }
            self.changed.wait_for(&mut state, LOOK);
        }
        state.queue.pop_front();
        state.running += 1;
        drop(state);
        self.changed.notify_all();
        true
    }

    /// Lets others run first, when any wait.
    pub(super) fn rotate(&self, cancelled: &AtomicBool) -> bool {
        {
            let mut state = self.state.lock();
            if state.queue.is_empty() {
                return true;
            }
            state.running -= 1;
        }
        self.changed.notify_all();
        self.enter(cancelled)
    }

    /// A member goes.
    pub(super) fn leave(&self) {
        {
            let mut state = self.state.lock();
            state.members -= 1;
            state.running -= 1;
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn one_at_a_time_in_turns() {
        let lane = Arc::new(Lane::new(1));
        let (running, most, turns) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for name in 0..3 {
                let (lane, running, most, turns) = (&lane, &running, &most, &turns);
                scope.spawn(move || {
                    let never = AtomicBool::new(false);
                    assert!(lane.joins(3));
                    assert!(lane.enter(&never));
                    for _ in 0..20 {
                        most.fetch_max(running.fetch_add(1, Relaxed) + 1, Relaxed);
                        turns.lock().push(name);
                        std::thread::sleep(Duration::from_micros(200));
                        running.fetch_sub(1, Relaxed);
                        assert!(lane.rotate(&never));
                    }
                    lane.leave();
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
        let turns = turns.into_inner();
        let changes = turns.windows(2).filter(|w| w[0] != w[1]).count();
        assert!(changes > 20, "{turns:?}");
        let state = lane.state.lock();
        assert_eq!((state.members, state.running), (0, 0));
    }

    #[test]
    fn whoever_gives_up_waits_no_longer_and_the_lane_is_bounded() {
        let lane = Lane::new(1);
        assert!(lane.joins(2) && lane.joins(2) && !lane.joins(2));
        assert!(lane.enter(&AtomicBool::new(false)));
        assert!(!lane.enter(&AtomicBool::new(true)));
        lane.leave();
        lane.leave();
        assert!(lane.joins(2) && lane.enter(&AtomicBool::new(false)));
    }
}
