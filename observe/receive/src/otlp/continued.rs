//! Where totals of deltas go on after a restart: at the newest value that the store has of each series. Pure but for the store behind.
//!
//! What deltas have added up to is in memory only. After a restart a stream begins anew, and its total with it: a counter would seem to be
//! reset, which is harmless unless its first delta is larger than all before; a sum that goes up and down would be wrong for good; and a
//! request that is sent once more, because the answer to it was lost, would count twice. So the first total of a stream is added to
//! what the store has of each of its series, once.

use std::hash::BuildHasher;
use std::ops::ControlFlow;
use std::sync::Arc;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{CounterReset, Histogram, Matcher, Point as Value, Select, SeriesReader};

use super::delta::STALE_MS;
use super::model::Point;
use crate::limits::SYSTEM;
use crate::writer::RawLabel;

/// The store is asked so far back: a sender that was silent for longer begins anew, as one that was started again.
const BACK_MS: i64 = 86_400_000;

#[derive(Clone, Debug)]
struct Base {
    added: Value,
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
        total: Value,
        now_ms: i64,
    ) -> Value {
        let begins = point.is_fresh || point.is_anew;
        if !begins && self.bases.is_empty() {
            return total;
        }
        let key = self.hasher.hash_one(text);
        if point.is_anew {
            // A reset, which a total that goes on would hide.
            self.bases.remove(&key);
            return total;
        }
        if let Some(base) = self.bases.get_mut(&key)
            && (!point.is_fresh || base.first_ns == point.t_ns)
        {
            base.seen_ms = now_ms;
            return together(&base.added, &total, Sign::Plus).unwrap_or(total);
        }
        if !point.is_fresh {
            return total;
        }
        let added = newest(reader, raw, point.t_ms()).and_then(|(t_ms, value)| match t_ms == point.t_ms() {
            // The same point once more: its value is in the total already.
            true => together(&value, &total, Sign::Minus),
            false => Some(value),
        });
        let goes_on = added.as_ref().and_then(|added| together(added, &total, Sign::Plus));
        match added.filter(|_| goes_on.is_some()) {
            Some(added) => _ = self.bases.insert(key, Base { added, first_ns: point.t_ns, seen_ms: now_ms }),
            None => _ = self.bases.remove(&key),
        }
        goes_on.unwrap_or(total)
    }

    /// Forgets series whose streams are forgotten.
    pub(crate) fn sweep(&mut self, now_ms: i64) {
        if now_ms.saturating_sub(self.swept_ms) > STALE_MS / 10 {
            self.bases.retain(|_, base| now_ms.saturating_sub(base.seen_ms) <= STALE_MS);
            self.swept_ms = now_ms;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

/// What is there, more or less a total; `None` where they are of different kinds, have different bounds, or less than nothing is left.
fn together(there: &Value, total: &Value, sign: Sign) -> Option<Value> {
    match (there, total) {
        (Value::Float(a), Value::Float(b)) if sign == Sign::Plus => Some(Value::Float(a + b)),
        (Value::Float(a), Value::Float(b)) => Some(Value::Float(a - b)),
        (Value::Histogram(a), Value::Histogram(b)) if a.custom_bounds == b.custom_bounds => {
            let mut out = Histogram { reset: CounterReset::Unknown, ..Histogram::clone(a) };
            let combined = if sign == Sign::Plus { out.add(b) } else { out.subtract(b) };
            out.reset = CounterReset::Unknown;
            out.compact();
            (combined.is_ok() && out.verify().is_ok()).then(|| Value::Histogram(Arc::new(out)))
        }
        _ => None,
    }
}

/// The newest value that the store has of a series, and its time. What cannot be read is not there.
fn newest(reader: &dyn SeriesReader, raw: &[RawLabel<'_>], until_ms: i64) -> Option<(i64, Value)> {
    let pairs: Option<Vec<(&str, &str)>> =
        raw.iter().map(|(n, v)| Some((std::str::from_utf8(n).ok()?, std::str::from_utf8(v).ok()?))).collect();
    let pairs = pairs?;
    let matchers = pairs.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    let select = Select { matchers, start_ms: until_ms.saturating_sub(BACK_MS), end_ms: until_ms };
    let mut found: Option<(i64, Value)> = None;
    // What cannot be read lets the total begin anew; the store counts its damage itself.
    let visited = reader.visit_newest(&select, &mut |series| {
        let last = series.timestamps.len().checked_sub(1);
        let last = last.and_then(|at| Some((*series.timestamps.get(at)?, series.values.get(at)?)));
        if let Some((t_ms, value)) = last.filter(|_| is_it(&series.labels, &pairs))
            && found.as_ref().is_none_or(|(before, _)| *before < t_ms)
        {
            found = Some((t_ms, value));
        }
        ControlFlow::Continue(())
    });
    visited.ok()?;
    found.filter(|(_, value)| match value {
        Value::Float(value) => value.is_finite(),
        Value::Histogram(h) => !h.is_stale() && h.reset != CounterReset::Gauge,
    })
}

/// Whether labels of the store are those that were sent; the receiver may have added the system.
fn is_it(labels: &Labels, sent: &[(&str, &str)]) -> bool {
    let given = sent.iter().filter(|(_, value)| !value.is_empty()).count();
    let added = labels.get(SYSTEM).is_some() && !sent.iter().any(|(name, _)| *name == SYSTEM);
    labels.len() == given + usize::from(added)
}
