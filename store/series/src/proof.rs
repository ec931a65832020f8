//! A store on a disk that fails in every way, against a naive model: no wrong answer, nothing acknowledged lost, no end to it. I/O.
//!
//! Rounds come from seeds, `FARERO_FAULT_ROUNDS` of them. A failure names its seed.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::series::{
    Batch, Cell, Histogram, Matcher, Point, Select, SeriesAdmin, SeriesError, SeriesReader, SeriesRef, SeriesWriter,
};
use kernel::{Labels, Timestamp};

use crate::disk::faults::{self, disk};
use crate::{Options, SeriesStore};

const ROUNDS: u64 = 24;
const STEPS: usize = 120;
const GROUPS: usize = 3;
const COLUMNS: usize = 4;
const START: i64 = 1_770_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Number(u64),
    Histogram(u64),
}

/// What is known of one sample.
#[derive(Clone, Debug, Default)]
struct Known {
    /// It was acknowledged: this is the answer.
    taken: Option<Value>,
    /// What was refused, or deleted with an error: it may be there or not.
    perhaps: Vec<Value>,
    /// What was acknowledged as well, while the store could not see the first one: it is the answer once that is lost.
    later: Vec<Value>,
}

/// Series and time.
type At = (String, i64);

struct World<'a> {
    folder: &'a Path,
    store: Option<SeriesStore>,
    model: BTreeMap<At, Known>,
    random: u64,
    now: i64,
    seed: u64,
}

fn metric(group: usize, column: usize) -> String {
    format!("m_{group}_{column}")
}

fn labels(group: usize, column: usize) -> Labels {
    Labels::metric(&metric(group, column), [("job", format!("g{group}"))])
}

fn options() -> Options {
    let (late_window, block_length) = (Duration::from_secs(3_600), Duration::from_secs(7_200));
    Options { commit_interval: Duration::ZERO, late_window, block_length, ..Options::default() }
}

