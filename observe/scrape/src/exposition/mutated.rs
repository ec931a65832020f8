//! Bodies with bytes changed, left out, doubled and cut off: nothing panics, and mistakes lie within the body.

use super::{Entry, Format, ParseOptions, Parser, check};

/// Bodies that are tried, from each of the whole ones.
const ROUNDS: u64 = 3_000;

const TEXT: &str = concat!(
    "# HELP a_total Some \\\\ text\\n.\n# TYPE a_total counter\na_total{x=\"y\",z=\"\\\"q\\\"\"} 1027 1395066363000\n",
    "{\"b.c\",d=\"é\"} +Inf\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 1e-3\nh_count 3\n",
);

const OPEN_METRICS: &str = concat!(
    "# TYPE a counter\n# UNIT a_seconds seconds\n# HELP a Text.\na_total{x=\"y\"} 1 1.5 # {trace_id=\"t\"} 0.5 1.25\na_created{x=\"y\"} 1.0\n",
    "# TYPE h gaugehistogram\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_gsum 2\nh_gcount 2\n# EOF\n",
);

/// A metric family of protobuf with its length before it: a counter with a label.
const PROTOBUF: &[u8] =
    b"\x1d\x0a\x01a\x12\x01h\x18\x00\x22\x13\x0a\x06\x0a\x01x\x12\x01y\x1a\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f";

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn mutate(state: &mut u64, bytes: &mut Vec<u8>) {
    const TELLING: &[u8] = b"\"\\\n{}=,# \x00\x7f\x80\xff";
    for _ in 0..=next(state) % 3 {
        let at = (next(state) % (bytes.len() as u64 + 1)) as usize;
        let any = next(state);
        let telling = TELLING[(any % TELLING.len() as u64) as usize];
        match next(state) % 6 {
            0 if at < bytes.len() => bytes[at] ^= 1 << (any % 8),
            1 if at < bytes.len() => bytes[at] = telling,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, telling),
            4 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {
                let end = (at + (any % 30) as usize).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

fn read(body: &[u8], format: Format) -> Result<usize, String> {
    let mut samples = 0;
    for (fold_created, custom_buckets) in [(false, false), (true, false), (true, true)] {
        let options = ParseOptions { fold_created, native_histograms: true, keep_classic: true, custom_buckets };
        let mut parser = Parser::new(body, format, options);
        while let Some(entry) = parser.next_entry().map_err(|e| e.to_string())? {
            if let Entry::Sample(sample) = entry {
                assert!(sample.histogram().is_none_or(|h| h.verify().is_ok()));
                samples += 1;
            }
        }
    }
    Ok(samples)
}

#[test]
fn changed_bodies_are_read_or_refused() {
    let mut state = 3;
    for (whole, format) in
        [(TEXT.as_bytes(), Format::Text), (OPEN_METRICS.as_bytes(), Format::OpenMetrics), (PROTOBUF, Format::Protobuf)]
    {
        assert!(read(whole, format).unwrap() > 0);
        let mut refused = 0;
        for _ in 0..ROUNDS {
            let mut body = whole.to_vec();
            mutate(&mut state, &mut body);
            refused += u64::from(read(&body, format).is_err());
            let lines = body.split(|b| *b == b'\n').count();
            let errors = check(&body, format, 10);
            assert!(errors.len() <= 10);
            if format != Format::Protobuf {
                assert!(errors.iter().all(|e| (1..=lines).contains(&e.line) && e.column >= 1), "{errors:?}");
            }
        }
        assert!(refused > ROUNDS / 5, "{format:?}: {refused}");
    }
}
