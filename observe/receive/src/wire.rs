//! Protocol Buffers on the wire: a reader that copies nothing and a small writer. Pure.
//!
//! <https://protobuf.dev/programming-guides/encoding/>. Messages are read field by field; what is unknown is skipped by
//! whoever matches on the field's number. Nothing here panics, whatever the bytes.
//!
//! ```
//! use observe_receive::wire::{Reader, Writer};
//! let mut w = Writer::default();
//! w.string(1, "cpu");
//! w.double(2, 0.5);
//! let (mut name, mut value) = ("", 0.0);
//! let mut fields = Reader::new(w.bytes());
//! while let Some(field) = fields.next()? {
//!     match field.number {
//!         1 => name = field.str()?,
//!         2 => value = field.double()?,
//!         _ => {}
//!     }
//! }
//! assert_eq!((name, value), ("cpu", 0.5));
//! # Ok::<(), observe_receive::wire::WireError>(())
//! ```

mod packed;
mod write;

pub use packed::{doubles, signed, unsigned};
pub use write::Writer;

/// Groups (an old way of nesting) within groups that are skipped at most: nobody sends any, and an unbounded depth would
/// be a way to fill memory.
pub const MAX_GROUP_DEPTH: usize = 32;

/// Why bytes are no Protocol Buffers message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The message ends in the middle of a field.
    #[error("unexpected EOF: a protobuf message ends in the middle of a field")]
    Truncated,
    /// A varint of more than 64 bits.
    #[error("a protobuf integer is longer than 10 bytes")]
    Overflow,
    /// Field numbers are 1 to 2^29 - 1.
    #[error("the protobuf field number {0} is not allowed")]
    FieldNumber(u64),
    /// There are the wire types 0 to 5.
    #[error("the protobuf wire type {0} is unknown")]
    WireType(u8),
    /// Groups too deep, or not closed as they were opened.
    #[error("protobuf groups are not balanced, or too deep")]
    Group,
    /// A field of another type than its message says.
    #[error("proto: wrong wireType = {found} for field {field}: {wanted} expected")]
    WrongType {
        /// The field's number.
        field: u32,
        /// The wire type found.
        found: u8,
        /// What was expected.
        wanted: &'static str,
    },
    /// A string that is no UTF-8.
    #[error("the string in protobuf field {0} is not valid UTF-8")]
    Utf8(u32),
}

/// The value of a field as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0: integers, booleans, enums.
    Varint(u64),
    /// Wire type 1: `double`, `fixed64`, `sfixed64`.
    Fixed64(u64),
    /// Wire type 2: strings, bytes, messages, packed numbers.
    Bytes(&'a [u8]),
    /// Wire types 3 and 4: a group, skipped.
    Group,
    /// Wire type 5: `float`, `fixed32`, `sfixed32`.
    Fixed32(u32),
}

impl Value<'_> {
    fn wire_type(self) -> u8 {
        match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
            Self::Group => 3,
            Self::Fixed32(_) => 5,
        }
    }
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its number.
    pub number: u32,
    /// Its value.
    pub value: Value<'a>,
}

impl<'a> Field<'a> {
    #[cold]
    fn wrong<T>(&self, wanted: &'static str) -> Result<T, WireError> {
        Err(WireError::WrongType { field: self.number, found: self.value.wire_type(), wanted })
    }

