//! A page: the values of one series over the rows of a span, complete in itself and exact for any bits. Pure.
//!
//! First byte: coding in the low 4 bits, presence in the high 4. Then presence, where some rows have no value; then the values
//! that are there. Which coding is taken is decided for each page by its size: see `docs/decisions/metrics-format.md`.

mod ans;
mod compact;
mod difference;
mod model;
mod models;
mod packed;
mod plan;
mod predict;
mod presence;
mod shape;
mod shaped;
mod steps;
mod xor;

use std::sync::Arc;

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::decimal::{SCALE_MAX, decimal, decimals, undecimal};

pub(crate) use compact::{Around, Known, put_compact};
pub(crate) use difference::{DEPTH, Mantissas, Reference, distance, mantissas, put_twin, twin};
use model::Model;
pub(crate) use presence::Presence;
pub(crate) use shaped::Setting;

const CONSTANT: u8 = 0;
const CONSTANT_RAW: u8 = 1;
const XOR: u8 = 2;
const PACKED: u8 = 3;
const STEPS: u8 = 4;
const MODEL_DECIMALS: u8 = 5;
const MODEL_FLOATS: u8 = 6;
const SHAPED_DECIMALS: u8 = 7;
const SHAPED_FLOATS: u8 = 8;
const DIFFERENCE: u8 = 9;
const TWIN: u8 = 10;
const ALIKE: u8 = 11;
const FORWARD: u8 = 12;

/// How much work may go into a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// When a span leaves memory: it will be written again.
    Fresh,
    /// When a block is made.
    Compact,
}

/// Asked for the pace of a page's rows when it needs it; `None` when there is none, or it is damaged.
pub(crate) type PaceOf<'a> = &'a mut dyn FnMut() -> Option<Arc<[u16]>>;

/// What a page of a block may need beside its bytes.
pub(crate) struct Beyond<'a> {
    /// The page whose model it may take: the last one before it in its series that has one of its own.
    pub(crate) before: Option<&'a [u8]>,
    pub(crate) pace_of: PaceOf<'a>,
}

/// A page without its first byte and presence.
#[derive(Debug)]
struct Body {
    kind: u8,
    bytes: Vec<u8>,
    /// Its own model, where it has one.
    model: Option<Model>,
    is_paced: bool,
}

/// The values of a series that are there, and in which rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) presence: Presence,
    /// Bits, one for each row that has a value.
    pub(crate) bits: Vec<u64>,
}

/// Writes a page. Nothing is written for a series without any value: its page has no bytes.
pub(crate) fn put_page(out: &mut Vec<u8>, presence: &Presence, bits: &[u64], effort: Effort) {
    let Some(first) = bits.first() else { return };
    let head = out.len();
    out.push(0);
    let presence = presence.put(out);
    let kind = if bits.iter().all(|b| b == first) { put_constant(out, *first) } else { put_moving(out, bits, effort) };
    out[head] = kind | presence << 4;
}

fn put_constant(out: &mut Vec<u8>, bits: u64) -> u8 {
    match decimal(f64::from_bits(bits)) {
        Some((m, scale)) => {
            out.push(scale);
            put_varint(out, zigzag(m));
            CONSTANT
        }
        None => {
            out.extend_from_slice(&bits.to_le_bytes());
            CONSTANT_RAW
        }
    }
}

fn put_moving(out: &mut Vec<u8>, bits: &[u64], effort: Effort) -> u8 {
    let body = match decimals(bits) {
        Some((mantissas, scale)) => put_integers(&mantissas, scale, effort, Setting::default()),
        None => put_floats(bits, effort, false),
    };
    out.extend_from_slice(&body.bytes);
    body.kind
}

/// A long page that moves this often, one row in so many, is smallest with a shape: of 12,000 such pages of a block none was smaller as steps or
/// packed, and trying both took a tenth of the work.
const MOVES: usize = 4;
/// Rows of a long page: in shorter ones the shape itself weighs more.
const LONG: usize = 256;

fn put_integers(mantissas: &[i64], scale: u8, effort: Effort, setting: Setting<'_>) -> Body {
    let mut shaped = vec![scale];
    let model = (effort == Effort::Compact).then(|| shaped::put(&mut shaped, mantissas, setting)).flatten();
    let moves = || mantissas.windows(2).filter(|w| w[0] != w[1]).count();
    let mut best = (STEPS, vec![scale]);
    if model.is_some() && mantissas.len() >= LONG && moves() * MOVES > mantissas.len() {
        let is_paced = model.as_ref().is_some_and(Model::is_paced);
        return Body { kind: SHAPED_DECIMALS, bytes: shaped, is_paced, model };
    }
    steps::put(&mut best.1, mantissas);
    let mut packed = vec![scale];
    packed::put(&mut packed, mantissas);
    let best = if packed.len() < best.1.len() { (PACKED, packed) } else { best };
    smaller(best, SHAPED_DECIMALS, shaped, model)
}

