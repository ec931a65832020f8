//! The end of a block: what it is and where its parts are. Pure.

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::limits::FRAME_BYTES;

/// How far the log of a group is in a block: the number of its last record, and the time of its newest sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Through {
    pub(crate) group: u32,
    pub(crate) seq: u64,
    pub(crate) newest_ms: i64,
}

/// Offset and length of a frame.
pub(crate) type Part = (u64, u32);

/// What a block is and where its parts are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
    pub(crate) series: u32,
    pub(crate) samples: u64,
    /// 1 for a block of spans, one more each time it was joined.
    pub(crate) level: u32,
    /// Files of spans up to this number are in it, or in blocks before it.
    pub(crate) spans_through: u64,
    /// It stands for the blocks from this number up to its own.
    pub(crate) replaces_from: u64,
    pub(crate) through: Vec<Through>,
    /// By number of the column.
    pub(crate) times: Vec<Part>,
    /// The pace of the rows of each column of times, by its number, as far as there is any; of no length where there is none.
    pub(crate) paces: Vec<Part>,
    /// By number of the chunk.
    pub(crate) chunks: Vec<Part>,
    pub(crate) symbols: Part,
    /// Symbol of each label, and where its lists are; ascending.
    pub(crate) names: Vec<(u32, u64, u32)>,
}

fn put_parts(out: &mut Vec<u8>, parts: &[Part]) {
    put_varint(out, parts.len() as u64);
    let mut before = 0;
    for (offset, length) in parts {
        put_varint(out, zigzag(offset.wrapping_sub(before) as i64));
        put_varint(out, u64::from(*length));
        before = *offset;
    }
}

fn parts(cursor: &mut Cursor<'_>) -> Option<Vec<Part>> {
    let mut offset = 0u64;
    let count = cursor.length(FRAME_BYTES)?;
    (0..count)
        .map(|_| {
            offset = offset.checked_add_signed(unzigzag(cursor.varint()?))?;
            Some((offset, u32::try_from(cursor.varint()?).ok()?))
        })
        .collect()
}

impl Footer {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for n in [zigzag(self.min_ms), zigzag(self.max_ms), u64::from(self.series), self.samples] {
            put_varint(out, n);
        }
        for n in [u64::from(self.level), self.spans_through, self.replaces_from] {
            put_varint(out, n);
        }
        put_varint(out, self.through.len() as u64);
        for through in &self.through {
            put_varint(out, u64::from(through.group));
            put_varint(out, through.seq);
            put_varint(out, zigzag(through.newest_ms));
        }
        put_parts(out, &self.times);
        put_parts(out, &self.chunks);
        put_parts(out, &[self.symbols]);
        put_varint(out, self.names.len() as u64);
        self.names.iter().for_each(|(symbol, _, _)| put_varint(out, u64::from(*symbol)));
        put_parts(out, &self.names.iter().map(|(_, offset, length)| (*offset, *length)).collect::<Vec<_>>());
        if !self.paces.is_empty() {
            put_parts(out, &self.paces);
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut out = Self {
            min_ms: unzigzag(cursor.varint()?),
            max_ms: unzigzag(cursor.varint()?),
            series: u32::try_from(cursor.varint()?).ok()?,
            samples: cursor.varint()?,
            level: u32::try_from(cursor.varint()?).ok()?,
            spans_through: cursor.varint()?,
            replaces_from: cursor.varint()?,
            ..Self::default()
        };
        for _ in 0..cursor.length(bytes.len())? {
            let (group, seq) = (u32::try_from(cursor.varint()?).ok()?, cursor.varint()?);
            out.through.push(Through { group, seq, newest_ms: unzigzag(cursor.varint()?) });
        }
        out.times = parts(&mut cursor)?;
        out.chunks = parts(&mut cursor)?;
        out.symbols = *parts(&mut cursor)?.first()?;
        let count = cursor.length(bytes.len())?;
        let symbols = (0..count).map(|_| u32::try_from(cursor.varint()?).ok()).collect::<Option<Vec<_>>>()?;
        let places = parts(&mut cursor)?;
        if places.len() != symbols.len() {
            return None;
        }
        out.names =
            symbols.into_iter().zip(places).map(|(symbol, (offset, length))| (symbol, offset, length)).collect();
        if !cursor.is_empty() {
            out.paces = parts(&mut cursor)?;
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_comes_back() {
        let through = vec![Through { group: 3, seq: 900, newest_ms: -5 }];
        let footer = Footer {
            min_ms: -7,
            max_ms: 1 << 50,
            series: 9,
            samples: 1 << 40,
            level: 2,
            spans_through: 4,
            replaces_from: 3,
            through,
            times: vec![(8, 5), (13, 6)],
            chunks: vec![(100, 9)],
            symbols: (200, 7),
            names: vec![(0, 300, 1), (5, 250, 2)],
            paces: Vec::new(),
        };
        let mut out = Vec::new();
        footer.put(&mut out);
        assert_eq!(Footer::read(&out).as_ref(), Some(&footer));
        (0..out.len()).for_each(|n| assert!(Footer::read(&out[..n]).is_none(), "{n}"));
        let (paced, without) = (Footer { paces: vec![(0, 0), (400, 8)], ..footer }, out.len());
        out.clear();
        paced.put(&mut out);
        assert_eq!(Footer::read(&out).as_ref(), Some(&paced));
        (without + 1..out.len()).for_each(|n| assert!(Footer::read(&out[..n]).is_none(), "{n}"));
    }
}