    /// Bytes, or a message's body.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn bytes(&self) -> Result<&'a [u8], WireError> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => self.wrong("bytes"),
        }
    }

    /// A reader of the message in this field.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn message(&self) -> Result<Reader<'a>, WireError> {
        self.bytes().map(Reader::new)
    }

    /// A string.
    ///
    /// # Errors
    /// It is something else, or not valid UTF-8.
    #[inline]
    pub fn str(&self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::Utf8(self.number))
    }

    /// `double`.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn double(&self) -> Result<f64, WireError> {
        match self.value {
            Value::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => self.wrong("a double"),
        }
    }

    /// `fixed64`.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn fixed64(&self) -> Result<u64, WireError> {
        match self.value {
            Value::Fixed64(bits) => Ok(bits),
            _ => self.wrong("a fixed64"),
        }
    }

    /// `fixed32`.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn fixed32(&self) -> Result<u32, WireError> {
        match self.value {
            Value::Fixed32(bits) => Ok(bits),
            _ => self.wrong("a fixed32"),
        }
    }

    /// `uint64`, `uint32` (its lower half), `bool` (not 0).
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn uint(&self) -> Result<u64, WireError> {
        match self.value {
            Value::Varint(v) => Ok(v),
            _ => self.wrong("a varint"),
        }
    }

    /// `int64`.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn int(&self) -> Result<i64, WireError> {
        self.uint().map(|v| v as i64)
    }

    /// `int32` and enums: the lower 32 bits.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn int32(&self) -> Result<i32, WireError> {
        self.uint().map(|v| v as i32)
    }

    /// `uint32`: the lower 32 bits.
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn uint32(&self) -> Result<u32, WireError> {
        self.uint().map(|v| v as u32)
    }

    /// `sint64` and `sint32` (zigzag).
    ///
    /// # Errors
    /// It is something else.
    #[inline]
    pub fn sint(&self) -> Result<i64, WireError> {
        self.uint().map(zigzag)
    }
}

/// The number that a zigzag code stands for: 0, -1, 1, -2, …
#[inline]
pub const fn zigzag(code: u64) -> i64 {
    (code >> 1) as i64 ^ -((code & 1) as i64)
}

/// The zigzag code of a number.
#[inline]
pub const fn to_zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

/// Reads a message field by field.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a message's body.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field; `None` at the end.
    ///
    /// # Errors
    /// The bytes are no message.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator would end silently, or go on, after an error")]
    pub fn next(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, kind) = self.tag()?;
        let value = match kind {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => Value::Bytes(self.delimited()?),
            3 => {
                self.skip_group(number)?;
                Value::Group
            }
            4 => return Err(WireError::Group),
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            other => return Err(WireError::WireType(other)),
        };
        Ok(Some(Field { number, value }))
    }

    /// A field's number and wire type.
    ///
    /// # Errors
    /// No such field is allowed.
    #[inline]
    pub fn tag(&mut self) -> Result<(u32, u8), WireError> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number >= 1 << 29 {
            return Err(WireError::FieldNumber(number));
        }
        Ok((number as u32, (tag & 7) as u8))
    }

    /// A base-128 integer.
    ///
    /// # Errors
    /// It does not end, or is longer than 64 bits.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        match self.rest {
            [a, rest @ ..] if *a < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*a))
            }
            [a, b, rest @ ..] if *b < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*a & 0x7f) | u64::from(*b) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for (at, byte) in self.rest.iter().take(10).enumerate() {
            if at == 9 && *byte > 1 {
                return Err(WireError::Overflow);
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { WireError::Truncated } else { WireError::Overflow })
    }

    /// Bytes with their length before them: a nested message, or one message of a stream.
    ///
    /// # Errors
    /// They are longer than what is left.
    #[inline]
    pub fn delimited(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.varint()?;
        let split = usize::try_from(length).ok().and_then(|n| self.rest.split_at_checked(n));
        let (bytes, rest) = split.ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Goes over a delimited field when its tag, of one byte, is `tag`; answers whether it did.
    ///
    /// # Errors
    /// The field is longer than what is left.
    #[inline]
    pub fn skip_delimited(&mut self, tag: u8) -> Result<bool, WireError> {
        let Some((first, rest)) = self.rest.split_first() else { return Ok(false) };
        if *first != tag {
            return Ok(false);
        }
        self.rest = rest;
        self.delimited().map(|_| true)
    }

    /// So many bytes as they stand.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn skip_group(&mut self, number: u32) -> Result<(), WireError> {
        let mut open = vec![number];
        while let Some(innermost) = open.last().copied() {
            let (number, kind) = self.tag()?;
            match kind {
                0 => drop(self.varint()?),
                1 => drop(self.array::<8>()?),
                2 => drop(self.delimited()?),
                3 if open.len() < MAX_GROUP_DEPTH => open.push(number),
                4 if number == innermost => drop(open.pop()),
                3 | 4 => return Err(WireError::Group),
                5 => drop(self.array::<4>()?),
                other => return Err(WireError::WireType(other)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
