//! Any bytes as an index and chunks of Prometheus: no panic, damage is told. I/O: a temporary folder.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use observe_receive::tsdb::Block;

fuzz_target!(|bytes: &[u8]| {
    let folder = std::env::temp_dir().join(format!("farero-fuzz-blocks-{}", std::process::id()));
    let Ok(()) = std::fs::create_dir_all(folder.join("chunks")) else { return };
    // The index's length stands before it, so that a real one stays whole beside its chunks.
    let Some((length, bytes)) = bytes.split_first_chunk::<4>() else { return };
    let (index, chunks) = bytes.split_at((u32::from_le_bytes(*length) as usize).min(bytes.len()));
    let meta = br#"{"version":1,"ulid":"x","minTime":0,"maxTime":100}"#;
    let written = [("meta.json", &meta[..]), ("index", index), ("chunks/000001", chunks)];
    if written.iter().any(|(name, bytes)| std::fs::write(folder.join(name), bytes).is_err()) {
        return;
    }
    let Ok(block) = Block::open(&folder) else { return };
    let _ = block.visit(&mut |series| {
        assert_eq!(series.timestamps.len(), series.values.len());
        assert!(series.timestamps.is_sorted_by(|a, b| a < b));
        ControlFlow::Continue(())
    });
});
