//! Writes `prometheus.WriteRequest`, remote-write 1.0, for what is sent to another server or handed to the receiver. Pure.
//!
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/>

use kernel::Labels;
use kernel::series::{Exemplar, Histogram};

use crate::read::{write_histogram, write_labels};
use crate::wire::Writer;

/// A request that is being written: series after series.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    message: Writer,
}

/// What follows the labels of one series.
#[derive(Debug)]
pub struct OutgoingSeries<'w>(&'w mut Writer);

impl OutgoingSeries<'_> {
    /// A number at a time, milliseconds since the epoch.
    pub fn float(&mut self, t_ms: i64, value: f64) {
        self.0.message(2, |w| {
            w.double(1, value);
            w.int(2, t_ms);
        });
    }

    /// A native histogram at a time, milliseconds since the epoch.
    pub fn histogram(&mut self, t_ms: i64, histogram: &Histogram) {
        write_histogram(self.0, 4, t_ms, histogram);
    }

    /// An exemplar.
    pub fn exemplar(&mut self, exemplar: &Exemplar) {
        self.0.message(3, |w| {
            write_labels(w, 1, &exemplar.labels);
            w.double(2, exemplar.value);
            w.int(3, exemplar.t_ms);
        });
    }
}

impl Outgoing {
    /// Adds a series with what `samples` writes. The same series may come again.
    pub fn series(&mut self, labels: &Labels, samples: impl FnOnce(&mut OutgoingSeries<'_>)) {
        self.message.message(1, |w| {
            write_labels(w, 1, labels);
            samples(&mut OutgoingSeries(w));
        });
    }

    /// Bytes so far, before they are packed.
    pub fn len(&self) -> usize {
        self.message.bytes().len()
    }

    /// Whether there is no series yet.
    pub fn is_empty(&self) -> bool {
        self.message.bytes().is_empty()
    }

    /// The request's body, packed with snappy as the protocol has it; empty when it is too long for snappy (4 GiB).
    pub fn finish(self) -> Vec<u8> {
        pack(self.message.bytes())
    }
}

/// A message packed with snappy's block format, as remote-write and remote read send it; empty when it is too long for snappy (4 GiB).
pub fn pack(message: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::series::stale_nan;

    use super::*;
    use crate::limits::Limits;
    use crate::writer::Writer;
    use crate::writer::tests::memory::Memory;

    #[test]
    fn the_receiver_reads_what_is_written() {
        let store = Arc::new(Memory::default());
        let writer = Writer::new(store.clone(), Limits::default());
        let labels = Labels::metric("a", [("job", "x")]);
        let h = Histogram { count: 2.0, sum: 3.0, positive_buckets: vec![2.0], ..Histogram::default() };
        let h = Histogram { positive_spans: vec![kernel::series::BucketSpan { offset: -1, length: 1 }], ..h };
        let mut out = Outgoing::default();
        assert!(out.is_empty());
        out.series(&labels, |s| {
            s.float(-5, stale_nan());
            s.float(10, -0.0);
            s.exemplar(&Exemplar { labels: Labels::new([("trace_id", "1")]), value: 1.0, t_ms: 9 });
        });
        out.series(&Labels::metric("h", [("job", "x")]), |s| s.histogram(10, &h));
        assert!(out.len() > 20);
        let answer = writer.remote_write("test", ("application/x-protobuf", "snappy"), &out.finish(), 100);
        assert_eq!((answer.status, answer.written.samples, answer.written.histograms), (204, 2, 1), "{answer:?}");
        assert_eq!(answer.written.exemplars, 1);
    }
}
