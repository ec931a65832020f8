//! Spike 2: group columns from bodies to durable rows and back.
//!
//! - `columns speed CORPUS ROWS`: append, seal, decode, bytes per sample, by group of one exporter;
//! - `columns memory CORPUS GROUPS ROWS whole|hashed keep|drop`: memory per series, all in, in this process;
//! - `columns wal CORPUS GROUPS ROWS DIR PERCOMMIT LEVEL`: scrape to WAL with fdatasync, then restart by replay.

use std::path::Path;
use std::time::Instant;

use series_spikes::corpus::Corpus;
use series_spikes::engine::Engine;
use series_spikes::group::{Group, ROWS};
use series_spikes::measure::{anonymous, cpu, median};
use series_spikes::pool::Pool;
use series_spikes::span::Span;
use series_spikes::wal::Wal;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| args.get(i).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
    let corpus = Corpus::open(Path::new(&args[1]))?;
    match args[0].as_str() {
        "speed" => speed(&corpus, number(2)),
        "memory" => memory(&corpus, number(2), number(3), args[4] == "whole", args[5] == "keep"),
        "wal" => wal(&corpus, number(2), number(3), Path::new(&args[4]), number(5), number(6) as i32),
        other => Err(format!("{other} is not known").into()),
    }
}

/// What changed in each row.
type Rows = Vec<Vec<(u32, u64)>>;

fn appending(inputs: &[(&str, &Rows)], n: usize, moved: usize, rounds: usize) {
    let samples = (inputs[0].1.len() * n) as f64;
    for (name, input) in inputs {
        let mut log = Vec::new();
        let (mid, least, most) = median(5, || {
            let start = cpu();
            for _ in 0..rounds {
                let (mut group, mut pool) = (Group::default(), Pool::new());
                group.widen(n);
                for (row, values) in input.iter().enumerate() {
                    log.clear();
                    group.append(&mut pool, row as i64 * 15_000, values, &mut log);
                }
            }
            (cpu() - start) * 1e9 / (rounds as f64 * samples)
        });
        println!(
            "{name} (sealing included): {mid:.1} ns per sample ({least:.1}..{most:.1}); {:.1} ns per moved sample",
            mid * samples / moved as f64
        );
    }
}

fn decoding(matrix: &[(String, Vec<f64>)], spans: &[&[u8]], changed: &Rows, rounds: usize) {
    let (n, mut log) = (matrix.len(), Vec::new());
    let mut out = Vec::new();
    for moving_only in [false, true] {
        let mut count = 0;
        let moves: Vec<bool> =
            matrix.iter().map(|(_, v)| v.windows(2).any(|w| w[0].to_bits() != w[1].to_bits())).collect();
        let (mid, ..) = median(5, || {
            let start = cpu();
            count = 0;
            for _ in 0..rounds {
                for span in spans {
                    let span = Span::open(span).unwrap();
                    for s in (0..span.width()).filter(|s| !moving_only || moves[*s]) {
                        out.clear();
                        span.values(s, &mut out).unwrap();
                        count += out.len();
                    }
                }
            }
            (cpu() - start) * 1e9 / count as f64
        });
        println!(
            "decode sealed{}: {:.2} ns per sample, {:.0} M samples/s",
            if moving_only { ", moving series" } else { "" },
            mid,
            1e3 / mid
        );
    }
    let (mut open, mut open_pool) = (Group::default(), Pool::new());
    open.widen(n);
    changed.iter().take(ROWS - 1).enumerate().for_each(|(row, v)| open.append(&mut open_pool, row as i64, v, &mut log));
    let (mut buffer, mut one) = (Vec::new(), 0.0);
    let (mid, ..) = median(5, || {
        let start = cpu();
        for _ in 0..rounds {
            for s in 0..n {
                out.clear();
                open.open_values(&open_pool, s, &mut buffer, &mut out).unwrap();
                one += f64::from_bits(out[0]);
            }
        }
        (cpu() - start) * 1e9 / (rounds * n * (ROWS - 1)) as f64
    });
    println!("decode open rows: {mid:.2} ns per sample ({one:e})");
    let (mid, ..) = median(5, || {
        let start = cpu();
        (0..rounds).for_each(|_| drop(open.span(&open_pool)));
        (cpu() - start) * 1e9 / (rounds * n * (ROWS - 1)) as f64
    });
    println!("seal: {mid:.2} ns per sample");
}

