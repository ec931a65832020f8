//! Blocks that promtool and Prometheus made are read as they were meant, and our chunks are theirs, byte by byte.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

use kernel::series::{Column, Series};

use super::chunk_files::ChunkFiles;
use super::index::Index;
use super::{Block, blocks};
use crate::chunks::{read_xor, write_xor};
use crate::real::http::{ask, encode};
use crate::real::run::{Prometheus, is_here};

/// Five hours: blocks of two hours each.
const START_S: i64 = 1_700_000_000;
const SAMPLES: i64 = 1_200;

fn value(series: i64, n: i64) -> f64 {
    match series {
        0 => 7.0,
        1 => (n * 3) as f64,
        2 => ((n * 2_654_435_761) % 1_000_003) as f64 / 997.0,
        3 if n % 50 == 0 => f64::NAN,
        3 => -(n as f64) * 1e300,
        _ if n % 11 == 0 => f64::INFINITY,
        _ => n as f64 / 10.0,
    }
}

/// Jittered milliseconds.
fn time_ms(series: i64, n: i64) -> i64 {
    (START_S + n * 15) * 1_000 + if series == 2 { n * 37 % 13 } else { 0 }
}

fn make_blocks(folder: &Path) -> std::path::PathBuf {
    let mut text = String::from("# TYPE m gauge\n");
    for n in 0..SAMPLES {
        for series in 0..5 {
            let t = time_ms(series, n) as f64 / 1e3;
            let v = value(series, n);
            let v = if v.is_infinite() { "+Inf".to_owned() } else { v.to_string() };
            writeln!(text, "m{{s=\"{series}\",é=\"\\\"ü\"}} {v} {t:.3}").unwrap();
        }
    }
    text = text.replace("é", "e");
    text.push_str("# EOF\n");
    let (file, out) = (folder.join("in.txt"), folder.join("data"));
    std::fs::write(&file, text).unwrap();
    let mut made = Command::new("promtool");
    made.args(["tsdb", "create-blocks-from", "openmetrics"]).arg(&file).arg(&out);
    assert!(made.stdout(Stdio::null()).status().unwrap().success());
    out
}

