//! Group columns: the rows of one scrape group that are still open, and the sealed span they become. Pure.
//!
//! One column of times for all series. Which series changed in a row is one bit per series in the row's own bitmap, so that a
//! row touches only what moved. A series costs its last value, scale, fill and tail: 14 bytes; only one that moved in this
//! span has a chain of 32-byte chunks with its tokens.

use crate::bits::{put_varint, unzigzag, varint, zigzag};
use crate::pool::{CHUNK, NONE, Pool};
use crate::span::{ALL, FEW, SOME};
use crate::token::{RAW, STALE, put_absolute, put_token, token};

/// Rows of a span.
pub const ROWS: usize = 240;
/// The open rows of a group and its sealed spans.
#[derive(Debug, Default)]
pub struct Group {
    times: Vec<i64>,
    last_ms: i64,
    last: Vec<u64>,
    scale: Vec<u8>,
    fill: Vec<u8>,
    tail: Vec<u32>,
    /// Rows times words of 64 series.
    changed: Vec<u64>,
    sealed: Vec<Box<[u8]>>,
    keeps: bool,
    /// Rows of the first span, where it is a shorter one: groups that began together are not sealed together.
    first: usize,
}

impl Group {
    /// An empty group; `keeps` its sealed spans or drops them.
    pub fn new(keeps: bool) -> Self {
        Self { keeps, ..Self::default() }
    }

    /// Makes the first span shorter.
    pub fn begin_with(mut self, rows: usize) -> Self {
        self.first = rows;
        self
    }

    /// Number of series.
    pub fn width(&self) -> usize {
        self.last.len()
    }

    /// Rows not yet sealed.
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// Sealed spans.
    pub fn sealed(&self) -> &[Box<[u8]>] {
        &self.sealed
    }

    /// The last value of a series as bits.
    pub fn last(&self, series: usize) -> u64 {
        self.last[series]
    }

    fn words(&self) -> usize {
        self.width().div_ceil(64)
    }

    /// Makes room for so many series; new ones are not there yet.
    pub fn widen(&mut self, width: usize) {
        if width <= self.width() {
            return;
        }
        let (old, new) = (self.words(), width.div_ceil(64));
        if new > old && !self.times.is_empty() {
            let mut changed = vec![0; self.times.len() * new];
            for (to, from) in changed.chunks_mut(new).zip(self.changed.chunks(old.max(1))) {
                to[..old].copy_from_slice(&from[..old]);
            }
            self.changed = changed;
        }
        let more = width - self.width();
        self.last.reserve_exact(more);
        self.scale.reserve_exact(more);
        self.fill.reserve_exact(more);
        self.tail.reserve_exact(more);
        self.last.resize(width, STALE);
        self.scale.resize(width, RAW);
        self.fill.resize(width, 0);
        self.tail.resize(width, NONE);
    }

    /// Adds a row: values in rising order of series, those that stayed the same may be left out. What a log has to keep of it
    /// is written behind `log`.
    pub fn append(&mut self, pool: &mut Pool, t_ms: i64, values: &[(u32, u64)], log: &mut Vec<u8>) {
        let words = self.words();
        let row = self.begin(t_ms);
        put_varint(log, zigzag(t_ms.wrapping_sub(self.last_ms)));
        self.last_ms = t_ms;
        put_varint(log, self.width() as u64);
        let bitmap = log.len();
        log.resize(bitmap + words * 8, 0);
        for &(series, value) in values {
            let s = series as usize;
            if self.last[s] == value {
                continue;
            }
            log[bitmap + s / 8] |= 1 << (s % 8);
            let start = log.len();
            let scale = put_token(log, self.last[s], self.scale[s], value);
            self.take(pool, row, s, &log[start..], value, scale);
        }
        self.end(pool);
    }

    fn begin(&mut self, t_ms: i64) -> usize {
        self.times.push(t_ms);
        let row = self.changed.len();
        let words = self.words();
        if self.changed.capacity() < row + words {
            // Room for 32 more rows at a time.
            self.changed.reserve_exact(words * 32);
        }
        self.changed.resize(row + words, 0);
        row
    }

