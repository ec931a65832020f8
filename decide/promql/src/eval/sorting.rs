//! `sort`, `sort_by_label`, and the order and hash of label sets. Pure.

use std::cmp::Ordering;

use kernel::Labels;

use super::engine::{Engine, Grid, Result, Sink};
use crate::syntax::ast::Call;
use crate::syntax::span::Span;

impl Engine<'_> {
    /// At several times there is no order to choose; says so.
    fn warn_if_ineffective(&self, span: Span, grid: Grid) -> bool {
        let query = self.query;
        let of_a_range = grid == self.grid && query.step_ms.is_some() && query.start_ms != query.end_ms;
        let ineffective = grid.start != grid.last() || of_a_range;
        if ineffective {
            self.warn(span, "sort is ineffective for range queries since results are always ordered by labels");
        }
        ineffective
    }

    pub(super) fn sorted_lines(
        &self,
        c: &Call,
        descending: bool,
        span: Span,
        grid: Grid,
        sink: Sink<'_>,
    ) -> Result<()> {
        // Histograms have no order.
        let floats = |sink: Sink<'_>| {
            self.lines(&c.args[0], grid, &mut |mut line| {
                line.only_floats();
                if line.is_empty() { Ok(()) } else { sink(line) }
            })
        };
        if self.warn_if_ineffective(span, grid) || grid.steps != 1 {
            return floats(sink);
        }
        let mut lines = Vec::new();
        floats(&mut |line| {
            self.hold_line(&line)?;
            lines.push(line);
            Ok(())
        })?;
        lines.sort_by(|a, b| {
            let (a, b) = (a.values[0], b.values[0]);
            let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
            a.is_nan().cmp(&b.is_nan()).then(if descending { order.reverse() } else { order })
        });
        lines.into_iter().try_for_each(sink)
    }

    pub(super) fn sorted_by_label(
        &self,
        c: &Call,
        descending: bool,
        span: Span,
        grid: Grid,
        sink: Sink<'_>,
    ) -> Result<()> {
        if self.warn_if_ineffective(span, grid) || grid.steps != 1 {
            return self.lines(&c.args[0], grid, sink);
        }
        let names: Vec<&str> =
            c.args[1..].iter().map(|a| self.string(a).map(|t| t.value.as_str())).collect::<Result<_>>()?;
        let mut lines = self.collect(&c.args[0], grid)?;
        lines.sort_by(|a, b| {
            let by_names =
                names.iter().map(|n| natural(a.labels.get(n).unwrap_or_default(), b.labels.get(n).unwrap_or_default()));
            let order = by_names.fold(Ordering::Equal, Ordering::then).then_with(|| a.labels.cmp(&b.labels));
            if descending { order.reverse() } else { order }
        });
        lines.into_iter().try_for_each(sink)
    }
}

/// Text with numbers in it, in the order people expect: `pod-2` before `pod-10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let (x, rest_a) = chunk(a);
        let (y, rest_b) = chunk(b);
        let order = match (x.parse::<u128>(), y.parse::<u128>()) {
            (Ok(m), Ok(n)) => m.cmp(&n).then_with(|| x.len().cmp(&y.len())),
            _ => x.cmp(y),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.len().cmp(&b.len())
}

/// The digits or the other characters a text begins with, and the rest.
fn chunk(text: &str) -> (&str, &str) {
    let digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(text.len());
    text.split_at(end)
}

/// The hash that `limit_ratio` samples by: xxHash64 of names and values, each after its length, as in Prometheus.
pub(super) fn stable_hash(labels: &Labels) -> u64 {
    let mut bytes = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(text.len()).ok().filter(|n| *n < 0xff) {
            Some(n) => bytes.push(n),
            None => {
                bytes.push(0xff);
                bytes.extend_from_slice(&text.len().to_le_bytes()[..3]);
            }
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    xxhash64(&bytes)
}

const PRIMES: [u64; 5] =
    [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5];

fn round(acc: u64, input: u64) -> u64 {
    acc.wrapping_add(input.wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0])
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// xxHash64 with seed 0, after its specification (Y. Collet, `xxhash_spec.md`).
fn xxhash64(mut input: &[u8]) -> u64 {
    let length = input.len() as u64;
    let mut hash = PRIMES[4];
    if input.len() >= 32 {
        let mut lanes = [PRIMES[0].wrapping_add(PRIMES[1]), PRIMES[1], 0, 0u64.wrapping_sub(PRIMES[0])];
        while input.len() >= 32 {
            for (lane, bytes) in lanes.iter_mut().zip(input.chunks_exact(8)) {
                *lane = round(*lane, word(bytes));
            }
            input = &input[32..];
        }
        hash = [1, 7, 12, 18].iter().zip(lanes).fold(0u64, |h, (r, lane)| h.wrapping_add(lane.rotate_left(*r)));
        for lane in lanes {
            hash = (hash ^ round(0, lane)).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
        }
    }
    hash = hash.wrapping_add(length);
    while input.len() >= 8 {
        let mixed = hash ^ round(0, word(&input[..8]));
        hash = mixed.rotate_left(27).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
        input = &input[8..];
    }
    if input.len() >= 4 {
        let mixed = hash ^ word(&input[..4]).wrapping_mul(PRIMES[0]);
        hash = mixed.rotate_left(23).wrapping_mul(PRIMES[1]).wrapping_add(PRIMES[2]);
        input = &input[4..];
    }
    for byte in input {
        hash = (hash ^ u64::from(*byte).wrapping_mul(PRIMES[4])).rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    hash = (hash ^ hash >> 33).wrapping_mul(PRIMES[1]);
    hash = (hash ^ hash >> 29).wrapping_mul(PRIMES[2]);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xxhash_vectors() {
        assert_eq!(xxhash64(b""), 0xef46_db37_51d8_e999);
        assert_eq!(xxhash64(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(xxhash64(b"abc"), 0x44bc_2cf5_ad77_0999);
    }

    #[test]
    fn natural_order() {
        let mut names = ["pod-10", "pod-2", "pod-1a", "pod-1"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["pod-1", "pod-1a", "pod-2", "pod-10"]);
    }
}
