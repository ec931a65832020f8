//! A page as the difference to the page of another series over the same rows: the buckets of a histogram count what those below them
//! count, and some series say the same as others. Pure.
//!
//! Body: `varint` how many series before it the other one stands, coding, then the page of the differences of mantissas at the scale of
//! both. Of a twin, which has the same values as a series anywhere before it: `varint` number of that one. Only pages with a value in every row are
//! taken.

use super::predict::Predictor;
use super::shaped::{self, rough};
use super::{
    CONSTANT, DIFFERENCE, Effort, PaceOf, Presence, SHAPED_DECIMALS, TWIN, put_constant, put_floats, put_integers,
};
use crate::codec::{Cursor, put_varint};
use crate::decimal::{SCALE_MAX, decimals, undecimal};

/// A difference has to save so much of a page, one part in so many: who reads it has to read the other one too.
const SAVES: usize = 10;
/// Bits per value that it has to promise before it is tried.
const PROMISE: f64 = 0.1;
/// Values that are looked at for what it promises.
const LOOKED: usize = 256;

/// Values as decimals at one scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mantissas {
    pub(crate) scale: u8,
    pub(crate) values: Vec<i64>,
}

impl Mantissas {
    /// The bits of the values; the same memory holds both.
    pub(crate) fn into_bits(self) -> Vec<u64> {
        let Self { scale, values } = self;
        if scale == 0 {
            values.into_iter().map(|m| (m as f64).to_bits()).collect()
        } else {
            values.into_iter().map(|m| undecimal(m, scale).to_bits()).collect()
        }
    }

    /// The bits of the values.
    pub(crate) fn bits(&self) -> Vec<u64> {
        if self.scale == 0 {
            return self.values.iter().map(|m| (*m as f64).to_bits()).collect();
        }
        self.values.iter().map(|m| undecimal(*m, self.scale).to_bits()).collect()
    }
}

/// A page that another one may be the difference to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference<'a> {
    /// How many series before.
    pub(crate) distance: u32,
    pub(crate) page: &'a Mantissas,
}