/// Column speeds on values already parsed.
fn speed(corpus: &Corpus, rows: usize) -> Outcome {
    let matrix = corpus.matrix(rows, 1)?;
    let n = matrix.len();
    // Only what changed, as the cache with the last body hands it over; the first row is whole.
    let changed: Vec<Vec<(u32, u64)>> = (0..rows)
        .map(|row| {
            let fresh = |s: &usize| row == 0 || matrix[*s].1[row].to_bits() != matrix[*s].1[row - 1].to_bits();
            (0..n).filter(fresh).map(|s| (s as u32, matrix[s].1[row].to_bits())).collect()
        })
        .collect();
    let all: Vec<Vec<(u32, u64)>> =
        (0..rows).map(|row| (0..n).map(|s| (s as u32, matrix[s].1[row].to_bits())).collect()).collect();
    let moved: usize = changed.iter().map(Vec::len).sum();
    let samples = (rows * n) as f64;
    println!("{n} series, {rows} rows, {:.1} % of the samples moved", moved as f64 * 100.0 / samples);
    let rounds = (4_000_000 / (rows * n)).max(1);
    appending(&[("append, changes only", &changed), ("append, all values", &all)], n, moved, rounds);
    let (mut group, mut log, mut logged, mut pool) = (Group::new(true), Vec::new(), Vec::new(), Pool::new());
    group.widen(n);
    let mut open_peak = 0;
    for (row, values) in changed.iter().enumerate() {
        let start = log.len();
        if group.rows() == ROWS - 1 {
            open_peak = open_peak.max(group.heap().1 + pool.heap().1);
        }
        group.append(&mut pool, row as i64 * 15_000, values, &mut log);
        logged.push(log.len() - start);
    }
    println!(
        "log records: {:.3} B per sample; zstd 1 over all: {:.3}",
        log.len() as f64 / samples,
        zstd::bulk::compress(&log, 1)?.len() as f64 / samples
    );
    println!("open rows at {} rows: {:.1} B per series", ROWS - 1, open_peak as f64 / n as f64);
    let spans: Vec<&[u8]> = group.sealed().iter().map(|s| &**s).collect();
    let sealed: usize = spans.iter().map(|s| s.len()).sum();
    let rows_sealed = spans.len() * ROWS;
    let packed: usize = spans.iter().map(|s| zstd::bulk::compress(s, 1).map_or(0, |p| p.len())).sum();
    println!(
        "sealed: {:.3} B per sample, {:.1} B per series and span; with zstd 1 per span {:.3}",
        sealed as f64 / (rows_sealed * n) as f64,
        sealed as f64 / (spans.len() * n) as f64,
        packed as f64 / (rows_sealed * n) as f64
    );
    decoding(&matrix, &spans, &changed, rounds);
    let mut buffer = Vec::new();
    // Exact.
    let mut have = vec![Vec::new(); n];
    for span in &spans {
        let span = Span::open(span).unwrap();
        (0..n).for_each(|s| span.values(s, &mut have[s]).unwrap());
    }
    (0..n).for_each(|s| group.open_values(&pool, s, &mut buffer, &mut have[s]).unwrap());
    assert!(
        have.iter().zip(&matrix).all(|(h, (_, m))| h.len() == rows && h.iter().zip(m).all(|(a, b)| *a == b.to_bits()))
    );
    println!("all values the same bits");
    Ok(())
}

fn per_series(engine: &Engine, before: usize) -> String {
    let n = engine.registry.len() as f64;
    let parts: Vec<String> =
        engine.heap().iter().map(|(what, bytes)| format!("{what} {:.1}", *bytes as f64 / n)).collect();
    let sum: usize = engine.heap().iter().map(|h| h.1).sum();
    let now = anonymous("self") - before;
    format!("anonymous {:.0} B per series; counted {:.0}: {}", now as f64 / n, sum as f64 / n, parts.join(", "))
}