    fn end(&mut self, pool: &mut Pool) {
        if self.times.len() == ROWS || self.times.len() == self.first {
            self.seal(pool);
        }
    }

    /// Adds the row that [`Group::append`] wrote to the log.
    pub fn replay(&mut self, pool: &mut Pool, log: &[u8], at: &mut usize) -> Option<()> {
        let t_ms = self.last_ms.wrapping_add(unzigzag(varint(log, at)?));
        self.last_ms = t_ms;
        self.widen(usize::try_from(varint(log, at)?).ok().filter(|w| *w <= 1 << 20)?);
        let words = self.words();
        let row = self.begin(t_ms);
        let bitmap = log.get(*at..*at + words * 8)?;
        *at += words * 8;
        for (i, word) in bitmap.chunks_exact(8).enumerate() {
            let mut word = u64::from_le_bytes(word.try_into().ok()?);
            while word != 0 {
                let s = i * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                let start = *at;
                let (value, scale) = token(log, at, *self.last.get(s)?, self.scale[s])?;
                self.take(pool, row, s, &log[start..*at], value, scale);
            }
        }
        self.end(pool);
        Some(())
    }

    /// All last values, from which a log can go on without what was before.
    pub fn put_key(&self, log: &mut Vec<u8>) {
        put_varint(log, zigzag(self.last_ms));
        put_varint(log, self.width() as u64);
        for (value, scale) in self.last.iter().zip(&self.scale) {
            put_absolute(log, *value, *scale);
        }
    }

    /// Takes what [`Group::put_key`] wrote.
    pub fn take_key(&mut self, log: &[u8], at: &mut usize) -> Option<()> {
        self.last_ms = unzigzag(varint(log, at)?);
        self.widen(usize::try_from(varint(log, at)?).ok().filter(|w| *w <= 1 << 20)?);
        for s in 0..self.width() {
            let (value, scale) = token(log, at, 0, RAW)?;
            if self.times.is_empty() {
                (self.last[s], self.scale[s]) = (value, scale);
            }
        }
        Some(())
    }

    /// Takes a value that changed. In the first row of a span it is where the series begins: nothing else is kept.
    #[inline]
    fn take(&mut self, pool: &mut Pool, row: usize, s: usize, bytes: &[u8], value: u64, scale: u8) {
        if self.times.len() > 1 {
            self.changed[row + s / 64] |= 1 << (s % 64);
            self.push(pool, s, bytes);
        }
        self.last[s] = value;
        self.scale[s] = scale;
    }

    /// Puts a token into a series' chain; the first one of a span is preceded by the value that it had.
    #[inline]
    fn push(&mut self, pool: &mut Pool, s: usize, bytes: &[u8]) {
        if self.tail[s] == NONE {
            let mut first = Vec::with_capacity(12);
            put_absolute(&mut first, self.last[s], self.scale[s]);
            self.tail[s] = pool.take(NONE);
            self.fill[s] = 0;
            self.copy(pool, s, &first);
        }
        self.copy(pool, s, bytes);
    }

    #[inline]
    fn copy(&mut self, pool: &mut Pool, s: usize, bytes: &[u8]) {
        let fill = usize::from(self.fill[s]);
        if fill + bytes.len() <= CHUNK {
            pool.at_mut(self.tail[s]).bytes[fill..fill + bytes.len()].copy_from_slice(bytes);
            self.fill[s] += bytes.len() as u8;
            return;
        }
        let (now, then) = bytes.split_at(CHUNK - fill);
        pool.at_mut(self.tail[s]).bytes[fill..].copy_from_slice(now);
        self.tail[s] = pool.take(self.tail[s]);
        pool.at_mut(self.tail[s]).bytes[..then.len()].copy_from_slice(then);
        self.fill[s] = then.len() as u8;
    }

