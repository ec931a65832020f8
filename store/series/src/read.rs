//! Reading: which series match, which spans overlap, and putting their columns together. I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{Column, Select, Series, SeriesError, SeriesReader};

use crate::block::{Block, GroupEntry};
use crate::column::Values;
use crate::head::{Body, Sealed};
use crate::index::matching;
use crate::limits;
use crate::registry::SeriesId;
use crate::span::SpanView;
use crate::store::{Core, SeriesStore};

/// What is wanted from one group, with what is in memory of it. Taken under one lock, so that it is one state.
struct Wanted {
    /// Column and the place of its series in the answer.
    columns: Vec<(usize, usize)>,
    sealed: Vec<Sealed>,
    open_times: Vec<i64>,
    open: Vec<Values>,
}

/// Times and values of a series in one group.
type Part = (Arc<[i64]>, Vec<f64>);

/// A column that is put together.
struct Gathered {
    answer: usize,
    column: usize,
    values: Vec<f64>,
    /// The times of its values, from the first row on that it lacks.
    own: Option<Vec<i64>>,
}

/// A group's columns that are put together.
struct Group<'a> {
    id: u32,
    select: &'a Select,
    times: Vec<i64>,
    columns: Vec<Gathered>,
    damaged: u64,
}

impl Group<'_> {
    /// Rows of a span that lie in the range and are newer than all before.
    fn range(&self, times: &[i64]) -> std::ops::Range<usize> {
        let from = times.partition_point(|t| *t < self.select.start_ms);
        let new = self.times.last().map_or(0, |last| times.partition_point(|t| t <= last));
        from.max(new)..times.partition_point(|t| *t <= self.select.end_ms)
    }

    fn add_span(&mut self, bytes: &[u8]) {
        let Some(view) = SpanView::parse(bytes).filter(|v| v.group == self.id) else {
            self.damaged += 1;
            return;
        };
        self.add(&view.times, |number| view.column(number));
    }

    fn add(&mut self, times: &[i64], column: impl Fn(usize) -> Option<Values>) {
        let range = self.range(times);
        if range.is_empty() {
            return;
        }
        for gathered in &mut self.columns {
            let values = column(gathered.column);
            self.damaged += u64::from(values.is_none());
            gathered.add(&self.times, &times[range.clone()], range.start, values.as_ref());
        }
        self.times.extend_from_slice(&times[range]);
    }
}

impl Gathered {
    fn add(&mut self, before: &[i64], times: &[i64], first: usize, values: Option<&Values>) {
        let whole = matches!(values, Some(Values::Constant(_) | Values::Varying { absent: None, .. }));
        if !whole && self.own.is_none() {
            self.own = Some(before.to_vec());
        }
        let Some(values) = values else { return };
        match values {
            Values::Constant(bits) => {
                self.values.resize(self.values.len() + times.len(), f64::from_bits(*bits));
            }
            Values::Varying { bits, absent: None } => {
                self.values.extend(bits[first..first + times.len()].iter().map(|b| f64::from_bits(*b)));
            }
            Values::Varying { .. } => {
                for (row, t) in times.iter().enumerate() {
                    if let Some(bits) = values.at(first + row) {
                        self.values.push(f64::from_bits(bits));
                        self.own.get_or_insert_default().push(*t);
                    }
                }
                return;
            }
        }
        if let Some(own) = &mut self.own {
            own.extend_from_slice(times);
        }
    }
}

impl SeriesStore {
    /// What is wanted from each group and the blocks that may hold it, as of one moment.
    fn plan(&self, select: &Select) -> (Vec<Labels>, BTreeMap<u32, Wanted>, Vec<Arc<Block>>) {
        let core = self.core.read();
        let ids = alive(&core, select);
        let mut groups: BTreeMap<u32, Wanted> = BTreeMap::new();
        for (answer, id) in ids.iter().enumerate() {
            for place in core.registry.places(*id) {
                let wanted = groups.entry(place.group).or_insert_with(|| Wanted {
                    columns: Vec::new(),
                    sealed: Vec::new(),
                    open_times: Vec::new(),
                    open: Vec::new(),
                });
                wanted.columns.push((place.column as usize, answer));
            }
        }
        for (id, wanted) in &mut groups {
            let Some(group) = core.head.groups.get(id) else { continue };
            let overlaps = |s: &&Sealed| s.min_ms <= select.end_ms && select.start_ms <= s.max_ms;
            wanted.sealed = group.sealed.iter().filter(overlaps).cloned().collect();
            if group.open.rows() > 0 && group.newest_ms >= select.start_ms {
                wanted.open_times = group.open.times();
                let column = |(c, _): &(usize, usize)| group.open.columns[*c].values(group.open.rows());
                wanted.open = wanted.columns.iter().map(column).collect();
            }
        }
        let blocks = core.blocks.iter().filter(|b| b.overlaps(select.start_ms, select.end_ms)).cloned().collect();
        (ids.iter().map(|id| core.registry.labels(*id)).collect(), groups, blocks)
    }

