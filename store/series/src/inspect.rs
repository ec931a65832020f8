//! Reading the parts of files out of any bytes: what fuzzing is given. Whatever they are, nothing panics or runs away. Pure.
//!
//! Checksums keep damaged bytes from the readers behind them; here they are left out, so that these are reached.

use crate::block;
pub use crate::block::{BlockSizes, SeriesSize, block_sizes};
use crate::catalog::decode_series;
use crate::codec::{Cursor, body};
use crate::frame::scan;
use crate::head::Head;
use crate::page::page;
use crate::replay::Replay;
use crate::side::Beside;
use crate::span::SpanView;
use crate::times::times;
use crate::tombstones::Tombstones;
use crate::wal::read_log;

/// Rows of a page that is read without its column of times.
const ROWS: usize = 960;

/// Longest part that [`parts`] unpacks.
const UNPACKED_BYTES: usize = 1 << 20;

/// How many kinds [`parse`] knows.
pub const KINDS: u8 = 12;

/// Reads bytes as the part of a file that `kind` says; answers whether they were understood.
pub fn parse(kind: u8, bytes: &[u8]) -> bool {
    match kind % KINDS {
        0 => {
            let mut head = groups();
            read_log(bytes, "", |records, raw| {
                Replay::after(hashbrown::HashMap::new()).frame(&mut head, 1, records, raw)
            });
            sealed(head);
            true
        }
        1 => {
            let (mut head, mut replay) = (groups(), Replay::after(hashbrown::HashMap::new()));
            let (raw, records) = bytes.split_at(bytes.len().min(usize::from(bytes.first().copied().unwrap_or(0))));
            let understood = replay.frame(&mut head, 1, records, raw).is_some();
            sealed(head);
            understood
        }
        2 => span(bytes).is_some(),
        3 => block::parse_footer(bytes),
        4 => block::parse_table(bytes),
        5 => block::parse_lists(bytes),
        6 => page(bytes, ROWS).is_some(),
        7 => Beside::read(bytes).is_some(),
        8 => decode_series(bytes).is_some(),
        9 => Tombstones::read(bytes).is_some(),
        10 => times(&mut Cursor::new(bytes), ROWS).is_some(),
        _ => !scan(bytes, 0).frames.is_empty(),
    }
}

/// What a file consists of, for seeds of fuzzing: the payloads of its frames, what is packed in these, and the file itself.
pub fn parts(file: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for (_, payload) in scan(file, 0).frames {
        out.push(payload.to_vec());
        out.extend(body(payload, UNPACKED_BYTES).map(|b| b.into_owned()));
    }
    out.push(file.to_vec());
    out
}

/// Groups for records to belong to.
fn groups() -> Head {
    let mut head = Head::default();
    (0..4).for_each(|id| _ = head.make(id));
    head
}

/// What was replayed is sealed, as it would be.
fn sealed(mut head: Head) {
    (0..4).for_each(|id| head.seal(id));
}

