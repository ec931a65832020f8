//! Putting what was found of a series together: columns of times are shared where rows are whole. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{Column, Histogram, Point, Series};

use crate::histogram;
use crate::page::Values;
use crate::side::Beside;

/// Values over a column of times.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) times: Arc<[i64]>,
    pub(crate) values: Values,
    /// The first row that was read: where each row has a value, earlier ones were not needed and are not in [`Part::values`].
    pub(crate) from: usize,
}

impl Part {
    /// All rows of a column.
    pub(crate) fn whole(times: Arc<[i64]>, values: Values) -> Self {
        Self { times, values, from: 0 }
    }

    /// The bits of some rows; none of what was not read. Only where each row has a value.
    fn bits(&self, from: usize, to: usize) -> &[u64] {
        let range = from.saturating_sub(self.from)..to.saturating_sub(self.from);
        self.values.bits.get(range).unwrap_or_default()
    }
}

/// What one block, span, or the open rows of a group have of a series.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) parts: Vec<Part>,
    pub(crate) beside: Beside,
}

impl Source {
    /// About what it takes on the heap; times are shared.
    pub(crate) fn heap_bytes(&self) -> usize {
        let values = |p: &Part| size_of::<Part>() + p.values.bits.len() * 8;
        let histograms = self.beside.histograms.iter().map(|(_, bytes)| size_of::<(i64, Box<[u8]>)>() + bytes.len());
        let pairs = (self.beside.numbers.len() + self.beside.starts.len()) * size_of::<(i64, u64)>();
        self.parts.iter().map(values).sum::<usize>() + pairs + histograms.sum::<usize>()
    }
}

/// All that was found of one series, in the order in which it was written: of one time the first sample counts.
pub(crate) type Found = Vec<Source>;

/// Which rows of which columns of times.
type Rows = Vec<(usize, u32, u32)>;

/// So many columns are looked for one by one, which costs less than a hash.
pub(crate) const RECENT: usize = 16;

/// Rows of a column of times, and the column they make.
type Clipped = (Arc<[i64]>, usize, usize, Arc<[i64]>);

/// The columns of times that were put together so far. It holds the parts' columns, so that no place in memory is taken twice.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// Those of a single part: neighbours have the rows of one of few groups.
    recent: Vec<Clipped>,
    known: HashMap<Rows, Arc<[i64]>>,
    held: HashMap<usize, Arc<[i64]>>,
}

impl Columns {
    /// Rows of one column of times.
    fn part(&mut self, times: &Arc<[i64]>, from: usize, to: usize) -> Arc<[i64]> {
        if (from, to) == (0, times.len()) {
            return times.clone();
        }
        let same = |(of, f, t, _): &&Clipped| Arc::ptr_eq(of, times) && (*f, *t) == (from, to);
        if let Some((_, _, _, column)) = self.recent.iter().find(same) {
            return column.clone();
        }
        let key = vec![(times.as_ptr() as usize, from as u32, to as u32)];
        self.held.entry(key[0].0).or_insert_with(|| times.clone());
        let column = self.known.entry(key).or_insert_with(|| times[from..to].into()).clone();
        if self.recent.len() >= RECENT {
            self.recent.remove(0);
        }
        self.recent.push((times.clone(), from, to, column.clone()));
        column
    }

    fn column(&mut self, parts: &[(&Part, usize, usize)]) -> Arc<[i64]> {
        let place = |times: &Arc<[i64]>| times.as_ptr() as usize;
        let rows: Rows = parts.iter().map(|(p, from, to)| (place(&p.times), *from as u32, *to as u32)).collect();
        if let Some(known) = self.known.get(&rows) {
            return known.clone();
        }
        for (part, _, _) in parts {
            self.held.entry(place(&part.times)).or_insert_with(|| part.times.clone());
        }
        let column: Arc<[i64]> = match parts {
            [(part, 0, to)] if *to == part.times.len() => part.times.clone(),
            _ => parts.iter().flat_map(|(p, from, to)| p.times[*from..*to].iter().copied()).collect(),
        };
        self.known.insert(rows, column.clone());
        column
    }
}

/// The series between two times, both inclusive; `None` when it has no sample there. The second answer says whether a
/// histogram could not be read.
pub(crate) fn series(
    labels: Labels,
    mut found: Found,
    (start_ms, end_ms): (i64, i64),
    columns: &mut Columns,
) -> (Option<Series>, bool) {
    if let Some(part) = only_part(&mut found) {
        let (_, from, to) = clip(part, start_ms, end_ms);
        if from >= to {
            return (None, false);
        }
        let timestamps = columns.part(&part.times, from, to);
        let mut bits = std::mem::take(&mut part.values.bits);
        bits.truncate(to.saturating_sub(part.from));
        bits.drain(..from.saturating_sub(part.from).min(bits.len()));
        // The same memory holds both.
        let values = bytemuck::allocation::cast_vec(bits);
        return (Some(Series::floats(labels, timestamps, values)), false);
    }
    found.iter_mut().for_each(|source| source.parts.retain(|p| !p.values.bits.is_empty()));
    let mut all: Vec<&Part> = found.iter().flat_map(|source| &source.parts).collect();
    all.sort_by_key(|p| p.times.first().copied());
    let whole = found.iter().all(|source| source.beside.is_empty())
        && all.iter().all(|p| matches!(p.values.presence, crate::page::Presence::All))
        && all.windows(2).all(|w| w[0].times.last() < w[1].times.first());
    if !whole {
        return merged(labels, &found, (start_ms, end_ms));
    }
    let clipped = |p| clip(p, start_ms, end_ms);
    let parts: Vec<(&Part, usize, usize)> = all.into_iter().map(clipped).filter(|(_, from, to)| from < to).collect();
    if parts.is_empty() {
        return (None, false);
    }
    let timestamps = columns.column(&parts);
    let mut values = Vec::with_capacity(timestamps.len());
    for (part, from, to) in parts {
        values.extend(part.bits(from, to).iter().map(|b| f64::from_bits(*b)));
    }
    (Some(Series::floats(labels, timestamps, values)), false)
}

