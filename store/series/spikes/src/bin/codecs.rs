//! The codings beside one another on recorded values and times. `codecs CORPUS ROWS STRIDE PAGES...`

use std::path::Path;

use series_spikes::bits::{BitWriter, put_varint, zigzag};
use series_spikes::codecs::{
    Alp, Codec, Ladder, Packed, Pco, Steps, Varint, Xor, is_constant, pco_metric, unpco_metric,
};
use series_spikes::corpus::{Corpus, Random};
use series_spikes::measure::{cpu, median};
use series_spikes::siblings::{self, Page};

/// Pages of a range of rows, by metric.
type Span = Vec<Vec<Vec<u64>>>;
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize| args.get(i).and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
    let corpus = Corpus::open(Path::new(&args[1]))?;
    let (rows, stride) = (number(2), number(3));
    let matrix = corpus.matrix(rows, stride)?;
    let moving = matrix.iter().filter(|(_, v)| v.windows(2).any(|w| w[0].to_bits() != w[1].to_bits())).count();
    println!("{} series, {rows} rows {stride} apart; {moving} series move\n", matrix.len());
    for i in 4..args.len() {
        values(&matrix, number(i))?;
    }
    times(rows, number(4));
    Ok(())
}

/// Pages of one span (a range of rows), by metric.
fn pages(matrix: &[(String, Vec<f64>)], rows: usize) -> Vec<Span> {
    let spans = matrix[0].1.len() / rows;
    let name = |key: &str| key.split('{').next().unwrap_or_default().to_owned();
    (0..spans)
        .map(|span| {
            let mut metrics: Vec<(String, Vec<Vec<u64>>)> = Vec::new();
            for (key, values) in matrix {
                let page = values[span * rows..(span + 1) * rows].iter().map(|v| v.to_bits()).collect();
                match metrics.last_mut().filter(|m| m.0 == name(key)) {
                    Some(m) => m.1.push(page),
                    None => metrics.push((name(key), vec![page])),
                }
            }
            metrics.into_iter().map(|m| m.1).collect()
        })
        .collect()
}

fn packed(blocks: &[Vec<u8>], level: i32) -> usize {
    // As a store would: compressed only where it helps.
    blocks.iter().map(|b| zstd::bulk::compress(b, level).map_or(b.len(), |p| p.len().min(b.len()))).sum()
}

/// A coding's line.
fn row(codec: &dyn Codec, spans: &[Span], moving: &[&Vec<u64>], rows: usize, samples: f64) -> Outcome {
    let (mut plain, mut metrics, mut whole) = (0, Vec::new(), Vec::new());
    for span in spans {
        let mut all = Vec::new();
        for metric in span {
            let mut bytes = Vec::new();
            for page in metric {
                let (mut one, mut back) = (Vec::new(), Vec::new());
                codec.encode(page, &mut one);
                codec.decode(&one, rows, &mut back).ok_or("a page does not come back")?;
                assert_eq!(&back, page, "{}", codec.name());
                plain += one.len();
                bytes.extend_from_slice(&one);
            }
            all.extend_from_slice(&bytes);
            metrics.push(bytes);
        }
        whole.push(all);
    }
    let mut encoded = Vec::new();
    let (encode, ..) = median(3, || {
        encoded.clear();
        let start = cpu();
        for page in moving {
            let mut bytes = Vec::new();
            codec.encode(page, &mut bytes);
            encoded.push(bytes);
        }
        (cpu() - start) * 1e6 / (moving.len() * rows) as f64
    });
    let mut out = Vec::new();
    let (decode, ..) = median(3, || {
        let start = cpu();
        for bytes in &encoded {
            out.clear();
            codec.decode(bytes, rows, &mut out).unwrap();
        }
        (cpu() - start) * 1e6 / (moving.len() * rows) as f64
    });
    println!(
        "| {} | {:.3} | {:.3} | {:.3} | {:.1} | {:.0} |",
        codec.name(),
        plain as f64 / samples,
        packed(&metrics, 3) as f64 / samples,
        packed(&whole, 3) as f64 / samples,
        1.0 / encode,
        1.0 / decode
    );
    Ok(())
}

