//! Reading roll-ups: which series are meant, and samples that are there as figures of their own. Pure.

use std::borrow::Cow;

use kernel::series::{Matcher, Rolled, STALE_NAN_BITS};

use super::conditions;
use crate::block::Block;
use crate::gather::Source;
use crate::histogram;

/// The conditions as a block has to be asked; `None` when nothing can match.
pub(crate) fn matchers<'m>(block: &Block, all: &'m [Matcher], figure: Rolled) -> Option<Cow<'m, [Matcher]>> {
    if block.rollup { conditions(all, figure).map(Cow::Owned) } else { Some(Cow::Borrowed(all)) }
}

/// Makes a figure of samples that are there themselves: each is its own minimum, maximum and sum, and counts once. Histograms have
/// sums and counts only.
pub(crate) fn as_figure(sources: &mut [Source], figure: Rolled) {
    if figure == Rolled::Last {
        return;
    }
    let one = |bits: u64| if bits == STALE_NAN_BITS { bits } else { 1f64.to_bits() };
    for source in sources {
        let beside = &mut source.beside;
        beside.starts.clear();
        if figure == Rolled::Sum {
            beside.histograms.retain(|(_, bytes)| histogram::decode(bytes).is_some_and(|h| !h.is_stale()));
            continue;
        }
        let histograms = std::mem::take(&mut beside.histograms);
        if figure != Rolled::Count {
            continue;
        }
        for part in &mut source.parts {
            part.values.bits.iter_mut().for_each(|bits| *bits = one(*bits));
        }
        beside.numbers.iter_mut().for_each(|(_, bits)| *bits = one(*bits));
        let counted = histograms.iter().map(|(t, bytes)| {
            let stale = histogram::decode(bytes).is_none_or(|h| h.is_stale());
            (*t, one(if stale { STALE_NAN_BITS } else { 0 }))
        });
        beside.numbers.extend(counted);
        beside.numbers.sort_by_key(|(t, _)| *t);
    }
}