/// Writes a page as small as it becomes; its rows may have a pace. Answers its mantissas, where others may be differences to it, and which of
/// these references it is the difference to.
pub(crate) fn put_compact(
    out: &mut Vec<u8>,
    presence: &Presence,
    bits: &[u64],
    references: &[Reference<'_>],
    pace: Option<&[u16]>,
) -> (Option<Mantissas>, Option<usize>) {
    let Some(first) = bits.first() else { return (None, None) };
    let head = out.len();
    out.push(0);
    let held = presence.put(out);
    let mut taken = (None, None);
    let kind = if bits.iter().all(|b| b == first) {
        put_constant(out, *first)
    } else {
        let (kind, body) = match decimals(bits) {
            Some((values, scale)) => {
                let own = Mantissas { scale, values };
                let best = if held == 0 { put_best(&own, references, pace) } else { put_best(&own, &[], None) };
                taken = ((held == 0).then_some(own), best.2);
                (best.0, best.1)
            }
            None => put_floats(bits, Effort::Compact),
        };
        out.extend_from_slice(&body);
        kind
    };
    out[head] = kind | held << 4;
    taken
}

fn put_best(own: &Mantissas, references: &[Reference<'_>], pace: Option<&[u16]>) -> (u8, Vec<u8>, Option<usize>) {
    let (kind, body) = put_integers(&own.values, own.scale, Effort::Compact, pace);
    let some = &own.values[..own.values.len().min(LOOKED)];
    let mut deviations = Vec::new();
    let mut promise = |values: &[i64]| {
        Predictor::Level(0).deviations(values, 0, &mut deviations);
        rough(&deviations)
    };
    let mut best = (promise(some) - PROMISE * some.len() as f64, None);
    let mut apart = Vec::with_capacity(own.values.len());
    let difference = |apart: &mut Vec<i64>, values: &[i64], of: &Reference<'_>| {
        apart.clear();
        apart.extend(values.iter().zip(&of.page.values).map(|(a, b)| a.wrapping_sub(*b)));
    };
    for (i, reference) in references.iter().enumerate() {
        if reference.page.scale == own.scale && reference.page.values.len() == own.values.len() {
            difference(&mut apart, some, reference);
            let promised = promise(&apart);
            if promised < best.0 {
                best = (promised, Some(i));
            }
        }
    }
    if let Some(i) = best.1 {
        difference(&mut apart, &own.values, &references[i]);
        let (inner, rest) = put_integers(&apart, own.scale, Effort::Compact, pace);
        let mut smaller = Vec::with_capacity(rest.len() + 3);
        put_varint(&mut smaller, u64::from(references[i].distance));
        smaller.push(inner);
        smaller.extend_from_slice(&rest);
        if smaller.len() < body.len() - body.len() / SAVES {
            return (DIFFERENCE, smaller, Some(i));
        }
    }
    (kind, body, None)
}

/// How many series before its own the one stands to which this page is the difference; `None` for other pages.
pub(crate) fn distance(bytes: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(bytes);
    (cursor.byte()? == DIFFERENCE).then(|| cursor.varint())?.and_then(|n| u32::try_from(n).ok())
}

/// Whether a page cannot be read without the pace of its rows.
pub(crate) fn needs_pace(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let mut kind = cursor.byte().unwrap_or(CONSTANT);
    if kind == DIFFERENCE {
        let _ = cursor.varint();
        kind = cursor.byte().unwrap_or(CONSTANT);
    }
    // The scale stands before what is shaped.
    kind == SHAPED_DECIMALS && cursor.take(2).is_some_and(|head| shaped::is_paced(head[1]))
}

/// Writes a page that has the same values as that of the series of this number.
pub(crate) fn put_twin(out: &mut Vec<u8>, series: u32) {
    out.push(TWIN);
    put_varint(out, u64::from(series));
}

/// The series whose page has the values of this one.
pub(crate) fn twin(bytes: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(bytes);
    (cursor.byte()? == TWIN).then(|| cursor.varint())?.and_then(|n| u32::try_from(n).ok())
}

/// The mantissas of a page with a value in each of so many rows; of a difference, with the page that it is the difference to.
pub(crate) fn mantissas(
    bytes: &[u8],
    rows: usize,
    reference: Option<&Mantissas>,
    pace_of: PaceOf<'_>,
) -> Option<Mantissas> {
    let mut cursor = Cursor::new(bytes);
    let head = cursor.byte()?;
    if head != DIFFERENCE {
        return if head >> 4 == 0 { super::integers(head, &mut cursor, rows, pace_of) } else { None };
    }
    let reference = reference.filter(|r| r.values.len() == rows)?;
    cursor.varint()?;
    let inner = cursor.byte().filter(|kind| *kind != CONSTANT)?;
    let mut found = super::integers(inner, &mut cursor, rows, pace_of)?;
    if found.scale != reference.scale || found.scale > SCALE_MAX {
        return None;
    }
    found.values.iter_mut().zip(&reference.values).for_each(|(v, r)| *v = v.wrapping_add(*r));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::page;
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
        let references = [Reference { distance: 3, page: &below }];
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        assert_eq!(put_compact(&mut alone, &Presence::All, &bits(&bucket, 0), &[], None).1, None);
        let (own, taken) = put_compact(&mut beside, &Presence::All, &bits(&bucket, 0), &references, None);
        assert_eq!((own.map(|m| m.values), taken), (Some(bucket.clone()), Some(0)));
        assert!(beside.len() * 2 < alone.len(), "{} {}", beside.len(), alone.len());
        assert_eq!((distance(&beside), distance(&alone)), (Some(3), None));
        assert_eq!(mantissas(&beside, bucket.len(), Some(&below), &mut || None).unwrap().bits(), bits(&bucket, 0));
        assert!(
            page(&beside, bucket.len()).is_none() && mantissas(&beside, bucket.len(), None, &mut || None).is_none()
        );
        let mut twin = Vec::new();
        put_compact(&mut twin, &Presence::All, &bits(&same, 0), &references, None);
        assert!(twin.len() <= 8, "{}", twin.len());
        assert_eq!(mantissas(&twin, same.len(), Some(&below), &mut || None).unwrap().values, same);
    }

    #[test]
    fn what_has_nothing_to_do_with_another_stands_alone() {
        let below = Mantissas { scale: 0, values: (0..500i64).map(|n| n * 7_919 % 1_009).collect() };
        let values: Vec<i64> = (0..500i64).map(|n| n * n % 911).collect();
        let mut out = Vec::new();
        let (_, taken) =
            put_compact(&mut out, &Presence::All, &bits(&values, 0), &[Reference { distance: 1, page: &below }], None);
        assert_eq!(taken, None);
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
            let (own, taken) = put_compact(
                &mut out, &Presence::All, &bits(&values, scale), &[Reference { distance: 1, page: &reference }], None,
            );
            let found = match distance(&out) {
                Some(_) => mantissas(&out, values.len(), Some(&reference), &mut || None).unwrap().into_bits(),
                None => page(&out, values.len()).unwrap().bits,
            };
            prop_assert_eq!(taken.is_some(), distance(&out).is_some());
            prop_assert_eq!(&found, &bits(&values, scale));
            if let Some(own) = own {
                prop_assert_eq!(own.bits(), found);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..60), rows in 0usize..500) {
            let reference = Mantissas { scale: 0, values: vec![1; rows] };
            let _ = mantissas(&bytes, rows, Some(&reference), &mut || None);
            bytes[0] = DIFFERENCE;
            let _ = (mantissas(&bytes, rows, Some(&reference), &mut || None), distance(&bytes));
            bytes[0] = TWIN;
            let _ = (mantissas(&bytes, rows, Some(&reference), &mut || None), twin(&bytes));
        }
    }
}
