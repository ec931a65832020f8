//! Where totals of deltas go on after a restart: at the newest value that the store has of each series. Pure but for the store behind.
//!
//! What deltas have added up to is in memory only. After a restart a stream begins anew, and its total with it: a counter would seem to be
//! reset, which is harmless unless its first delta is larger than all before; a sum that goes up and down would be wrong for good; and a
//! request that is sent once more, because the answer to it was lost, would count twice. So the first total of a stream is added to
//! what the store has of each of its series, once.

use std::hash::BuildHasher;
use std::ops::ControlFlow;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{Matcher, Point as Value, Select, SeriesReader, is_stale};

use super::delta::STALE_MS;
use super::model::Point;
use crate::limits::SYSTEM;
use crate::writer::RawLabel;

/// The store is asked so far back: a sender that was silent for longer begins anew, as one that was started again.
const BACK_MS: i64 = 86_400_000;

#[derive(Clone, Copy, Debug)]
struct Base {
    added: f64,
    /// The first point of the stream, nanoseconds.
    first_ns: u64,
    seen_ms: i64,
}

/// What is added to the totals of one sender's series; series that began here have no entry.
#[derive(Debug, Default)]
pub(crate) struct Continued {
    bases: HashMap<u64, Base>,
    hasher: foldhash::quality::RandomState,
    swept_ms: i64,
}

impl Continued {
    /// The total of a series: that of its stream, and what was there before the stream was known. `text` tells series apart.
    pub(crate) fn total<V>(
        &mut self,
        reader: &dyn SeriesReader,
        (text, raw): (&[u8], &[RawLabel<'_>]),
        point: &Point<'_, V>,
        total: f64,
        now_ms: i64,
    ) -> f64 {
        if !point.is_fresh && self.bases.is_empty() {
            return total;
        }
        let key = self.hasher.hash_one(text);
        if let Some(base) = self.bases.get_mut(&key)
            && (!point.is_fresh || base.first_ns == point.t_ns)
        {
            base.seen_ms = now_ms;
            return total + base.added;
        }
        if !point.is_fresh {
            return total;
        }
        match newest(reader, raw, point.t_ms()) {
            Some((t_ms, value)) => {
                // The same point once more: its value is in the total already.
                let added = if t_ms == point.t_ms() { value - total } else { value };
                self.bases.insert(key, Base { added, first_ns: point.t_ns, seen_ms: now_ms });
                total + added
            }
            None => {
                self.bases.remove(&key);
                total
            }
        }
    }

    /// Forgets series whose streams are forgotten.
    pub(crate) fn sweep(&mut self, now_ms: i64) {
        if now_ms.saturating_sub(self.swept_ms) > STALE_MS / 10 {
            self.bases.retain(|_, base| now_ms.saturating_sub(base.seen_ms) <= STALE_MS);
            self.swept_ms = now_ms;
        }
    }
}

/// The newest number that the store has of a series, and its time. What cannot be read is not there.
fn newest(reader: &dyn SeriesReader, raw: &[RawLabel<'_>], until_ms: i64) -> Option<(i64, f64)> {
    let pairs: Option<Vec<(&str, &str)>> =
        raw.iter().map(|(n, v)| Some((std::str::from_utf8(n).ok()?, std::str::from_utf8(v).ok()?))).collect();
    let pairs = pairs?;
    let matchers = pairs.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    let select = Select { matchers, start_ms: until_ms.saturating_sub(BACK_MS), end_ms: until_ms };
    let mut found: Option<(i64, f64)> = None;
    // What cannot be read lets the total begin anew; the store counts its damage itself.
    let visited = reader.visit_newest(&select, &mut |series| {
        let last = series.timestamps.len().checked_sub(1);
        let last = last.and_then(|at| Some((*series.timestamps.get(at)?, series.values.get(at)?)));
        if let Some((t_ms, Value::Float(value))) = last.filter(|_| is_it(&series.labels, &pairs))
            && found.is_none_or(|(before, _)| before < t_ms)
        {
            found = Some((t_ms, value));
        }
        ControlFlow::Continue(())
    });
    visited.ok()?;
    found.filter(|(_, value)| !is_stale(*value) && value.is_finite())
}

/// Whether labels of the store are those that were sent; the receiver may have added the system.
fn is_it(labels: &Labels, sent: &[(&str, &str)]) -> bool {
    let given = sent.iter().filter(|(_, value)| !value.is_empty()).count();
    let added = labels.get(SYSTEM).is_some() && !sent.iter().any(|(name, _)| *name == SYSTEM);
    labels.len() == given + usize::from(added)
}
