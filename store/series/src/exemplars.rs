//! Exemplars: the newest of all series, in a ring, and the file that keeps them when the log no longer does. I/O.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use kernel::Labels;
use kernel::series::{Exemplar, SeriesError};

use crate::codec::{Cursor, put_text, put_varint, unzigzag, zigzag};
use crate::files::replace;
use crate::frame::{put_frame, scan};
use crate::limits::{EXEMPLARS, LABEL_BYTES, LABELS};

const NAME: &str = "exemplars";
const MAGIC: &[u8; 8] = b"FAROEXM1";
/// Kind of the frames: exemplars with the labels of their series.
const SOME: u8 = 1;
/// Exemplars in one frame: a damaged one costs no more than these.
const PER_FRAME: usize = 1_024;

/// The newest exemplars, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    all: VecDeque<(Labels, Exemplar)>,
    /// The newest of each series that is in the ring.
    newest: HashMap<Labels, Exemplar>,
    /// Hashes of all that are in the ring, by which one that comes again is known: a native histogram tells its dozens with every scrape.
    known: HashSet<u64>,
    unsaved: bool,
}

impl Ring {
    /// Adds an exemplar; one that is in the ring is left out, and said so.
    pub(crate) fn push(&mut self, series: Labels, exemplar: Exemplar) -> bool {
        if !self.known.insert(self.hash(&series, &exemplar)) {
            return false;
        }
        if self.all.len() >= EXEMPLARS
            && let Some((labels, oldest)) = self.all.pop_front()
        {
            self.known.remove(&self.hash(&labels, &oldest));
            if self.newest.get(&labels) == Some(&oldest) {
                self.newest.remove(&labels);
            }
        }
        self.newest.insert(series.clone(), exemplar.clone());
        self.all.push_back((series, exemplar));
        self.unsaved = true;
        true
    }

    /// Adds an exemplar of the log, which may be one that was loaded, or one that had to go: in a full ring, what is older than its
    /// series' newest.
    pub(crate) fn push_again(&mut self, series: Labels, exemplar: Exemplar) {
        if self.all.len() < EXEMPLARS || self.newest.get(&series).is_none_or(|newest| newest.t_ms <= exemplar.t_ms) {
            self.push(series, exemplar);
        }
    }

    /// With a key of the process, so that nobody can make two alike.
    fn hash(&self, series: &Labels, exemplar: &Exemplar) -> u64 {
        self.newest.hasher().hash_one((series, exemplar.t_ms, exemplar.value.to_bits(), &exemplar.labels))
    }

    /// Whether exemplars came since they were saved.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// As the file keeps them.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (mut out, mut payload, mut held) = (MAGIC.to_vec(), Vec::new(), 0);
        for (series, exemplar) in &self.all {
            put_labels(&mut payload, series);
            put(&mut payload, exemplar);
            held += 1;
            if held == PER_FRAME {
                put_frame(&mut out, SOME, &payload);
                payload.clear();
                held = 0;
            }
        }
        if held > 0 {
            put_frame(&mut out, SOME, &payload);
        }
        out
    }

    /// Notes that these many are saved; those that came meanwhile are not.
    pub(crate) fn saved(&mut self, count: usize, newest: Option<&Exemplar>) {
        self.unsaved = self.all.len() != count || self.all.back().map(|(_, e)| e) != newest;
    }

    /// The newest.
    pub(crate) fn last(&self) -> Option<&Exemplar> {
        self.all.back().map(|(_, exemplar)| exemplar)
    }

    /// Adds what a file keeps; what is damaged, for people.
    pub(crate) fn load(&mut self, folder: &Path) -> Option<String> {
        let path = folder.join(NAME);
        let bytes = crate::disk::read(&path).ok()?;
        if !bytes.starts_with(MAGIC) {
            return Some(format!("{}: the first bytes are not those of a file of exemplars", path.display()));
        }
        let frames = scan(&bytes, MAGIC.len());
        let mut whole = frames.damaged.is_empty() && frames.end == bytes.len();
        for (_, payload) in frames.frames.iter().filter(|(kind, _)| *kind == SOME) {
            let mut cursor = Cursor::new(payload);
            while !cursor.is_empty() {
                let Some((series, exemplar)) = read_labels(&mut cursor).zip(read(&mut cursor)) else {
                    whole = false;
                    break;
                };
                self.push(series, exemplar);
            }
        }
        self.unsaved = false;
        (!whole).then(|| format!("{}: some exemplars are damaged", path.display()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Labels, Exemplar)> {
        self.all.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

/// Writes an exemplar.
pub(crate) fn put(out: &mut Vec<u8>, exemplar: &Exemplar) {
    put_varint(out, zigzag(exemplar.t_ms));
    out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
    put_labels(out, &exemplar.labels);
}

fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    put_varint(out, labels.len() as u64);
    for (name, value) in labels.iter() {
        put_text(out, name);
        put_text(out, value);
    }
}

fn read_labels(cursor: &mut Cursor<'_>) -> Option<Labels> {
    let count = cursor.length(LABELS)?;
    let mut text = || cursor.text(LABEL_BYTES).map(Arc::from);
    let pairs = (0..count).map(|_| Some((text()?, text()?))).collect::<Option<Vec<_>>>()?;
    Some(Labels::from_shared(pairs))
}

/// Brings exemplars to their file, in place of what was there.
pub(crate) fn save(folder: &Path, bytes: &[u8]) -> Result<(), SeriesError> {
    replace("write the exemplars to", &folder.join(NAME), bytes).map(drop)
}

/// Reads what [`put`] wrote.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Option<Exemplar> {
    let t_ms = unzigzag(cursor.varint()?);
    let value = f64::from_bits(cursor.u64()?);
    Some(Exemplar { labels: read_labels(cursor)?, value, t_ms })
}
