//! Integers by what deviates from an expectation, each deviation as a cell of a distribution whose shape stands before, and its place
//! in the cell. Pure.
//!
//! The encoder tries all predictors roughly and the best of them exactly. A page may take the model of an earlier one of its series.

use super::ans::{self, Reader, Search, Sign};
use super::model::{Expected, LAG, Model, PACE, SEASON};
use super::plan::{Plan, SPIKE, plan, rough};
use super::predict::{Along, period, share};
use super::{PaceOf, Rows};
use crate::bits::BitWriter;
use crate::codec::{Cursor, put_varint, unzigzag, zigzag};

/// Fewer values do not pay for a shape.
const LEAST: usize = 8;
/// Predictors that are tried exactly.
const TRIED: usize = 3;
/// The number of the predictor that expects the value before.
const LAST: usize = 1;
/// For so few values the table of all slots takes longer to fill than they take to look for.
const FEW: usize = 96;
/// The first step is expected to be the mean of so many.
const STEPS: usize = 16;

/// What is known of a page's rows beside its values when it is written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setting<'a> {
    /// Their pace.
    pub(crate) pace: Option<&'a [u16]>,
    /// Whether other pages of the series come after it, which may take its model.
    pub(crate) further: bool,
}

/// Greatest common divisor of all; 1 when all are 0, or it is no positive number.
fn divisor(values: impl Iterator<Item = i64>) -> i64 {
    let mut out = 0u64;
    for v in values {
        let (mut a, mut b) = (v.unsigned_abs(), out);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        out = a;
        if out == 1 {
            break;
        }
    }
    i64::try_from(out).unwrap_or(1).max(1)
}

/// Writes integers with a model of their own and answers it; `None` when there are not enough of them.
pub(super) fn put(out: &mut Vec<u8>, values: &[i64], setting: Setting<'_>) -> Option<Model> {
    if values.len() < LEAST {
        return None;
    }
    // From the last one on: what is asked for most reaches to the end, and is read without what came before.
    let first = values[values.len() - 1];
    let mut above: Vec<i64> = values.iter().rev().map(|v| v.wrapping_sub(first)).collect();
    let turned = setting.pace.filter(|p| p.len() == values.len()).map(|p| turned(p, p.len()));
    let pace = turned.as_deref();
    let divisor = divisor(above.iter().copied());
    if divisor > 1 {
        above.iter_mut().for_each(|v| *v /= divisor);
    }
    let (plan, expected) = best_plan(&above, pace)?;
    let mut deviations = Vec::with_capacity(above.len());
    expected.deviations(&above, pace, &mut deviations)?;
    let (model, w) = Model::put(out, first, (expected, divisor), &plan, setting.further)?;
    let signs = deviations.iter().map(|d| model.sign(*d)).collect::<Option<Vec<Sign>>>()?;
    *out = finished(w, &signs, &model);
    Some(model)
}

/// Writes integers with the model of another page; says whether that can be done.
pub(super) fn put_alike(out: &mut Vec<u8>, values: &[i64], model: &Model, pace: Option<&[u16]>) -> bool {
    let Some(first) = values.last() else { return false };
    let base = model.base(*first);
    let mut above: Vec<i64> = values.iter().rev().map(|v| v.wrapping_sub(base)).collect();
    let turned = pace.filter(|p| p.len() == values.len()).map(|p| turned(p, p.len()));
    if model.divisor != 1 {
        if !above.iter().all(|v| v.checked_rem(model.divisor) == Some(0)) {
            return false;
        }
        above.iter_mut().for_each(|v| *v /= model.divisor);
    }
    let mut deviations = Vec::with_capacity(above.len());
    if model.expected.deviations(&above, turned.as_deref(), &mut deviations).is_none() {
        return false;
    }
    let Some(signs) = deviations.iter().map(|d| model.sign(*d)).collect::<Option<Vec<Sign>>>() else { return false };
    put_varint(out, zigzag(*first));
    *out = finished(BitWriter::after(std::mem::take(out)), &signs, model);
    true
}

/// The pace of so many rows from the last one back: before a step stands the pace of the row that it leads away from.
fn turned(pace: &[u16], rows: usize) -> Vec<u16> {
    std::iter::once(0).chain(pace.iter().rev().copied()).take(rows).collect()
}

fn finished(mut w: BitWriter, signs: &[Sign], model: &Model) -> Vec<u8> {
    ans::put(&mut w, signs, &model.frequencies);
    w.finish()
}