fn put_floats(bits: &[u64], effort: Effort, further: bool) -> Body {
    let mut best = (XOR, Vec::new());
    xor::put(&mut best.1, bits);
    let (mut shaped, setting) = (Vec::new(), Setting { pace: None, further });
    let model = (effort == Effort::Compact).then(|| shaped::put(&mut shaped, &ordered_all(bits), setting)).flatten();
    smaller(best, SHAPED_FLOATS, shaped, model)
}

/// What is shaped, where there is a model and it is smaller.
fn smaller((kind, bytes): (u8, Vec<u8>), other: u8, shaped: Vec<u8>, model: Option<Model>) -> Body {
    match model.filter(|_| shaped.len() < bytes.len()) {
        Some(model) => Body { kind: other, bytes: shaped, is_paced: model.is_paced(), model: Some(model) },
        None => Body { kind, bytes, model: None, is_paced: false },
    }
}

fn ordered_all(bits: &[u64]) -> Vec<i64> {
    bits.iter().map(|b| ordered(*b as i64)).collect()
}

/// The bits of a float as an integer that is larger where the float is, and back.
const fn ordered(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The coding of a page, as its first byte says; 0 for one without bytes.
pub(crate) fn coding(bytes: &[u8]) -> u8 {
    bytes.first().map_or(0, |head| head & 0x0f)
}

/// The model of a page: what it is of, and the bytes that it begins with.
struct ModelBytes<'a> {
    /// `None` for floats.
    scale: Option<u8>,
    bytes: &'a [u8],
}

/// The model that a page has of its own. Only pages with a value in each row have one for others.
fn model_of(page: &[u8]) -> Option<ModelBytes<'_>> {
    let mut cursor = Cursor::new(page);
    // Presence 0, or it is none of these.
    let mut kind = cursor.byte()?;
    if kind == SHAPED_FLOATS {
        return Some(ModelBytes { scale: None, bytes: cursor.rest() });
    }
    if matches!(kind, DIFFERENCE | FORWARD) {
        cursor.varint()?;
        kind = cursor.byte()?;
    }
    let scale = cursor.byte().filter(|scale| kind == SHAPED_DECIMALS && *scale <= SCALE_MAX)?;
    Some(ModelBytes { scale: Some(scale), bytes: cursor.rest() })
}

/// Whether later pages of the series may take the model of this one.
pub(crate) fn has_model(page: &[u8]) -> bool {
    model_of(page).is_some()
}

/// Which rows of a page are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// How many the page has.
    pub(crate) count: usize,
    /// The first one that is wanted.
    pub(crate) from: usize,
}

impl Rows {
    /// All of them.
    pub(crate) const fn all(count: usize) -> Self {
        Self { count, from: 0 }
    }

    /// How many are wanted.
    const fn wanted(self) -> usize {
        self.count.saturating_sub(self.from)
    }

    /// The wanted part of what was read of all rows.
    fn part<T>(self, mut all: Vec<T>) -> Vec<T> {
        all.drain(..self.from.min(all.len()));
        all
    }
}

/// Reads a page of so many rows that is complete in itself; `None` when it is damaged, or not complete.
pub(crate) fn page(bytes: &[u8], rows: usize) -> Option<Values> {
    Some(page_with(bytes, Rows::all(rows), &mut Beyond { before: None, pace_of: &mut || None })?.0)
}

/// Reads a page that is no difference and no twin, from a row on; `None` when it is damaged. Answers its values, and the row that they begin with, which
/// is 0 unless all rows have a value.
pub(crate) fn page_with(bytes: &[u8], rows: Rows, beyond: &mut Beyond<'_>) -> Option<(Values, usize)> {
    if bytes.is_empty() {
        return Some((Values { presence: Presence::none(rows.count), bits: Vec::new() }, 0));
    }
    let mut cursor = Cursor::new(bytes);
    let head = cursor.byte()?;
    let presence = Presence::read(head >> 4, &mut cursor, rows.count)?;
    let rows = match presence {
        Presence::All => rows,
        Presence::Some(_) => Rows::all(presence.count(rows.count)),
    };
    let bits = match head & 0x0f {
        CONSTANT => {
            let scale = cursor.byte().filter(|s| *s <= SCALE_MAX)?;
            vec![undecimal(unzigzag(cursor.varint()?), scale).to_bits(); rows.wanted()]
        }
        CONSTANT_RAW => vec![cursor.u64()?; rows.wanted()],
        XOR => {
            let mut bits = Vec::new();
            xor::read(cursor.rest(), rows.count, &mut bits)?;
            rows.part(bits)
        }
        MODEL_FLOATS => {
            let mut bits = Vec::new();
            models::floats(cursor.rest(), rows.count, &mut bits)?;
            rows.part(bits)
        }
        // The same memory holds both.
        SHAPED_FLOATS => {
            shaped::read(cursor.rest(), rows, &mut || None)?.into_iter().map(|v| ordered(v) as u64).collect()
        }
        ALIKE if model_of(beyond.before?)?.scale.is_none() => {
            let model = model_of(beyond.before?)?.bytes;
            let found = shaped::read_alike(cursor.rest(), model, rows, &mut || None)?;
            found.into_iter().map(|v| ordered(v) as u64).collect()
        }
        kind => integers(kind, &mut cursor, rows, beyond)?.into_bits(),
    };
    Some((Values { presence, bits }, rows.from))
}

