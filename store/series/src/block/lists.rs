//! The index of a block: for each label its values, and for each value the series that have it. Pure.

use std::cell::Cell;
use std::sync::Arc;

use kernel::series::{MatchOp, Matcher};

use super::{Block, CHUNK_SERIES, Entry};
use crate::codec::{Cursor, put_varint};
use crate::index::{Lists, Verdicts};
use crate::rollup::FIGURE;

/// The values of one label and the series of each.
#[derive(Debug)]
pub(crate) struct NameLists {
    /// Symbols of the values, ascending.
    values: Vec<u32>,
    /// Where the list of each value ends.
    ends: Vec<u32>,
    /// Lists of series: gaps as variable-length integers.
    bytes: Box<[u8]>,
}

/// Writes the lists of a label: symbol of a value to its series, both ascending.
pub(super) fn put(lists: &std::collections::BTreeMap<u32, Vec<u32>>) -> Vec<u8> {
    let (mut out, mut bytes, mut before) = (Vec::new(), Vec::new(), 0);
    put_varint(&mut out, lists.len() as u64);
    for (value, series) in lists {
        put_varint(&mut out, u64::from(value - before));
        before = *value;
        let start = bytes.len();
        let mut last = 0;
        for s in series {
            put_varint(&mut bytes, u64::from(s - last));
            last = *s;
        }
        put_varint(&mut out, (bytes.len() - start) as u64);
    }
    out.extend_from_slice(&bytes);
    out
}

impl NameLists {
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut cursor = Cursor::new(&bytes);
        let count = cursor.length(bytes.len())?;
        let (mut values, mut ends) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut value, mut end) = (0u32, 0u32);
        for _ in 0..count {
            value = value.checked_add(u32::try_from(cursor.varint()?).ok()?)?;
            end = end.checked_add(u32::try_from(cursor.varint()?).ok()?)?;
            values.push(value);
            ends.push(end);
        }
        (cursor.rest().len() == end as usize).then(|| Self { values, ends, bytes: cursor.rest().into() })
    }

    pub(super) fn heap(&self) -> usize {
        self.values.len() * 8 + self.bytes.len()
    }

    /// As many series as a list has, or somewhat more: each takes a byte at least.
    fn at_most(&self, at: usize) -> u64 {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        u64::from(self.ends[at] - start)
    }

    fn list(&self, at: usize) -> impl Iterator<Item = u32> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut cursor = Cursor::new(&self.bytes[start as usize..self.ends[at] as usize]);
        let mut series = 0u32;
        std::iter::from_fn(move || {
            series = series.wrapping_add(cursor.varint()? as u32);
            Some(series)
        })
    }
}

/// A block's index, with what of it was found damaged.
pub(crate) struct BlockIndex<'a> {
    pub(crate) block: &'a Block,
    symbols: Arc<Vec<Arc<str>>>,
    pub(crate) damaged: Cell<bool>,
}

impl Block {
    /// The index; `None` when its strings are damaged.
    pub(crate) fn index(&self) -> Option<BlockIndex<'_>> {
        let symbols = self.symbols()?;
        Some(BlockIndex { block: self, symbols, damaged: Cell::new(false) })
    }

    /// The values of a label, sorted; none when no series has it.
    pub(crate) fn label_values(&self, name: &str) -> Option<Vec<Arc<str>>> {
        if self.rollup && name == FIGURE {
            return Some(Vec::new());
        }
        let symbols = self.symbols()?;
        let Ok(symbol) = symbols.binary_search_by(|s| (**s).cmp(name)) else { return Some(Vec::new()) };
        let Ok(at) = self.footer.names.binary_search_by_key(&(symbol as u32), |(s, _, _)| *s) else {
            return Some(Vec::new());
        };
        self.lists(at)?.values.iter().map(|value| symbols.get(*value as usize).cloned()).collect()
    }

    /// The names of labels, with the numbers of their lists.
    pub(crate) fn label_names(&self) -> Option<Vec<(Arc<str>, usize)>> {
        let symbols = self.symbols()?;
        self.footer
            .names
            .iter()
            .enumerate()
            .map(|(i, (s, _, _))| Some((symbols.get(*s as usize)?.clone(), i)))
            .collect()
    }
}

impl BlockIndex<'_> {
    fn lists_of(&self, name: &str) -> Option<Arc<NameLists>> {
        let symbol = self.symbols.binary_search_by(|s| (**s).cmp(name)).ok()? as u32;
        let at = self.block.footer.names.binary_search_by_key(&symbol, |(s, _, _)| *s).ok()?;
        let lists = self.block.lists(at);
        self.damaged.set(self.damaged.get() || lists.is_none());
        lists
    }
}

impl Lists for BlockIndex<'_> {
    fn with_value(&self, matcher: &Matcher, wanted: bool) -> Vec<u32> {
        let Some(lists) = self.lists_of(&matcher.name) else { return Vec::new() };
        if wanted && matcher.op == MatchOp::Equal {
            let Ok(symbol) = self.symbols.binary_search_by(|s| (**s).cmp(&matcher.value)) else { return Vec::new() };
            let found = lists.values.binary_search(&(symbol as u32));
            return found.map_or_else(|_| Vec::new(), |at| lists.list(at).collect());
        }
        let mut all = Vec::new();
        for (at, value) in lists.values.iter().enumerate() {
            if self.symbols.get(*value as usize).is_some_and(|text| matcher.matches(text) == wanted) {
                all.extend(lists.list(at));
            }
        }
        if !all.is_sorted() {
            all.sort_unstable();
        }
        all
    }

    fn retain(&self, found: &mut Vec<u32>, matcher: &Matcher) {
        let (mut verdicts, missing) = (Verdicts::new(matcher), matcher.matches(""));
        let Ok(name) = self.symbols.binary_search_by(|s| (**s).cmp(&matcher.name)) else {
            if !missing {
                found.clear();
            }
            return;
        };
        let mut chunk: Option<(u32, Arc<Vec<Entry>>)> = None;
        found.retain(|series| {
            let number = series / CHUNK_SERIES;
            if chunk.as_ref().is_none_or(|(known, _)| *known != number) {
                chunk = self.block.chunk(number).map(|entries| (number, entries));
            }
            let entry = chunk.as_ref().and_then(|(_, entries)| entries.get((series % CHUNK_SERIES) as usize));
            let Some(entry) = entry else {
                self.damaged.set(true);
                return false;
            };
            let own = entry.symbols.iter().find(|(n, _)| *n as usize == name);
            let text = |value: u32| self.symbols.get(value as usize).map_or("", |text| text);
            own.map_or(missing, |(_, value)| verdicts.of(*value, || text(*value)))
        });
    }

    fn count(&self) -> u32 {
        self.block.series_count()
    }

    fn values(&self, name: &str) -> usize {
        self.lists_of(name).map_or(0, |lists| lists.values.len())
    }

    fn at_most(&self, name: &str, value: &str) -> u64 {
        let Some(lists) = self.lists_of(name) else { return 0 };
        let Ok(symbol) = self.symbols.binary_search_by(|s| (**s).cmp(value)) else { return 0 };
        lists.values.binary_search(&(symbol as u32)).map_or(0, |at| lists.at_most(at))
    }
}