impl World<'_> {
    fn below(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % n
    }

    fn store(&self) -> &SeriesStore {
        self.store.as_ref().unwrap()
    }

    fn value(&mut self) -> Value {
        match self.below(8) {
            0 => Value::Histogram(self.below(1_000)),
            1 => Value::Number(f64::from_bits(self.below(1 << 60)).to_bits()),
            2 => Value::Number(kernel::series::STALE_NAN_BITS),
            _ => Value::Number(((self.below(5_000)) as f64 / 10.0).to_bits()),
        }
    }

    /// Appends some cells of one row; says whether the store took the call.
    fn append(&mut self) -> Result<(), SeriesError> {
        let group = self.below(GROUPS as u64) as usize;
        let t_ms = match self.below(5) {
            0 => self.now - self.below(3_000) as i64 * 1_000,
            _ => {
                self.now += 15_000;
                self.now
            }
        };
        let all: Vec<Labels> = (0..COLUMNS).map(|c| labels(group, c)).collect();
        let id = self.store().open_group(&format!("g{group}"))?;
        let columns = self.store().columns(id, &all)?;
        let mut batch = Batch::default();
        let mut cells = Vec::new();
        for (c, column) in columns.iter().enumerate() {
            if self.below(4) == 0 {
                continue;
            }
            let value = self.value();
            let point = match value {
                Value::Number(bits) => Point::Float(f64::from_bits(bits)),
                Value::Histogram(n) => Point::Histogram(Arc::new(Histogram {
                    sum: n as f64,
                    count: n as f64,
                    zero_count: n as f64,
                    ..Histogram::default()
                })),
            };
            batch.push_cell(id, t_ms, Cell { column: *column, value: point, start_ms: 0 });
            cells.push((SeriesRef { group: id, column: *column }, (metric(group, c), t_ms), value));
        }
        let outcome = self.store().append(&batch);
        for (series, at, value) in cells {
            let known = self.model.entry(at).or_default();
            match &outcome {
                Ok(appended) => {
                    let refused = appended.rejected.iter().any(|r| r.series == series);
                    if !refused {
                        let first = *known.taken.get_or_insert(value);
                        known.later.extend((first != value).then_some(value));
                    }
                }
                Err(_) => known.perhaps.push(value),
            }
        }
        outcome.map(drop)
    }

    fn delete(&mut self) {
        let (group, column) = (self.below(GROUPS as u64) as usize, self.below(COLUMNS as u64) as usize);
        let name = metric(group, column);
        let start = self.now - self.below(4_000) as i64 * 1_000;
        let end = start + self.below(600) as i64 * 1_000;
        let done = self.store().delete(&[Matcher::equal("__name__", &name)], start, end);
        for ((_, _), known) in self.model.range_mut((name.clone(), start)..=(name, end)) {
            let (taken, later) = (known.taken.take(), std::mem::take(&mut known.later));
            if done.is_err() {
                known.perhaps.extend(taken.into_iter().chain(later));
            }
        }
    }

    fn upkeep(&mut self) -> Result<(), SeriesError> {
        let now = Timestamp::from_millis(self.now);
        match self.below(6) {
            0 => self.store().cut().map(drop),
            1 => self.store().flush(),
            2 => self.store().clean_deleted(),
            3 => self.store().snapshot(false).map(drop),
            _ => self.store().maintain(now).map(drop),
        }
    }

    /// Bits flip while blocks are made, joined and written anew: nothing wrong is written to them. What could not be read is told, and gone
    /// for good, unless it was only read once more.
    fn upkeep_flipping(&mut self) {
        let before = self.store().stats().damaged;
        let one_in = [2, 5, 20][self.below(3) as usize];
        disk(|d| d.flip_one_in = one_in);
        if self.below(3) == 0 {
            self.now += 26 * 3_600_000;
        }
        for _ in 0..3 {
            let _ = self.upkeep();
        }
        disk(|d| d.flip_one_in = 0);
        if self.store().stats().damaged == before {
            self.check(true);
            return;
        }
        let found = self.check(false);
        for (at, known) in &mut self.model {
            let Known { taken, perhaps, later } = known;
            let lost = *taken != found.get(at).copied();
            if taken.is_some() && lost {
                perhaps.extend(taken.take());
                perhaps.append(later);
            }
        }
    }

    /// A power cut, and a start.
    fn restart(&mut self) {
        drop(self.store.take());
        faults::lose_unsafe();
        if let Ok((store, report)) = SeriesStore::open(self.folder, options()) {
            assert_eq!(report.damage, [""; 0], "seed {}", self.seed);
            self.store = Some(store);
            return;
        }
        heal();
        let (store, report) = SeriesStore::open(self.folder, options()).unwrap();
        assert_eq!(report.damage, [""; 0], "seed {}", self.seed);
        self.store = Some(store);
    }

    /// Everything that is there may be there; where `all`, everything acknowledged is there.
    fn check(&self, all: bool) -> BTreeMap<At, Value> {
        let everything = Select { matchers: Vec::new(), start_ms: i64::MIN, end_ms: i64::MAX };
        let mut found: BTreeMap<At, Value> = BTreeMap::new();
        for series in self.store().select(&everything).unwrap() {
            assert!(series.timestamps.is_sorted_by(|a, b| a < b), "seed {}", self.seed);
            for (i, t) in series.timestamps.iter().enumerate() {
                let value = match series.values.get(i).unwrap() {
                    Point::Float(v) => Value::Number(v.to_bits()),
                    Point::Histogram(h) => Value::Histogram(h.sum as u64),
                };
                let before = found.insert((series.labels.name().to_owned(), *t), value);
                assert_eq!(before, None, "seed {}: twice", self.seed);
            }
        }
        for (at, value) in &found {
            let known = self.model.get(at).unwrap_or_else(|| panic!("seed {}: {at:?} was never written", self.seed));
            let right =
                known.taken == Some(*value) || known.perhaps.contains(value) || (!all && known.later.contains(value));
            assert!(right, "seed {}: {at:?} is {value:?}, and should be {known:?}", self.seed);
        }
        for (at, known) in self.model.iter().filter(|(_, known)| all && known.taken.is_some()) {
            assert!(found.contains_key(at), "seed {}: {at:?} is lost: {known:?}", self.seed);
        }
        found
    }

    /// Reading while bits flip: nothing wrong, and what is missing is counted.
    fn check_flipping(&self) {
        let before = (self.store().stats().damaged, disk(|d| d.flipped));
        disk(|d| d.flip_one_in = 3);
        self.check(false);
        disk(|d| d.flip_one_in = 0);
        let told = self.store().stats().damaged > before.0;
        if !told {
            self.check(true);
        }
        self.check(true);
        assert!(told || disk(|d| d.flipped) == before.1 || self.store().stats().blocks == 0, "seed {}", self.seed);
    }

    /// While the disk is full, nothing is taken, and everything is read; afterwards all goes on by itself.
    fn fill_the_disk(&mut self) {
        disk(|d| d.full = true);
        for _ in 0..5 {
            if let Err(error) = self.append() {
                assert!(error.to_string().contains("free some space"), "seed {}: {error}", self.seed);
            }
            let _ = self.upkeep();
            self.check(true);
        }
        heal();
        self.append().unwrap();
    }
}

/// The disk is well again.
fn heal() {
    disk(|d| (d.one_in, d.full, d.flip_one_in) = (0, false, 0));
}

fn round(seed: u64) -> u64 {
    faults::reset(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = SeriesStore::open(folder.path(), options()).unwrap();
    let random = seed.wrapping_mul(0xd134_2543_de82_ef95) | 1;
    let mut world =
        World { folder: folder.path(), store: Some(store), model: BTreeMap::new(), random, now: START, seed };
    for _ in 0..STEPS {
        match world.below(40) {
            0 => disk(|d| d.one_in = 40),
            1 | 2 => disk(|d| d.one_in = 7),
            3 | 4 => heal(),
            5 => world.fill_the_disk(),
            6 | 7 => world.restart(),
            8 | 9 => world.delete(),
            10..=14 => _ = world.upkeep(),
            15 => world.now += 26 * 3_600_000,
            16 => world.check_flipping(),
            17 => _ = world.check(true),
            18 | 19 => world.upkeep_flipping(),
            _ => _ = world.append(),
        }
    }
    heal();
    world.append().unwrap();
    world.check(true);
    world.restart();
    world.check(true);
    world.store().cut().unwrap();
    world.check(true);
    assert_eq!(disk(|d| std::mem::take(&mut d.trusted_again)), Vec::<std::path::PathBuf>::new(), "seed {seed}");
    disk(|d| d.failed + d.flipped)
}

#[test]
fn no_fault_of_the_disk_makes_an_answer_wrong() {
    let rounds = std::env::var("FARERO_FAULT_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let first = std::env::var("FARERO_FAULT_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let failed: u64 = (first..first + rounds).map(round).sum();
    assert!(failed > rounds * 5, "{failed} faults in {rounds} rounds prove nothing");
}
