//! Chunks for the tokens of open rows, shared by all groups: sealing gives them back, the next group takes them. Pure.

/// No chunk.
pub(crate) const NONE: u32 = u32::MAX;
/// Bytes of a chunk beside the number of the one before it.
pub(crate) const CHUNK: usize = 28;
/// Chunks of a slab: 64 KiB, which the allocator takes from the system and gives back as a whole.
const SLAB: usize = 2048;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    pub(crate) before: u32,
    pub(crate) bytes: [u8; CHUNK],
}

/// All chunks.
#[derive(Debug)]
pub(crate) struct Pool {
    slabs: Vec<Box<[Chunk]>>,
    free: u32,
    fresh: u32,
    used: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self { slabs: Vec::new(), free: NONE, fresh: 0, used: 0 }
    }
}

impl Pool {
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

    /// Gives a chain back, from its tail down to, without, the chunk `until`.
    pub(crate) fn give(&mut self, tail: u32, until: u32) {
        let mut at = tail;
        while at != NONE && at != until {
            self.used -= 1;
            let before = self.at(at).before;
            self.at_mut(at).before = self.free;
            self.free = at;
            at = before;
        }
    }

    /// Gives the memory back when nothing is in use.
    pub(crate) fn shrink(&mut self) {
        if self.used == 0 {
            *self = Self::default();
        }
    }

    /// The bytes of a chain, oldest first; the last chunk is filled up to `fill`.
    pub(crate) fn collect(&self, tail: u32, fill: u8, out: &mut Vec<u8>) {
        out.clear();
        let (mut chain, mut at) = (Vec::new(), tail);
        while at != NONE {
            chain.push(at);
            at = self.at(at).before;
        }
        while let Some(at) = chain.pop() {
            let n = if chain.is_empty() { usize::from(fill) } else { CHUNK };
            out.extend_from_slice(&self.at(at).bytes[..n]);
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        self.slabs.len() * SLAB * size_of::<Chunk>()
    }
}