    fn tokens(&self, pool: &Pool, s: usize, out: &mut Vec<u8>) {
        out.clear();
        let (mut chain, mut at) = (Vec::new(), self.tail[s]);
        while at != NONE {
            chain.push(at);
            at = pool.at(at).before;
        }
        while let Some(at) = chain.pop() {
            let n = if chain.is_empty() { usize::from(self.fill[s]) } else { CHUNK };
            out.extend_from_slice(&pool.at(at).bytes[..n]);
        }
    }

    /// The open values of a series, appended to `out`.
    pub fn open_values(&self, pool: &Pool, s: usize, buffer: &mut Vec<u8>, out: &mut Vec<u64>) -> Option<()> {
        if self.tail[s] == NONE {
            out.resize(out.len() + self.rows(), self.last[s]);
            return Some(());
        }
        self.tokens(pool, s, buffer);
        let (words, mut at) = (self.words(), 0);
        let (mut value, mut scale) = token(buffer, &mut at, 0, RAW)?;
        for row in 0..self.rows() {
            if self.changed[row * words + s / 64] >> (s % 64) & 1 == 1 {
                (value, scale) = token(buffer, &mut at, value, scale)?;
            }
            out.push(value);
        }
        Some(())
    }

    /// Closes the open rows into a span of bytes.
    pub fn seal(&mut self, pool: &mut Pool) {
        if self.times.is_empty() {
            return;
        }
        let span = self.span(pool);
        if self.keeps {
            self.sealed.push(span.into_boxed_slice());
        }
        self.times = Vec::new();
        self.changed = Vec::new();
        self.first = 0;
        for tail in &mut self.tail {
            pool.give(std::mem::replace(tail, NONE));
        }
        self.fill.fill(0);
    }

