//! Bodies to measure with: recorded ones, and those of a made-up exporter. I/O.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::plain::each;

/// A file of bodies, each with its length (4 bytes) before it.
pub struct Corpus {
    file: File,
    places: Vec<(u64, u32)>,
}

impl Corpus {
    /// Finds the bodies of a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let (mut at, end, mut places) = (0, file.metadata()?.len(), Vec::new());
        while at + 4 <= end {
            let mut head = [0; 4];
            file.read_exact_at(&mut head, at)?;
            let n = u32::from_le_bytes(head);
            places.push((at + 4, n));
            at += 4 + u64::from(n);
        }
        Ok(Self { file, places })
    }

    /// Number of bodies.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Body number `i`, from the start again behind the last.
    pub fn body(&self, i: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let (at, n) = self.places[i % self.places.len()];
        out.resize(n as usize, 0);
        self.file.read_exact_at(out, at)
    }

    /// Bodies `from..from + n`.
    pub fn load(&self, from: usize, n: usize) -> io::Result<Vec<Vec<u8>>> {
        (from..from + n)
            .map(|i| {
                let mut body = Vec::new();
                self.body(i, &mut body)?;
                Ok(body)
            })
            .collect()
    }

    /// Series with a value in each of `rows` bodies, `stride` apart, sorted by name: key and values.
    pub fn matrix(&self, rows: usize, stride: usize) -> io::Result<Vec<(String, Vec<f64>)>> {
        let (mut all, mut body) = (BTreeMap::<String, Vec<f64>>::new(), Vec::new());
        for row in 0..rows {
            self.body(row * stride, &mut body)?;
            each(&body, |l| {
                let key = String::from_utf8_lossy(l.key);
                match all.get_mut(&*key) {
                    Some(values) => values.push(l.value),
                    None => drop(all.insert(key.into_owned(), vec![l.value])),
                }
            });
        }
        Ok(all.into_iter().filter(|(_, v)| v.len() == rows).collect())
    }
}

/// Appends a body to a corpus.
pub fn put(out: &mut impl Write, body: &[u8]) -> io::Result<()> {
    out.write_all(&(body.len() as u32).to_le_bytes())?;
    out.write_all(body)
}

/// Unpacks recordings (gzip, one after the other); a recording that is still written ends where it ends.
pub fn unpack(folder: &Path, out: &mut impl Write) -> io::Result<usize> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    files.sort();
    let mut n = 0;
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "gz")) {
        let mut file = flate2::read::MultiGzDecoder::new(io::BufReader::new(File::open(path)?));
        loop {
            let mut head = [0; 4];
            if file.read_exact(&mut head).is_err() {
                break;
            }
            let mut body = vec![0; u32::from_le_bytes(head) as usize];
            if file.read_exact(&mut body).is_err() {
                break;
            }
            put(out, &body)?;
            n += 1;
        }
    }
    Ok(n)
}

/// A small generator of random numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// Any bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0, at most 1.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (limit, mut product, mut n) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            n += 1;
        }
        n
    }
}

/// The bodies of an exporter of `series` series: a histogram by handler, counters, gauges, states, as the benchmark's farm makes them.
pub fn farm(series: usize, bodies: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut r = Random(seed);
    let mut histogram = [[0u64; 12]; 12];
    let mut values: Vec<f64> = (0..series).map(|_| r.unit()).map(|u| (u * 1e9).floor()).collect();
    let scale: Vec<f64> = (0..series).map(|_| (10.0 + 2.0 * r.normal()).exp()).collect();
    let les = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
    let mut out = Vec::new();
    for version in 0..bodies {
        let mut b = Vec::with_capacity(series * 70);
        let mut text = |args: std::fmt::Arguments<'_>| b.write_fmt(args).unwrap_or_default();
        text(format_args!(
            "# HELP farm_const The number of the target.\n# TYPE farm_const gauge\nfarm_const{{idx=\"1\"}} 1\n"
        ));
        text(format_args!("# TYPE farm_ticks_total counter\nfarm_ticks_total {}\n", version * 15));
        text(format_args!(
            "# HELP http_request_duration_seconds Time of requests.\n# TYPE http_request_duration_seconds histogram\n"
        ));
        let mut n = 2;
        for (h, buckets) in histogram.iter_mut().enumerate() {
            let mut sum = 0;
            for (le, bucket) in les.iter().zip(buckets.iter_mut()) {
                *bucket += r.poisson(40.0 / (1.0 + h as f64));
                sum += *bucket;
                text(format_args!(
                    "http_request_duration_seconds_bucket{{handler=\"/api/v1/r{h}\",method=\"GET\",le=\"{le}\"}} {sum}\n"
                ));
            }
            let seconds = (sum as f64 * 0.0713 * 1e6).round() / 1e6;
            text(format_args!(
                "http_request_duration_seconds_sum{{handler=\"/api/v1/r{h}\",method=\"GET\"}} {seconds}\n"
            ));
            text(format_args!(
                "http_request_duration_seconds_count{{handler=\"/api/v1/r{h}\",method=\"GET\"}} {sum}\n"
            ));
            n += 14;
        }
        for k in 0..series.saturating_sub(n) {
            let (family, kind) = (k / 10, k / 10 % 5);
            if k % 10 == 0 {
                let word = if kind < 2 { "counter" } else { "gauge" };
                text(format_args!(
                    "# HELP farm_metric_{family} A made-up metric of the farm.\n# TYPE farm_metric_{family} {word}\n"
                ));
            }
            let v = &mut values[k];
            *v = match kind {
                0 => *v + r.poisson(3000.0) as f64,
                1 => ((*v % 1e5 - 2.0 * (r.unit() * r.unit()).ln()) * 100.0).round() / 100.0,
                2 if version > 0 => *v,
                2 => (*v as u64 % 2) as f64,
                3 => (scale[k] * (1.0 + 0.01 * r.normal())).floor() * 4096.0,
                _ => r.poisson(4.0) as f64,
            };
            let state = if k % 2 == 0 { "activo" } else { "pausa" };
            text(format_args!("farm_metric_{family}{{device=\"dev{}\",estado=\"{state}\"}} {v}\n", k % 10));
        }
        out.push(b);
    }
    out
}