/// Pages coded by other pages.
fn siblings(spans: &[Span], rows: usize, samples: f64) -> Outcome {
    for (pco, beside, name) in [
        (false, false, "ladder without pco, same pages once"),
        (false, true, "ladder without pco, same pages once, neighbours' differences"),
        (true, false, "ladder with pco, same pages once"),
        (true, true, "ladder with pco, same pages once, neighbours' differences"),
    ] {
        let (mut plain, mut kinds, mut blocks) = (0, [0; 3], Vec::new());
        for span in spans {
            let coded = siblings::encode(span, pco, beside);
            let back = siblings::decode(&coded, rows).ok_or("a span does not come back")?;
            assert!(back.iter().eq(span.iter().flatten()), "{name}");
            let mut block = Vec::new();
            for page in &coded {
                plain += page.size();
                match page {
                    Page::Own(bytes) => {
                        kinds[0] += 1;
                        block.extend_from_slice(bytes);
                    }
                    Page::Same(i) => {
                        kinds[1] += 1;
                        block.extend_from_slice(&(*i as u32).to_le_bytes()[..3]);
                    }
                    Page::Beside(_, bytes) => {
                        kinds[2] += 1;
                        block.push(0);
                        block.extend_from_slice(bytes);
                    }
                }
            }
            blocks.push(block);
        }
        println!(
            "| {name} ({} own, {} same, {} differences) | {:.3} | - | {:.3} | - | - |",
            kinds[0],
            kinds[1],
            kinds[2],
            plain as f64 / samples,
            packed(&blocks, 3) as f64 / samples
        );
    }
    Ok(())
}

fn values(matrix: &[(String, Vec<f64>)], rows: usize) -> Outcome {
    let spans = pages(matrix, rows);
    if spans.is_empty() {
        println!("too few rows for pages of {rows}\n");
        return Ok(());
    }
    let all: Vec<&Vec<u64>> = spans.iter().flatten().flatten().collect();
    let moving: Vec<&Vec<u64>> = all.iter().copied().filter(|p| !is_constant(p)).collect();
    let samples = (all.len() * rows) as f64;
    println!(
        "pages of {rows} rows: {} pages, {:.1} % of them constant",
        all.len(),
        100.0 - moving.len() as f64 * 100.0 / all.len() as f64
    );
    println!(
        "\n| coding | B/sample | zstd 3 per metric | zstd 3 per span | encode M/s | decode M/s |\n| --- | --- | --- | --- | --- | --- |"
    );
    let codecs: [&dyn Codec; 11] = [
        &Xor,
        &Varint,
        &Packed,
        &Steps,
        &Alp,
        &Pco { decimals: false, level: 8 },
        &Pco { decimals: true, level: 8 },
        &Pco { decimals: true, level: 4 },
        &Pco { decimals: true, level: 12 },
        &Ladder { pco: false },
        &Ladder { pco: true },
    ];
    for codec in codecs {
        row(codec, &spans, &moving, rows, samples)?;
    }
    for decimal in [false, true] {
        shared(&spans, rows, samples, moving.len(), decimal)?;
    }
    heads_together(&spans, samples)?;
    siblings(&spans, rows, samples)?;
    println!();
    Ok(())
}

/// The ladder with pco, but for pco's heads, which stand together for a span, packed, while the pages stay readable one by one.
fn heads_together(spans: &[Span], samples: f64) -> Outcome {
    let (mut heads, mut together, mut pages, mut chosen) = (0, 0, 0, 0);
    for span in spans {
        let mut all = Vec::new();
        for page in span.iter().flatten() {
            let mut own = Vec::new();
            Ladder { pco: false }.encode(page, &mut own);
            let mut size = own.len();
            if !is_constant(page) {
                let (meta, bodies, _) = pco_metric(&[page], 8, true);
                // Kind and scale, head and body.
                if 2 + meta.len() + bodies[0].len() < size {
                    size = 2 + bodies[0].len();
                    all.extend_from_slice(&meta);
                    chosen += 1;
                }
            }
            pages += size;
        }
        heads += all.len();
        together += zstd::bulk::compress(&all, 3)?.len();
    }
    println!(
        "| ladder with pco, heads together ({chosen} pages pco; heads {:.3}, packed {:.3}) | {:.3} | | | | |",
        heads as f64 / samples,
        together as f64 / samples,
        (pages + together) as f64 / samples
    );
    Ok(())
}

