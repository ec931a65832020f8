//! One bit per series of a group. Pure.

/// A bit per series, lowest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bitmap(pub(crate) Vec<u64>);

impl Bitmap {
    #[inline]
    pub(crate) fn has(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    #[inline]
    pub(crate) fn set(&mut self, i: usize) {
        self.0[i / 64] |= 1 << (i % 64);
    }

    #[inline]
    pub(crate) fn unset(&mut self, i: usize) {
        self.0[i / 64] &= !(1 << (i % 64));
    }

    /// Makes room for so many series.
    pub(crate) fn widen(&mut self, width: usize) {
        self.0.resize(width.div_ceil(64), 0);
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// The series whose bit is set, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        ones(&self.0)
    }

    /// Those among them that have no bit in another map.
    pub(crate) fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        ones_of(self.0.iter().zip(&other.0).map(|(own, other)| own & !other))
    }
}

/// Places of the bits that are set, ascending.
pub(crate) fn ones(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    ones_of(words.iter().copied())
}

fn ones_of(words: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    words.enumerate().flat_map(|(i, word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(i * 64 + bit)
        })
    })
}
