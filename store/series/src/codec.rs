//! Bytes: variable-length integers, values, compression, a cursor that never panics. Pure.

use parking_lot::Mutex;

/// A number with 7 bits per byte, lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Small numbers of either sign become small numbers without one.
pub(crate) const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

/// The way back.
pub(crate) const fn unzigzag(n: u64) -> i64 {
    ((n >> 1) as i64) ^ -((n & 1) as i64)
}

/// Reads bytes from the front; `None` means that they are not what they should be.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    pub(crate) fn varint(&mut self) -> Option<u64> {
        let (mut n, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(n);
            }
            shift += 7;
        }
    }

    /// A count or length that cannot be more than `most`.
    pub(crate) fn length(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.varint()?).ok().filter(|n| *n <= most)
    }

    pub(crate) fn text(&mut self, most: usize) -> Option<&'a str> {
        let n = self.length(most)?;
        std::str::from_utf8(self.take(n)?).ok()
    }
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Compression contexts kept for the next user: a context per thread would cost more memory than the whole head.
const CONTEXTS: usize = 2;
/// zstd's fastest: pages are small and rewritten later.
const LEVEL: i32 = 1;

static COMPRESSORS: Mutex<Vec<zstd::bulk::Compressor<'static>>> = Mutex::new(Vec::new());
static DECOMPRESSORS: Mutex<Vec<zstd::bulk::Decompressor<'static>>> = Mutex::new(Vec::new());

/// The bytes compressed, where that makes them smaller.
pub(crate) fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let taken = COMPRESSORS.lock().pop();
    let mut compressor = match taken {
        Some(kept) => kept,
        None => zstd::bulk::Compressor::new(LEVEL).ok()?,
    };
    let out = compressor.compress(bytes).ok().filter(|c| c.len() < bytes.len());
    let mut pool = COMPRESSORS.lock();
    if pool.len() < CONTEXTS {
        pool.push(compressor);
    }
    out
}

/// The bytes before compression, which were `length` many.
pub(crate) fn decompress(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let taken = DECOMPRESSORS.lock().pop();
    let mut decompressor = match taken {
        Some(kept) => kept,
        None => zstd::bulk::Decompressor::new().ok()?,
    };
    let out = decompressor.decompress(bytes, length).ok().filter(|d| d.len() == length);
    let mut pool = DECOMPRESSORS.lock();
    if pool.len() < CONTEXTS {
        pool.push(decompressor);
    }
    out
}

/// A body with its length and, where it helps, compressed: `0 body` or `length zstd`.
pub(crate) fn put_body(out: &mut Vec<u8>, body: &[u8]) {
    match compress(body) {
        Some(smaller) => {
            put_varint(out, body.len() as u64);
            out.extend_from_slice(&smaller);
        }
        None => {
            put_varint(out, 0);
            out.extend_from_slice(body);
        }
    }
}

/// The body that [`put_body`] wrote, at most `most` bytes.
pub(crate) fn body(bytes: &[u8], most: usize) -> Option<std::borrow::Cow<'_, [u8]>> {
    let mut cursor = Cursor::new(bytes);
    match cursor.length(most)? {
        0 => Some(cursor.rest().into()),
        length => decompress(cursor.rest(), length).map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_come_back(n in any::<i64>(), cut in 0u32..64) {
            let mut out = Vec::new();
            put_varint(&mut out, zigzag(n >> cut));
            prop_assert_eq!(Cursor::new(&out).varint().map(unzigzag), Some(n >> cut));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut cursor = Cursor::new(&bytes);
            while cursor.varint().is_some() {}
            let _ = body(&bytes, 1 << 16);
        }
    }
}
