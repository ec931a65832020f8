//! Framed records in append-only files, and finding them again after damage. Pure.
//!
//! A frame: marker (4 bytes), length of the payload (4), CRC-32 of kind and payload (4), kind (1), payload.

use crate::codec::Cursor;
use crate::limits::FRAME_BYTES;

/// Begins each frame, so that the next one can be found behind damage.
const MARKER: [u8; 4] = [0xfa, b'R', b'E', 0x0c];
/// Bytes before the payload.
pub(crate) const FRAME_HEAD: usize = 13;

pub(crate) fn put_frame(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&checksum(kind, payload).to_le_bytes());
    out.push(kind);
    out.extend_from_slice(payload);
}

fn checksum(kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    /// Kind and payload of each sound frame.
    pub(crate) frames: Vec<(u8, &'a [u8])>,
    /// Stretches of damage with sound frames behind them: offset and length.
    pub(crate) damaged: Vec<(usize, usize)>,
    /// Where the last sound frame ends; what lies behind it was torn off while being written.
    pub(crate) end: usize,
}

/// Finds all sound frames of a file, which begin at `start`.
pub(crate) fn scan(bytes: &[u8], start: usize) -> Scan<'_> {
    let mut out = Scan { end: start.min(bytes.len()), ..Scan::default() };
    let mut at = out.end;
    while at < bytes.len() {
        if let Some((kind, payload)) = frame(&bytes[at..]) {
            if at > out.end {
                out.damaged.push((out.end, at - out.end));
            }
            out.frames.push((kind, payload));
            at += FRAME_HEAD + payload.len();
            out.end = at;
        } else {
            match memchr::memmem::find(&bytes[at + 1..], &MARKER) {
                Some(next) => at += 1 + next,
                None => break,
            }
        }
    }
    out
}

/// The frame at the start of these bytes.
pub(crate) fn frame(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(4)? != MARKER {
        return None;
    }
    let length = cursor.u32().map(|n| n as usize).filter(|n| *n <= FRAME_BYTES)?;
    let crc = cursor.u32()?;
    let kind = cursor.byte()?;
    let payload = cursor.take(length)?;
    (checksum(kind, payload) == crc).then_some((kind, payload))
}

/// Whether these bytes, which are no sound frame, are as many as one: then they were written whole, and damaged afterwards.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let marked = cursor.take(4).is_some_and(|marker| marker == MARKER);
    let length = cursor.u32().map_or(usize::MAX, |n| n as usize);
    (marked && bytes.len() >= length.saturating_add(FRAME_HEAD)) || (!marked && bytes.len() > FRAME_HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut out = b"head".to_vec();
        for payload in [&b"one"[..], b"two", b"three"] {
            put_frame(&mut out, 1, payload);
        }
        out
    }

    fn payloads<'a>(scan: &Scan<'a>) -> Vec<&'a [u8]> {
        scan.frames.iter().map(|(_, p)| *p).collect()
    }

    #[test]
    fn a_torn_tail_ends_the_file() {
        let whole = file();
        assert_eq!(payloads(&scan(&whole, 4)), [&b"one"[..], b"two", b"three"]);
        for cut in 1..FRAME_HEAD + 5 {
            let torn = scan(&whole[..whole.len() - cut], 4);
            assert_eq!((payloads(&torn).len(), torn.damaged.len(), torn.end), (2, 0, 4 + 2 * (FRAME_HEAD + 3)));
        }
    }

    #[test]
    fn damage_in_the_middle_costs_one_frame() {
        let whole = file();
        let second = 4 + FRAME_HEAD + 3;
        for bit in second * 8..(second + FRAME_HEAD + 3) * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let found = scan(&bad, 4);
            assert_eq!(payloads(&found), [&b"one"[..], b"three"], "bit {bit}");
            assert_eq!(found.damaged, [(second, FRAME_HEAD + 3)], "bit {bit}");
        }
    }
}
