//! Deltas added up to what has been since their stream began, which is what Prometheus keeps. Pure.
//!
//! As OpenTelemetry's `deltatocumulative` processor: a point that lies before the one before it is left out, a gap is bridged. A
//! point that comes once more (its request failed, the sender tries again) is answered with the same total, and not added twice.

use std::hash::BuildHasher;

use hashbrown::HashMap;

use super::model::{Attribute, Buckets, Data, Explicit, Exponential, Point, ResourceMetrics, Temporality};

/// Streams that one sender began and that are added up at the same time; each takes some hundred bytes, a histogram more.
pub(crate) const STREAMS: usize = 200_000;
/// A stream that sent nothing for so long is forgotten, and begins anew when it comes back.
pub(crate) const STALE_MS: i64 = 3_600_000;
/// Most buckets of each side of an added-up exponential histogram; beyond it becomes coarser, as in OpenTelemetry's SDKs.
const BUCKETS: usize = 160;
/// Scales beyond this are no histograms: bounds of scale 20 differ by less than a millionth already.
const SCALE: u32 = 64;

#[derive(Debug)]
enum Total {
    Number(f64),
    Explicit(Explicit),
    Exponential(Exponential),
}

#[derive(Debug)]
struct Stream {
    start_ns: u64,
    /// The sender that sent it first.
    of: u32,
    /// Begin and end of the last delta.
    last: (u64, u64),
    seen_ms: i64,
    total: Total,
}

/// What the deltas of a space's senders have added up to; a stream may change its sender.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    streams: HashMap<u64, Stream>,
    /// How many streams each sender began.
    begun: HashMap<u32, usize>,
    hasher: foldhash::quality::RandomState,
    swept_ms: i64,
}

/// How many points were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// They lie before a point that was added already.
    pub(crate) late: u64,
    /// There are too many streams.
    pub(crate) limit: u64,
}

