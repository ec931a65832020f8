//! From a body to rows that are durable: cache, registry, group columns and log put together. I/O.

use std::io;
use std::path::Path;

use foldhash::quality::RandomState;

use crate::bits::{put_varint, varint};
use crate::group::{Group, ROWS};
use crate::pool::Pool;
use crate::positional::{Hashed, Scrape, Scratch, Whole};
use crate::registry::Registry;
use crate::token::STALE;
use crate::wal::{self, Wal};

const ROW: u8 = 1;
const KEY: u8 = 2;
const SERIES: u8 = 3;

/// What is kept of the last body.
#[derive(Debug)]
pub enum Cache {
    /// All of it.
    Whole(Whole),
    /// 16 bytes per line.
    Hashed(Hashed),
}

/// One target.
#[derive(Debug)]
pub struct Target {
    cache: Cache,
    /// Its rows.
    pub group: Group,
}

/// Everything of a server that takes scrapes, but for the network.
pub struct Engine {
    /// Series.
    pub registry: Registry,
    /// By number.
    pub targets: Vec<Target>,
    /// The log.
    pub wal: Option<Wal>,
    /// What the next commit writes.
    records: Vec<u8>,
    /// Chunks of all groups.
    pub pool: Pool,
    hashes: RandomState,
    scratch: Scratch,
    out: Scrape,
    values: Vec<(u32, u64)>,
    /// Samples taken.
    pub samples: u64,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            registry: Registry::default(),
            targets: Vec::new(),
            wal: None,
            records: Vec::new(),
            pool: Pool::new(),
            hashes: RandomState::default(),
            scratch: Scratch::default(),
            out: Scrape::default(),
            values: Vec::new(),
            samples: 0,
        }
    }
}

impl Engine {
    /// Adds targets; `whole` chooses the cache.
    pub fn add(&mut self, n: usize, whole: bool, keeps: bool) {
        for i in 0..n {
            let cache = if whole { Cache::Whole(Whole::default()) } else { Cache::Hashed(Hashed::default()) };
            self.targets.push(Target { cache, group: Group::new(keeps).begin_with(1 + (i * 89 + ROWS / 2) % ROWS) });
        }
    }

    /// Takes a body; it is durable after the next [`Engine::commit`].
    pub fn scrape(&mut self, target: usize, t_ms: i64, body: &[u8]) {
        let Self { registry, targets, records, pool, hashes, scratch, out, values, .. } = self;
        let Target { cache, group } = &mut targets[target];
        let mut width = group.width() as u32;
        let mut fresh: Vec<u8> = Vec::new();
        let mut names = |key: &[u8]| {
            let series = registry.series(target as u32, key, width).unwrap_or(width);
            if series == width {
                width += 1;
                put_varint(&mut fresh, key.len() as u64);
                fresh.extend_from_slice(key);
            }
            series
        };
        match cache {
            Cache::Whole(cache) => cache.read(body, &mut names, scratch, out),
            Cache::Hashed(cache) => cache.read(body, hashes, &mut names, scratch, out),
        }
        if width as usize > group.width() {
            records.push(SERIES);
            put_varint(records, target as u64);
            put_varint(records, fresh.len() as u64);
            records.extend_from_slice(&fresh);
            group.widen(width as usize);
        }
        values.clear();
        values.extend(out.values.iter().map(|(s, v)| (*s, v.to_bits())));
        values.extend(out.vanished.iter().map(|s| (*s, STALE)));
        if !values.windows(2).all(|w| w[0].0 < w[1].0) {
            values.sort_by_key(|v| v.0);
            values.dedup_by_key(|v| v.0);
        }
        records.push(ROW);
        put_varint(records, target as u64);
        group.append(pool, t_ms, values, records);
        if group.rows() == 0 {
            records.push(KEY);
            put_varint(records, target as u64);
            group.put_key(records);
        }
        self.samples += u64::from(width);
    }

    /// Makes all that was taken durable.
    pub fn commit(&mut self) -> io::Result<()> {
        if let Some(wal) = &mut self.wal
            && !self.records.is_empty()
        {
            wal.commit(&self.records)?;
        }
        self.records.clear();
        Ok(())
    }

    /// Reads a log; the targets have to be there.
    pub fn replay(&mut self, path: &Path) -> io::Result<u64> {
        let Self { registry, targets, pool, samples, .. } = self;
        wal::read(path, |records| {
            let mut at = 0;
            while let Some(kind) = records.get(at) {
                at += 1;
                let target = varint(records, &mut at)?;
                let group = &mut targets.get_mut(usize::try_from(target).ok()?)?.group;
                match *kind {
                    ROW => {
                        group.replay(pool, records, &mut at)?;
                        *samples += group.width() as u64;
                    }
                    KEY => group.take_key(records, &mut at)?,
                    SERIES => {
                        let length = usize::try_from(varint(records, &mut at)?).ok()?;
                        let end = at.checked_add(length).filter(|e| *e <= records.len())?;
                        let mut width = group.width();
                        while at < end {
                            let n = varint(records, &mut at)? as usize;
                            registry.series(target as u32, records.get(at..at + n)?, width as u32);
                            width += 1;
                            at += n;
                        }
                        group.widen(width);
                    }
                    _ => return None,
                }
            }
            Some(())
        })
    }

    /// Bytes on the heap, by what they are for.
    pub fn heap(&self) -> Vec<(&'static str, usize)> {
        let (symbols, labels, postings) = self.registry.heap();
        let mut all = [0; 4];
        for target in &self.targets {
            let (fixed, open, sealed) = target.group.heap();
            let cache = match &target.cache {
                Cache::Whole(c) => c.heap(),
                Cache::Hashed(c) => c.heap(),
            };
            all.iter_mut().zip([cache, fixed, open, sealed]).for_each(|(a, n)| *a += n);
        }
        let [cache, fixed, open, sealed] = all;
        vec![
            ("symbols", symbols),
            ("labels and table", labels),
            ("postings", postings),
            ("scrape cache", cache),
            ("last values", fixed),
            ("times and bitmaps", open),
            ("chunks", self.pool.heap().0),
            ("sealed spans", sealed),
        ]
    }
}

/// Rows of a span, for those who measure.
pub const SPAN_ROWS: usize = ROWS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gives_back_what_was_taken() {
        let path = std::env::temp_dir().join(format!("series-spikes-{}.wal", std::process::id()));
        for level in [None, Some(1)] {
            for whole in [true, false] {
                let mut engine = Engine::default();
                engine.add(3, whole, true);
                engine.wal = Some(Wal::create(&path, level).unwrap());
                for row in 0..500i64 {
                    for target in 0..3 {
                        let extra = if row > 100 && row % 50 < 20 {
                            format!("later{{x=\"{target}\"}} {row}\n")
                        } else {
                            String::new()
                        };
                        let body =
                            format!("# c\na 1\n{extra}b{{c=\"d\"}} {}\nc {}.25\n", row / 7, row * (target as i64 + 1));
                        engine.scrape(target, row * 15_000, body.as_bytes());
                    }
                    engine.commit().unwrap();
                }
                let mut copy = Engine::default();
                copy.add(3, whole, true);
                assert_eq!(copy.replay(&path).unwrap(), engine.wal.as_ref().unwrap().written);
                for (a, b) in engine.targets.iter().zip(&copy.targets) {
                    assert_eq!(a.group.sealed(), b.group.sealed());
                    assert_eq!(a.group.span(&engine.pool), b.group.span(&copy.pool));
                    assert_eq!(a.group.width(), 4);
                }
            }
        }
        std::fs::remove_file(&path).unwrap();
    }
}
