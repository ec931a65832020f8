//! Any text as a plan: loading it never panics, never hangs, and every diagnostic can be printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plan_model::{LoadOptions, SourceFile, diff, load};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A line of its own divides the text into files, so that joining them is tried too.
    let files: Vec<SourceFile> =
        text.split("\n%%\n").enumerate().map(|(n, part)| SourceFile::new(format!("{n}.yaml"), part)).collect();
    let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
    let loaded = load(&files, &options);
    let _ = plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default());
    let _ = loaded.summary();
    assert!(loaded.diagnostics.iter().all(|d| d.code != "internal"), "{:?}", loaded.diagnostics);
    assert!(diff(&loaded, &loaded).is_empty());
});
