//! Spike 1: CPU per sample of reading bodies in their place, beside reading every line and looking it up.
//! `parse CORPUS [BODIES]`

use std::hash::{BuildHasher, Hasher};
use std::path::Path;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use series_spikes::corpus::Corpus;
use series_spikes::measure::{cpu, median};
use series_spikes::plain::{canonical, each, key_end, line_length};
use series_spikes::positional::{Hashed, Scrape, Scratch, Whole};

/// Byte strings with numbers.
#[derive(Default)]
struct Table {
    keys: Vec<Vec<u8>>,
    table: HashTable<u32>,
    hashes: RandomState,
}

impl Table {
    fn number(&mut self, key: &[u8]) -> u32 {
        let (hashes, keys) = (&self.hashes, &self.keys);
        let hash = |k: &[u8]| {
            let mut h = hashes.build_hasher();
            h.write(k);
            h.finish()
        };
        if let Some(i) = self.table.find(hash(key), |i| keys[*i as usize] == key) {
            return *i;
        }
        let i = keys.len() as u32;
        self.table.insert_unique(hash(key), i, |i| hash(&keys[*i as usize]));
        self.keys.push(key.to_vec());
        i
    }
}

/// Lines as a plain parser reads them: the standard library's floats.
fn plain<'a>(body: &'a [u8], mut take: impl FnMut(&'a [u8], f64)) {
    let mut at = 0;
    while at < body.len() {
        let n = line_length(&body[at..]);
        let line = body[at..at + n].trim_ascii();
        at += n;
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        let Some(end) = key_end(line) else { continue };
        let word = line[end..].trim_ascii_start();
        let word = &word[..word.iter().position(|b| *b == b' ').unwrap_or(word.len())];
        if let Some(value) = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok()) {
            take(&line[..end], value);
        }
    }
}

struct Bench {
    rounds: usize,
    samples: usize,
}

impl Bench {
    fn show(&self, name: &str, mut run: impl FnMut() -> u64) {
        let mut sum = 0;
        let (mid, least, most) = median(5, || {
            let start = cpu();
            for _ in 0..self.rounds {
                sum = run();
            }
            (cpu() - start) * 1e9 / (self.rounds * self.samples) as f64
        });
        println!("| {name} | {mid:.1} | {least:.1}..{most:.1} | {sum} |");
    }
}

/// A deliberately changed layout: every `every`-th body lacks one line, so that lines behind it are not in their place.
fn shaken(bodies: &[Vec<u8>], every: usize) -> Vec<Vec<u8>> {
    let mut out = bodies.to_vec();
    for (i, body) in out.iter_mut().enumerate().filter(|(i, _)| i % every == every / 2) {
        let middle = body.len() / (2 + i % 5);
        let start = middle + line_length(&body[middle..]);
        let end = start + line_length(&body[start..]);
        body.drain(start..end);
    }
    out
}

fn positional(bench: &Bench, bodies: &[Vec<u8>]) {
    let (mut scratch, mut out) = (Scratch::default(), Scrape::default());
    let hashes = foldhash::quality::RandomState::default();
    for (bodies, what) in [(bodies, ""), (&shaken(bodies, 10), ", a line missing in every tenth body")] {
        let mut table = Table::default();
        let mut cache = Hashed::default();
        bench.show(&format!("positional, hashes{what}"), || {
            let mut sum = 0;
            for body in bodies {
                cache.read(body, &hashes, &mut |key: &[u8]| table.number(key), &mut scratch, &mut out);
                sum += out.values.iter().map(|(s, v)| u64::from(*s) + (v.to_bits() & 1)).sum::<u64>();
            }
            sum
        });
        let heap = cache.heap();
        let mut table = Table::default();
        let mut cache = Whole::default();
        bench.show(&format!("positional, last body{what}"), || {
            let mut sum = 0;
            for body in bodies {
                cache.read(body, &mut |key: &[u8]| table.number(key), &mut scratch, &mut out);
                sum += out.values.len() as u64;
            }
            sum
        });
        let per = bench.samples as f64 / bodies.len() as f64;
        println!("memory per series: hashes {:.1} B, last body {:.1} B", heap as f64 / per, cache.heap() as f64 / per);
    }
}