/// The part, when there is nothing else and it has a value in each of its rows.
fn only_part(found: &mut Found) -> Option<&mut Part> {
    let [Source { parts, beside }] = &mut found[..] else { return None };
    let [part] = &mut parts[..] else { return None };
    let is_whole = matches!(part.values.presence, crate::page::Presence::All) && !part.values.bits.is_empty();
    (beside.is_empty() && is_whole).then_some(part)
}

fn clip(part: &Part, start_ms: i64, end_ms: i64) -> (&Part, usize, usize) {
    let from = part.times.partition_point(|t| *t < start_ms);
    (part, from, part.times.partition_point(|t| *t <= end_ms))
}

/// The values of a part between two times.
fn rows(part: &Part, start_ms: i64, end_ms: i64, mut take: impl FnMut(i64, u64)) {
    let (_, from, to) = clip(part, start_ms, end_ms);
    let mut at = part.values.presence.before(from).saturating_sub(part.from);
    for row in from.max(part.from)..to {
        if part.values.presence.has(row) {
            take(part.times[row], part.values.bits[at]);
            at += 1;
        }
    }
}

/// One sample on its way.
enum Sample<'a> {
    Number(u64),
    Histogram(&'a [u8]),
}

fn merged(labels: Labels, found: &Found, (start_ms, end_ms): (i64, i64)) -> (Option<Series>, bool) {
    // Ascending numbers are the rule: a list, and a tree only where that does not hold.
    let mut list: Vec<(i64, u64)> = Vec::new();
    for part in found.iter().flat_map(|source| &source.parts) {
        rows(part, start_ms, end_ms, |t, bits| list.push((t, bits)));
    }
    if list.is_sorted_by(|a, b| a.0 < b.0) && found.iter().all(|source| source.beside.is_empty()) {
        let (times, values): (Vec<i64>, Vec<f64>) = list.iter().map(|(t, b)| (*t, f64::from_bits(*b))).unzip();
        return ((!times.is_empty()).then(|| Series::floats(labels, times.into(), values)), false);
    }
    let mut all: BTreeMap<i64, Sample<'_>> = BTreeMap::new();
    let within = |t: i64| (start_ms..=end_ms).contains(&t);
    for source in found {
        for part in &source.parts {
            rows(part, start_ms, end_ms, |t, bits| _ = all.entry(t).or_insert(Sample::Number(bits)));
        }
        for (t, bits) in source.beside.numbers.iter().filter(|(t, _)| within(*t)) {
            all.entry(*t).or_insert(Sample::Number(*bits));
        }
        for (t, bytes) in source.beside.histograms.iter().filter(|(t, _)| within(*t)) {
            all.entry(*t).or_insert(Sample::Histogram(bytes));
        }
    }
    let mut damaged = false;
    let has_histograms = all.values().any(|s| matches!(s, Sample::Histogram(_)));
    let mut times = Vec::with_capacity(all.len());
    let values = if has_histograms {
        let mut points = Vec::with_capacity(all.len());
        let mut before: Option<Arc<Histogram>> = None;
        for (t, sample) in &all {
            let point = match sample {
                Sample::Number(bits) => {
                    before = None;
                    Some(Point::Float(f64::from_bits(*bits)))
                }
                Sample::Histogram(bytes) => histogram::decode(bytes).map(|mut h| {
                    h.reset = h.reset_after(before.as_deref());
                    Point::Histogram(before.insert(Arc::new(h)).clone())
                }),
            };
            damaged = damaged || point.is_none();
            if let Some(point) = point {
                times.push(*t);
                points.push(point);
            }
        }
        Column::Mixed(points)
    } else {
        times.extend(all.keys());
        let bits = all.values().filter_map(|s| if let Sample::Number(bits) = s { Some(*bits) } else { None });
        Column::Floats(bits.map(f64::from_bits).collect())
    };
    if times.is_empty() {
        return (None, damaged);
    }
    let starts = starts(found, &times);
    (Some(Series { labels, timestamps: times.into(), values, starts }), damaged)
}

/// The start time of each sample, where any is known.
fn starts(found: &Found, times: &[i64]) -> Option<Arc<[i64]>> {
    let known: BTreeMap<i64, i64> = found.iter().flat_map(|s| s.beside.starts.iter().copied()).collect();
    if known.is_empty() {
        return None;
    }
    let at = |t: &i64| known.range(..=*t).next_back().map_or(0, |(_, start)| *start);
    let all: Arc<[i64]> = times.iter().map(at).collect();
    all.iter().any(|start| *start != 0).then_some(all)
}