fn memory(corpus: &Corpus, groups: usize, rows: usize, whole: bool, keeps: bool) -> Outcome {
    let mut body = Vec::new();
    corpus.body(0, &mut body)?;
    let before = anonymous("self");
    let mut engine = Engine::default();
    engine.add(groups, whole, keeps);
    let start = cpu();
    for row in 0..rows {
        for target in 0..groups {
            corpus.body(row + target * 7, &mut body)?;
            engine.scrape(target, row as i64 * 15_000, &body);
        }
        engine.commit()?;
        if row == 0
            || row + 1 == ROWS / 20
            || row + 1 == ROWS / 2
            || row + 1 == ROWS - 1
            || row + 1 == ROWS
            || row + 1 == rows
        {
            println!("row {}: {} series, {}", row + 1, engine.registry.len(), per_series(&engine, before));
        }
    }
    println!("{:.0} ns CPU per sample, reading the corpus included", (cpu() - start) * 1e9 / engine.samples as f64);
    Ok(())
}

fn wal(corpus: &Corpus, groups: usize, rows: usize, dir: &Path, per_commit: usize, level: i32) -> Outcome {
    let path = dir.join("spike.wal");
    let level = (level > 0).then_some(level);
    let bodies = corpus.load(0, corpus.len().min(rows + 64))?;
    for whole in [true, false] {
        for syncs in [true, false] {
            let mut figures = Vec::new();
            let mut replayed = Vec::new();
            let mut wall = Vec::new();
            let mut text = String::new();
            for _ in 0..3 {
                let mut engine = Engine::default();
                engine.add(groups, whole, false);
                let mut log = Wal::create(&path, level)?;
                log.syncs = syncs;
                engine.wal = Some(log);
                let (mut start, mut clock, mut samples) = (0.0, Instant::now(), 0);
                for row in 0..rows {
                    if row == 1 {
                        // The first row makes the series: measured apart.
                        engine.commit()?;
                        (start, clock, samples) = (cpu(), Instant::now(), engine.samples);
                    }
                    for target in 0..groups {
                        engine.scrape(target, row as i64 * 15_000, &bodies[(row + target * 7) % bodies.len()]);
                        if target % per_commit == per_commit - 1 {
                            engine.commit()?;
                        }
                    }
                }
                engine.commit()?;
                let taken = (engine.samples - samples) as f64;
                figures.push((cpu() - start) * 1e9 / taken);
                wall.push(clock.elapsed().as_secs_f64() * 1e9 / taken);
                let written = engine.wal.as_ref().map_or(0, |w| w.written);
                text = format!("{:.3} B per sample in the log", written as f64 / engine.samples as f64);
                let (width, count) = (engine.registry.len(), engine.samples);
                let mut copy = Engine::default();
                copy.add(groups, whole, false);
                let (start, clock) = (cpu(), Instant::now());
                assert_eq!(copy.replay(&path)?, written);
                let (c, w) = (cpu() - start, clock.elapsed().as_secs_f64());
                assert_eq!((copy.registry.len(), copy.samples), (width, count));
                for (a, b) in engine.targets.iter().zip(&copy.targets) {
                    assert_eq!(a.group.span(&engine.pool), b.group.span(&copy.pool));
                }
                replayed.push((c * 1e9 / count as f64, w, count));
            }
            figures.sort_by(f64::total_cmp);
            wall.sort_by(f64::total_cmp);
            replayed.sort_by(|a, b| a.0.total_cmp(&b.0));
            let cache = if whole { "last body" } else { "hashes" };
            println!(
                "{cache}, {}: {:.0} ns CPU per sample ({:.0}..{:.0}), wall {:.0}; {text}; replay {:.1} ns CPU per sample, {:.2} s for {} M samples",
                if syncs { "fdatasync" } else { "no sync" },
                figures[1],
                figures[0],
                figures[2],
                wall[1],
                replayed[1].0,
                replayed[1].1,
                replayed[1].2 / 1_000_000
            );
        }
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