/// All that may be expected of these values.
fn candidates(above: &[i64], pace: Option<&[u16]>) -> Vec<Expected> {
    let steps = STEPS.min(above.len() - 1);
    let step = above[steps] / steps as i64;
    let plain = Expected { step, factor: 1, ..Expected::default() };
    let mut all: Vec<Expected> = (0..LAG).map(|number| Expected { number, ..plain }).collect();
    if let Some(period) = period(above) {
        let lags = above.windows(period + 1).map(|w| w[period].wrapping_sub(w[0]));
        all.push(Expected { number: LAG, period, factor: divisor(lags), ..plain });
        let seasons = above[period..].chunks(period);
        let apart = seasons.flat_map(|s| s.iter().zip(above).map(|(v, first)| v.wrapping_sub(*first)));
        all.push(Expected { number: SEASON, period, factor: divisor(apart), ..plain });
    }
    if let Some(pace) = pace.filter(|p| p.len() == above.len()) {
        all.push(Expected { number: PACE, step: share(above, pace), ..plain });
    }
    all
}

/// Tries all predictors: the best plan, and for which of them.
fn best_plan(above: &[i64], pace: Option<&[u16]>) -> Option<(Plan, Expected)> {
    let (mut deviations, mut sorted) = (Vec::with_capacity(above.len()), Vec::with_capacity(above.len()));
    let mut tried: Vec<(f64, Expected)> = Vec::new();
    for expected in candidates(above, pace) {
        if expected.deviations(above, pace, &mut deviations).is_some() {
            tried.push((rough(&deviations), expected));
        }
    }
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    // What rests often is not seen roughly.
    let rests = above.windows(2).filter(|w| w[0] == w[1]).count() * SPIKE >= above.len();
    let is_last = |e: &Expected| e.number == LAST;
    let exactly = tried.iter().enumerate().filter(|(at, (_, e))| *at < TRIED || rests && is_last(e));
    let mut best: Option<(Plan, Expected)> = None;
    for (_, (_, expected)) in exactly {
        expected.deviations(above, pace, &mut deviations)?;
        let found = plan(&deviations, &mut sorted);
        if best.as_ref().is_none_or(|(known, _)| found.cost < known.cost) {
            best = Some((found, *expected));
        }
    }
    best
}

/// The integers that [`put`] wrote, from a row on.
pub(super) fn read(bytes: &[u8], rows: Rows, pace_of: PaceOf<'_>) -> Option<Vec<i64>> {
    let mut cursor = Cursor::new(bytes);
    let (model, at) = Model::read(&mut cursor)?;
    values(&model, model.first, (cursor.rest(), at), rows, pace_of)
}

/// The integers that [`put_alike`] wrote, from a row on, with the bytes from which their model is read.
pub(super) fn read_alike(bytes: &[u8], other: &[u8], rows: Rows, pace_of: PaceOf<'_>) -> Option<Vec<i64>> {
    let (model, _) = Model::read(&mut Cursor::new(other))?;
    let mut cursor = Cursor::new(bytes);
    let first = unzigzag(cursor.varint()?);
    values(&model, first, (cursor.rest(), 0), rows, pace_of)
}

fn values(model: &Model, first: i64, (bytes, at): (&[u8], usize), rows: Rows, pace_of: PaceOf<'_>) -> Option<Vec<i64>> {
    let count = rows.wanted();
    if count == 0 {
        return Some(Vec::new());
    }
    let mut out = vec![0i64; count];
    let pace = match model.expected.number {
        PACE => Some(turned(&pace_of().filter(|p| p.len() == rows.count)?, count)),
        _ => None,
    };
    let predictor = model.expected.predictor(pace.as_deref())?;
    let (reader, base) = (Reader::new(bytes, at), model.base(first));
    let symbols = Symbols { reader, model, out: out.get_mut(..count - 1)?, above: (model.divisor, base) };
    if predictor.goes_along() {
        predictor.along(model.expected.step, symbols)?;
    } else {
        predictor.along(0, Symbols { above: (1, 0), ..symbols })?;
        // All values of a period have to be there before those of the next one.
        out.reverse();
        model.expected.values(&mut out, pace.as_deref())?;
        out.iter_mut().for_each(|v| *v = v.wrapping_mul(model.divisor).wrapping_add(base));
        out.reverse();
    }
    if let Some(own) = out.last_mut() {
        *own = first;
    }
    Some(out)
}

/// Symbols that become values on the way, from the last place back to the first.
struct Symbols<'a> {
    reader: Reader<'a>,
    model: &'a Model,
    out: &'a mut [i64],
    /// By what values are multiplied, and what is added then.
    above: (i64, i64),
}

