//! Any bytes as what senders push: no panic, and rows that keep the write port's promises. Pure.
#![no_main]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kernel::Labels;
use kernel::series::{Appended, Batch, GroupId, SeriesError, SeriesWriter};
use libfuzzer_sys::fuzz_target;
use observe_receive::limits::Limits;
use observe_receive::otlp::{Form, OtlpOptions};
use observe_receive::read::ReadRequest;
use observe_receive::writer::Writer;

/// Takes everything, and looks at it.
#[derive(Default)]
struct Looking(AtomicU32);

impl SeriesWriter for Looking {
    fn open_group(&self, _: &str) -> Result<GroupId, SeriesError> {
        Ok(GroupId(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn columns(&self, _: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        assert!(series.iter().all(|labels| !labels.name().is_empty()));
        Ok((0..series.len() as u32).collect())
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        let rows: HashSet<_> = batch.rows().iter().map(|row| (row.group, row.t_ms)).collect();
        assert_eq!(rows.len(), batch.rows().len(), "a row comes once");
        assert!(batch.histograms().iter().all(|(_, h)| h.is_stale() || h.verify().is_ok()));
        Ok(Appended { samples: batch.len() as u64, ..Appended::default() })
    }
}

const NOW_MS: i64 = 1_800_000_000_000;

fuzz_target!(|bytes: &[u8]| {
    let writer = Writer::new(Arc::new(Looking::default()), Limits::default());
    let packed = snap::raw::Encoder::new().compress_vec(bytes).unwrap_or_default();
    for proto in ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"] {
        let content_type = format!("application/x-protobuf;proto={proto}");
        for body in [bytes, &packed] {
            let answer = writer.remote_write("", (&content_type, "snappy"), body, NOW_MS);
            assert!(matches!(answer.status, 204 | 400 | 413), "{answer:?}");
        }
    }
    for custom_bounds in [false, true] {
        let options = OtlpOptions { custom_bounds, scope_labels: true, promote_all: true, ..OtlpOptions::default() };
        for form in [Form::Protobuf, Form::Json] {
            let answer = writer.otlp("", (form, ""), bytes, &options, NOW_MS);
            assert!(matches!(answer.status, 200 | 400 | 413), "{answer:?}");
            form.answer(&answer);
        }
    }
    let _ = (ReadRequest::read(bytes), ReadRequest::read(&packed));
});
