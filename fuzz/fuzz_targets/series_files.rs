//! Any bytes as any part of the series store's files: nothing panics, nothing runs away. Pure.
#![no_main]

use libfuzzer_sys::fuzz_target;
use store_series::inspect::{KINDS, parse};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    parse(kind % KINDS, bytes);
});
