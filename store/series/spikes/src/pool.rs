//! Chunks for the tokens of open rows, shared by many groups. Pure.

/// No chunk.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    pub(crate) before: u32,
    pub(crate) bytes: [u8; CHUNK],
}
/// Bytes of a chunk beside the number of the one before it.
pub(crate) const CHUNK: usize = 28;
/// Chunks of a slab: 64 KiB, which the allocator takes from the system and gives back as a whole.
const SLAB: usize = 2048;

/// Chunks for all groups of a shard: sealing gives them back, the next group takes them, so that nothing is fragmented.
#[derive(Debug, Default)]
pub struct Pool {
    slabs: Vec<Box<[Chunk]>>,
    free: u32,
    fresh: u32,
    used: usize,
}

impl Pool {
    /// An empty pool.
    pub fn new() -> Self {
        Self { free: NONE, ..Self::default() }
    }

    pub(crate) fn at(&self, i: u32) -> &Chunk {
        &self.slabs[i as usize / SLAB][i as usize % SLAB]
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, i: u32) -> &mut Chunk {
        &mut self.slabs[i as usize / SLAB][i as usize % SLAB]
    }

    pub(crate) fn take(&mut self, before: u32) -> u32 {
        self.used += 1;
        let i = if self.free == NONE {
            if self.fresh as usize == self.slabs.len() * SLAB {
                self.slabs.push(vec![Chunk { before: NONE, bytes: [0; CHUNK] }; SLAB].into_boxed_slice());
            }
            self.fresh += 1;
            self.fresh - 1
        } else {
            let i = self.free;
            self.free = self.at(i).before;
            i
        };
        self.at_mut(i).before = before;
        i
    }

    /// Gives a chain back, from its tail.
    pub(crate) fn give(&mut self, tail: u32) {
        let mut at = tail;
        while at != NONE {
            self.used -= 1;
            let before = self.at(at).before;
            self.at_mut(at).before = self.free;
            self.free = at;
            at = before;
        }
    }

    /// Bytes on the heap, and those of them in use.
    pub fn heap(&self) -> (usize, usize) {
        (self.slabs.len() * SLAB * size_of::<Chunk>(), self.used * size_of::<Chunk>())
    }
}