fn all(block: &Block) -> Vec<Series> {
    let mut out = Vec::new();
    let visited = block
        .visit(&mut |series| {
            out.push(series);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((visited.chunks_lost, visited.series), (0, out.len() as u64));
    out
}

fn bits(series: &[Series], s: i64) -> Vec<(i64, u64)> {
    let wanted = s.to_string();
    let own = series.iter().filter(|x| x.labels.get("s") == Some(&wanted));
    own.flat_map(|x| {
        let Column::Floats(values) = &x.values else { panic!("no numbers") };
        x.timestamps.iter().copied().zip(values.iter().map(|v| v.to_bits())).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn blocks_of_promtool_are_read_and_our_chunks_are_theirs() {
    if !is_here("promtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = make_blocks(folder.path());
    let blocks = blocks(&data).unwrap();
    assert!(blocks.len() >= 3, "{}", blocks.len());
    let read: Vec<Series> = blocks.iter().flat_map(all).collect();
    let samples: u64 = blocks.iter().map(|b| b.meta().samples).sum();
    assert_eq!(samples, 5 * SAMPLES as u64);
    assert_eq!(read[0].labels.to_string(), r#"m{e="\"ü", s="0"}"#);
    for block in &blocks {
        assert!(all(block).is_sorted_by(|a, b| a.labels < b.labels));
    }
    for series in 0..5 {
        let expect: Vec<(i64, f64)> = (0..SAMPLES).map(|n| (time_ms(series, n), value(series, n))).collect();
        let got = bits(&read, series);
        assert_eq!(got.len(), expect.len());
        for ((t, bits), (u, v)) in got.iter().zip(expect) {
            let same = *bits == v.to_bits() || (v.is_nan() && f64::from_bits(*bits).is_nan());
            assert!(*t == u && same, "{series}: {t} {u} {} {v}", f64::from_bits(*bits));
        }
    }
    let compared: usize = blocks.iter().map(|block| same_chunks(&data.join(&block.meta().ulid))).sum();
    assert!(compared > 30, "{compared}");
}

/// Writes all samples of a block into chunks anew; answers how many chunks were compared.
fn same_chunks(block: &Path) -> usize {
    let index = Index::read(block.join("index")).unwrap();
    let mut files = ChunkFiles::open(&block.join("chunks")).unwrap();
    let mut compared = 0;
    for chunk in index.iter().flat_map(|series| series.unwrap().chunks) {
        let (encoding, bytes) = files.chunk(chunk.place).unwrap();
        let samples = read_xor(bytes).unwrap();
        let (first, last) = (samples.first().map(|s| s.0), samples.last().map(|s| s.0));
        assert_eq!((encoding, first, last), (1, Some(chunk.min_ms), Some(chunk.max_ms)));
        if samples.len() <= crate::chunks::SAMPLES {
            assert_eq!(write_xor(&samples), bytes);
            compared += 1;
        }
    }
    compared
}

#[test]
fn deleted_samples_are_left_out() {
    if !is_here("promtool") || !is_here("prometheus") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = make_blocks(folder.path());
    let flags = ["--web.enable-admin-api", "--storage.tsdb.retention.time=100y"];
    let prometheus = Prometheus::start(folder.path(), "", &data, &flags);
    let (from, to) = (START_S + 1_500, START_S + 3_000);
    let what = encode("m{s=~\"1|4\"}");
    let path = format!("/api/v1/admin/tsdb/delete_series?match[]={what}&start={from}&end={to}");
    assert_eq!(ask(&prometheus.address, "POST", &path).map(|(status, _)| status), Some(204));
    drop(prometheus);
    let read: Vec<Series> = blocks(&data).unwrap().iter().flat_map(all).collect();
    for (series, left) in [(0, SAMPLES), (1, SAMPLES - 101), (4, SAMPLES - 101)] {
        let got = bits(&read, series);
        assert_eq!(got.len() as i64, left, "{series}");
        let within = got.iter().filter(|(t, _)| (from * 1_000..=to * 1_000).contains(t)).count();
        assert_eq!(within as i64, SAMPLES - left + if series == 0 { 101 } else { -101 });
    }
}

#[test]
fn damage_is_told() {
    if !is_here("promtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = make_blocks(folder.path());
    let first = blocks(&data).unwrap().remove(0);
    let path = data.join(&first.meta().ulid);
    let chunks = path.join("chunks/000001");
    let mut bytes = std::fs::read(&chunks).unwrap();
    bytes[100] ^= 0x10;
    std::fs::write(&chunks, &bytes).unwrap();
    let visited = first.visit(&mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((visited.chunks_lost, visited.damaged.len()), (1, 1));
    assert!(visited.damaged[0].to_string().contains("checksum"), "{}", visited.damaged[0]);
    let index = path.join("index");
    let mut bytes = std::fs::read(&index).unwrap();
    for at in [3, 40, bytes.len() / 2, bytes.len() - 20] {
        bytes[at] ^= 0x10;
        std::fs::write(&index, &bytes).unwrap();
        let read = first.visit(&mut |_| ControlFlow::Continue(()));
        bytes[at] ^= 0x10;
        if at != bytes.len() / 2 {
            assert!(read.is_err(), "{at}");
        }
    }
    std::fs::write(path.join("meta.json"), "{}").unwrap();
    assert!(Block::open(&path).is_err());
}

#[test]
fn stretches_of_time_are_read_alone() {
    if !is_here("promtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = make_blocks(folder.path());
    let (from, to) = (time_ms(0, 100), time_ms(0, 700) + 5);
    let mut got = 0;
    for block in blocks(&data).unwrap() {
        block
            .visit_between((from, to), &mut |series| {
                assert!(series.timestamps.iter().all(|t| (from..=to).contains(t)));
                got += series.timestamps.len() as i64;
                ControlFlow::Continue(())
            })
            .unwrap();
    }
    let expect: i64 =
        (0..5).map(|s| (0..SAMPLES).filter(|n| (from..=to).contains(&time_ms(s, *n))).count() as i64).sum();
    assert_eq!(got, expect);
}

#[test]
fn flipped_bits_of_blocks_give_no_wrong_answer() {
    if !is_here("promtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = make_blocks(folder.path());
    let path = blocks(&data).unwrap()[0].path().to_owned();
    let whole = all(&Block::open(&path).unwrap());
    let known: std::collections::HashMap<_, _> = whole.iter().map(|s| (s.labels.clone(), s)).collect();
    let mut seed = 1_u64;
    let mut noticed = 0;
    for name in ["index", "chunks/000001", "tombstones"] {
        let file = path.join(name);
        let good = std::fs::read(&file).unwrap();
        for _ in 0..120 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (seed >> 16) as usize % good.len();
            let mut bad = good.clone();
            bad[at] ^= 1 << (seed >> 8 & 7);
            std::fs::write(&file, &bad).unwrap();
            let Ok(block) = Block::open(&path) else { continue };
            let read = block.visit(&mut |series| {
                let Some(own) = known.get(&series.labels) else { panic!("{name} {at}: {}", series.labels) };
                let bits = |s: &Series| match &s.values {
                    Column::Floats(v) => v.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
                    Column::Mixed(_) => Vec::new(),
                };
                let all: Vec<_> = own.timestamps.iter().copied().zip(bits(own)).collect();
                assert!(series.timestamps.iter().copied().zip(bits(&series)).all(|x| all.contains(&x)), "{name} {at}");
                ControlFlow::Continue(())
            });
            noticed += u64::from(read.is_err() || read.is_ok_and(|v| v.chunks_lost > 0));
        }
        std::fs::write(&file, &good).unwrap();
    }
    // Postings and padding are not read, and not noticed.
    assert!(noticed > 60, "{noticed}");
}
