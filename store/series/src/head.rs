//! What is in memory: the newest rows of every group, open and sealed. Pure.

use std::sync::Arc;

use hashbrown::HashMap;
use kernel::series::{Row, SeriesError};

use crate::limits;
use crate::span::{OpenSpan, SpanView};

/// A span that takes no more rows.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) body: Body,
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
}

/// What a sealed span consists of.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// As it will be in a block.
    Bytes(Arc<[u8]>),
    /// Not encoded yet: a block is being made of it, and encoding everything at once would keep callers waiting.
    Frozen(Arc<OpenSpan>),
}

impl Sealed {
    /// The span as bytes.
    pub(crate) fn bytes(&self, group: u32) -> Arc<[u8]> {
        match &self.body {
            Body::Bytes(bytes) => bytes.clone(),
            Body::Frozen(span) => span.encode(group).into(),
        }
    }

    fn size(&self) -> usize {
        match &self.body {
            Body::Bytes(bytes) => bytes.len(),
            Body::Frozen(span) => span.heap(),
        }
    }
}

/// The rows of one group that are in no block yet.
#[derive(Debug)]
pub(crate) struct Group {
    /// Time of the newest row anywhere, blocks included.
    pub(crate) newest_ms: i64,
    /// Time of the oldest row anywhere.
    pub(crate) oldest_ms: i64,
    pub(crate) sealed: Vec<Sealed>,
    pub(crate) open: OpenSpan,
}

impl Default for Group {
    fn default() -> Self {
        Self { newest_ms: i64::MIN, oldest_ms: i64::MAX, sealed: Vec::new(), open: OpenSpan::default() }
    }
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Newer,
    Duplicate,
    OutOfOrder,
}

/// All groups in memory.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) groups: HashMap<u32, Group>,
    /// Bytes of sealed spans.
    pub(crate) sealed_bytes: usize,
    /// Time of the oldest row that is in no block.
    pub(crate) oldest_ms: Option<i64>,
    /// Time of the newest row that was taken.
    pub(crate) newest_ms: Option<i64>,
}

impl Head {
    /// Notes that blocks hold rows of a group between two times.
    pub(crate) fn known(&mut self, group: u32, oldest_ms: i64, newest_ms: i64) {
        let group = self.groups.entry(group).or_default();
        group.newest_ms = group.newest_ms.max(newest_ms);
        group.oldest_ms = group.oldest_ms.min(oldest_ms);
    }

    /// What becomes of a row, given the newest row of its group that was taken before it.
    pub(crate) fn judge(&self, row: &Row, newest_ms: Option<i64>) -> Verdict {
        let group = self.groups.get(&row.group.0);
        let newest = newest_ms.or(group.map(|g| g.newest_ms)).unwrap_or(i64::MIN);
        if row.t_ms > newest {
            return Verdict::Newer;
        }
        let same = group.is_some_and(|g| g.holds(row));
        if same { Verdict::Duplicate } else { Verdict::OutOfOrder }
    }

    /// Takes a row that was judged newer.
    pub(crate) fn push(&mut self, row: &Row) {
        let group = self.groups.entry(row.group.0).or_default();
        if !group.open.takes(row.t_ms) {
            self.sealed_bytes += group.seal(row.group.0);
        }
        group.open.push(row.t_ms, &row.values);
        group.newest_ms = row.t_ms;
        group.oldest_ms = group.oldest_ms.min(row.t_ms);
        self.oldest_ms = Some(self.oldest_ms.map_or(row.t_ms, |t| t.min(row.t_ms)));
        self.newest_ms = Some(self.newest_ms.map_or(row.t_ms, |t| t.max(row.t_ms)));
    }

    /// Seals everything without encoding it.
    pub(crate) fn freeze_all(&mut self) {
        for group in self.groups.values_mut() {
            self.sealed_bytes += group.freeze();
        }
    }

    /// Forgets spans that a block holds now: so many of each group, oldest first.
    pub(crate) fn forget(&mut self, counts: &[(u32, usize)]) {
        for (id, count) in counts {
            if let Some(group) = self.groups.get_mut(id) {
                let gone = group.sealed.drain(..*count).map(|s| s.size()).sum::<usize>();
                self.sealed_bytes -= gone.min(self.sealed_bytes);
                group.sealed.shrink_to_fit();
            }
        }
        let first = |g: &Group| g.sealed.first().map(|s| s.min_ms).or_else(|| g.open.range().map(|(first, _)| first));
        self.oldest_ms = self.groups.values().filter_map(first).min();
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap(&self) -> usize {
        self.sealed_bytes
            + self.groups.capacity() * (size_of::<Group>() + 8)
            + self.groups.values().map(|g| g.open.heap() + g.sealed.capacity() * size_of::<Sealed>()).sum::<usize>()
    }

    /// # Errors
    /// Too much is in memory.
    pub(crate) fn verify_room(&self) -> Result<(), SeriesError> {
        if self.sealed_bytes < limits::HEAD_BYTES {
            return Ok(());
        }
        Err(SeriesError::Limit {
            what: "bytes of series in memory",
            limit: limits::HEAD_BYTES as u64,
            advice: "blocks cannot be written: see the log, and free space on the disk",
        })
    }
}

impl Group {
    /// Makes the open rows a sealed span; returns its bytes.
    fn seal(&mut self, id: u32) -> usize {
        let bytes: Arc<[u8]> = self.open.encode(id).into();
        self.close(|_| Body::Bytes(bytes))
    }

    /// Makes the open rows a span that is encoded later; returns its bytes.
    fn freeze(&mut self) -> usize {
        self.close(|span| Body::Frozen(Arc::new(span)))
    }

    fn close(&mut self, body: impl FnOnce(OpenSpan) -> Body) -> usize {
        let Some((min_ms, max_ms)) = self.open.range() else { return 0 };
        let sealed = Sealed { body: body(std::mem::take(&mut self.open)), min_ms, max_ms };
        let size = sealed.size();
        self.sealed.push(sealed);
        size
    }

    /// Whether the rows in memory hold exactly this row.
    fn holds(&self, row: &Row) -> bool {
        let wanted = |values: &[Option<u64>]| {
            values.len() == row.values.len()
                && values.iter().zip(&row.values).all(|(have, want)| *have == want.map(f64::to_bits))
        };
        if let Some(values) = self.open.row(row.t_ms) {
            return wanted(&values);
        }
        let Some(span) = self.sealed.iter().find(|s| s.min_ms <= row.t_ms && row.t_ms <= s.max_ms) else {
            return false;
        };
        let bytes = match &span.body {
            Body::Bytes(bytes) => bytes,
            Body::Frozen(span) => return span.row(row.t_ms).is_some_and(|values| wanted(&values)),
        };
        let Some(view) = SpanView::parse(bytes) else { return false };
        let Ok(at) = view.times.binary_search(&row.t_ms) else { return false };
        wanted(&(0..view.width()).map(|c| view.column(c).and_then(|v| v.at(at))).collect::<Vec<_>>())
    }
}
