//! Which series there are: strings kept once, pairs of label and value kept once, an index from pair to series. Pure.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use kernel::Labels;
use kernel::series::SeriesError;

use crate::codec::{Cursor, put_varint};
use crate::limits;

/// Number of a string.
pub(crate) type Symbol = u32;
/// Number of a pair of label and value.
pub(crate) type Pair = u32;
/// Number of a series; lives only as long as the process, and changes when series are forgotten.
pub(crate) type SeriesId = u32;

/// A column of a group: where a series' values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) group: u32,
    pub(crate) column: u32,
}

/// The series of a pair, ascending: most pairs of a label that tells series apart have one.
#[derive(Clone, Debug)]
pub(crate) enum Postings {
    One(SeriesId),
    Many(Vec<SeriesId>),
}

impl Postings {
    pub(crate) fn ids(&self) -> &[SeriesId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }

    fn push(&mut self, id: SeriesId) {
        match self {
            Self::One(first) => *self = Self::Many(vec![*first, id]),
            Self::Many(ids) => ids.push(id),
        }
    }
}

/// All series in memory and their index.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    hasher: DefaultHashBuilder,
    strings: Vec<Arc<str>>,
    by_string: HashTable<Symbol>,
    pairs: Vec<(Symbol, Symbol)>,
    by_pair: HashTable<Pair>,
    /// By pair.
    postings: Vec<Postings>,
    /// Pairs of each label, in the order in which they came.
    by_name: HashMap<Symbol, Vec<Pair>>,
    /// Pairs of all series by label, as variable-length integers; `ends[id]` is where one ends.
    labels: Vec<u8>,
    ends: Vec<u32>,
    by_labels: HashTable<SeriesId>,
    /// The first place of each series; further ones are rare (a series that moved to another group).
    places: Vec<Place>,
    moved: HashMap<SeriesId, Vec<Place>>,
}

