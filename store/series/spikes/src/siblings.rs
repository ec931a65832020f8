//! Pages coded by another page of the same span: the same page again, or the difference to a neighbour. Pure.
//!
//! Exporters say many things twice (a histogram's count is its last bucket), and buckets are sums of those before them.

use hashbrown::HashMap;

use crate::bits::undecimal;
use crate::codecs::{Codec, Ladder, decimals, is_constant};

/// A difference may refer to a page that is a difference itself, but no chain is longer.
pub const CHAIN: usize = 12;

/// How a page is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// By itself.
    Own(Vec<u8>),
    /// As page number so and so of the span.
    Same(usize),
    /// The page before plus this one, mantissas at this scale.
    Beside(u8, Vec<u8>),
}

impl Page {
    /// Bytes that it takes: a reference is a kind and two bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Same(_) => 3,
            Self::Beside(_, bytes) => bytes.len() + 1,
        }
    }
}

/// Codes the pages of a span; those of one metric are neighbours.
pub fn encode(metrics: &[Vec<Vec<u64>>], pco: bool, beside: bool) -> Vec<Page> {
    let (mut out, mut known) = (Vec::new(), HashMap::<&[u64], usize>::new());
    let ladder = Ladder { pco };
    for metric in metrics {
        let mut before: Option<(&Vec<u64>, usize)> = None;
        for page in metric {
            let mut own = Vec::new();
            ladder.encode(page, &mut own);
            let mut best = Page::Own(own);
            let mut chain = 0;
            if !is_constant(page) {
                match known.get(page.as_slice()) {
                    Some(i) => best = Page::Same(*i),
                    None => {
                        known.insert(page, out.len());
                    }
                }
                if let Some((other, length)) = before.filter(|b| beside && b.1 < CHAIN)
                    && let Some((scale, difference)) = difference(page, other)
                {
                    let mut bytes = Vec::new();
                    ladder.encode(&difference, &mut bytes);
                    let candidate = Page::Beside(scale, bytes);
                    if candidate.size() < best.size() {
                        (best, chain) = (candidate, length + 1);
                    }
                }
                before = Some((page, chain));
            } else {
                before = None;
            }
            out.push(best);
        }
    }
    out
}

/// Differences of mantissas at the finer scale, as floats of integers.
fn difference(page: &[u64], other: &[u64]) -> Option<(u8, Vec<u64>)> {
    let ((_, a), (_, b)) = (decimals(page)?, decimals(other)?);
    let scale = a.max(b);
    let at = |bits: u64| crate::bits::mantissa(f64::from_bits(bits), scale);
    let all = page.iter().zip(other).map(|(p, o)| {
        let d = at(*p)?.checked_sub(at(*o)?)?;
        (d.abs() < crate::bits::EXACT).then(|| (d as f64).to_bits())
    });
    Some((scale, all.collect::<Option<_>>()?))
}

/// All pages back.
pub fn decode(pages: &[Page], rows: usize) -> Option<Vec<Vec<u64>>> {
    let mut out: Vec<Vec<u64>> = Vec::new();
    for page in pages {
        let mut values = Vec::new();
        match page {
            Page::Own(bytes) => Ladder { pco: true }.decode(bytes, rows, &mut values)?,
            Page::Same(i) => values.clone_from(out.get(*i)?),
            Page::Beside(scale, bytes) => {
                Ladder { pco: true }.decode(bytes, rows, &mut values)?;
                for (value, other) in values.iter_mut().zip(out.last()?) {
                    let base = crate::bits::mantissa(f64::from_bits(*other), *scale)?;
                    *value = undecimal(base.checked_add(f64::from_bits(*value) as i64)?, *scale).to_bits();
                }
            }
        }
        out.push(values);
    }
    Some(out)
}
