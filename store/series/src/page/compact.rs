//! A page of a block, as small as it becomes: alone, as the difference to that of another series, with a model of its own or that of the page
//! before it in its series. Pure.

use super::difference::{DEPTH, Mantissas, Reference};
use super::model::Model;
use super::plan::rough;
use super::predict::Predictor;
use super::shaped::{self, Setting};
use super::{ALIKE, Body, DIFFERENCE, Effort, FORWARD, Presence, ordered_all, put_constant, put_floats, put_integers};
use crate::codec::put_varint;
use crate::decimal::decimals;

/// A difference has to save so much of a page, one part in so many: who reads it has to read the other one too.
const SAVES: usize = 10;
/// Bits per value that it has to promise before it is tried.
const PROMISE: f64 = 0.1;
/// Where the best one needs too many others already, another one may cost so many bits per value more for each other page that it needs less: those that
/// come next are differences to this one.
const LIFT: f64 = 0.4;
/// Values that are looked at for what it promises.
const LOOKED: usize = 256;

/// The model of a page with a value in every row, which later pages of its series may take.
#[derive(Debug)]
pub(crate) struct Known {
    place: Place,
    model: Model,
}

/// What a model is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    is_difference: bool,
    /// `None` for floats.
    scale: Option<u8>,
}

/// What a page may use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around<'a> {
    pub(crate) references: &'a [Reference<'a>],
    pub(crate) setting: Setting<'a>,
    pub(crate) known: Option<&'a Known>,
}

/// How a page was written.
#[derive(Debug, Default)]
pub(crate) struct Put {
    /// Its mantissas, where others may be differences to it.
    pub(crate) own: Option<Mantissas>,
    /// Which of the references it is the difference to.
    pub(crate) reference: Option<usize>,
    /// Its model, where it has one of its own.
    pub(crate) known: Option<Known>,
    /// Whether it cannot be read without the pace of its rows.
    pub(crate) is_paced: bool,
}

/// Writes a page. Nothing is written for a series without any value.
pub(crate) fn put_compact(out: &mut Vec<u8>, presence: &Presence, bits: &[u64], around: &Around<'_>) -> Put {
    let mut done = Put::default();
    let Some(first) = bits.first() else { return done };
    let head = out.len();
    out.push(0);
    let held = presence.put(out);
    let is_whole = held == 0;
    let kind = if bits.iter().all(|b| b == first) {
        put_constant(out, *first)
    } else {
        let (body, place) = match decimals(bits) {
            Some((values, scale)) => {
                let own = Mantissas { scale, values };
                let whole = if is_whole { *around } else { Around { references: &[], ..without_pace(around) } };
                let (body, reference) = put_best(&own, &whole);
                (done.own, done.reference) = (is_whole.then_some(own), reference);
                (body, Place { is_difference: reference.is_some(), scale: Some(scale) })
            }
            None => put_best_floats(bits, around),
        };
        out.extend_from_slice(&body.bytes);
        done.is_paced = body.is_paced;
        done.known = body.model.filter(|_| is_whole).map(|model| Known { place, model });
        body.kind
    };
    out[head] = kind | held << 4;
    done
}

/// Paces are of rows, so that values that are not in each row have none.
fn without_pace<'a>(around: &Around<'a>) -> Around<'a> {
    Around { setting: Setting { pace: None, ..around.setting }, ..*around }
}

fn put_best(own: &Mantissas, around: &Around<'_>) -> (Body, Option<usize>) {
    let alone = put_decimals(&own.values, Place { is_difference: false, scale: Some(own.scale) }, around);
    let some = &own.values[..own.values.len().min(LOOKED)];
    let mut deviations = Vec::new();
    let mut promise = |values: &[i64]| {
        Predictor::Level(0).deviations(values, 0, &mut deviations);
        rough(&deviations)
    };
    let enough = promise(some) - PROMISE * some.len() as f64;
    let mut apart = Vec::with_capacity(own.values.len());
    let difference = |apart: &mut Vec<i64>, values: &[i64], of: &Reference<'_>| {
        apart.clear();
        apart.extend(values.iter().zip(&of.page.values).map(|(a, b)| a.wrapping_sub(*b)));
    };
    let mut promised = Vec::with_capacity(around.references.len());
    for (i, reference) in around.references.iter().enumerate() {
        if reference.page.scale == own.scale && reference.page.values.len() == own.values.len() {
            difference(&mut apart, some, reference);
            promised.push((promise(&apart), i));
        }
    }
    promised.retain(|(bits, _)| *bits < enough);
    if let Some(i) = best_reference(&promised, around.references, some.len()) {
        let reference = &around.references[i];
        difference(&mut apart, &own.values, reference);
        let inner = put_decimals(&apart, Place { is_difference: true, scale: Some(own.scale) }, around);
        let mut bytes = Vec::with_capacity(inner.bytes.len() + 3);
        put_varint(&mut bytes, u64::from(reference.distance.unsigned_abs()));
        bytes.push(inner.kind);
        bytes.extend_from_slice(&inner.bytes);
        if bytes.len() < alone.bytes.len() - alone.bytes.len() / SAVES {
            let kind = if reference.distance < 0 { FORWARD } else { DIFFERENCE };
            return (Body { kind, bytes, ..inner }, Some(i));
        }
    }
    (alone, None)
}

