//! What an answer holds in memory while it is put together: counted, bounded, given back. Pure but for the gate.

use std::ops::ControlFlow;

use decide_promql::Control as _;
use kernel::Labels;

use crate::error::ApiError;
use crate::gate::Turn;

/// Points of 8 bytes that a label set takes beside its labels, in a sorted collection; as evaluation counts them.
const SET_POINTS: u64 = 24;
/// Points for each label: two shared texts.
const LABEL_POINTS: u64 = 4;
/// Points that a text takes beside its letters.
const TEXT_POINTS: u64 = 12;
/// So many points are told to the gate at once.
const PIECE: i64 = 4_096;
/// So often it is looked whether anybody still waits.
const LOOK_EVERY: u32 = 64;

/// Points of a label set.
pub(crate) fn points_of_labels(labels: &Labels) -> u64 {
    SET_POINTS + LABEL_POINTS * labels.len() as u64
}

/// Points of a text.
pub(crate) fn points_of_text(text: &str) -> u64 {
    TEXT_POINTS + points_of_bytes(text.len())
}

/// Points of so many bytes.
pub(crate) const fn points_of_bytes(bytes: usize) -> u64 {
    bytes.div_ceil(size_of::<f64>()) as u64
}

/// Counts what one answer holds.
pub(crate) struct Holding<'t> {
    turn: &'t Turn,
    most: i64,
    held: i64,
    /// So many of them the gate knows of.
    told: i64,
    looks: u32,
    stopped: Option<ApiError>,
}

impl<'t> Holding<'t> {
    /// For work that may hold so many points.
    pub(crate) fn new(turn: &'t Turn, most: u64) -> Self {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Self { turn, most, held: 0, told: 0, looks: 0, stopped: None }
    }

    /// Takes note of more points; breaks when there is no room for them, or when nobody waits any more.
    pub(crate) fn take(&mut self, points: u64) -> ControlFlow<()> {
        self.held = self.held.saturating_add_unsigned(points);
        if self.held > self.most {
            let text = format!(
                "the answer would hold more than {} MiB in memory: add label matchers, a limit, or take a shorter time range",
                (self.most.cast_unsigned() * size_of::<f64>() as u64) >> 20
            );
            return self.stop(ApiError::execution(text));
        }
        if self.held - self.told >= PIECE && !self.tell() {
            return self.stop(ApiError::execution(
                "what queries and answers hold together is too much at the moment: ask again later",
            ));
        }
        self.look()
    }

    /// Takes note that points are free again.
    pub(crate) fn give_back(&mut self, points: u64) {
        self.held = self.held.saturating_sub_unsigned(points);
        if self.told - self.held >= PIECE {
            self.turn.lets_go((self.told - self.held).unsigned_abs());
            self.told = self.held;
        }
    }

    /// Looks now and then whether anybody still waits; breaks when nobody does.
    pub(crate) fn look(&mut self) -> ControlFlow<()> {
        self.looks = self.looks.wrapping_add(1);
        if !self.looks.is_multiple_of(LOOK_EVERY) || self.turn.goes_on() {
            return ControlFlow::Continue(());
        }
        self.stop(ApiError::canceled())
    }

    fn tell(&mut self) -> bool {
        let more = (self.held - self.told).unsigned_abs();
        self.told = self.held;
        self.turn.holds(more)
    }

    fn stop(&mut self, why: ApiError) -> ControlFlow<()> {
        self.stopped.get_or_insert(why);
        ControlFlow::Break(())
    }

    /// Whether it may go on.
    ///
    /// # Errors
    /// Why it was stopped.
    pub(crate) fn check(&mut self) -> Result<(), ApiError> {
        self.stopped.take().map_or(Ok(()), Err)
    }
}
