//! Verification of a stream of entries, every problem named. Pure: one pass, memory that does not grow with the trail.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use kernel::trail::{Deed, Entry, Hash, Head, hash_entry};
use serde::Serialize;

use crate::{Found, Omitted, Problem, PublicKey, SignedCheckpoint};

/// Problems named one by one, and gaps remembered; more are counted. Nobody reads a thousand lines of the same damage.
pub const MOST_PROBLEMS: usize = 1_000;

/// Action of the deed by which a trail tells that it has a new key; its field `key` names it.
pub const KEY_ACTION: &str = "trail.key";

/// Where what was verified begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// There is no entry.
    Nothing,
    /// At the trail's first entry.
    First,
    /// Behind a signed checkpoint: what was before was cut after its legal time, or is not part of this excerpt.
    Checkpoint,
    /// Nobody vouches for it.
    Unknown,
}

/// What verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Entries verified with their deeds.
    pub entries: u64,
    /// Entries of which only the hash is there.
    pub omitted: u64,
    /// Number of the first.
    pub first: u64,
    /// Number of the last, and its hash.
    pub last: Head,
    /// Where it begins.
    pub start: Start,
    /// Checkpoints with a good signature.
    pub checkpoints: u64,
    /// Entries up to this one are covered by a signature, 0: none.
    pub signed_until: u64,
    /// When that signature was made.
    pub signed_at: Option<Timestamp>,
    /// Entries after it: chained, but nothing would tell if the last of them were cut.
    pub unsigned: u64,
    /// The keys that signed.
    pub keys: Vec<PublicKey>,
    /// What is wrong.
    pub problems: Found,
}

