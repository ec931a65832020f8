//! Writes Protocol Buffers messages. Pure.

use super::to_zigzag;

/// A message that is being written.
///
/// As in proto3, a caller leaves out numbers that are 0; the writer writes whatever it is told.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// What was written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// A base-128 integer without a field number.
    pub fn raw_varint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.out.push(v as u8 | 0x80);
            v >>= 7;
        }
        self.out.push(v as u8);
    }

    fn tag(&mut self, field: u32, kind: u8) {
        self.raw_varint(u64::from(field) << 3 | u64::from(kind));
    }

    /// `uint64`, `uint32`, `bool`, enums, `int64` as `u64`.
    pub fn uint(&mut self, field: u32, v: u64) {
        self.tag(field, 0);
        self.raw_varint(v);
    }

    /// `int64`, `int32`.
    pub fn int(&mut self, field: u32, v: i64) {
        self.uint(field, v as u64);
    }

    /// `sint64`, `sint32` (zigzag).
    pub fn sint(&mut self, field: u32, v: i64) {
        self.uint(field, to_zigzag(v));
    }

    /// `double`.
    pub fn double(&mut self, field: u32, v: f64) {
        self.fixed64(field, v.to_bits());
    }

    /// `fixed64`.
    pub fn fixed64(&mut self, field: u32, v: u64) {
        self.tag(field, 1);
        self.out.extend_from_slice(&v.to_le_bytes());
    }

    /// `fixed32`.
    pub fn fixed32(&mut self, field: u32, v: u32) {
        self.tag(field, 5);
        self.out.extend_from_slice(&v.to_le_bytes());
    }

    /// Bytes, or a message that is finished.
    pub fn blob(&mut self, field: u32, v: &[u8]) {
        self.tag(field, 2);
        self.raw_varint(v.len() as u64);
        self.out.extend_from_slice(v);
    }

    /// A string.
    pub fn string(&mut self, field: u32, v: &str) {
        self.blob(field, v.as_bytes());
    }

    /// A nested message, written by `body`.
    pub fn message(&mut self, field: u32, body: impl FnOnce(&mut Self)) {
        self.tag(field, 2);
        self.length_first(body);
    }

    /// What `body` writes with its length before it, without a field number.
    pub fn length_first(&mut self, body: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        body(self);
        let end = self.out.len();
        self.raw_varint((end - start) as u64);
        if let Some(written) = self.out.get_mut(start..) {
            written.rotate_left(end - start);
        }
    }

    /// Packed doubles; nothing when there are none.
    pub fn doubles(&mut self, field: u32, all: &[f64]) {
        if !all.is_empty() {
            self.tag(field, 2);
            self.raw_varint(all.len() as u64 * 8);
            self.out.extend(all.iter().flat_map(|v| v.to_le_bytes()));
        }
    }

    /// Packed varints; nothing when there are none.
    pub fn varints(&mut self, field: u32, all: impl IntoIterator<Item = u64>) {
        let mut all = all.into_iter().peekable();
        if all.peek().is_some() {
            self.message(field, |w| all.for_each(|v| w.raw_varint(v)));
        }
    }

    /// Packed zigzag integers; nothing when there are none.
    pub fn sints(&mut self, field: u32, all: impl IntoIterator<Item = i64>) {
        self.varints(field, all.into_iter().map(to_zigzag));
    }
}
