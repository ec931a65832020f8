//! The answer: samples in one message, or chunks in frames. Pure.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{BucketSpan, Column, CounterReset, Histogram, Point, Series};

use super::SAMPLE_LIMIT;
use crate::chunks::{Encoding, SAMPLES, write_histograms, write_xor};
use crate::wire::Writer;

/// A sampled answer that is being put together: queries in their order, each with its series sorted by labels.
#[derive(Debug, Default)]
pub struct SampledAnswer {
    w: Writer,
    samples: usize,
}

impl SampledAnswer {
    /// Adds the result of the next query.
    ///
    /// # Errors
    /// There would be more than [`SAMPLE_LIMIT`] samples in all: the text that belongs to the status 400.
    pub fn push(&mut self, series: &[Series]) -> Result<(), String> {
        self.samples += series.iter().map(|s| s.timestamps.len()).sum::<usize>();
        if self.samples > SAMPLE_LIMIT {
            return Err(format!("exceeded sample limit ({SAMPLE_LIMIT})"));
        }
        self.w.message(1, |w| {
            for series in series {
                w.message(1, |w| {
                    write_labels(w, 1, &series.labels);
                    write_samples(w, series);
                });
            }
        });
        Ok(())
    }

    /// The body, packed with snappy.
    ///
    /// # Errors
    /// It is longer than snappy can pack (4 GiB).
    pub fn finish(self) -> Result<Vec<u8>, String> {
        snap::raw::Encoder::new().compress_vec(self.w.bytes()).map_err(|error| error.to_string())
    }
}

fn write_samples(w: &mut Writer, series: &Series) {
    for (at, t_ms) in series.timestamps.iter().enumerate() {
        match series.values.get(at) {
            Some(Point::Float(v)) => w.message(2, |w| {
                w.double(1, v);
                w.int(2, *t_ms);
            }),
            Some(Point::Histogram(h)) => write_histogram(w, 4, *t_ms, &h),
            None => {}
        }
    }
}

/// The frames of a streamed answer.
#[derive(Debug, Default)]
pub struct Frames {
    out: Vec<u8>,
}

impl Frames {
    /// Adds a series of the query with that number (from 0), in as many frames as `frame_bytes` asks for. Series have to come
    /// sorted by labels, query by query.
    pub fn push(&mut self, query: usize, series: &Series, frame_bytes: usize) {
        let mut chunks = chunks(series).into_iter().peekable();
        while chunks.peek().is_some() {
            let mut frame = Writer::default();
            frame.message(1, |w| {
                write_labels(w, 1, &series.labels);
                let mut bytes = 0;
                while let Some((encoding, (first, last, data))) = chunks.next_if(|_| bytes < frame_bytes) {
                    bytes += data.len() + 32;
                    w.message(2, |w| {
                        w.int(1, first);
                        w.int(2, last);
                        w.uint(3, encoding as u64);
                        w.blob(4, &data);
                    });
                }
            });
            if query > 0 {
                frame.uint(2, query as u64);
            }
            self.frame(frame.bytes());
        }
    }

    fn frame(&mut self, message: &[u8]) {
        let mut prefix = Writer::default();
        prefix.raw_varint(message.len() as u64);
        self.out.extend_from_slice(prefix.bytes());
        self.out.extend_from_slice(&crc32c::crc32c(message).to_be_bytes());
        self.out.extend_from_slice(message);
    }

    /// How many bytes wait to be sent.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Takes what is there, to be sent.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

type Chunk = (Encoding, (i64, i64, Vec<u8>));

/// Puts a series' samples into chunks in the order of time; numbers and histograms are in chunks of their own.
#[derive(Default)]
struct Chunker {
    floats: Vec<(i64, f64)>,
    histograms: Vec<(i64, Arc<Histogram>)>,
    out: Vec<Chunk>,
}

impl Chunker {
    fn cut(&mut self) {
        for own in self.floats.chunks(SAMPLES) {
            if let (Some((first, _)), Some((last, _))) = (own.first(), own.last()) {
                self.out.push((Encoding::Xor, (*first, *last, write_xor(own))));
            }
        }
        self.floats.clear();
        let histograms = write_histograms(&self.histograms);
        self.out.extend(histograms.into_iter().map(|chunk| (Encoding::FloatHistogram, chunk)));
        self.histograms.clear();
    }
}

fn chunks(series: &Series) -> Vec<Chunk> {
    let mut chunker = Chunker::default();
    match &series.values {
        Column::Floats(values) => {
            chunker.floats.extend(series.timestamps.iter().copied().zip(values.iter().copied()));
        }
        Column::Mixed(points) => {
            for (t_ms, point) in series.timestamps.iter().zip(points) {
                let other = match point {
                    Point::Float(_) => !chunker.histograms.is_empty(),
                    Point::Histogram(_) => !chunker.floats.is_empty(),
                };
                if other {
                    chunker.cut();
                }
                match point {
                    Point::Float(v) => chunker.floats.push((*t_ms, *v)),
                    Point::Histogram(h) => chunker.histograms.push((*t_ms, h.clone())),
                }
            }
        }
    }
    chunker.cut();
    chunker.out
}

/// Writes labels as remote-write 1.0 and remote read have them.
pub(crate) fn write_labels(w: &mut Writer, field: u32, labels: &Labels) {
    for (name, value) in labels.iter() {
        w.message(field, |w| {
            w.string(1, name);
            w.string(2, value);
        });
    }
}

/// Writes the message, with counts as numbers (a *float histogram*).
pub(crate) fn write_histogram(w: &mut Writer, field: u32, t_ms: i64, h: &Histogram) {
    w.message(field, |w| {
        w.double(2, h.count);
        w.double(3, h.sum);
        if h.schema != 0 {
            w.sint(4, i64::from(h.schema));
        }
        w.double(5, h.zero_threshold);
        w.double(7, h.zero_count);
        write_side(w, (8, 10), &h.negative_spans, &h.negative_buckets);
        write_side(w, (11, 13), &h.positive_spans, &h.positive_buckets);
        w.uint(
            14,
            match h.reset {
                CounterReset::Unknown => 0,
                CounterReset::Reset => 1,
                CounterReset::NotReset => 2,
                CounterReset::Gauge => 3,
            },
        );
        w.int(15, t_ms);
        w.doubles(16, &h.custom_bounds);
    });
}

fn write_side(w: &mut Writer, fields: (u32, u32), spans: &[BucketSpan], buckets: &[f64]) {
    for span in spans {
        w.message(fields.0, |w| {
            w.sint(1, i64::from(span.offset));
            w.uint(2, u64::from(span.length));
        });
    }
    w.doubles(fields.1, buckets);
}
