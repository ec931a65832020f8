//! Any bytes as a body, in every form and under every option: no panic, errors that lie within it. Pure.
#![no_main]

use libfuzzer_sys::fuzz_target;
use observe_scrape::exposition::{Entry, Format, ParseOptions, Parser, check};

/// So many mistakes are asked for.
const MOST: usize = 10;

fuzz_target!(|body: &[u8]| {
    let lines = body.split(|b| *b == b'\n').count();
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        for (fold_created, custom_buckets) in [(false, false), (true, false), (true, true)] {
            let options = ParseOptions { fold_created, native_histograms: true, keep_classic: true, custom_buckets };
            let mut parser = Parser::new(body, format, options);
            while let Ok(Some(entry)) = parser.next_entry() {
                if let Entry::Sample(sample) = entry {
                    assert!(sample.histogram().is_none_or(|h| h.verify().is_ok()));
                }
            }
        }
        let errors = check(body, format, MOST);
        assert!(errors.len() <= MOST);
        if format != Format::Protobuf {
            assert!(errors.iter().all(|e| (1..=lines).contains(&e.line) && e.column >= 1), "{errors:?}");
        }
    }
});
