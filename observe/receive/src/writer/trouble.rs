//! What was wrong with a request, in the sender's words and in numbers. Pure.

use crate::limits::{Counters, Reason};

/// Why a series or sample is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason it is counted by.
    pub reason: Reason,
    /// What the sender is told.
    pub text: String,
}

/// What was wrong with a request.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    texts: Vec<String>,
    untold: u64,
    counts: [u64; Reason::ALL.len()],
}

impl Trouble {
    /// So many are named; the others are counted.
    pub(crate) const TEXTS: usize = 10;

    /// Keeps what is said to the sender.
    pub(crate) fn note(&mut self, refusal: Refusal) {
        if self.texts.len() < Self::TEXTS {
            self.texts.push(refusal.text);
        } else {
            self.untold += 1;
        }
    }

    /// Counts samples that are left out.
    pub(crate) fn count(&mut self, reason: Reason, samples: u64) {
        if let Some(count) = self.counts.get_mut(reason as usize) {
            *count += samples;
        }
    }

    /// Whether the sender has to be told.
    pub(crate) fn is_silent(&self) -> bool {
        self.texts.is_empty()
    }

    /// Samples that were left out.
    pub(crate) fn samples(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What the sender is told, a line each.
    pub(crate) fn text(&self) -> String {
        let mut text = self.texts.join("\n");
        if self.untold > 0 {
            text.push_str(&format!("\nand {} more", self.untold));
        }
        text
    }

    /// Adds it to the counters.
    pub(crate) fn tell(&self, counters: &Counters) {
        for (reason, count) in Reason::ALL.into_iter().zip(self.counts) {
            if count > 0 {
                counters.reject(reason, count);
            }
        }
    }
}