impl Along for Symbols<'_> {
    type Output = Option<()>;

    fn along(mut self, mut next: impl FnMut(i64) -> i64) -> Option<()> {
        let (factor, base) = self.above;
        if self.out.len() > FEW {
            let table = ans::table(&self.model.frequencies);
            if factor == 1 {
                return self.read(|slot| table[slot as usize], |d| next(d).wrapping_add(base));
            }
            return self.read(|slot| table[slot as usize], |d| next(d).wrapping_mul(factor).wrapping_add(base));
        }
        let search = Search::new(&self.model.frequencies);
        self.read(|slot| search.entry(slot), |d| next(d).wrapping_mul(factor).wrapping_add(base))
    }
}

impl Symbols<'_> {
    fn read(&mut self, entry: impl Fn(u32) -> u32, then: impl FnMut(i64) -> i64) -> Option<()> {
        let (cells, least, shift) = (self.model.cells as u32, self.model.least, self.model.shift);
        let spike = self.model.spike.unwrap_or_default();
        let of = |symbol: u32, raw: u64| (i64::from(symbol).wrapping_add(least) << shift).wrapping_add(raw as i64);
        let other = |reader: &mut Reader<'_>, symbol: u32| {
            if symbol == cells {
                let width = reader.get(6) as u32 + 1;
                return Some(unzigzag(reader.get(width)));
            }
            Some(spike)
        };
        self.reader.read(entry, self.out.iter_mut().rev(), (shift, cells), of, other, then)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use proptest::prelude::*;

    fn check(values: &[i64]) -> usize {
        let mut out = Vec::new();
        let model = put(&mut out, values, Setting::default()).unwrap();
        assert_eq!(read(&out, Rows::all(values.len()), &mut || None).as_deref(), Some(values));
        let mut alike = Vec::new();
        assert!(put_alike(&mut alike, values, &model, None));
        assert_eq!(read_alike(&alike, &out, Rows::all(values.len()), &mut || None).as_deref(), Some(values));
        assert!(alike.len() < out.len());
        let alone = out.len();
        // The same beside a pace that may help or not.
        let pace: Arc<[u16]> = values.iter().map(|v| (v.unsigned_abs() % 1_500) as u16).collect();
        out.clear();
        assert!(put(&mut out, values, Setting { pace: Some(&pace), further: true }).is_some());
        assert_eq!(read(&out, Rows::all(values.len()), &mut || Some(pace.clone())).as_deref(), Some(values));
        let count = values.len();
        for from in [1, count / 2, count - 1, count] {
            let found = read(&out, Rows { count, from }, &mut || Some(pace.clone()));
            assert_eq!(found.as_deref(), Some(&values[from..]));
        }
        alone
    }

    #[test]
    fn a_counter_that_goes_with_the_pace_needs_it() {
        let mut random = random(11);
        let pace: Arc<[u16]> = (0..960).map(|_| 200 + (random() % 700) as u16).collect();
        let values: Vec<i64> = pace
            .iter()
            .scan(0i64, |sum, p| {
                *sum += i64::from(*p) * 40 + (random() % 64) as i64;
                Some(*sum)
            })
            .collect();
        let (alone, mut out) = (check(&values), Vec::new());
        let model = put(&mut out, &values, Setting { pace: Some(&pace), further: true }).unwrap();
        assert!(model.is_paced());
        assert!(out.len() * 3 < alone * 2, "{} {alone}", out.len());
        assert_eq!(read(&out, Rows::all(values.len()), &mut || Some(pace.clone())).as_deref(), Some(&values[..]));
        // Without its pace, or with that of other rows, it is damaged.
        assert_eq!(read(&out, Rows::all(values.len()), &mut || None), None);
        assert_eq!(read(&out, Rows::all(values.len()), &mut || Some(pace[1..].into())), None);
    }

    proptest! {
        #[test]
        fn any_integers_come_back(
            all in prop::collection::vec((any::<i64>(), 0u32..64).prop_map(|(v, c)| v >> c), LEAST..400),
            factor in prop_oneof![Just(1i64), any::<i64>()],
        ) {
            let all: Vec<i64> = all.into_iter().map(|v| v.wrapping_mul(factor)).collect();
            check(&all);
        }

        #[test]
        fn counters_and_gauges_come_back(
            steps in prop::collection::vec(0i64..2_000, LEAST..600),
            width in 1i64..2_000,
            kind in 0u8..4,
            start in any::<i64>(),
            odd in prop::option::of((0usize..600, any::<i64>())),
        ) {
            let mut last = start;
            let mut all: Vec<i64> = steps.iter().map(|s| match kind {
                0 => { last = last.wrapping_add(s % width); last }
                1 => { last = last.wrapping_add(if s % 3 == 0 { 0 } else { s % width - width / 2 }); last }
                2 => (s % width) * 4_096,
                _ => s % 2,
            }).collect();
            if let Some((at, value)) = odd {
                let n = all.len();
                all[at % n] = value;
            }
            check(&all);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), count in 0usize..1_000) {
            let mut pace_of = || Some(vec![7; count].into());
            let half = bytes.len() / 2;
            for found in [read(&bytes, Rows::all(count), &mut pace_of), read_alike(&bytes[half..], &bytes, Rows::all(count), &mut pace_of)] {
                prop_assert!(found.is_none_or(|found| found.len() == count));
            }
        }
    }

    /// Random numbers from a seed.
    fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
        }
    }

    #[test]
    fn a_page_that_goes_on_takes_the_model_of_the_one_before() {
        let mut random = random(21);
        let mut last = 0;
        let mut page = || -> Vec<i64> {
            (0..400)
                .map(|_| {
                    last += (0..12).map(|_| (random() % 30) as i64).sum::<i64>();
                    last
                })
                .collect()
        };
        let (first, mut second) = (page(), page());
        // A reset is in no cell of the first one.
        second.iter_mut().skip(200).for_each(|v| *v -= 5_000);
        let (mut a, mut b, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        let model = put(&mut a, &first, Setting { pace: None, further: true }).unwrap();
        assert!(put_alike(&mut b, &second, &model, None));
        assert!(put(&mut alone, &second, Setting::default()).is_some());
        assert!(b.len() + 4 < alone.len(), "{} {}", b.len(), alone.len());
        assert_eq!(read_alike(&b, &a, Rows::all(second.len()), &mut || None), Some(second.clone()));
        // Without a symbol for what is in no cell, it cannot be written.
        let closed = put(&mut a, &first, Setting::default()).unwrap();
        assert!(!put_alike(&mut b, &second, &closed, None));
    }

    #[test]
    fn what_does_not_divide_is_no_page_of_the_same_model() {
        let first: Vec<i64> = (0..200).map(|n| n * n % 37 * 512).collect();
        let (mut out, mut other) = (Vec::new(), Vec::new());
        let model = put(&mut out, &first, Setting { pace: None, further: true }).unwrap();
        assert_eq!(model.divisor, 512);
        let odd: Vec<i64> = first.iter().map(|v| v / 512).collect();
        assert!(!put_alike(&mut other, &odd, &model, None));
        assert!(put_alike(&mut other, &first, &model, None));
    }

    #[test]
    fn bytes_are_near_the_entropy() {
        let mut random = random(9);
        // Steps that are the sum of 12 uniform numbers below 1,000: nearly normal, deviation 1,000.
        let mut normal = || (0..12).map(|_| (random() % 1_000) as i64).sum::<i64>();
        let mut last = 0;
        let values: Vec<i64> = (0..960)
            .map(|_| {
                last += normal();
                last
            })
            .collect();
        // log2(1,000 · sqrt(2πe)) = 12.01 bits each.
        let entropy = 960.0 * 12.01 / 8.0;
        let bytes = check(&values) as f64;
        assert!(bytes < entropy * 1.03, "{bytes} {entropy}");
        assert!(bytes > entropy * 0.97, "{bytes} {entropy}");
    }

    #[test]
    fn ramps_come_back_after_their_period() {
        let mut random = random(3);
        let ramps: Vec<i64> = (0..960i64).map(|n| n % 29 * 71_003 + 8 * (random() % 4_000) as i64).collect();
        // The difference of two of 4,000 numbers: 12.7 bits; 29 rows and the places of the cells come on top.
        assert!((check(&ramps) as f64) < 960.0 * 12.7 / 8.0 * 1.08);
    }

    #[test]
    fn a_gauge_that_rests_pays_for_its_moves() {
        let mut random = random(5);
        let mut last = 0;
        let rests: Vec<i64> = (0..960)
            .map(|_| {
                if !random().is_multiple_of(4) {
                    last += (random() % 4_096) as i64;
                }
                last
            })
            .collect();
        // Three of four take 12 bits, and which they are 0.81 each.
        let entropy = 960.0 * (0.75 * 12.0 + 0.81) / 8.0;
        let bytes = check(&rests) as f64;
        assert!(bytes < entropy * 1.04, "{bytes} {entropy}");
    }
}
