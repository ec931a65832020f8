//! Unpacks bodies: snappy blocks, gzip, zstd, each with a limit on what comes out. Pure.

use std::io::Read;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// A snappy block (not the framed format), as Prometheus sends.
    Snappy,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// By the header `Content-Encoding`, case ignored; `None` for an unknown one.
    pub fn named(header: &str) -> Option<Self> {
        let known = [
            ("", Self::Plain),
            ("identity", Self::Plain),
            ("snappy", Self::Snappy),
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("zstd", Self::Zstd),
        ];
        known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(header.trim())).map(|(_, packing)| packing)
    }
}

/// Why a body could not be unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It would be too long.
    #[error("the body unpacks to more than {limit} bytes: send smaller requests")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// It is damaged.
    #[error("the body is no {packing}: {why}")]
    Damaged {
        /// What it should be.
        packing: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// Unpacks `body` into `out`, which keeps its memory.
///
/// # Errors
/// It would be longer than `limit`, or is damaged.
pub fn unpack(packing: Packing, body: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), BodyError> {
    let length = unpack_over(packing, body, limit, out)?;
    out.truncate(length);
    Ok(())
}

/// As [`unpack`], but writes over what `out` holds, and may leave some of that behind what it wrote: answers how many bytes it
/// wrote. So a buffer that is used again is not filled with zeros every time.
pub(crate) fn unpack_over(packing: Packing, body: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<usize, BodyError> {
    match packing {
        Packing::Plain if body.len() > limit => Err(BodyError::TooLong { limit }),
        Packing::Plain => {
            out.clear();
            out.extend_from_slice(body);
            Ok(out.len())
        }
        Packing::Snappy => unpack_snappy(body, limit, out),
        Packing::Gzip => read_all("gzip", flate2::read::MultiGzDecoder::new(body), limit, out),
        Packing::Zstd => match zstd::stream::read::Decoder::with_buffer(body) {
            Ok(decoder) => read_all("zstd", decoder, limit, out),
            Err(error) => Err(BodyError::Damaged { packing: "zstd", why: error.to_string() }),
        },
    }
}

/// A snappy block says first how long it will be: nothing is set aside before that was compared with the limit.
fn unpack_snappy(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<usize, BodyError> {
    let damaged = |error: snap::Error| BodyError::Damaged { packing: "snappy", why: error.to_string() };
    let length = snap::raw::decompress_len(body).map_err(damaged)?;
    if length > limit {
        return Err(BodyError::TooLong { limit });
    }
    // The length is the sender's word, and snappy packs at best 64 bytes into 3: a longer one is a lie.
    if length / 22 > body.len() {
        return Err(BodyError::Damaged { packing: "snappy", why: "it is shorter than its length says".into() });
    }
    if out.len() < length {
        out.resize(length, 0);
    }
    snap::raw::Decoder::new().decompress(body, out.get_mut(..length).unwrap_or_default()).map_err(damaged)
}

fn read_all(packing: &'static str, from: impl Read, limit: usize, out: &mut Vec<u8>) -> Result<usize, BodyError> {
    out.clear();
    let read = from.take(limit as u64 + 1).read_to_end(out);
    read.map_err(|error| BodyError::Damaged { packing, why: error.to_string() })?;
    if out.len() > limit {
        return Err(BodyError::TooLong { limit });
    }
    Ok(out.len())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn packed(packing: Packing, plain: &[u8]) -> Vec<u8> {
        match packing {
            Packing::Plain => plain.to_vec(),
            Packing::Snappy => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
            Packing::Gzip => {
                let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                w.write_all(plain).unwrap();
                w.finish().unwrap()
            }
            Packing::Zstd => zstd::encode_all(plain, 1).unwrap(),
        }
    }

    #[test]
    fn what_unpacks_to_more_than_allowed_is_refused() {
        let zeros = vec![0; 1 << 20];
        let mut out = Vec::new();
        for packing in [Packing::Plain, Packing::Snappy, Packing::Gzip, Packing::Zstd] {
            let body = packed(packing, &zeros);
            let limit = zeros.len() - 1;
            assert_eq!(unpack(packing, &body, limit, &mut out), Err(BodyError::TooLong { limit }), "{packing:?}");
            assert_eq!(unpack(packing, &body, limit + 1, &mut out), Ok(()));
            assert_eq!(out, zeros);
        }
        let lie = [0xff, 0xff, 0xff, 0x3f, 0, 1];
        assert!(matches!(unpack(Packing::Snappy, &lie, 1 << 30, &mut out), Err(BodyError::Damaged { .. })));
        assert_eq!(Packing::named("GZIP"), Some(Packing::Gzip));
        assert_eq!(Packing::named("br"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            for packing in [Packing::Snappy, Packing::Gzip, Packing::Zstd] {
                let _ = unpack(packing, &body, 1 << 16, &mut Vec::new());
                let mut out = Vec::new();
                unpack(packing, &packed(packing, &body), 300, &mut out).unwrap();
                prop_assert_eq!(&out, &body);
            }
        }
    }
}