impl Registry {
    pub(crate) fn series_count(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn pair_count(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn string(&self, symbol: Symbol) -> &Arc<str> {
        &self.strings[symbol as usize]
    }

    /// The number of a string, where it has one.
    pub(crate) fn symbol(&self, text: &str) -> Option<Symbol> {
        self.by_string.find(self.hasher.hash_one(text), |s| *self.strings[*s as usize] == *text).copied()
    }

    /// The number of a pair, where it has one.
    pub(crate) fn pair(&self, name: &str, value: &str) -> Option<Pair> {
        self.find_pair((self.symbol(name)?, self.symbol(value)?))
    }

    fn find_pair(&self, pair: (Symbol, Symbol)) -> Option<Pair> {
        self.by_pair.find(self.hasher.hash_one(pair), |p| self.pairs[*p as usize] == pair).copied()
    }

    /// The series of a pair.
    pub(crate) fn postings(&self, pair: Pair) -> &[SeriesId] {
        self.postings[pair as usize].ids()
    }

    /// The pairs of a label.
    pub(crate) fn pairs_of(&self, name: &str) -> &[Pair] {
        self.symbol(name).and_then(|name| self.by_name.get(&name)).map_or(&[], Vec::as_slice)
    }

    /// Label and value of a pair.
    pub(crate) fn texts(&self, pair: Pair) -> (&Arc<str>, &Arc<str>) {
        let (name, value) = self.pairs[pair as usize];
        (self.string(name), self.string(value))
    }

    /// The label of a pair.
    pub(crate) fn name_of(&self, pair: Pair) -> Symbol {
        self.pairs[pair as usize].0
    }

    /// All labels with their pairs.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&Arc<str>, &[Pair])> {
        self.by_name.iter().map(|(name, pairs)| (self.string(*name), pairs.as_slice()))
    }

    fn packed(&self, id: SeriesId) -> &[u8] {
        let start = (id as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.labels[start as usize..self.ends[id as usize] as usize]
    }

    /// The pairs of a series.
    pub(crate) fn series_pairs(&self, id: SeriesId) -> impl Iterator<Item = Pair> {
        let mut cursor = Cursor::new(self.packed(id));
        std::iter::from_fn(move || cursor.varint().map(|n| n as Pair))
    }

    /// The label set of a series.
    pub(crate) fn labels(&self, id: SeriesId) -> Labels {
        let shared = |pair: Pair| {
            let (name, value) = self.texts(pair);
            (name.clone(), value.clone())
        };
        Labels::from_shared(self.series_pairs(id).map(shared).collect())
    }

    /// All places of a series, in the order they came to be.
    pub(crate) fn places(&self, id: SeriesId) -> impl Iterator<Item = Place> {
        let further = self.moved.get(&id).map(Vec::as_slice).unwrap_or_default();
        std::iter::once(self.places[id as usize]).chain(further.iter().copied())
    }

    /// The series of a label set.
    pub(crate) fn find(&self, labels: &Labels) -> Option<SeriesId> {
        let mut packed = Vec::with_capacity(32);
        for (name, value) in labels.iter() {
            put_varint(&mut packed, u64::from(self.pair(name, value)?));
        }
        self.find_packed(&packed)
    }

    fn find_packed(&self, packed: &[u8]) -> Option<SeriesId> {
        self.by_labels.find(self.hasher.hash_one(packed), |id| self.packed(*id) == packed).copied()
    }

    /// The series without a name.
    pub(crate) fn unnamed(&self) -> Vec<SeriesId> {
        let Some(name) = self.symbol(kernel::labels::METRIC_NAME) else {
            return (0..self.places.len() as SeriesId).collect();
        };
        let has = |id: SeriesId| self.series_pairs(id).any(|pair| self.pairs[pair as usize].0 == name);
        (0..self.places.len() as SeriesId).filter(|id| !has(*id)).collect()
    }

    /// The column of a label set in a group.
    pub(crate) fn column(&self, group: u32, labels: &Labels) -> Option<u32> {
        let id = self.find(labels)?;
        self.places(id).find(|place| place.group == group).map(|place| place.column)
    }

    fn intern(&mut self, text: &Arc<str>) -> Symbol {
        if let Some(known) = self.symbol(text) {
            return known;
        }
        let symbol = self.strings.len() as Symbol;
        self.strings.push(text.clone());
        let (hasher, strings) = (&self.hasher, &self.strings);
        self.by_string.insert_unique(hasher.hash_one(&**text), symbol, |s| hasher.hash_one(&*strings[*s as usize]));
        symbol
    }

    /// The pair, and whether it is new.
    fn intern_pair(&mut self, name: &Arc<str>, value: &Arc<str>) -> (Pair, bool) {
        let symbols = (self.intern(name), self.intern(value));
        if let Some(known) = self.find_pair(symbols) {
            return (known, false);
        }
        let pair = self.pairs.len() as Pair;
        self.pairs.push(symbols);
        let (hasher, pairs) = (&self.hasher, &self.pairs);
        self.by_pair.insert_unique(hasher.hash_one(symbols), pair, |p| hasher.hash_one(pairs[*p as usize]));
        self.by_name.entry(symbols.0).or_default().push(pair);
        (pair, true)
    }

    /// The series of a label set, which from now on is also at this place.
    pub(crate) fn insert(&mut self, labels: &Labels, place: Place) -> SeriesId {
        let pairs: Vec<(Pair, bool)> = labels.pairs().iter().map(|(n, v)| self.intern_pair(n, v)).collect();
        let mut packed = Vec::with_capacity(pairs.len() * 3);
        pairs.iter().for_each(|(pair, _)| put_varint(&mut packed, u64::from(*pair)));
        if let Some(known) = self.find_packed(&packed) {
            self.moved.entry(known).or_default().push(place);
            return known;
        }
        let id = self.places.len() as SeriesId;
        for (pair, new) in pairs {
            if new {
                // Pairs that are new stand in the order of their numbers.
                self.postings.push(Postings::One(id));
            } else {
                self.postings[pair as usize].push(id);
            }
        }
        self.labels.extend_from_slice(&packed);
        self.ends.push(self.labels.len() as u32);
        self.places.push(place);
        let hash = self.hasher.hash_one(packed.as_slice());
        let (hasher, all, ends) = (&self.hasher, &self.labels, &self.ends);
        let rehash = |id: &SeriesId| {
            let start = (*id as usize).checked_sub(1).map_or(0, |before| ends[before]);
            hasher.hash_one(&all[start as usize..ends[*id as usize] as usize])
        };
        self.by_labels.insert_unique(hash, id, rehash);
        id
    }

    /// The same without the places that are not kept, and the new numbers of series by their old ones.
    pub(crate) fn without(&self, keep: impl Fn(u32) -> bool) -> (Self, HashMap<SeriesId, SeriesId>) {
        let (mut new, mut numbers) = (Self::default(), HashMap::new());
        for id in 0..self.series_count() as SeriesId {
            for place in self.places(id).filter(|p| keep(p.group)) {
                numbers.insert(id, new.insert(&self.labels(id), place));
            }
        }
        new.labels.shrink_to_fit();
        new.ends.shrink_to_fit();
        new.places.shrink_to_fit();
        (new, numbers)
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap(&self) -> usize {
        let strings: usize = self.strings.iter().map(|s| s.len() + 32).sum();
        let postings: usize =
            self.postings.iter().map(|p| if let Postings::Many(ids) = p { ids.capacity() * 4 } else { 0 }).sum();
        strings
            + postings
            + self.postings.capacity() * size_of::<Postings>()
            + self.by_string.allocation_size()
            + self.by_pair.allocation_size()
            + self.by_labels.allocation_size()
            + self.pairs.capacity() * 8
            + self.by_name.values().map(|p| p.capacity() * 4 + 40).sum::<usize>()
            + self.labels.capacity()
            + self.ends.capacity() * 4
            + self.places.capacity() * 8
    }
}

/// Refuses what is over a limit or no series.
pub(crate) fn verify(series: &[Labels]) -> Result<(), SeriesError> {
    let limit = |what, limit: usize, advice| Err(SeriesError::Limit { what, limit: limit as u64, advice });
    for labels in series {
        if labels.is_empty() {
            return Err(SeriesError::Storage("a series without any label cannot be stored: give it a name".into()));
        }
        if labels.len() > limits::LABELS {
            return limit("labels of one series", limits::LABELS, "drop labels at the source");
        }
        if labels.iter().any(|(n, v)| n.len().max(v.len()) > limits::LABEL_BYTES) {
            return limit("length of a label", limits::LABEL_BYTES, "keep texts out of labels");
        }
    }
    Ok(())
}