    fn gather(
        &self,
        select: &Select,
        group: u32,
        wanted: &Wanted,
        blocks: &[(Arc<Block>, Vec<GroupEntry>)],
    ) -> (Vec<i64>, Vec<Gathered>) {
        let columns = wanted
            .columns
            .iter()
            .map(|(column, answer)| Gathered { answer: *answer, column: *column, values: Vec::new(), own: None })
            .collect();
        let mut out = Group { id: group, select, times: Vec::new(), columns, damaged: 0 };
        for (block, entries) in blocks {
            let Ok(at) = entries.binary_search_by_key(&group, |e| e.group) else { continue };
            let Ok(spans) = block.spans(&entries[at]) else {
                out.damaged += 1;
                continue;
            };
            for span in spans.iter().filter(|s| s.min_ms <= select.end_ms && select.start_ms <= s.max_ms) {
                match block.span(span) {
                    Ok(bytes) => out.add_span(&bytes),
                    Err(_) => out.damaged += 1,
                }
            }
        }
        for sealed in &wanted.sealed {
            match &sealed.body {
                Body::Bytes(bytes) => out.add_span(bytes),
                Body::Frozen(span) => {
                    out.add(&span.times(), |column| span.columns.get(column).map(|c| c.values(span.rows())));
                }
            }
        }
        if !wanted.open.is_empty() {
            let place: HashMap<usize, usize> =
                wanted.columns.iter().enumerate().map(|(i, (column, _))| (*column, i)).collect();
            out.add(&wanted.open_times, |column| place.get(&column).map(|i| wanted.open[*i].clone()));
        }
        if out.damaged > 0 {
            self.counters.damaged.fetch_add(out.damaged, Relaxed);
            tracing::error!(group, parts = out.damaged, "parts of a group are damaged and missing from the answer");
        }
        (out.times, out.columns)
    }
}

/// The series that match and whose groups have samples around the range.
fn alive(core: &Core, select: &Select) -> Vec<SeriesId> {
    let mut ids = matching(&core.registry, &select.matchers);
    ids.retain(|id| {
        core.registry.places(*id).any(|place| {
            let group = core.head.groups.get(&place.group);
            group.is_some_and(|g| g.oldest_ms <= select.end_ms && select.start_ms <= g.newest_ms)
        })
    });
    ids
}

impl SeriesReader for SeriesStore {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let (labels, groups, blocks) = self.plan(select);
        let mut tables = Vec::with_capacity(blocks.len());
        for block in blocks {
            let entries = block.groups()?;
            tables.push((block, entries));
        }
        let mut answers: Vec<Vec<Part>> = labels.iter().map(|_| Vec::new()).collect();
        let mut samples = 0u64;
        for (group, wanted) in &groups {
            let (times, columns) = self.gather(select, *group, wanted, &tables);
            samples += columns.iter().map(|c| c.values.len() as u64).sum::<u64>();
            if samples > limits::SELECT_SAMPLES {
                return Err(SeriesError::Limit {
                    what: "samples of one selection",
                    limit: limits::SELECT_SAMPLES,
                    advice: "ask for a shorter time or fewer series",
                });
            }
            let times: Arc<[i64]> = times.into();
            for column in columns.into_iter().filter(|c| !c.values.is_empty()) {
                let times = column.own.map_or_else(|| times.clone(), Into::into);
                answers[column.answer].push((times, column.values));
            }
        }
        Ok(labels.into_iter().zip(answers).filter_map(|(labels, parts)| series(labels, parts)).collect())
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let core = self.core.read();
        let names: BTreeSet<u32> =
            alive(&core, select).into_iter().flat_map(|id| core.registry.names(id).collect::<Vec<_>>()).collect();
        Ok(sorted(&core, names))
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let core = self.core.read();
        let Some(name) = core.registry.symbol(name) else { return Ok(Vec::new()) };
        let values: BTreeSet<u32> =
            alive(&core, select).into_iter().filter_map(|id| core.registry.value(id, name)).collect();
        Ok(sorted(&core, values))
    }
}

fn sorted(core: &Core, symbols: BTreeSet<u32>) -> Vec<String> {
    let mut out: Vec<String> = symbols.into_iter().map(|s| core.registry.string(s).to_string()).collect();
    out.sort_unstable();
    out
}

/// One series from its parts; a series that moved between groups has several, joined by time. Where two parts have the
/// same time, the one of the later group counts.
fn series(labels: Labels, mut parts: Vec<Part>) -> Option<Series> {
    let (timestamps, values) = match parts.len() {
        0 => return None,
        1 => parts.pop()?,
        _ => {
            let all = parts.iter().flat_map(|(t, v)| t.iter().copied().zip(v.iter().copied()));
            let by_time: BTreeMap<i64, f64> = all.collect();
            (by_time.keys().copied().collect(), by_time.into_values().collect())
        }
    };
    Some(Series { labels, timestamps, values: Column::Floats(values) })
}
