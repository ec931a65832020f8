//! Takes in what others push: remote-write, OTLP, remote-read requests, blocks of Prometheus. Pure but for [`tsdb`].
//!
//! Bytes come in, batches of the write port (`kernel::series`) go out; HTTP and the store are elsewhere.

pub mod body;
mod chunks;
mod histogram;
pub mod limits;
pub mod otlp;
pub mod read;
pub mod remote_write;
pub mod tsdb;
pub mod wire;
pub mod writer;

#[cfg(test)]
mod real;