/// The best of references with what they promise: the nearest, unless it needs too many others already.
fn best_reference(promised: &[(f64, usize)], references: &[Reference<'_>], values: usize) -> Option<usize> {
    let usable = |i: &usize| references[*i].depth < DEPTH;
    let nearest = promised.iter().min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, i)| *i)?;
    if usable(&nearest) {
        return Some(nearest);
    }
    let lifted = |(bits, i): &(f64, usize)| bits + LIFT * f64::from(references[*i].depth) * values as f64;
    let others = promised.iter().filter(|(_, i)| usable(i));
    others.min_by(|a, b| lifted(a).total_cmp(&lifted(b))).map(|(_, i)| *i)
}

fn put_decimals(values: &[i64], place: Place, around: &Around<'_>) -> Body {
    let own = put_integers(values, place.scale.unwrap_or_default(), Effort::Compact, around.setting);
    smaller_alike(own, values, place, around)
}

fn put_best_floats(bits: &[u64], around: &Around<'_>) -> (Body, Place) {
    let place = Place { is_difference: false, scale: None };
    let ordered = ordered_all(bits);
    let own = put_floats(bits, Effort::Compact, around.setting.further);
    (smaller_alike(own, &ordered, place, &without_pace(around)), place)
}

/// What was written with a model of its own, or with the one that is known where that is smaller.
fn smaller_alike(own: Body, values: &[i64], place: Place, around: &Around<'_>) -> Body {
    let Some(known) = around.known.filter(|known| known.place == place) else { return own };
    let mut bytes = Vec::new();
    if shaped::put_alike(&mut bytes, values, &known.model, around.setting.pace) && bytes.len() < own.bytes.len() {
        return Body { kind: ALIKE, bytes, model: None, is_paced: known.model.is_paced() };
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::undecimal;
    use crate::page::{Beyond, Rows, distance, mantissas, page, page_with};
    use proptest::prelude::*;

    fn bits(values: &[i64], scale: u8) -> Vec<u64> {
        values.iter().map(|v| undecimal(*v, scale).to_bits()).collect()
    }

    #[test]
    fn a_bucket_is_the_difference_to_the_one_below() {
        let below: Vec<i64> = (0..900i64)
            .scan(0, |sum, n| {
                *sum += n * n % 83;
                Some(*sum)
            })
            .collect();
        let bucket: Vec<i64> = (0i64..)
            .zip(&below)
            .scan(0, |sum, (n, b)| {
                *sum += n % 3;
                Some(*sum + b)
            })
            .collect();
        let same = below.clone();
        let below = Mantissas { scale: 0, values: below };
        for way in [3, -2] {
            let references = [Reference { distance: way, depth: 0, page: &below }];
            let mut out = Vec::new();
            put_compact(
                &mut out,
                &Presence::All,
                &bits(&bucket, 0),
                &Around { references: &references, ..Around::default() },
            );
            assert_eq!(distance(&out), Some(way));
        }
        let references = [Reference { distance: 3, depth: 0, page: &below }];
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        assert_eq!(put_compact(&mut alone, &Presence::All, &bits(&bucket, 0), &Around::default()).reference, None);
        let around = Around { references: &references, ..Around::default() };
        let put = put_compact(&mut beside, &Presence::All, &bits(&bucket, 0), &around);
        assert_eq!((put.own.map(|m| m.values), put.reference), (Some(bucket.clone()), Some(0)));
        assert!(beside.len() * 2 < alone.len(), "{} {}", beside.len(), alone.len());
        assert_eq!((distance(&beside), distance(&alone)), (Some(3), None));
        assert_eq!(
            mantissas(
                &beside,
                Rows::all(bucket.len()),
                Some(&below),
                &mut Beyond { before: None, pace_of: &mut || None }
            )
            .unwrap()
            .bits(),
            bits(&bucket, 0)
        );
        assert!(
            page(&beside, bucket.len()).is_none()
                && mantissas(
                    &beside,
                    Rows::all(bucket.len()),
                    None,
                    &mut Beyond { before: None, pace_of: &mut || None }
                )
                .is_none()
        );
        let mut twin = Vec::new();
        put_compact(&mut twin, &Presence::All, &bits(&same, 0), &around);
        assert!(twin.len() <= 8, "{}", twin.len());
        assert_eq!(
            mantissas(&twin, Rows::all(same.len()), Some(&below), &mut Beyond { before: None, pace_of: &mut || None })
                .unwrap()
                .values,
            same
        );
    }

    #[test]
    fn a_chain_that_is_long_enough_begins_anew() {
        let page = Mantissas { scale: 0, values: vec![0; 4] };
        let at = |depth: u32| Reference { distance: 1, depth, page: &page };
        let references = [at(0), at(1), at(DEPTH - 1), at(DEPTH)];
        let promised = [(90.0, 0), (80.0, 1), (60.0, 2), (10.0, 3)];
        // The nearest needs too many others; over 100 values, 40 bits are worth one page less.
        assert_eq!(best_reference(&promised, &references, 100), Some(0));
        assert_eq!(best_reference(&promised, &references, 1), Some(2));
        assert_eq!(best_reference(&promised[..3], &references, 100), Some(2));
        assert_eq!(best_reference(&promised[3..], &references, 100), None);
    }

    #[test]
    fn what_has_nothing_to_do_with_another_stands_alone() {
        let below = Mantissas { scale: 0, values: (0..500i64).map(|n| n * 7_919 % 1_009).collect() };
        let values: Vec<i64> = (0..500i64).map(|n| n * n % 911).collect();
        let mut out = Vec::new();
        let references = [Reference { distance: 1, depth: 0, page: &below }];
        let around = Around { references: &references, ..Around::default() };
        let put = put_compact(&mut out, &Presence::All, &bits(&values, 0), &around);
        assert_eq!(put.reference, None);
        assert_eq!(page(&out, values.len()).unwrap().bits, bits(&values, 0));
    }

    proptest! {
        #[test]
        fn any_page_comes_back(
            all in prop::collection::vec((-60_000i64..60_000, 0i64..9), 1..300),
            scale in 0u8..4,
            other in 0u8..4,
        ) {
            let reference = Mantissas { scale: other, values: all.iter().map(|(v, _)| *v).collect() };
            let values: Vec<i64> = all.iter().map(|(v, d)| v + d).collect();
            let mut out = Vec::new();
            let references = [Reference { distance: 1, depth: 0, page: &reference }];
            let around = Around { references: &references, ..Around::default() };
            let put = put_compact(&mut out, &Presence::All, &bits(&values, scale), &around);
            let found = match distance(&out) {
                Some(_) => mantissas(&out, Rows::all(values.len()), Some(&reference), &mut Beyond { before: None, pace_of: &mut || None }).unwrap().into_bits(),
                None => page(&out, values.len()).unwrap().bits,
            };
            prop_assert_eq!(put.reference.is_some(), distance(&out).is_some());
            prop_assert_eq!(&found, &bits(&values, scale));
            if let Some(own) = put.own {
                prop_assert_eq!(own.bits(), found);
            }
        }

        #[test]
        fn pages_of_a_series_come_back(
            steps in prop::collection::vec(0i64..300, 60..400),
            scale in 0u8..3,
            kind in 0u8..3,
            holes in prop::option::of(2usize..9),
            odd in prop::option::of((0usize..400, any::<i64>())),
        ) {
            // A counter, a gauge and floats, cut into three pages of which the later ones may take the model of an earlier one.
            let mut last = 0i64;
            let mut values: Vec<u64> = steps.iter().map(|s| match kind {
                0 => { last += s; undecimal(last, scale).to_bits() }
                1 => undecimal(s % 40, scale).to_bits(),
                _ => (*s as f64).sqrt().sin().to_bits(),
            }).collect();
            if let Some((at, other)) = odd {
                let n = values.len();
                values[at % n] = other as u64;
            }
            let (mut known, mut before): (Option<Known>, Option<Vec<u8>>) = (None, None);
            for part in values.chunks(values.len() / 3) {
                let presence = match holes {
                    Some(every) => Presence::of(&(0..part.len()).map(|i| i % every != 1).collect::<Vec<_>>()),
                    None => Presence::All,
                };
                let there: Vec<u64> = presence.rows(part.len()).map(|row| part[row]).collect();
                let setting = Setting { pace: None, further: true };
                let mut out = Vec::new();
                let put = put_compact(&mut out, &presence, &there, &Around { setting, known: known.as_ref(), ..Around::default() });
                let mut pace_of = || None;
                let mut beyond = Beyond { before: before.as_deref(), pace_of: &mut pace_of };
                prop_assert_eq!(page_with(&out, Rows::all(part.len()), &mut beyond).unwrap().0.bits, there);
                prop_assert_eq!(put.known.is_some(), crate::page::has_model(&out));
                if put.known.is_some() {
                    (known, before) = (put.known, Some(out));
                }
            }
        }
    }
}
