//! Which series and groups there are: strings kept once, label sets as numbers, an index from label to series. Pure.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use kernel::Labels;
use kernel::series::SeriesError;

use crate::codec::{Cursor, body, put_body, put_text, put_varint};
use crate::limits;

/// Number of a string.
type Symbol = u32;
/// Number of a series; lives only as long as the process.
pub(crate) type SeriesId = u32;

/// A column of a group: where a series' values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) group: u32,
    pub(crate) column: u32,
}

/// All series, groups and their index.
#[derive(Default)]
pub(crate) struct Registry {
    hasher: DefaultHashBuilder,
    strings: Vec<Arc<str>>,
    by_string: HashTable<Symbol>,
    /// Labels of all series, one after the other; `starts[id]..starts[id + 1]` are those of one.
    labels: Vec<(Symbol, Symbol)>,
    starts: Vec<u32>,
    by_labels: HashTable<SeriesId>,
    /// The first place of each series; further ones are rare (a series that moved to another group).
    places: Vec<Place>,
    moved: HashMap<SeriesId, Vec<Place>>,
    groups: HashMap<u32, Box<[SeriesId]>>,
    by_series: HashTable<u32>,
    next_group: u32,
    /// Label name → value → series, ascending.
    pub(crate) postings: HashMap<Symbol, HashMap<Symbol, Vec<SeriesId>>>,
}

