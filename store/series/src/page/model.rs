//! What a shaped page says of its values before they come: what is expected of them, and the shape of what deviates. Pure.
//!
//! The pages of one series are much alike, so that one may take the model of an earlier one instead of writing its own.

use super::ans::Sign;
use super::plan::{Plan, cell, escaped};
use super::predict::{LAG_MAX, Predictor};
use super::shape::{CELLS, frequencies, levels, put_levels, read_levels};
use crate::bits::{BitReader, BitWriter};
use crate::codec::{Cursor, put_varint, unzigzag, zigzag};

const PREDICTOR: u8 = 0x0f;
const HAS_DIVISOR: u8 = 0x10;
const HAS_SPIKE: u8 = 0x20;
/// The levels of the shape are written beside their trend.
const HAS_TREND: u8 = 0x40;
/// The predictor that expects nothing.
const NOTHING: usize = 0;
/// The predictors behind those that need no more than a step.
pub(super) const LAG: usize = Predictor::ALL.len();
pub(super) const SEASON: usize = LAG + 1;
pub(super) const PACE: usize = LAG + 2;

/// What is expected of values above the first one: a predictor by its number, and what it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) number: usize,
    /// The step that it begins with, or its share of the pace.
    pub(super) step: i64,
    /// Rows after which values come back.
    pub(super) period: usize,
    /// By which deviations can be divided that come a period later.
    pub(super) factor: i64,
}

impl Expected {
    /// The predictor; `None` when there is none of this number, or no pace.
    pub(super) fn predictor<'a>(&self, pace: Option<&'a [u16]>) -> Option<Predictor<'a>> {
        match self.number {
            LAG => Some(Predictor::Lag(self.period)),
            SEASON => Some(Predictor::Season(self.period, self.factor)),
            PACE => pace.map(Predictor::Pace),
            number => Predictor::ALL.get(number).copied(),
        }
    }

    /// What deviates from it; `None` when there is no pace, or it is that of other rows, or something cannot be divided.
    pub(super) fn deviations(&self, values: &[i64], pace: Option<&[u16]>, out: &mut Vec<i64>) -> Option<()> {
        let predictor = self.predictor(pace.filter(|p| p.len() == values.len()))?;
        let divides = |v: &i64| v.checked_rem(self.factor) == Some(0);
        match predictor {
            Predictor::Lag(period) => {
                predictor.deviations(values, self.step, out);
                let later = out.get_mut(period - 1..).unwrap_or_default();
                if !later.iter().all(divides) {
                    return None;
                }
                later.iter_mut().for_each(|d| *d /= self.factor);
            }
            Predictor::Season(period, _) => {
                let seasons = values.get(period..).unwrap_or_default().chunks(period);
                if !seasons.flat_map(|s| s.iter().zip(values)).all(|(v, first)| divides(&v.wrapping_sub(*first))) {
                    return None;
                }
                predictor.deviations(values, self.step, out);
            }
            _ => predictor.deviations(values, self.step, out),
        }
        Some(())
    }

    /// The way back, in place: the first one is 0.
    pub(super) fn values(&self, all: &mut [i64], pace: Option<&[u16]>) -> Option<()> {
        let predictor = self.predictor(pace)?;
        if let Predictor::Lag(period) = predictor
            && self.factor != 1
        {
            all.iter_mut().skip(period).for_each(|d| *d = d.wrapping_mul(self.factor));
        }
        predictor.values(all, self.step);
        Some(())
    }
}

/// A model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    /// The first value of the page that it was made for. Where nothing is expected, what deviates lies around it.
    pub(super) first: i64,
    pub(super) expected: Expected,
    /// By which all values above the first one can be divided.
    pub(super) divisor: i64,
    /// Bits within a cell.
    pub(super) shift: u32,
    /// The lowest cell.
    pub(super) least: i64,
    pub(super) cells: usize,
    pub(super) spike: Option<i64>,
    pub(super) frequencies: Vec<u32>,
}

