//! Small pieces that several pages show: a state with icon and word, the heartbeat bar. Pure.

use kernel::Language;
use kernel::probe::Outcome;

use crate::live::Beat;
use crate::text::{phrases, text};

/// A state as shown: colour class, icon and word, always all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateView {
    /// Class of the style sheet and name of the icon.
    pub(crate) class: &'static str,
    /// The word.
    pub(crate) word: &'static str,
}

impl StateView {
    /// Of an outcome.
    pub(crate) fn of(outcome: Outcome, language: Language) -> Self {
        let c = &text(language).common;
        let word = match outcome {
            Outcome::Up => c.state_up,
            Outcome::Slow => c.state_slow,
            Outcome::Down => c.state_down,
            Outcome::Blind => c.state_blind,
        };
        Self { class: outcome.as_str(), word }
    }
}

/// Width of one result in the bar, gap included.
const SLOT: usize = 5;
const HEIGHT: usize = 20;

/// A heartbeat bar as SVG paths, one per outcome. Heights differ as colours do, so that the bar reads without colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Width of the drawing.
    pub(crate) width: usize,
    /// Path per outcome: up, slow, down, blind.
    pub(crate) up: String,
    /// Slow ones.
    pub(crate) slow: String,
    /// Failed ones.
    pub(crate) down: String,
    /// Ones without data.
    pub(crate) blind: String,
    /// The same in words.
    pub(crate) words: String,
}

impl Bar {
    /// Of the last `slots` results, right-aligned.
    pub(crate) fn new<'a>(beats: impl ExactSizeIterator<Item = &'a Beat>, slots: usize, language: Language) -> Self {
        use std::fmt::Write as _;
        let mut bar = Self { width: slots * SLOT - 1, ..Self::default() };
        let skip = beats.len().saturating_sub(slots);
        let first = slots.saturating_sub(beats.len());
        let mut counts = [0usize; 4];
        for (i, beat) in beats.skip(skip).enumerate() {
            let (path, height, count) = match beat.outcome {
                Outcome::Up => (&mut bar.up, 14, 0),
                Outcome::Slow => (&mut bar.slow, 17, 1),
                Outcome::Down => (&mut bar.down, HEIGHT, 2),
                Outcome::Blind => (&mut bar.blind, 4, 3),
            };
            counts[count] += 1;
            // Writing into a String cannot fail.
            let _ = write!(path, "M{} {}h4v{height}h-4z", (first + i) * SLOT, HEIGHT - height);
        }
        bar.words = phrases::beats(language, counts[0], counts[1], counts[2], counts[3]);
        bar
    }
}

/// What a component's or check's row shows as its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The number with its unit.
    pub(crate) text: String,
    /// What it is, where it is not a response time.
    pub(crate) note: &'static str,
}