    /// Rows, series, times, lengths of pages, pages, CRC.
    pub fn span(&self, pool: &Pool) -> Vec<u8> {
        let (rows, words) = (self.rows(), self.words());
        let mut out = Vec::new();
        put_varint(&mut out, rows as u64);
        put_varint(&mut out, self.width() as u64);
        let (mut last, mut step) = (0, 0);
        for t in &self.times {
            put_varint(&mut out, zigzag(t.wrapping_sub(last).wrapping_sub(step)));
            step = t.wrapping_sub(last);
            last = *t;
        }
        let (mut pages, mut lengths, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
        for s in 0..self.width() {
            let start = pages.len();
            if self.tail[s] == NONE {
                put_absolute(&mut pages, self.last[s], self.scale[s]);
                lengths.push((pages.len() - start) << 1);
                continue;
            }
            self.tokens(pool, s, &mut tokens);
            let changed = |row: usize| self.changed[row * words + s / 64] >> (s % 64) & 1 == 1;
            let count = (0..rows).filter(|r| changed(*r)).count();
            if count == rows {
                pages.push(ALL);
            } else if count < rows / 8 {
                pages.push(FEW);
                put_varint(&mut pages, count as u64);
                let mut before = 0;
                for row in (0..rows).filter(|r| changed(*r)) {
                    put_varint(&mut pages, (row - before) as u64);
                    before = row;
                }
            } else {
                pages.push(SOME);
                for rows8 in (0..rows).step_by(8) {
                    let bits = (rows8..rows.min(rows8 + 8)).map(|r| u8::from(changed(r)) << (r % 8));
                    pages.push(bits.sum());
                }
            }
            pages.extend_from_slice(&tokens);
            lengths.push((pages.len() - start) << 1 | 1);
        }
        lengths.iter().for_each(|n| put_varint(&mut out, *n as u64));
        out.extend_from_slice(&pages);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Bytes on the heap: of what every series costs, and of open rows, and of sealed spans.
    pub fn heap(&self) -> (usize, usize, usize) {
        let fixed = self.last.capacity() * 8 + self.scale.capacity() + self.fill.capacity() + self.tail.capacity() * 4;
        let open = self.times.capacity() * 8 + self.changed.capacity() * 8;
        (fixed, open, self.sealed.iter().map(|s| s.len()).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::undecimal;
    use crate::span::Span;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![
            4 => (-50i64..50).prop_map(|m| (m as f64).to_bits()),
            4 => (-5000i64..5000, 0u8..6).prop_map(|(m, s)| undecimal(m, s).to_bits()),
            1 => any::<i64>().prop_map(|m| (m as f64).to_bits()),
            1 => any::<u64>(),
            1 => any::<f64>().prop_map(f64::to_bits),
            1 => prop::sample::select(vec![STALE, f64::NAN.to_bits(), (-0.0f64).to_bits(), 0, f64::INFINITY.to_bits(), f64::NEG_INFINITY.to_bits(), 5e-324f64.to_bits()]),
        ]
    }

    proptest! {
        #[test]
        fn any_rows_come_back(
            width in 1usize..140, late in 0usize..3,
            rows in prop::collection::vec((-100i64..100_000, prop::collection::vec((0u32..140, value()), 0..12)), 1..300),
        ) {
            let (mut pool, mut pool2) = (Pool::new(), Pool::new());
            let (mut group, mut copy, mut log) = (Group { keeps: true, ..Group::default() }, Group { keeps: true, ..Group::default() }, Vec::new());
            let start = (width / (late + 1)).max(1);
            group.widen(start);
            let mut model = vec![Vec::new(); width];
            let (mut times, mut t, mut now) = (Vec::new(), 0, vec![STALE; width]);
            for (i, (dt, changes)) in rows.iter().enumerate() {
                if i == rows.len() / 2 {
                    group.widen(width);
                }
                let mut values: Vec<(u32, u64)> = changes.iter().copied().filter(|(s, _)| (*s as usize) < group.width()).collect();
                values.sort_unstable_by_key(|v| v.0);
                values.dedup_by_key(|v| v.0);
                t += dt;
                times.push(t);
                values.iter().for_each(|(s, v)| now[*s as usize] = *v);
                log.clear();
                group.append(&mut pool, t, &values, &mut log);
                let mut at = 0;
                prop_assert_eq!(copy.replay(&mut pool2, &log, &mut at), Some(()));
                prop_assert_eq!(at, log.len());
                now.iter().zip(&mut model).for_each(|(v, m)| m.push(*v));
            }
            group.widen(width);
            for (group, pool) in [(&group, &pool), (&copy, &pool2)] {
                let (mut buffer, mut have, mut have_times) = (Vec::new(), vec![Vec::new(); width], Vec::new());
                for span in group.sealed() {
                    let span = Span::open(span).unwrap();
                    have_times.extend_from_slice(&span.times);
                    for s in 0..width {
                        if s < span.width() {
                            span.values(s, &mut have[s]).unwrap();
                        } else {
                            let n = have[s].len() + span.times.len();
                            have[s].resize(n, STALE);
                        }
                    }
                }
                have_times.extend_from_slice(&group.times);
                for s in 0..group.width() {
                    group.open_values(pool, s, &mut buffer, &mut have[s]).unwrap();
                }
                let rows = times.len();
                have.iter_mut().for_each(|h| h.resize(rows, STALE));
                prop_assert_eq!(&have, &model);
                prop_assert_eq!(&have_times, &times);
            }
            let (mut key, mut at, mut third) = (Vec::new(), 0, Group::default());
            group.put_key(&mut key);
            third.take_key(&key, &mut at).unwrap();
            prop_assert_eq!((&third.last, &third.scale, third.last_ms), (&group.last, &group.scale, group.last_ms));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut group = Group::default();
            group.widen(70);
            let _ = group.replay(&mut Pool::new(), &bytes, &mut 0);
            let mut sound = bytes.clone();
            sound.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
            if let Some(span) = Span::open(&sound) {
                (0..span.width()).for_each(|s| {
                    let _ = span.values(s, &mut Vec::new());
                });
            }
        }
    }
}
