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

/// Integers below this are exact in an `f64`.
const EXACT: u64 = 1 << 53;

/// The integer that is bit for bit this value.
pub(crate) fn as_integer(bits: u64) -> Option<i64> {
    let integer = f64::from_bits(bits) as i64;
    ((integer as f64).to_bits() == bits && integer.unsigned_abs() < EXACT).then_some(integer)
}

const RAW: u64 = 1;
const ABSENT: u64 = 3;

/// A value or its absence: an even number is an integer, 1 stands before 8 raw bytes, 3 is absence.
pub(crate) fn put_value(out: &mut Vec<u8>, bits: Option<u64>) {
    match bits {
        None => put_varint(out, ABSENT),
        Some(bits) => match as_integer(bits) {
            Some(integer) => put_varint(out, zigzag(integer) << 1),
            None => {
                put_varint(out, RAW);
                out.extend_from_slice(&bits.to_le_bytes());
            }
        },
    }
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

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_le_bytes)
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

    /// `Some(None)` is a value that is absent.
    pub(crate) fn value(&mut self) -> Option<Option<u64>> {
        match self.varint()? {
            RAW => self.u64().map(Some),
            ABSENT => Some(None),
            n if n & 1 == 0 => Some(Some((unzigzag(n >> 1) as f64).to_bits())),
            _ => None,
        }
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
        fn values_come_back_bit_for_bit(all in proptest::collection::vec(any::<Option<u64>>(), 0..50)) {
            let mut out = Vec::new();
            all.iter().for_each(|v| put_value(&mut out, *v));
            let mut cursor = Cursor::new(&out);
            for v in &all {
                prop_assert_eq!(cursor.value(), Some(*v));
            }
            prop_assert!(cursor.rest().is_empty());
        }

        #[test]
        fn integers_and_specials_come_back(n in any::<i64>(), pick in 0usize..6) {
            let special = [n as f64, -0.0, f64::INFINITY, f64::NAN, kernel::series::stale_nan(), 0.1][pick];
            let mut out = Vec::new();
            put_value(&mut out, Some(special.to_bits()));
            prop_assert_eq!(Cursor::new(&out).value(), Some(Some(special.to_bits())));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut cursor = Cursor::new(&bytes);
            while cursor.value().is_some() {}
            let _ = body(&bytes, 1 << 16);
        }
    }
}
