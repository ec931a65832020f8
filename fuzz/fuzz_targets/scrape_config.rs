//! Any text as a Prometheus configuration: no panic, errors with a place. Pure.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use observe_scrape::config::Config;

fuzz_target!(|text: &str| {
    if let Err(errors) = Config::parse("prometheus.yml", text, Path::new("/")) {
        assert!(!errors.is_empty());
        assert!(errors.iter().all(|e| e.line >= 1 && e.column >= 1), "{errors:?}");
    }
});