/// pco with one model per metric; constant pages as everywhere, and per metric the smaller of this and the ladder as a third figure.
fn shared(spans: &[Span], rows: usize, samples: f64, moving: usize, decimal: bool) -> Outcome {
    let (mut plain, mut best, mut metrics, mut encode, mut decode) = (0, 0, Vec::new(), 0.0, 0.0);
    let ladder = Ladder { pco: true };
    for metric in spans.iter().flatten() {
        let (mut fixed, mut laddered) = (Vec::new(), 0);
        let changing: Vec<&[u64]> = metric.iter().filter(|p| !is_constant(p)).map(Vec::as_slice).collect();
        for page in metric {
            let mut bytes = Vec::new();
            ladder.encode(page, &mut bytes);
            if is_constant(page) {
                fixed.extend_from_slice(&bytes);
            } else {
                laddered += bytes.len();
            }
        }
        plain += fixed.len();
        best += fixed.len();
        if changing.is_empty() {
            metrics.push(fixed);
            continue;
        }
        let start = cpu();
        let (meta, pages, scales) = pco_metric(&changing, 8, decimal);
        encode += cpu() - start;
        let mut out = Vec::new();
        let start = cpu();
        unpco_metric(&meta, &pages, &scales, rows, &mut out).ok_or("a metric does not come back")?;
        decode += cpu() - start;
        assert!(out.iter().eq(changing.iter().copied().flatten()));
        let size = meta.len() + scales.len() + pages.iter().map(|p| p.len() + 1).sum::<usize>();
        plain += size;
        best += size.min(laddered);
        fixed.extend_from_slice(&meta);
        fixed.extend_from_slice(&scales);
        pages.iter().for_each(|p| fixed.extend_from_slice(p));
        metrics.push(fixed);
    }
    let name = if decimal { "pco of decimals, one model per metric" } else { "pco of floats, one model per metric" };
    let moved = (moving * rows) as f64 / 1e6;
    println!(
        "| {name} | {:.3} | {:.3} | - | {:.1} | {:.0} |",
        plain as f64 / samples,
        packed(&metrics, 3) as f64 / samples,
        moved / encode,
        moved / decode
    );
    println!("| smaller of that and the ladder, per metric | {:.3} | - | - | - | - |", best as f64 / samples);
    Ok(())
}

/// Times: aligned and with 0 to 4 ms of jitter.
fn times(rows: usize, page: usize) {
    let mut random = Random(7);
    println!(
        "times of {rows} rows in pages of {page}; B/sample of one series, and of a group of 500 that share them\n"
    );
    println!(
        "| coding | aligned | jitter 0-4 ms | shared, aligned | shared, jitter |\n| --- | --- | --- | --- | --- |"
    );
    let start = 1_700_000_000_000i64;
    let aligned: Vec<i64> = (0..rows as i64).map(|r| start + r * 15_000).collect();
    let jittered: Vec<i64> = aligned.iter().map(|t| t + (random.bits() % 5) as i64).collect();
    type Coding = fn(&[i64]) -> usize;
    let codings: [(&str, Coding); 3] =
        [("XOR chunk's delta-of-delta (Prometheus)", bits), ("delta-of-delta, varint", varints), ("pco", pco)];
    for (name, coding) in codings {
        let size = |all: &[i64]| all.chunks_exact(page).map(coding).sum::<usize>() as f64 / (rows / page * page) as f64;
        let (a, j) = (size(&aligned), size(&jittered));
        println!("| {name} | {a:.3} | {j:.3} | {:.5} | {:.5} |", a / 500.0, j / 500.0);
    }
}

fn bits(all: &[i64]) -> usize {
    let mut w = BitWriter::default();
    let mut head = Vec::new();
    put_varint(&mut head, zigzag(all[0]));
    put_varint(&mut head, (all[1] - all[0]) as u64);
    for t in all.windows(3) {
        let dod = t[2] - 2 * t[1] + t[0];
        match dod {
            0 => w.put(0, 1),
            -8191..=8192 => w.put(0, 16),
            -65535..=65536 => w.put(0, 20),
            -524_287..=524_288 => w.put(0, 24),
            _ => w.put(0, 64),
        }
    }
    head.len() + w.finish().len()
}

fn varints(all: &[i64]) -> usize {
    let mut out = Vec::new();
    let (mut last, mut step) = (0, 0);
    for t in all {
        put_varint(&mut out, zigzag(t - last - step));
        step = t - last;
        last = *t;
    }
    out.len()
}

fn pco(all: &[i64]) -> usize {
    use pco::wrapped::FileCompressor;
    let config = pco::ChunkConfig::default();
    let mut chunk = FileCompressor::default().chunk_compressor(all, &config).expect("times are within pco's limits");
    let meta = chunk.write_meta(Vec::new()).expect("a vector takes everything");
    chunk.write_page(0, meta).expect("a vector takes everything").len()
}
