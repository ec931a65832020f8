//! Reading: which series match, where their samples are, and putting them together. I/O.
//!
//! What is in memory is taken under one lock, with the list of blocks, so that no sample is seen twice or missed while spans
//! become blocks. Files are read afterwards, without any lock.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hashbrown::{HashMap, HashTable};
use kernel::Labels;
use kernel::series::{Exemplar, Rolled, RolledUp, Select, Series, SeriesError, SeriesReader, Visit, VisitEach};
use parking_lot::Mutex;

use crate::block::{Block, LabelSets, hash_of};
use crate::gather::{Columns, Found, Part, Source, series};
use crate::head::{Body, Sealed};
use crate::index::{at_most, matching};
use crate::limits;
use crate::page::{Presence, Values};
use crate::parallel::in_order;
use crate::registry::SeriesId;
use crate::rollup::{self, FIGURE, as_figure};
use crate::room::Taken;
use crate::span::{SpanView, open_beside};
use crate::store::{Core, SeriesStore};

/// Series put together at a time, by one thread: so few that a question of some hundred already has work for two, so many that a span is
/// not read again for every few of its series.
const AT_A_TIME: usize = 512;

/// Where the samples of one series are.
#[derive(Default)]
struct Sources {
    /// Number of the block in the plan, and of the series in the block.
    blocks: Vec<(u32, u32)>,
    /// Group and column.
    places: Vec<(u32, u32)>,
    open: Vec<Source>,
    /// Nothing else is needed.
    is_whole: bool,
}

/// How much of each series is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    All,
    /// The newest sample in the range.
    Newest,
    /// A figure of all samples, where they are rolled up.
    Figure(Rolled),
}

/// What a question needs.
struct Plan<'r> {
    /// Roll-ups first.
    blocks: Vec<Arc<Block>>,
    /// So many of them are roll-ups.
    rollups: usize,
    figure: Rolled,
    answers: Vec<(Labels, Sources)>,
    sealed: HashMap<u32, Vec<Sealed>>,
    /// Newest samples that were in memory, where no block can have more of their series.
    ready: Vec<Series>,
    taken: Taken<'r>,
}

/// About what a series takes in a plan beside its samples: labels are shared.
const ANSWER: usize = size_of::<(Labels, Sources)>() + size_of::<Source>();

impl SeriesStore {
    fn damaged(&self, count: u64) {
        self.counters.damaged.fetch_add(count, Relaxed);
    }

