//! What can be wrong with a trail, each in words that say what was found and what it means. Pure.

use kernel::trail::Hash;
use serde::Serialize;

use crate::PublicKey;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// What an entry says is not what its hash was made of.
    #[error("entry {sequence} was changed: its content does not give its hash")]
    Changed {
        /// Which entry.
        sequence: u64,
    },
    /// An entry does not go on from the one before it.
    #[error("entry {sequence} does not follow from the entry before it: one of both was replaced")]
    Unlinked {
        /// Which entry.
        sequence: u64,
    },
    /// Entries are not there.
    #[error("{}", missing(*first, *last))]
    Missing {
        /// The first that is missing.
        first: u64,
        /// The last that is missing.
        last: u64,
    },
    /// An entry stands in the wrong place.
    #[error("entry {sequence} stands after entry {after}: entries were reordered")]
    OutOfOrder {
        /// Which entry.
        sequence: u64,
        /// The highest entry before it.
        after: u64,
    },
    /// An entry is there twice.
    #[error("entry {sequence} is there twice")]
    Duplicate {
        /// Which entry.
        sequence: u64,
    },
    /// The beginning is not there, and no checkpoint says where what is left begins.
    #[error("the entries before {first} are gone, and no signed checkpoint vouches for where the rest begins")]
    CutHead {
        /// The first entry that is there.
        first: u64,
    },
    /// The end is not there.
    #[error("the end was cut: the last entry is {last}, but a signed checkpoint covers entries up to {signed}")]
    CutTail {
        /// The last entry that is there; 0 when there is none.
        last: u64,
        /// The entry that the checkpoint vouches for.
        signed: u64,
    },
    /// A checkpoint vouches for another entry than the one that is there.
    #[error("entry {sequence} is not the one that was signed: the chain was written anew")]
    Rewritten {
        /// The entry at the checkpoint.
        sequence: u64,
    },
    /// A signature does not fit.
    #[error("the checkpoint of entry {sequence} is not signed by the key that it names")]
    BadSignature {
        /// The entry at the checkpoint.
        sequence: u64,
    },
    /// The signature fits, but nobody vouches for the key.
    #[error("the checkpoint of entry {sequence} is signed by the key {key}, which is none of the trail's keys")]
    UnknownKey {
        /// The entry at the checkpoint.
        sequence: u64,
        /// The key.
        key: PublicKey,
    },
    /// A line is not what an export consists of.
    #[error("line {line} cannot be read: {reason}")]
    Unreadable {
        /// Its number, from 1.
        line: u64,
        /// Why.
        reason: String,
    },
    /// The export is not complete, or its text was changed.
    #[error("the export is not what was written: {reason}")]
    NotWhole {
        /// How that is seen.
        reason: String,
    },
    /// Something beside the chain says otherwise: a column, the head, the other copy of the checkpoints, a document's text.
    #[error("{what}")]
    Contradiction {
        /// What contradicts what.
        what: String,
    },
}

fn missing(first: u64, last: u64) -> String {
    if first == last { format!("entry {first} is missing") } else { format!("entries {first} to {last} are missing") }
}

/// Problems, named one by one up to a limit and counted beyond it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// The problems.
    pub named: Vec<Problem>,
    /// How many more there are.
    pub more: u64,
}

impl Found {
    /// Adds one.
    pub(crate) fn add(&mut self, problem: Problem) {
        if self.named.len() < crate::MOST_PROBLEMS {
            self.named.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.named.is_empty() && self.more == 0
    }
}

/// The hash of a text's bytes, for contradictions.
pub(crate) fn same(text: &str, hash: &Hash) -> bool {
    Hash::of(text.as_bytes()) == *hash
}
