//! How much memory answers under way may take for what the store holds in memory. Pure.
//!
//! What is in memory is copied under one lock, for all series of a question at once; only then are they put together, some hundred at a
//! time. Without a limit a question for everything would take as much again as the head.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use kernel::series::SeriesError;

use crate::limits;

/// So many bytes are gathered before they are counted with those of others.
const STEP: u64 = 1 << 20;

/// What all answers under way have taken.
#[derive(Debug, Default)]
pub(crate) struct Room(AtomicU64);

/// What one answer has taken; given back when it goes.
pub(crate) struct Taken<'r> {
    room: &'r Room,
    counted: u64,
    step: u64,
}

impl Room {
    pub(crate) const fn begin(&self) -> Taken<'_> {
        Taken { room: self, counted: 0, step: 0 }
    }
}

impl Taken<'_> {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`SeriesError::Limit`]: this answer, or all together, would take too many.
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), SeriesError> {
        self.step += bytes as u64;
        if self.step < STEP {
            return Ok(());
        }
        let step = std::mem::take(&mut self.step);
        self.counted += step;
        let all = self.room.0.fetch_add(step, Relaxed) + step;
        if self.counted > limits::ANSWER_BYTES {
            return Err(SeriesError::Limit {
                what: "bytes of memory for the series of one answer",
                limit: limits::ANSWER_BYTES,
                advice: "add label matchers: it asks for too many series",
            });
        }
        if all > limits::ANSWERS_BYTES {
            return Err(SeriesError::Limit {
                what: "bytes of memory for the series of all answers under way",
                limit: limits::ANSWERS_BYTES,
                advice: "ask again when others have ended, or add label matchers",
            });
        }
        Ok(())
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.counted, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_and_all_together_have_limits() {
        let room = Room::default();
        let add = |taken: &mut Taken<'_>, bytes: u64| match taken.add(bytes as usize) {
            Err(SeriesError::Limit { limit, .. }) => Some(limit),
            Err(error) => panic!("{error}"),
            Ok(()) => None,
        };
        let mut first = room.begin();
        assert_eq!(add(&mut first, limits::ANSWER_BYTES), None);
        let mut second = room.begin();
        assert_eq!(add(&mut second, limits::ANSWERS_BYTES - limits::ANSWER_BYTES), None);
        assert_eq!(add(&mut first, STEP), Some(limits::ANSWER_BYTES));
        drop(first);
        let mut third = room.begin();
        assert_eq!(add(&mut third, STEP), None);
        assert_eq!(add(&mut third, limits::ANSWER_BYTES - STEP), None);
        let mut fourth = room.begin();
        assert_eq!(add(&mut fourth, STEP - 1), None, "small answers go on");
        assert_eq!(add(&mut fourth, 1), Some(limits::ANSWERS_BYTES));
        drop((second, third, fourth));
        assert_eq!(room.0.load(Relaxed), 0);
    }
}