    fn plan(&self, select: &Select, want: Want) -> Result<Plan<'_>, SeriesError> {
        let figure = if let Want::Figure(figure) = want { figure } else { Rolled::Last };
        let core = self.core.read();
        let blocks = overlapping(&core, select);
        let rollups = blocks.iter().filter(|b| b.rollup).count();
        let taken = self.room.begin();
        let (answers, sealed, ready) = (Vec::new(), HashMap::new(), Vec::new());
        let mut plan = Plan { blocks, rollups, figure, answers, sealed, ready, taken };
        let head = matched(&core, select);
        let mut open: HashMap<u32, Arc<[i64]>> = HashMap::new();
        let blocks_end = core.all_blocks().map(|b| b.footer.max_ms).max();
        let mut newest = NewestTimes { blocks_end, shared: HashMap::new() };
        let mut buffer = Vec::new();
        for id in head {
            let labels = core.registry.labels(id);
            let mut sources = Sources::default();
            plan.taken.add(ANSWER)?;
            if want == Want::Newest
                && let Some((times, bits)) = newest.sample(&core, id, select)
            {
                if plan.blocks.is_empty() {
                    plan.ready.push(Series::floats(labels, times, vec![f64::from_bits(bits)]));
                    continue;
                }
                let values = Values { presence: Presence::All, bits: vec![bits] };
                let source = Source { parts: vec![Part::whole(times, values)], ..Source::default() };
                (sources.open, sources.is_whole) = (vec![source], true);
                plan.answers.push((labels, sources));
                continue;
            }
            for place in core.registry.places(id) {
                let Some(group) = core.head.groups.get(&place.group) else { continue };
                if group.newest_ms < select.start_ms {
                    continue;
                }
                sources.places.push((place.group, place.column));
                plan.sealed.entry(place.group).or_insert_with(|| {
                    let within = |s: &&Sealed| s.min_ms <= select.end_ms && s.max_ms >= select.start_ms;
                    group.sealed.iter().filter(within).cloned().collect()
                });
                let mut source = Source::default();
                let (first, last) = (group.times.first(), group.times.last());
                if first.is_some_and(|t| *t <= select.end_ms) && last.is_some_and(|t| *t >= select.start_ms) {
                    let times = open.entry(place.group).or_insert_with(|| group.times.as_slice().into()).clone();
                    let values = group.open_values(&core.head.pool, place.column as usize, &mut buffer);
                    source.parts.extend(values.map(|values| Part::whole(times, values)));
                }
                if let Some(extra) = &group.extra {
                    source.beside = open_beside(extra, place.column);
                }
                plan.taken.add(source.heap_bytes())?;
                sources.open.push(source);
            }
            plan.answers.push((labels, sources));
        }
        drop(core);
        if !plan.blocks.is_empty() {
            self.plan_blocks(&mut plan, select)?;
        }
        // Spans and blocks are read once for many series that lie together.
        plan.answers.sort_by(|a, b| {
            let key = |s: &Sources| (s.places.first().copied(), s.blocks.first().copied());
            key(&a.1).cmp(&key(&b.1))
        });
        Ok(plan)
    }

    /// Adds what blocks have: a series that several of them have, or memory too, is one answer.
    fn plan_blocks(&self, plan: &mut Plan<'_>, select: &Select) -> Result<(), SeriesError> {
        let now = self.clock.fetch_add(1, Relaxed) + 1;
        let found: Vec<Vec<u32>> = plan.blocks.iter().map(|block| self.in_block(block, select, plan.figure)).collect();
        let several = found.iter().filter(|f| !f.is_empty()).count() + usize::from(!plan.answers.is_empty()) > 1;
        let mut known: HashTable<(u64, usize)> = HashTable::new();
        if several {
            for (at, (labels, _)) in plan.answers.iter().enumerate() {
                let hash = hash_of(labels);
                known.insert_unique(hash, (hash, at), |(hash, _)| *hash);
            }
        }
        for ((at, block), found) in (0u32..).zip(&plan.blocks).zip(found) {
            block.touch(now);
            let mut sets = None;
            for number in found {
                if sets
                    .as_ref()
                    .is_none_or(|(sets, first): &(Arc<LabelSets>, u32)| (number - first) as usize >= sets.len())
                {
                    sets = block.label_sets(number);
                }
                let set = sets.as_ref().and_then(|(sets, first)| sets.get((number - first) as usize));
                let Some((hash, labels)) = set else {
                    self.damaged(1);
                    continue;
                };
                let same = |(_, answer): &(u64, usize)| plan.answers[*answer].0 == *labels;
                let answer = known.find(*hash, same).map_or(plan.answers.len(), |(_, answer)| *answer);
                if answer == plan.answers.len() {
                    plan.taken.add(ANSWER)?;
                    plan.answers.push((labels.clone(), Sources::default()));
                    if several {
                        known.insert_unique(*hash, (*hash, answer), |(hash, _)| *hash);
                    }
                }
                let sources = &mut plan.answers[answer].1;
                if !sources.is_whole {
                    sources.blocks.push((at, number));
                }
            }
        }
        Ok(())
    }

    /// Numbers of the series of a block that match.
    fn in_block(&self, block: &Block, select: &Select, figure: Rolled) -> Vec<u32> {
        let Some(matchers) = rollup::matchers(block, &select.matchers, figure) else { return Vec::new() };
        let Some(index) = block.index() else {
            self.damaged(1);
            return Vec::new();
        };
        let found = matching(&index, &matchers);
        self.damaged(u64::from(index.damaged.get()));
        found
    }

    fn gather(&self, plan: &Plan<'_>, answers: &mut [(Labels, Sources)], select: &Select) -> Vec<Found> {
        let mut found: Vec<Found> = answers.iter().map(|_| Found::default()).collect();
        let rolled = self.gather_blocks(plan, answers, select, &mut found);
        let mut groups: HashMap<u32, Vec<(usize, u32)>> = HashMap::new();
        for (i, (_, sources)) in answers.iter_mut().enumerate() {
            for (group, column) in &sources.places {
                groups.entry(*group).or_default().push((i, *column));
            }
        }
        let mut buffer = Vec::new();
        for (group, columns) in &groups {
            for sealed in plan.sealed.get(group).into_iter().flatten() {
                let view = match &sealed.body {
                    Body::Bytes(bytes) => SpanView::open(bytes),
                    Body::File { file, offset, length } => {
                        file.read(*offset, *length, &mut buffer).and_then(|from| SpanView::open(&buffer[from..]))
                    }
                };
                let Some(view) = view.filter(|v| v.group == *group) else {
                    self.damaged(1);
                    continue;
                };
                for (i, column) in columns {
                    let (values, beside) = (view.column(*column), view.beside(*column));
                    self.damaged(u64::from(values.is_none()) + u64::from(beside.is_none()));
                    let parts = values.map(|values| Part::whole(view.times.clone(), values));
                    found[*i].push(Source { parts: parts.into_iter().collect(), beside: beside.unwrap_or_default() });
                }
            }
        }
        for (one, (_, sources)) in found.iter_mut().zip(answers) {
            one.append(&mut sources.open);
        }
        if plan.figure != Rolled::Last {
            // What does not come from roll-ups becomes figures of its own.
            let from = |i: usize| rolled.get(i).copied().unwrap_or(0);
            found.iter_mut().enumerate().for_each(|(i, one)| as_figure(&mut one[from(i)..], plan.figure));
        }
        found
    }

    /// Reads what blocks have; answers how much of each series came from roll-ups, where there are any.
    fn gather_blocks(
        &self,
        plan: &Plan<'_>,
        answers: &[(Labels, Sources)],
        select: &Select,
        found: &mut [Found],
    ) -> Vec<usize> {
        let mut wanted: Vec<Vec<(u32, usize)>> = vec![Vec::new(); plan.blocks.len()];
        for (i, (_, sources)) in answers.iter().enumerate() {
            for (block, number) in &sources.blocks {
                wanted[*block as usize].push((*number, i));
            }
        }
        let mut rolled = Vec::new();
        for (at, (block, wanted)) in plan.blocks.iter().zip(&mut wanted).enumerate() {
            self.damaged(block.read_into(wanted, (select.start_ms, select.end_ms), found));
            if at + 1 == plan.rollups {
                rolled = found.iter().map(Vec::len).collect();
            }
        }
        rolled
    }

    /// The series of some answers.
    fn put_together(&self, plan: &Plan<'_>, mut answers: Vec<(Labels, Sources)>, select: &Select) -> Vec<Series> {
        let found = self.gather(plan, &mut answers, select);
        let mut columns = Columns::default();
        let mut out = Vec::with_capacity(answers.len());
        for ((labels, _), found) in answers.into_iter().zip(found) {
            let (series, damaged) = series(labels, found, (select.start_ms, select.end_ms), &mut columns);
            self.damaged(u64::from(damaged));
            out.extend(series);
        }
        out
    }

    fn each(&self, select: &Select, want: Want, visit: Visit<'_>) -> Result<(), SeriesError> {
        let mut plan = self.counted(self.plan(select, want))?;
        let ready = std::mem::take(&mut plan.ready).into_iter().try_for_each(&mut *visit);
        let mut answers = std::mem::take(&mut plan.answers);
        if ready.is_break() || answers.is_empty() {
            return Ok(());
        }
        let mut pieces = Vec::with_capacity(answers.len().div_ceil(AT_A_TIME));
        while answers.len() > AT_A_TIME {
            pieces.push(Mutex::new(answers.split_off(answers.len() - AT_A_TIME)));
        }
        pieces.push(Mutex::new(answers));
        pieces.reverse();
        let work = |piece: usize| self.put_together(&plan, std::mem::take(&mut *pieces[piece].lock()), select);
        in_order(pieces.len(), work, |all| all.into_iter().try_for_each(&mut *visit));
        self.trim_cache();
        Ok(())
    }

    /// Empties caches of the blocks that were used longest ago, when all together are too large.
    pub(crate) fn trim_cache(&self) {
        let blocks: Vec<Arc<Block>> = self.core.read().all_blocks().cloned().collect();
        let mut total: usize = blocks.iter().map(|b| b.cached()).sum();
        if total <= limits::CACHE_BYTES {
            return;
        }
        let mut oldest: Vec<&Arc<Block>> = blocks.iter().collect();
        oldest.sort_by_key(|b| b.used());
        for block in &oldest {
            if total <= limits::CACHE_BYTES / 2 {
                return;
            }
            let before = block.cached();
            block.forget_labels();
            total = total.saturating_sub(before.saturating_sub(block.cached()));
        }
        for block in oldest {
            if total <= limits::CACHE_BYTES / 2 {
                break;
            }
            total = total.saturating_sub(block.cached());
            block.forget();
        }
    }

    /// The labels of all matching series with a sample in the range; of blocks the range of the block counts.
    fn label_sets(&self, select: &Select, take: &mut dyn FnMut(Labels) -> ControlFlow<()>) -> ControlFlow<()> {
        self.head_sets(select, take)?;
        self.blocks_within(select, |block| {
            for number in self.in_block(&block, select, Rolled::Last) {
                let Some(labels) = block.labels(number) else {
                    self.damaged(1);
                    break;
                };
                take(labels)?;
            }
            ControlFlow::Continue(())
        })
    }

    fn head_sets(&self, select: &Select, take: &mut dyn FnMut(Labels) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut left: Option<(u64, Vec<SeriesId>)> = None;
        loop {
            let some: Vec<Labels> = {
                let core = self.core.read();
                // Once numbers mean other series, all are asked for again.
                let same = left.take_if(|(numbered, _)| *numbered == core.numbered);
                let (_, ids) = left.insert(same.unwrap_or_else(|| (core.numbered, matched(&core, select))));
                ids.drain(ids.len() - ids.len().min(AT_A_TIME)..).map(|id| core.registry.labels(id)).collect()
            };
            if some.is_empty() {
                return ControlFlow::Continue(());
            }
            some.into_iter().try_for_each(&mut *take)?;
        }
    }

    fn blocks_within(&self, select: &Select, take: impl FnMut(Arc<Block>) -> ControlFlow<()>) -> ControlFlow<()> {
        let blocks = overlapping(&self.core.read(), select);
        blocks.into_iter().try_for_each(take)
    }

    /// What a part of a block says; what is damaged is counted.
    fn sound<T>(&self, part: Option<T>) -> Option<T> {
        self.damaged(u64::from(part.is_none()));
        part
    }
}