impl Model {
    /// Writes a model around the first value; its shape begins a stream of bits, to which values are added. `further`: other pages will take it, so
    /// that there has to be a symbol for what is in no cell.
    pub(super) fn put(
        out: &mut Vec<u8>,
        first: i64,
        (expected, divisor): (Expected, i64),
        plan: &Plan,
        further: bool,
    ) -> Option<(Self, BitWriter)> {
        let mut counts = plan.counts.clone();
        if further {
            counts[plan.cells] = counts[plan.cells].max(1);
        }
        let levels = levels(&counts);
        let flag = |has: bool, bit: u8| if has { bit } else { 0 };
        let flags = flag(divisor > 1, HAS_DIVISOR) | flag(plan.spike.is_some(), HAS_SPIKE) | HAS_TREND;
        out.push(expected.number as u8 | flags);
        put_varint(out, zigzag(first));
        if divisor > 1 {
            put_varint(out, divisor as u64);
        }
        match expected.number {
            LAG | SEASON => {
                out.push(expected.period as u8);
                put_varint(out, expected.factor as u64);
            }
            PACE => put_varint(out, zigzag(expected.step)),
            number if matches!(Predictor::ALL.get(number), Some(Predictor::Step(_))) => {
                put_varint(out, zigzag(expected.step));
            }
            _ => {}
        }
        out.extend_from_slice(&[plan.shift as u8, plan.cells as u8]);
        put_varint(out, zigzag(plan.least));
        if let Some(spike) = plan.spike {
            put_varint(out, zigzag(spike));
        }
        let mut w = BitWriter::after(std::mem::take(out));
        put_levels(&mut w, &levels, true);
        let (shift, least, cells, spike) = (plan.shift, plan.least, plan.cells, plan.spike);
        let frequencies = frequencies(&levels)?;
        Some((Self { first, expected, divisor, shift, least, cells, spike, frequencies }, w))
    }

    /// Reads a model with the first value, and how many bits behind its bytes its shape takes.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<(Self, usize)> {
        let head = cursor.byte()?;
        let first = unzigzag(cursor.varint()?);
        let divisor = if head & HAS_DIVISOR == 0 { 1 } else { cursor.varint()? as i64 };
        let mut expected = Expected { number: usize::from(head & PREDICTOR), factor: 1, ..Expected::default() };
        match expected.number {
            LAG | SEASON => {
                expected.period = Some(usize::from(cursor.byte()?)).filter(|p| (2..=LAG_MAX).contains(p))?;
                expected.factor = cursor.varint()? as i64;
            }
            PACE => expected.step = unzigzag(cursor.varint()?),
            number => {
                if matches!(Predictor::ALL.get(number)?, Predictor::Step(_)) {
                    expected.step = unzigzag(cursor.varint()?);
                }
            }
        }
        let shift = u32::from(cursor.byte().filter(|s| *s < 64)?);
        let cells = usize::from(cursor.byte().filter(|n| (1..=CELLS).contains(&usize::from(*n)))?);
        let least = unzigzag(cursor.varint()?);
        let spike = if head & HAS_SPIKE == 0 { None } else { Some(unzigzag(cursor.varint()?)) };
        let mut bits = BitReader::new(cursor.rest());
        let frequencies = frequencies(&read_levels(&mut bits, cells, head & HAS_TREND != 0)?)?;
        Some((Self { first, expected, divisor, shift, least, cells, spike, frequencies }, bits.at()))
    }

    /// What the values of a page that begins with this one are looked at from.
    pub(super) fn base(&self, first: i64) -> i64 {
        if self.expected.number == NOTHING { self.first } else { first }
    }

    /// Whether its pages need a pace.
    pub(super) fn is_paced(&self) -> bool {
        self.expected.number == PACE
    }

    /// The symbol of what deviates; `None` when the model has none for it.
    pub(super) fn sign(&self, d: i64) -> Option<Sign> {
        let has = |symbol: usize| self.frequencies.get(symbol).is_some_and(|f| *f > 0);
        if self.spike == Some(d) && has(self.cells + 1) {
            return Some(Sign { symbol: self.cells as u8 + 1, ..Sign::default() });
        }
        if let Some(c) = cell(d, self.shift, self.least, self.cells).filter(|c| has(*c)) {
            let raw = d as u64 & ((1u64 << self.shift) - 1);
            return Some(Sign { symbol: c as u8, raw, width: self.shift as u8, escape: false });
        }
        let (raw, width) = escaped(d);
        has(self.cells).then_some(Sign { symbol: self.cells as u8, raw, width: width as u8, escape: true })
    }
}