impl Registry {
    pub(crate) fn series_count(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn group_count(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn group(&self, group: u32) -> Option<&[SeriesId]> {
        self.groups.get(&group).map(AsRef::as_ref)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = u32> {
        self.groups.keys().copied()
    }

    /// No new group gets this number or a lower one.
    pub(crate) fn reserve_group(&mut self, group: u32) {
        self.next_group = self.next_group.max(group.saturating_add(1));
    }

    /// The number that the next new group gets.
    pub(crate) const fn next_group(&self) -> u32 {
        self.next_group
    }

    /// The highest group number that was ever given.
    pub(crate) fn last_group(&self) -> u32 {
        self.next_group.saturating_sub(1)
    }

    /// The label sets of a group's columns.
    pub(crate) fn group_labels(&self, group: u32) -> Vec<Labels> {
        self.group(group).unwrap_or_default().iter().map(|id| self.labels(*id)).collect()
    }

    /// How many of these series are not known yet.
    pub(crate) fn unknown(&self, series: &[Labels]) -> usize {
        series.iter().filter(|l| self.find_series(l).is_none()).count()
    }

    pub(crate) fn string(&self, symbol: Symbol) -> &Arc<str> {
        &self.strings[symbol as usize]
    }

    /// The number of a string, where it has one.
    pub(crate) fn symbol(&self, text: &str) -> Option<Symbol> {
        self.by_string.find(self.hasher.hash_one(text), |s| *self.strings[*s as usize] == *text).copied()
    }

    fn pairs(&self, id: SeriesId) -> &[(Symbol, Symbol)] {
        let id = id as usize;
        let end = self.starts.get(id + 1).map_or(self.labels.len(), |e| *e as usize);
        &self.labels[self.starts[id] as usize..end]
    }

    /// The label set of a series.
    pub(crate) fn labels(&self, id: SeriesId) -> Labels {
        let shared = |(n, v): &(Symbol, Symbol)| (self.string(*n).clone(), self.string(*v).clone());
        Labels::from_shared(self.pairs(id).iter().map(shared).collect())
    }

    /// The value of a label of a series.
    pub(crate) fn value(&self, id: SeriesId, name: Symbol) -> Option<Symbol> {
        self.pairs(id).iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }

    pub(crate) fn names(&self, id: SeriesId) -> impl Iterator<Item = Symbol> {
        self.pairs(id).iter().map(|(n, _)| *n)
    }

    /// All places of a series, in the order they came to be.
    pub(crate) fn places(&self, id: SeriesId) -> impl Iterator<Item = Place> {
        let further = self.moved.get(&id).map(Vec::as_slice).unwrap_or_default();
        std::iter::once(self.places[id as usize]).chain(further.iter().copied())
    }

    /// The group of exactly these series in this order, where it is known.
    pub(crate) fn find(&self, series: &[Labels]) -> Option<u32> {
        let ids: Vec<SeriesId> = series.iter().map(|l| self.find_series(l)).collect::<Option<_>>()?;
        self.find_group(&ids)
    }

    fn find_group(&self, ids: &[SeriesId]) -> Option<u32> {
        self.by_series.find(self.hasher.hash_one(ids), |g| self.groups.get(g).is_some_and(|s| **s == *ids)).copied()
    }

    fn find_series(&self, labels: &Labels) -> Option<SeriesId> {
        let pairs: Vec<_> =
            labels.iter().map(|(n, v)| Some((self.symbol(n)?, self.symbol(v)?))).collect::<Option<_>>()?;
        self.find_pairs(&pairs)
    }

    fn find_pairs(&self, pairs: &[(Symbol, Symbol)]) -> Option<SeriesId> {
        self.by_labels.find(self.hasher.hash_one(pairs), |id| self.pairs(*id) == pairs).copied()
    }

    /// Makes a group with a number that was given before.
    pub(crate) fn insert(&mut self, group: u32, series: &[Labels]) {
        let place = |column| Place { group, column };
        let ids: Box<[SeriesId]> =
            (0u32..).zip(series).map(|(column, l)| self.intern_series(l, place(column))).collect();
        let hash = self.hasher.hash_one(&*ids);
        let (hasher, groups) = (&self.hasher, &self.groups);
        let rehash = |g: &u32| groups.get(g).map_or(hash, |s| hasher.hash_one(&**s));
        self.by_series.insert_unique(hash, group, rehash);
        self.groups.insert(group, ids);
        self.reserve_group(group);
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

    /// The series of a label set, which from now on is also at this place.
    fn intern_series(&mut self, labels: &Labels, place: Place) -> SeriesId {
        let pairs: Vec<(Symbol, Symbol)> =
            labels.pairs().iter().map(|(n, v)| (self.intern(n), self.intern(v))).collect();
        if let Some(known) = self.find_pairs(&pairs) {
            self.moved.entry(known).or_default().push(place);
            return known;
        }
        let id = self.places.len() as SeriesId;
        self.starts.push(self.labels.len() as u32);
        self.labels.extend_from_slice(&pairs);
        for (name, value) in &pairs {
            self.postings.entry(*name).or_default().entry(*value).or_default().push(id);
        }
        self.places.push(place);
        let hash = self.hasher.hash_one(pairs.as_slice());
        let (hasher, all, starts) = (&self.hasher, &self.labels, &self.starts);
        let rehash = |id: &SeriesId| {
            let end = starts.get(*id as usize + 1).map_or(all.len(), |e| *e as usize);
            hasher.hash_one(&all[starts[*id as usize] as usize..end])
        };
        self.by_labels.insert_unique(hash, id, rehash);
        id
    }
}

/// A group as bytes that stand by themselves: its number, then the label sets with each string once.
pub(crate) fn encode_group(group: u32, series: &[Labels]) -> Vec<u8> {
    let mut numbers: HashMap<&str, u64> = HashMap::new();
    let (mut strings, mut sets) = (Vec::new(), Vec::new());
    put_varint(&mut sets, series.len() as u64);
    for labels in series {
        put_varint(&mut sets, labels.len() as u64);
        for text in labels.iter().flat_map(|(n, v)| [n, v]) {
            let next = numbers.len() as u64;
            let number = *numbers.entry(text).or_insert_with(|| {
                put_text(&mut strings, text);
                next
            });
            put_varint(&mut sets, number);
        }
    }
    let mut plain = Vec::new();
    put_varint(&mut plain, numbers.len() as u64);
    plain.extend_from_slice(&strings);
    plain.extend_from_slice(&sets);
    let mut out = Vec::new();
    put_varint(&mut out, u64::from(group));
    put_body(&mut out, &plain);
    out
}

/// The group that [`encode_group`] wrote.
pub(crate) fn decode_group(bytes: &[u8]) -> Option<(u32, Vec<Labels>)> {
    let mut cursor = Cursor::new(bytes);
    let group = u32::try_from(cursor.varint()?).ok()?;
    let plain = body(cursor.rest(), limits::FRAME_BYTES)?;
    let mut cursor = Cursor::new(&plain);
    let count = cursor.length(plain.len())?;
    let strings: Vec<Arc<str>> =
        (0..count).map(|_| cursor.text(limits::LABEL_BYTES).map(Arc::from)).collect::<Option<_>>()?;
    let count = cursor.length(limits::GROUP_SERIES)?;
    let mut series = Vec::with_capacity(count);
    for _ in 0..count {
        let labels = cursor.length(limits::LABELS)?;
        let mut text = || strings.get(usize::try_from(cursor.varint()?).ok()?).cloned();
        let pairs = (0..labels).map(|_| Some((text()?, text()?))).collect::<Option<Vec<_>>>()?;
        series.push(Labels::from_shared(pairs));
    }
    Some((group, series))
}

/// Refuses what is over a limit or no list of series.
pub(crate) fn verify(series: &[Labels]) -> Result<(), SeriesError> {
    let limit = |what, limit: usize, advice| Err(SeriesError::Limit { what, limit: limit as u64, advice });
    if series.len() > limits::GROUP_SERIES {
        return limit("series in one group", limits::GROUP_SERIES, "drop series at the source or split the target");
    }
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
    let mut sorted: Vec<&Labels> = series.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|w| w[0] == w[1]) {
        Some(twice) => Err(SeriesError::Storage(format!("the series {} stands twice in one group", twice[0]))),
        None => Ok(()),
    }
}