/// Times of newest rows, as columns of one row that the series of a group share.
struct NewestTimes {
    /// The newest sample that any block holds.
    blocks_end: Option<i64>,
    shared: HashMap<(u32, i64), Arc<[i64]>>,
}

impl NewestTimes {
    /// The newest sample of a series, when it is known without reading anything: one of the open rows of the only group that has the
    /// series.
    fn sample(&mut self, core: &Core, id: SeriesId, select: &Select) -> Option<(Arc<[i64]>, u64)> {
        let mut places = core.registry.places(id);
        let (place, None) = (places.next()?, places.next()) else { return None };
        let group = core.head.groups.get(&place.group)?;
        if group.extra.as_ref().is_some_and(|extra| !open_beside(extra, place.column).is_empty()) {
            return None;
        }
        let (t_ms, bits) = group.newest_open(place.column as usize)?;
        // What was written first counts: a sample of the same time may stand in a span or in a block.
        let is_first = self.blocks_end.is_none_or(|end| end < t_ms) && group.sealed.iter().all(|s| s.max_ms < t_ms);
        if !is_first || !(select.start_ms..=select.end_ms).contains(&t_ms) {
            return None;
        }
        Some((self.shared.entry((place.group, t_ms)).or_insert_with(|| Arc::from([t_ms])).clone(), bits))
    }
}