impl Deltas {
    /// Turns all deltas of a request into totals; those that cannot be added are taken out.
    pub(crate) fn accumulate(&mut self, request: &mut [ResourceMetrics<'_>], sender: u32, now_ms: i64) -> LeftOut {
        if now_ms.saturating_sub(self.swept_ms) > STALE_MS / 10 {
            self.streams.retain(|_, stream| now_ms.saturating_sub(stream.seen_ms) <= STALE_MS);
            self.begun.clear();
            self.streams.values().for_each(|stream| *self.begun.entry(stream.of).or_default() += 1);
            self.swept_ms = now_ms;
        }
        let by = (sender, now_ms);
        let mut out = LeftOut::default();
        for resource in request {
            let of_resource = self.hash(0, &resource.attributes, "");
            for scope in &mut resource.scopes {
                let of_scope = self.hash(of_resource, &scope.attributes, &scope.name);
                for metric in &mut scope.metrics {
                    // As in the processor: a metric of another kind or unit is another one, whose total waits for it to come back.
                    let of_metric = self.hasher.hash_one((of_scope, &metric.name, &metric.unit, kind(&metric.data)));
                    self.metric(&mut metric.data, of_metric, by, &mut out);
                }
            }
        }
        out
    }

    fn metric(&mut self, data: &mut Data<'_>, key: u64, by: (u32, i64), out: &mut LeftOut) {
        let delta = Temporality::Delta;
        match data {
            Data::Sum { points, temporality, .. } if *temporality == delta => {
                self.points(points, (key, by), out);
                *temporality = Temporality::Cumulative;
            }
            Data::Histogram { points, temporality } if *temporality == delta => {
                self.points(points, (key, by), out);
                *temporality = Temporality::Cumulative;
            }
            Data::Exponential { points, temporality } if *temporality == delta => {
                self.points(points, (key, by), out);
                *temporality = Temporality::Cumulative;
            }
            _ => {}
        }
    }

    fn points<V: Adds>(&mut self, points: &mut Vec<Point<'_, V>>, (metric, by): (u64, (u32, i64)), out: &mut LeftOut) {
        points.sort_by_key(|point| point.t_ns);
        points.retain_mut(|point| {
            let key = self.hash(metric, &point.attributes, "");
            self.point(point, key, by, out)
        });
    }

    fn point<V: Adds>(
        &mut self,
        point: &mut Point<'_, V>,
        key: u64,
        (sender, now_ms): (u32, i64),
        out: &mut LeftOut,
    ) -> bool {
        if point.is_gone() {
            return true;
        }
        point.was_delta = true;
        let Some(stream) = self.streams.get_mut(&key) else {
            let begun = self.begun.entry(sender).or_default();
            let full = *begun >= STREAMS;
            out.limit += u64::from(full);
            if !full {
                *begun += 1;
                point.is_fresh = true;
                let total = point.value.clone().total();
                let last = (point.start_ns, point.t_ns);
                let start_ns = point.start_ns;
                self.streams.insert(key, Stream { start_ns, of: sender, last, seen_ms: now_ms, total });
            }
            return !full;
        };
        let again = stream.last == (point.start_ns, point.t_ns);
        if !again && (point.t_ns <= stream.last.1 || (point.start_ns != 0 && point.start_ns < stream.last.1)) {
            out.late += 1;
            return false;
        }
        if !again {
            if !point.value.clone().add_to(&mut stream.total) {
                // Other bounds: the stream begins anew.
                point.is_anew = true;
                stream.total = point.value.clone().total();
                stream.start_ns = point.start_ns;
            }
            stream.last = (point.start_ns, point.t_ns);
        }
        stream.seen_ms = now_ms;
        point.start_ns = stream.start_ns;
        if let Some(total) = V::of(&stream.total) {
            point.value = total;
        }
        true
    }

    fn hash(&self, within: u64, attributes: &[Attribute<'_>], name: &str) -> u64 {
        let mut sorted: Vec<&Attribute<'_>> = attributes.iter().collect();
        sorted.sort();
        self.hasher.hash_one((within, name, sorted))
    }
}

/// What tells metrics of one name apart.
const fn kind(data: &Data<'_>) -> u8 {
    match data {
        Data::None => 0,
        Data::Gauge(_) => 1,
        Data::Sum { monotonic: true, .. } => 2,
        Data::Sum { monotonic: false, .. } => 3,
        Data::Histogram { .. } => 4,
        Data::Exponential { .. } => 5,
        Data::Summary(_) => 6,
    }
}

/// A value that deltas add up to.
trait Adds: Clone {
    fn total(self) -> Total;
    /// Adds it; `false` when it does not fit.
    fn add_to(self, total: &mut Total) -> bool;
    fn of(total: &Total) -> Option<Self>;
}

impl Adds for f64 {
    fn total(self) -> Total {
        Total::Number(self)
    }

    fn add_to(self, total: &mut Total) -> bool {
        let Total::Number(sum) = total else { return false };
        *sum += self;
        true
    }

    fn of(total: &Total) -> Option<Self> {
        match total {
            Total::Number(v) => Some(*v),
            _ => None,
        }
    }
}

impl Adds for Explicit {
    fn total(self) -> Total {
        Total::Explicit(self)
    }

    fn add_to(self, total: &mut Total) -> bool {
        let Total::Explicit(all) = total else { return false };
        if all.bounds != self.bounds || all.counts.len() != self.counts.len() {
            return false;
        }
        all.count = all.count.saturating_add(self.count);
        all.sum = all.sum.zip(self.sum).map(|(a, b)| a + b);
        all.counts.iter_mut().zip(self.counts).for_each(|(a, b)| *a = a.saturating_add(b));
        true
    }

    fn of(total: &Total) -> Option<Self> {
        match total {
            Total::Explicit(v) => Some(v.clone()),
            _ => None,
        }
    }
}

impl Adds for Exponential {
    fn total(self) -> Total {
        Total::Exponential(self)
    }

    fn add_to(mut self, total: &mut Total) -> bool {
        let Total::Exponential(all) = total else { return false };
        if all.scale.unsigned_abs().max(self.scale.unsigned_abs()) > SCALE {
            return false;
        }
        let mut scale = all.scale.min(self.scale);
        // A side of both together must not become too wide.
        while [(&all.positive, &self.positive), (&all.negative, &self.negative)]
            .iter()
            .any(|(a, b)| width(a, all.scale - scale, b, self.scale - scale) > BUCKETS as i64)
        {
            scale -= 1;
        }
        for h in [&mut *all, &mut self] {
            let shift = h.scale - scale;
            h.positive = coarser(&h.positive, shift);
            h.negative = coarser(&h.negative, shift);
            h.scale = scale;
        }
        all.count = all.count.saturating_add(self.count);
        all.zero_count = all.zero_count.saturating_add(self.zero_count);
        all.sum = all.sum.zip(self.sum).map(|(a, b)| a + b);
        add_buckets(&mut all.positive, &self.positive);
        add_buckets(&mut all.negative, &self.negative);
        true
    }

    fn of(total: &Total) -> Option<Self> {
        match total {
            Total::Exponential(v) => Some(v.clone()),
            _ => None,
        }
    }
}

/// First and last bucket with something in it, after merging 2^shift into one.
fn range(of: &Buckets, shift: i32) -> Option<(i64, i64)> {
    let index = |at: usize| (i64::from(of.offset) + at as i64) >> shift.clamp(0, 62);
    let first = of.counts.iter().position(|count| *count > 0)?;
    let last = of.counts.iter().rposition(|count| *count > 0)?;
    Some((index(first), index(last)))
}

fn width(a: &Buckets, shift_a: i32, b: &Buckets, shift_b: i32) -> i64 {
    match (range(a, shift_a), range(b, shift_b)) {
        (Some(a), Some(b)) => a.1.max(b.1) - a.0.min(b.0) + 1,
        (Some(one), None) | (None, Some(one)) => one.1 - one.0 + 1,
        (None, None) => 0,
    }
}

fn coarser(of: &Buckets, shift: i32) -> Buckets {
    let Some((first, last)) = range(of, shift) else { return Buckets::default() };
    let mut out = Buckets { offset: first as i32, counts: vec![0; (last - first + 1) as usize] };
    for (at, count) in of.counts.iter().enumerate() {
        let index = ((i64::from(of.offset) + at as i64) >> shift.clamp(0, 62)) - first;
        if let Some(bucket) = usize::try_from(index).ok().and_then(|index| out.counts.get_mut(index)) {
            *bucket = bucket.saturating_add(*count);
        }
    }
    out
}

fn add_buckets(to: &mut Buckets, from: &Buckets) {
    let (Some(a), Some(b)) = (range(to, 0), range(from, 0)) else {
        if range(to, 0).is_none() {
            *to = from.clone();
        }
        return;
    };
    let (first, last) = (a.0.min(b.0), a.1.max(b.1));
    let mut out = Buckets { offset: first as i32, counts: vec![0; (last - first + 1) as usize] };
    for of in [&*to, from] {
        for (at, count) in of.counts.iter().enumerate() {
            let index = i64::from(of.offset) + at as i64 - first;
            if let Some(bucket) = usize::try_from(index).ok().and_then(|index| out.counts.get_mut(index)) {
                *bucket = bucket.saturating_add(*count);
            }
        }
    }
    *to = out;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(points: Vec<(u64, u64, f64)>) -> Vec<ResourceMetrics<'static>> {
        let point = |(start_ns, t_ns, value)| Point { start_ns, t_ns, value, ..Point::default() };
        let points = points.into_iter().map(point).collect();
        let data = Data::Sum { points, temporality: Temporality::Delta, monotonic: true };
        let metric = super::super::model::Metric { name: "a".into(), data, ..Default::default() };
        let scope = super::super::model::ScopeMetrics { metrics: vec![metric], ..Default::default() };
        vec![ResourceMetrics { scopes: vec![scope], ..ResourceMetrics::default() }]
    }

    fn totals(request: &[ResourceMetrics<'_>]) -> Vec<(u64, u64, f64)> {
        let Data::Sum { points, temporality, .. } = &request[0].scopes[0].metrics[0].data else { panic!("no sum") };
        assert_eq!(*temporality, Temporality::Cumulative);
        points.iter().map(|p| (p.start_ns, p.t_ns, p.value)).collect()
    }

    #[test]
    fn deltas_add_up_once() {
        let mut deltas = Deltas::default();
        let mut first = sum(vec![(10, 20, 1.0), (20, 30, 2.0)]);
        assert_eq!(deltas.accumulate(&mut first, 0, 0), LeftOut::default());
        assert_eq!(totals(&first), [(10, 20, 1.0), (10, 30, 3.0)]);
        let mut again = sum(vec![(20, 30, 2.0)]);
        deltas.accumulate(&mut again, 0, 0);
        assert_eq!(totals(&again), [(10, 30, 3.0)], "sent once more, added once");
        let mut late = sum(vec![(15, 25, 5.0), (40, 50, 4.0)]);
        assert_eq!(deltas.accumulate(&mut late, 0, 0), LeftOut { late: 1, limit: 0 });
        assert_eq!(totals(&late), [(10, 50, 7.0)]);
        let mut after = sum(vec![(50, 60, 1.0)]);
        deltas.accumulate(&mut after, 0, 2 * STALE_MS);
        assert_eq!(totals(&after), [(50, 60, 1.0)], "forgotten meanwhile");
    }

    proptest! {
        /// However deltas are split, nothing is lost, and sides stay narrow.
        #[test]
        fn exponential_histograms_keep_their_observations(
            parts in proptest::collection::vec(
                (-4i32..20, -500i32..500, proptest::collection::vec(0u64..5, 0..200)), 1..6
            )
        ) {
            let mut total: Option<Total> = None;
            let mut expect = 0;
            for (scale, offset, counts) in parts {
                let count = counts.iter().sum();
                expect += count;
                let h = Exponential { count, scale, positive: Buckets { offset, counts }, ..Exponential::default() };
                match &mut total {
                    Some(total) => prop_assert!(h.add_to(total)),
                    None => total = Some(h.total()),
                }
            }
            let Some(Total::Exponential(all)) = total else { panic!("another kind") };
            prop_assert_eq!((all.positive.counts.iter().sum::<u64>(), all.count), (expect, expect));
            prop_assert!(all.positive.counts.len() <= 200);
        }
    }
}
