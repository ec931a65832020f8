//! Any bytes as the body of a scrape: no panic, errors within the body, samples that have a name. Pure.
#![no_main]

use libfuzzer_sys::fuzz_target;
use observe::scrape::{Format, MOST_ERRORS};

fuzz_target!(|body: &[u8]| {
    let lines = body.split(|b| *b == b'\n').count();
    for format in [Format::Text, Format::OpenMetrics] {
        match format.parse(body) {
            Ok(read) => {
                assert!(read.samples.len() <= lines);
                assert!(read.samples.iter().all(|s| !s.labels.name().is_empty()));
            }
            Err(errors) => {
                assert!((1..=MOST_ERRORS).contains(&errors.len()));
                assert!(errors.iter().all(|e| (1..=lines + 1).contains(&e.line) && e.column >= 1));
            }
        }
    }
});