fn floats(bodies: &[Vec<u8>]) {
    let words: Vec<Vec<u8>> = bodies
        .iter()
        .take(20)
        .flat_map(|b| {
            let mut all = Vec::new();
            each(b, |l| all.push(l.key.len()));
            let mut at = 0;
            let mut words = Vec::new();
            while at < b.len() {
                let n = line_length(&b[at..]);
                let line = b[at..at + n].trim_ascii();
                at += n;
                if let Some(end) = key_end(line).filter(|_| line.first().is_some_and(|c| *c != b'#')) {
                    words.push(line[end..].trim_ascii().to_vec());
                }
            }
            words
        })
        .collect();
    let floats = Bench { rounds: 2_000_000 / words.len() + 1, samples: words.len() };
    floats.show("float alone, std", || {
        words.iter().filter_map(|w| std::str::from_utf8(w).ok()?.parse::<f64>().ok()).map(|v| v.to_bits() & 1).sum()
    });
    floats.show("float alone, fast", || {
        words.iter().filter_map(|w| series_spikes::number::read(w)).map(|v| v.0.to_bits() & 1).sum()
    });
}

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let corpus = Corpus::open(Path::new(&args[1]))?;
    let n = args.get(2).and_then(|n| n.parse().ok()).unwrap_or(300).min(corpus.len());
    let bodies = corpus.load(0, n)?;
    let (mut samples, mut bytes, mut moved) = (0, 0, 0);
    let (mut whole, mut scratch, mut out) = (Whole::default(), Scratch::default(), Scrape::default());
    let mut table = Table::default();
    let mut looked_up = 0;
    for body in &bodies {
        each(body, |_| samples += 1);
        bytes += body.len();
        whole.read(body, &mut |key: &[u8]| table.number(key), &mut scratch, &mut out);
        moved += out.values.len();
        looked_up += out.looked_up;
    }
    println!(
        "{n} bodies, {:.1} samples and {:.0} bytes each; {:.1} % of the lines moved; {} lines looked up behind the first body",
        samples as f64 / n as f64,
        bytes as f64 / n as f64,
        (moved as f64 - samples as f64 / n as f64) * 100.0 / samples as f64,
        looked_up - samples / n
    );
    let bench = Bench { rounds: (2_000_000 / samples).max(1), samples };
    println!("| way | ns CPU per sample | least..most | check |\n| --- | --- | --- | --- |");
    bench.show("newlines found (memchr)", || bodies.iter().map(|b| memchr::memchr_iter(b'\n', b).count() as u64).sum());
    let (mut pairs, mut text) = (Vec::new(), Vec::new());
    let mut table = Table::default();
    bench.show("plain: std floats, labels parsed, sorted, looked up", || {
        let mut sum = 0;
        for body in &bodies {
            plain(body, |key, value| {
                canonical(key, &mut pairs, &mut text);
                sum += u64::from(table.number(&text)) + (value.to_bits() & 1);
            });
        }
        sum
    });
    let mut table = Table::default();
    bench.show("plain: std floats, looked up by the line's text", || {
        let mut sum = 0;
        bodies.iter().for_each(|b| plain(b, |key, value| sum += u64::from(table.number(key)) + (value.to_bits() & 1)));
        sum
    });
    let mut table = Table::default();
    bench.show("fast floats, looked up by the line's text", || {
        let mut sum = 0;
        bodies.iter().for_each(|b| each(b, |l| sum += u64::from(table.number(l.key)) + (l.value.to_bits() & 1)));
        sum
    });
    positional(&bench, &bodies);
    floats(&bodies);
    Ok(())
}