impl Report {
    /// Two excerpts of one trail as one report: numbers from the first to the last of both.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.entries += other.entries;
        self.omitted += other.omitted;
        self.checkpoints += other.checkpoints;
        self.first = self.first.min(other.first);
        if other.last.sequence > self.last.sequence {
            (self.last, self.unsigned) = (other.last, other.unsigned);
        }
        if other.signed_until > self.signed_until {
            (self.signed_until, self.signed_at) = (other.signed_until, other.signed_at);
        }
        if other.start == Start::Unknown {
            self.start = Start::Unknown;
        }
        self.keys.extend(other.keys);
        self.keys.sort_unstable();
        self.keys.dedup();
        other.problems.named.into_iter().for_each(|p| self.problems.add(p));
        self.problems.more += other.problems.more;
        self
    }

    /// Whether nothing is wrong.
    pub const fn is_whole(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Verifies a trail: give it the checkpoints, then the entries in the order in which they stand, then finish.
#[derive(Debug, Default)]
pub struct Verifier {
    trusted: BTreeSet<PublicKey>,
    introduces: bool,
    /// Signed checkpoints that no entry has met yet, by the sequence that they vouch for.
    waiting: BTreeMap<u64, Vec<SignedCheckpoint>>,
    checkpoints: u64,
    /// Which keys signed, and the first entry that each vouches for.
    keys: BTreeMap<PublicKey, u64>,
    first: Option<(u64, Hash)>,
    last: Head,
    /// Numbers that were jumped over, as first and last.
    gaps: BTreeMap<u64, u64>,
    entries: u64,
    omitted: u64,
    signed: Option<(u64, Timestamp)>,
    start: Option<Start>,
    problems: Found,
}

impl Verifier {
    /// Trusting these keys and no others. Without any, the keys are reported and it is up to the caller to compare them.
    pub fn new(trusted: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { trusted: trusted.into_iter().collect(), ..Self::default() }
    }

    /// Trusting the keys that the trail's own entries introduce as well: for whoever has the trail itself and not a copy
    /// that somebody gave them.
    #[must_use]
    pub fn with_introduced_keys(mut self) -> Self {
        self.introduces = true;
        self
    }

    /// Takes a checkpoint. All of them must come before the entries that they vouch for.
    pub fn checkpoint(&mut self, signed: &SignedCheckpoint) {
        let point = &signed.checkpoint;
        if !signed.is_signed() {
            return self.problems.add(Problem::BadSignature { sequence: point.sequence });
        }
        let known = self.waiting.entry(point.sequence).or_default();
        if !known.contains(signed) {
            self.checkpoints += 1;
            known.push(*signed);
        }
        let from = self.keys.entry(point.key).or_insert(point.sequence);
        *from = (*from).min(point.sequence);
    }

    /// Takes an entry.
    pub fn entry(&mut self, entry: &Entry) {
        self.entries += 1;
        // Canonical JSON: the action comes first.
        if self.introduces && entry.text.starts_with(r#"{"action":"trail.key""#) {
            self.introduce(entry);
        }
        self.link(entry.sequence, entry.previous, entry.hash, entry.content());
    }

    /// Takes an entry of which only the hash is there.
    pub fn omitted(&mut self, entry: &Omitted) {
        self.omitted += 1;
        self.link(entry.sequence, entry.previous, entry.hash, entry.content);
    }

    /// Adds what the caller found beside the chain.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.add(problem);
    }

    fn introduce(&mut self, entry: &Entry) {
        let deed = entry.deed().ok().filter(|d: &Deed| d.action == KEY_ACTION);
        let named = deed.iter().flat_map(|d| &d.change).filter(|c| c.field == "key");
        let keys: Vec<_> = named.filter_map(|c| PublicKey::parse(c.after.as_deref()?)).collect();
        self.trusted.extend(keys);
    }

    fn link(&mut self, sequence: u64, previous: Hash, hash: Hash, content: Hash) {
        if hash_entry(sequence, &previous, &content) != hash {
            self.problems.add(Problem::Changed { sequence });
        }
        match self.first {
            None => self.begin(sequence, previous),
            Some(_) => {
                let expected = self.last.sequence + 1;
                if sequence < expected {
                    return self.behind(sequence, hash);
                }
                if sequence > expected {
                    self.gap(expected, sequence - 1);
                } else if previous != self.last.hash {
                    self.problems.add(Problem::Unlinked { sequence });
                }
            }
        }
        self.last = Head { sequence, hash };
        self.meet(sequence, hash);
    }

    fn begin(&mut self, sequence: u64, previous: Hash) {
        self.first = Some((sequence, previous));
        let mut start = Start::First;
        if sequence != 1 || previous != Hash::ZERO {
            let before = sequence.checked_sub(1);
            let vouching = before.and_then(|n| self.waiting.get(&n));
            let vouched = vouching.is_some_and(|all| all.iter().any(|s| s.checkpoint.hash == previous));
            start = if vouched { Start::Checkpoint } else { Start::Unknown };
            // What was signed before the first entry cannot be compared any more.
            self.waiting = self.waiting.split_off(&sequence);
        }
        if start == Start::Unknown {
            self.problems.add(Problem::CutHead { first: sequence });
        }
        self.start = Some(start);
    }

    /// An entry whose number is not above the highest one so far.
    fn behind(&mut self, sequence: u64, hash: Hash) {
        let gap = self.gaps.range(..=sequence).next_back().map(|(a, b)| (*a, *b)).filter(|(_, b)| sequence <= *b);
        let Some((a, b)) = gap else {
            return self.problems.add(Problem::Duplicate { sequence });
        };
        self.gaps.remove(&a);
        if a < sequence {
            self.gaps.insert(a, sequence - 1);
        }
        if sequence < b {
            self.gaps.insert(sequence + 1, b);
        }
        self.problems.add(Problem::OutOfOrder { sequence, after: self.last.sequence });
        self.meet(sequence, hash);
    }

    fn gap(&mut self, first: u64, last: u64) {
        if self.gaps.len() < MOST_PROBLEMS {
            self.gaps.insert(first, last);
        } else {
            self.problems.add(Problem::Missing { first, last });
        }
    }

    /// Compares an entry with the checkpoints that vouch for it.
    fn meet(&mut self, sequence: u64, hash: Hash) {
        for signed in self.waiting.remove(&sequence).unwrap_or_default() {
            if signed.checkpoint.hash == hash {
                self.signed = self.signed.max(Some((sequence, signed.checkpoint.at)));
            } else {
                self.problems.add(Problem::Rewritten { sequence });
            }
        }
    }

    /// What was found.
    pub fn finish(mut self) -> Report {
        for (first, last) in std::mem::take(&mut self.gaps) {
            self.problems.add(Problem::Missing { first, last });
        }
        let highest = self.waiting.iter().next_back().map(|(sequence, _)| *sequence);
        if let Some(signed) = highest.filter(|s| *s > self.last.sequence) {
            self.problems.add(Problem::CutTail { last: self.last.sequence, signed });
        }
        if !self.trusted.is_empty() {
            for (key, sequence) in self.keys.iter().filter(|(k, _)| !self.trusted.contains(k)) {
                self.problems.add(Problem::UnknownKey { sequence: *sequence, key: *key });
            }
        }
        let signed_until = self.signed.map_or(0, |(sequence, _)| sequence);
        let first = self.first.map_or(0, |(sequence, _)| sequence);
        let covered = signed_until.max(first.saturating_sub(1));
        Report {
            entries: self.entries,
            omitted: self.omitted,
            first,
            last: self.last,
            start: self.start.unwrap_or(Start::Nothing),
            checkpoints: self.checkpoints,
            signed_until,
            signed_at: self.signed.map(|(_, at)| at),
            unsigned: self.last.sequence.saturating_sub(covered),
            keys: self.keys.into_keys().collect(),
            problems: self.problems,
        }
    }
}
