//! Measures the CPU time that taking in remote-write costs, store aside: ns per sample of requests of 2,000 series with one
//! sample each, labels as node_exporter's, from a few targets. I/O: prints, and reads the CPU clock of its thread.
//!
//! `cargo run --release -p observe-receive --example cpu [REQUESTS]`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use kernel::Labels;
use kernel::series::{Appended, Batch, GroupId, SeriesError, SeriesWriter};
use observe_receive::limits::Limits;
use observe_receive::wire::Writer as Wire;
use observe_receive::writer::Writer;

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Counting {
    groups: AtomicU32,
    columns: AtomicU32,
    samples: AtomicU64,
}

impl SeriesWriter for Counting {
    fn open_group(&self, _: &str) -> Result<GroupId, SeriesError> {
        Ok(GroupId(self.groups.fetch_add(1, Ordering::Relaxed)))
    }

    fn columns(&self, _: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        let first = self.columns.fetch_add(series.len() as u32, Ordering::Relaxed);
        Ok((first..first + series.len() as u32).collect())
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        self.samples.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(Appended { samples: batch.len() as u64, ..Appended::default() })
    }
}

const SERIES: usize = 2_000;
/// Requests' worth of different series: 100,000 series, so that the table does not lie in the cache.
const BODIES: usize = 50;

fn labels(n: usize) -> Vec<(String, String)> {
    let (target, metric) = (n / 1_000, n % 1_000);
    let mut all = vec![
        (
            "__name__".to_owned(),
            format!("node_{}_seconds_total", ["cpu", "disk_io_time", "network_up", "vmstat"][metric % 4]),
        ),
        ("cluster".into(), "production-eu-1".into()),
        ("cpu".into(), (metric / 8).to_string()),
        ("device".into(), format!("nvme{}n1", metric % 16)),
        ("instance".into(), format!("node-{target:03}.example.org:9100")),
        ("job".into(), "node".into()),
        ("mode".into(), ["idle", "user", "system", "iowait", "irq", "softirq", "steal", "nice"][metric % 8].into()),
    ];
    if metric.is_multiple_of(2) {
        all.push(("zone".into(), "b".into()));
    }
    all
}

fn v1_body(body: usize, t: i64) -> Vec<u8> {
    let mut w = Wire::default();
    for n in body * SERIES..(body + 1) * SERIES {
        w.message(1, |w| {
            for (name, value) in labels(n) {
                w.message(1, |w| {
                    w.string(1, &name);
                    w.string(2, &value);
                });
            }
            w.message(2, |w| {
                w.double(1, n as f64 * 1.25 + t as f64);
                w.int(2, t);
            });
        });
    }
    w.finish()
}

fn v2_body(body: usize, t: i64) -> Vec<u8> {
    let mut symbols: std::collections::HashMap<String, u64> = [(String::new(), 0)].into();
    let (mut texts, mut series) = (Wire::default(), Wire::default());
    texts.string(4, "");
    for n in body * SERIES..(body + 1) * SERIES {
        let mut refs = Vec::new();
        for text in labels(n).into_iter().flat_map(|(name, value)| [name, value]) {
            let next = symbols.len() as u64;
            refs.push(*symbols.entry(text).or_insert_with_key(|text| {
                texts.string(4, text);
                next
            }));
        }
        series.message(5, |w| {
            w.varints(1, refs);
            w.message(2, |w| {
                w.double(1, n as f64 * 1.25 + t as f64);
                w.int(2, t);
            });
            w.message(5, |w| w.uint(1, 1));
        });
    }
    let mut plain = texts.finish();
    plain.extend_from_slice(series.bytes());
    plain
}

/// CPU nanoseconds of this thread.
fn cpu_ns() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID);
    now.map_or(0, |t| t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64)
}

#[expect(clippy::print_stdout, reason = "a measurement is printed")]
fn measure(name: &str, headers: (&str, &str), body: fn(usize, i64) -> Vec<u8>, rounds: usize) {
    let store = Arc::new(Counting::default());
    let writer = Writer::new(store.clone(), Limits::default());
    let (mut spent, mut unpacking) = (Vec::new(), 0);
    for round in 0..=rounds as i64 {
        for n in 0..BODIES {
            let plain = body(n, 1_000_000 + round * 15_000 + (n % 3) as i64);
            let packed = snap::raw::Encoder::new().compress_vec(&plain).unwrap_or_default();
            let began = cpu_ns();
            let answer = writer.remote_write("bench", headers, &packed, 2_000_000_000_000);
            let took = cpu_ns() - began;
            if answer.status != 204 {
                println!("{name}: {}", answer.text);
                return;
            }
            if (round, n) == (0, 0) {
                let (all, sent) = (plain.len() / SERIES, packed.len() / SERIES);
                println!("{name}: {all} bytes a sample, {sent} packed; all series new: {} ns", took / SERIES as u64);
            }
            if round > 0 {
                spent.push(took);
                let mut out = vec![0; plain.len()];
                let began = cpu_ns();
                let _ = snap::raw::Decoder::new().decompress(&packed, &mut out);
                unpacking += cpu_ns() - began;
            }
        }
    }
    spent.sort_unstable();
    let of = |all: u64, requests: usize| all as f64 / (requests * SERIES) as f64;
    let median = of(spent.get(spent.len() / 2).copied().unwrap_or_default(), 1);
    let mean = of(spent.iter().sum(), spent.len());
    let snappy = of(unpacking, spent.len());
    let samples = store.samples.load(Ordering::Relaxed);
    println!("{name}: {median:.0} ns of CPU a sample (mean {mean:.0}), {snappy:.0} of it unpacking; {samples} samples");
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10);
    measure("remote-write 1.0", ("application/x-protobuf", "snappy"), v1_body, rounds);
    let v2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
    measure("remote-write 2.0", (v2, "snappy"), v2_body, rounds);
}