/// Roll-ups first.
fn overlapping(core: &Core, select: &Select) -> Vec<Arc<Block>> {
    let within = |b: &&Arc<Block>| b.footer.min_ms <= select.end_ms && b.footer.max_ms >= select.start_ms;
    core.all_blocks().filter(within).cloned().collect()
}

/// The series in memory that match and have a sample in the range, as far as is known without reading any.
fn matched(core: &Core, select: &Select) -> Vec<SeriesId> {
    let mut found = matching(&core.registry, &select.matchers);
    found.retain(|id| {
        core.registry.places(*id).any(|place| {
            let Some(group) = core.head.groups.get(&place.group) else { return false };
            let oldest = group.sealed.first().map(|s| s.min_ms).into_iter().chain(group.times.first().copied()).min();
            // What came late may be older than the first row. Where nothing is in memory, blocks know better.
            let begins = group.extra.is_some() || oldest.is_some_and(|t| t <= select.end_ms);
            begins
                && (group.newest(place.column) >= select.start_ms
                    || group.newest_ms >= select.start_ms && group.sealed.iter().any(|s| s.max_ms >= select.start_ms))
        })
    });
    found
}

impl SeriesReader for SeriesStore {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let (mut all, mut samples, mut over) = (Vec::new(), 0u64, false);
        self.each(select, Want::All, &mut |series| {
            samples += series.timestamps.len() as u64;
            over = samples > limits::SELECT_SAMPLES;
            all.push(series);
            if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if over {
            return Err(SeriesError::Limit {
                what: "number of samples in one answer",
                limit: limits::SELECT_SAMPLES,
                advice: "add label matchers, or take a shorter time range",
            });
        }
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(all)
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.each(select, Want::All, visit)
    }

    fn visit_newest(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.each(select, Want::Newest, visit)
    }

    fn rolled_up(&self) -> Vec<RolledUp> {
        self.core.read().rollups.ladder()
    }

    fn visit_rolled(&self, select: &Select, figure: Rolled, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.each(select, Want::Figure(figure), visit)
    }

    fn at_most(&self, select: &Select) -> Option<u64> {
        let (blocks, head) = {
            let core = self.core.read();
            (overlapping(&core, select), at_most(&core.registry, &select.matchers)?)
        };
        let of_block = |block: &Arc<Block>| {
            rollup::matchers(block, &select.matchers, Rolled::Last).map_or(Some(0), |m| at_most(&block.index()?, &m))
        };
        blocks.iter().try_fold(head, |sum, block| Some(sum + of_block(block)?))
    }

    fn series(&self, select: &Select) -> Result<Vec<Labels>, SeriesError> {
        let mut all = BTreeSet::new();
        let _ = self.label_sets(select, &mut |labels| {
            all.insert(labels);
            ControlFlow::Continue(())
        });
        Ok(all.into_iter().collect())
    }

    fn visit_labels(&self, select: &Select, visit: VisitEach<'_, Labels>) -> Result<(), SeriesError> {
        // Stopped early is no failure.
        let _ = self.label_sets(select, visit);
        Ok(())
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let mut all: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut names = |labels: &Labels| {
            for (name, _) in labels.pairs() {
                if !all.contains(name) {
                    all.insert(name.clone());
                }
            }
        };
        let mut take = |labels: Labels| {
            names(&labels);
            ControlFlow::Continue(())
        };
        if select.matchers.is_empty() {
            let _ = self.head_sets(select, &mut take);
            let _ = self.blocks_within(select, |block| {
                let names = self.sound(block.label_names()).into_iter().flatten().map(|(name, _)| name);
                all.extend(names.filter(|name| !block.rollup || **name != *FIGURE));
                ControlFlow::Continue(())
            });
        } else {
            let _ = self.label_sets(select, &mut take);
        }
        Ok(all.into_iter().map(|n| n.to_string()).collect())
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let mut all = BTreeSet::new();
        self.visit_values(name, select, &mut |value| {
            all.insert(value);
            ControlFlow::Continue(())
        })?;
        Ok(all.into_iter().map(|v| v.to_string()).collect())
    }

    fn visit_values(&self, name: &str, select: &Select, visit: VisitEach<'_, Arc<str>>) -> Result<(), SeriesError> {
        let mut last: Option<Arc<str>> = None;
        let mut take = |labels: Labels| {
            let Some((_, value)) = labels.pairs().iter().find(|(n, _)| **n == *name) else {
                return ControlFlow::Continue(());
            };
            // Neighbours share most values.
            if last.as_ref() == Some(value) {
                return ControlFlow::Continue(());
            }
            last = Some(value.clone());
            visit(value.clone())
        };
        let _ = if !select.matchers.is_empty() {
            self.label_sets(select, &mut take)
        } else if self.head_sets(select, &mut take).is_break() {
            ControlFlow::Break(())
        } else {
            self.blocks_within(select, |block| {
                self.sound(block.label_values(name)).into_iter().flatten().try_for_each(&mut *visit)
            })
        };
        Ok(())
    }

    fn exemplars(&self, select: &Select) -> Result<Vec<(Labels, Vec<Exemplar>)>, SeriesError> {
        let mut all: std::collections::BTreeMap<Labels, Vec<Exemplar>> = std::collections::BTreeMap::new();
        for (labels, exemplar) in self.core.read().exemplars.iter() {
            let within = (select.start_ms..=select.end_ms).contains(&exemplar.t_ms);
            if within && select.matchers.iter().all(|m| m.matches_labels(labels)) {
                all.entry(labels.clone()).or_default().push(exemplar.clone());
            }
        }
        all.values_mut().for_each(|list| list.sort_by_key(|e| e.t_ms));
        Ok(all.into_iter().collect())
    }
}
