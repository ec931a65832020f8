//! What a series has beside the rows of its group: numbers at times of its own, histograms, start times. Pure.

use crate::codec::{Cursor, body, put_body, put_varint, unzigzag, zigzag};
use crate::limits::{FRAME_BYTES, HISTOGRAM_BYTES};
use crate::page::{Effort, Presence, page, put_page};
use crate::times::{put_times, times};

/// Numbers at times of their own.
pub(crate) const NUMBERS: u8 = 1;
/// Histograms.
pub(crate) const HISTOGRAMS: u8 = 2;
/// From when on a counter began when.
pub(crate) const STARTS: u8 = 3;

/// Histograms as bytes with their times.
pub(crate) type Encoded = Vec<(i64, Box<[u8]>)>;

/// What stands beside the rows, of one series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// Times and bits, ascending.
    pub(crate) numbers: Vec<(i64, u64)>,
    /// Ascending.
    pub(crate) histograms: Encoded,
    /// From which time on the counter began when, ascending.
    pub(crate) starts: Vec<(i64, i64)>,
}

impl Beside {
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.histograms.is_empty() && self.starts.is_empty()
    }

    /// Whether there is a sample of this time.
    pub(crate) fn has(&self, t_ms: i64) -> bool {
        self.numbers.binary_search_by_key(&t_ms, |(at, _)| *at).is_ok()
            || self.histograms.binary_search_by_key(&t_ms, |(at, _)| *at).is_ok()
    }

    /// Adds what was written later: of one time the first sample counts.
    pub(crate) fn add(&mut self, later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        let numbers: Vec<_> = later.numbers.into_iter().filter(|(t, _)| !self.has(*t)).collect();
        let histograms: Vec<_> = later.histograms.into_iter().filter(|(t, _)| !self.has(*t)).collect();
        self.numbers.extend(numbers);
        self.histograms.extend(histograms);
        self.starts.extend(later.starts);
        self.numbers.sort_by_key(|(t, _)| *t);
        self.histograms.sort_by_key(|(t, _)| *t);
        self.starts.sort_by_key(|(t, _)| *t);
        self.starts.dedup_by_key(|(t, _)| *t);
    }

    /// Writes what there is: kind, length and payload each.
    pub(crate) fn put(&self, out: &mut Vec<u8>, effort: Effort) {
        let mut put = |kind: u8, payload: &[u8]| {
            out.push(kind);
            put_varint(out, payload.len() as u64);
            out.extend_from_slice(payload);
        };
        if !self.numbers.is_empty() {
            let (at, bits): (Vec<i64>, Vec<u64>) = self.numbers.iter().copied().unzip();
            let mut payload = Vec::new();
            put_varint(&mut payload, at.len() as u64);
            put_times(&mut payload, &at);
            put_page(&mut payload, &Presence::All, &bits, effort);
            put(NUMBERS, &payload);
        }
        if !self.histograms.is_empty() {
            put(HISTOGRAMS, &packed_histograms(&self.histograms));
        }
        if !self.starts.is_empty() {
            let mut payload = Vec::new();
            put_varint(&mut payload, self.starts.len() as u64);
            for (t, start) in &self.starts {
                put_varint(&mut payload, zigzag(*t));
                put_varint(&mut payload, zigzag(t.wrapping_sub(*start)));
            }
            put(STARTS, &payload);
        }
    }

    /// Reads what [`Beside::put`] wrote, up to the end.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (mut cursor, mut out) = (Cursor::new(bytes), Self::default());
        while !cursor.rest().is_empty() {
            let kind = cursor.byte()?;
            let length = cursor.length(cursor.rest().len())?;
            let mut payload = Cursor::new(cursor.take(length)?);
            match kind {
                NUMBERS => {
                    let count = payload.length(FRAME_BYTES)?;
                    let at = times(&mut payload, count)?;
                    let values = page(payload.rest(), count)?;
                    out.numbers
                        .extend(values.presence.rows(count).zip(&values.bits).map(|(row, bits)| (at[row], *bits)));
                }
                HISTOGRAMS => out.histograms.extend(histograms(payload.rest())?),
                STARTS => {
                    for _ in 0..payload.length(FRAME_BYTES)? {
                        let t = unzigzag(payload.varint()?);
                        out.starts.push((t, t.wrapping_sub(unzigzag(payload.varint()?))));
                    }
                }
                _ => return None,
            }
        }
        Some(out)
    }
}

fn packed_histograms(all: &Encoded) -> Vec<u8> {
    let mut plain = Vec::new();
    put_varint(&mut plain, all.len() as u64);
    put_times(&mut plain, &all.iter().map(|(t, _)| *t).collect::<Vec<_>>());
    all.iter().for_each(|(_, bytes)| put_varint(&mut plain, bytes.len() as u64));
    all.iter().for_each(|(_, bytes)| plain.extend_from_slice(bytes));
    let mut out = Vec::new();
    put_body(&mut out, &plain);
    out
}

fn histograms(bytes: &[u8]) -> Option<Encoded> {
    let plain = body(bytes, FRAME_BYTES)?;
    let mut cursor = Cursor::new(&plain);
    let count = cursor.length(plain.len())?;
    let at = times(&mut cursor, count)?;
    let lengths: Vec<usize> = (0..count).map(|_| cursor.length(HISTOGRAM_BYTES)).collect::<Option<_>>()?;
    at.into_iter().zip(lengths).map(|(t, n)| Some((t, cursor.take(n)?.into()))).collect()
}