/// Reads a span, and all that is in it.
fn span(bytes: &[u8]) -> Option<()> {
    let view = SpanView::open(bytes)?;
    for column in 0..view.width() as u32 {
        view.column(column)?;
        view.beside(column)?;
    }
    view.range().map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;
    use std::sync::Arc;

    use kernel::Labels;
    use kernel::series::{Batch, Cell, Histogram, Matcher, Point, SeriesAdmin, SeriesReader, SeriesWriter};

    use super::*;
    use crate::codec::{put_varint, zigzag};
    use crate::group::Group;
    use crate::record::{LATE, put_head, put_key};
    use crate::{Options, SeriesStore};

    const MUTATIONS: u64 = 4_000;

    /// A small store with something of everything, in blocks, spans and the log.
    fn fill(folder: &Path) {
        let options = Options { commit_interval: std::time::Duration::ZERO, ..Options::default() };
        let (store, _) = SeriesStore::open(folder, options).unwrap();
        let group = store.open_group("g").unwrap();
        let all: Vec<Labels> = (0..6).map(|c| Labels::metric(&format!("m{c}"), [("job", "a")])).collect();
        store.columns(group, &all).unwrap();
        for n in 0..90i64 {
            let mut batch = Batch::default();
            let t = 1_770_000_000_000 + n * 15_000;
            batch.push(group, t, 0, 1.0);
            batch.push(group, t, 1, n as f64 * 3.5);
            batch.push(group, t, 2, (n as f64).sin());
            if n % 3 == 0 {
                batch.push(group, t, 3, f64::from_bits(n as u64 * 7919));
            }
            let h = Histogram { sum: n as f64, count: 2.0, zero_count: 2.0, ..Histogram::default() };
            batch.push_cell(group, t, Cell { column: 4, value: Point::Histogram(Arc::new(h)), start_ms: t - 5 });
            store.append(&batch).unwrap();
            let mut late = Batch::default();
            late.push(group, t - 30_000, 5, n as f64);
            store.append(&late).unwrap();
            match n {
                30 => assert!(store.cut().unwrap()),
                60 => store.flush().unwrap(),
                _ => {}
            }
        }
        store.delete(&[Matcher::equal("__name__", "m1")], 0, 1_770_000_100_000).unwrap();
        for n in 0..9i64 {
            let mut batch = Batch::default();
            (0..3).for_each(|c| batch.push(group, 1_770_009_000_000 + n * 15_000, c, (n as f64).cos()));
            store.append(&batch).unwrap();
        }
        store.flush().unwrap();
        let mut batch = Batch::default();
        batch.push(group, 1_770_019_000_000, 2, 0.3);
        store.append(&batch).unwrap();
    }

    fn seeds(folder: &Path) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for part in ["", "wal", "spans", "blocks"] {
            for file in std::fs::read_dir(folder.join(part)).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file())
            {
                out.extend(parts(&std::fs::read(file).unwrap()));
            }
        }
        out
    }

    #[test]
    fn no_bytes_make_a_reader_panic() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let seeds = seeds(folder.path());
        let understood: Vec<bool> = (0..KINDS).map(|kind| seeds.iter().any(|seed| parse(kind, seed))).collect();
        assert!(understood.iter().filter(|u| **u).count() >= 9, "{understood:?}");
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        let mut below = |n: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 8) as usize % n.max(1)
        };
        for _ in 0..MUTATIONS {
            let mut bytes = seeds[below(seeds.len())].clone();
            for _ in 0..=below(4) {
                let at = below(bytes.len());
                match below(4) {
                    0 => bytes.truncate(at),
                    1 => drop(bytes.splice(at..at, [0xff; 9])),
                    _ => bytes.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << below(8)),
                }
            }
            (0..KINDS).for_each(|kind| _ = parse(kind, &bytes));
        }
    }

    #[test]
    fn a_damaged_record_makes_no_group_wider_than_any_can_be() {
        let mut records = Vec::new();
        put_key(&mut records, 0, &Group::new(1));
        put_head(&mut records, LATE, 0, 1);
        [zigzag(5), 1, u64::from(u32::MAX - 1)].into_iter().for_each(|n| put_varint(&mut records, n));
        records.extend_from_slice(&[0; 8]);
        let (mut head, mut replay) = (groups(), Replay::after(hashbrown::HashMap::new()));
        assert!(replay.frame(&mut head, 1, &records, &[]).is_some());
        assert_eq!((replay.lost, head.groups[&0].width()), (1, 0));
    }

    #[test]
    fn files_mutated_anywhere_are_opened_and_read() {
        let whole = tempfile::tempdir().unwrap();
        fill(whole.path());
        for n in 0..120usize {
            let folder = tempfile::tempdir().unwrap();
            for part in ["", "wal", "spans", "blocks"] {
                std::fs::create_dir_all(folder.path().join(part)).unwrap();
                for (i, file) in std::fs::read_dir(whole.path().join(part)).unwrap().enumerate() {
                    let file = file.unwrap().path();
                    if !file.is_file() {
                        continue;
                    }
                    let mut bytes = std::fs::read(&file).unwrap();
                    if !bytes.is_empty() && (n + i) % 3 == 0 {
                        let at = (n * 7919 + i * 104_729) % bytes.len();
                        bytes[at] ^= 1 << (n % 8);
                        if n % 5 == 0 {
                            bytes.truncate(at);
                        }
                    }
                    std::fs::write(folder.path().join(part).join(file.file_name().unwrap()), bytes).unwrap();
                }
            }
            // A magic of a later version is refused; everything else is opened, and what is sound is read.
            if let Ok((store, _)) = SeriesStore::open(folder.path(), Options::default()) {
                let all = kernel::series::Select { matchers: Vec::new(), start_ms: i64::MIN, end_ms: i64::MAX };
                for series in store.select(&all).unwrap() {
                    assert!(series.timestamps.is_sorted_by(|a, b| a < b));
                }
            }
        }
    }
}