fn integers(kind: u8, cursor: &mut Cursor<'_>, rows: Rows, beyond: &mut Beyond<'_>) -> Option<Mantissas> {
    if kind == ALIKE {
        let model = model_of(beyond.before?)?;
        let values = shaped::read_alike(cursor.rest(), model.bytes, rows, beyond.pace_of)?;
        return Some(Mantissas { scale: model.scale?, values });
    }
    let scale = cursor.byte().filter(|s| *s <= SCALE_MAX)?;
    let values = match kind {
        CONSTANT => vec![unzigzag(cursor.varint()?); rows.wanted()],
        PACKED => rows.part(packed::read(cursor, rows.count)?),
        STEPS => rows.part(steps::read(cursor, rows.count)?),
        MODEL_DECIMALS => rows.part(models::integers(cursor.rest(), rows.count)?),
        SHAPED_DECIMALS => shaped::read(cursor.rest(), rows, beyond.pace_of)?,
        _ => return None,
    };
    Some(Mantissas { scale, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<u64>> {
        let plain = prop_oneof![
            6 => (-500i64..500).prop_map(|m| (m as f64).to_bits()),
            3 => (-50_000i64..50_000, 0u8..5).prop_map(|(m, s)| undecimal(m, s).to_bits()),
            1 => any::<i64>().prop_map(|m| ((m >> 8) as f64).to_bits()),
        ];
        (prop::collection::vec(plain, 1..250), prop::collection::vec((0usize..250, any::<u64>()), 0..3), 0usize..3)
            .prop_map(|(mut all, odd, still)| {
                let n = all.len();
                odd.into_iter().for_each(|(i, bits)| all[i % n] = bits);
                if still > 0 {
                    let first = all[0];
                    all.iter_mut().enumerate().filter(|(i, _)| still == 2 || i % 30 != 0).for_each(|(_, v)| *v = first);
                }
                all
            })
    }

    #[test]
    fn pages_of_earlier_versions_are_read() {
        // Blocks of before November 2026 have models of pco in them.
        let decimals: Vec<i64> = (0..500).map(|n| n * n % 977).collect();
        let mut bytes = vec![MODEL_DECIMALS, 2];
        assert!(models::put_integers(&mut bytes, &decimals));
        let expected: Vec<u64> = decimals.iter().map(|m| undecimal(*m, 2).to_bits()).collect();
        assert_eq!(page(&bytes, decimals.len()).unwrap().bits, expected);
        let floats: Vec<u64> = (0..500).map(|n| f64::from(n).sqrt().sin().to_bits()).collect();
        let mut bytes = vec![MODEL_FLOATS];
        assert!(models::put_floats(&mut bytes, &floats));
        assert_eq!(page(&bytes, floats.len()).unwrap().bits, floats);
    }

    proptest! {
        #[test]
        fn any_page_comes_back(all in values(), gone in prop::collection::vec(any::<bool>(), 250), holes in 0u8..3, from: prop::sample::Index) {
            let present: Vec<bool> = all.iter().zip(&gone).enumerate().map(|(i, (_, g))| match holes {
                0 => true,
                1 => *g,
                _ => i / 20 % 2 == 1,
            }).collect();
            let presence = Presence::of(&present);
            let bits: Vec<u64> = all.iter().zip(&present).filter(|(_, p)| **p).map(|(v, _)| *v).collect();
            for effort in [Effort::Fresh, Effort::Compact] {
                let mut bytes = Vec::new();
                put_page(&mut bytes, &presence, &bits, effort);
                let back = page(&bytes, all.len()).unwrap();
                prop_assert_eq!(&back.bits, &bits);
                prop_assert_eq!((0..all.len()).map(|i| back.presence.has(i)).collect::<Vec<_>>(), present.clone());
                let rows = Rows { count: all.len(), from: from.index(all.len()) };
                let (part, from) = page_with(&bytes, rows, &mut Beyond { before: None, pace_of: &mut || None }).unwrap();
                prop_assert_eq!(part.bits.as_slice(), &bits[from..]);
                prop_assert!(from == 0 || part.presence == Presence::All);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), rows in 0usize..1000) {
            if let Some(found) = page(&bytes, rows) {
                prop_assert_eq!(found.bits.len(), found.presence.count(rows));
            }
        }
    }
}
