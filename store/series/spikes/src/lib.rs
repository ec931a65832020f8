//! Spikes for the metrics engine: measured before its format is settled. Results: `docs/decisions/metrics-format.md`.

pub mod bits;
pub mod codecs;
pub mod corpus;
pub mod engine;
pub mod group;
pub mod measure;
pub mod number;
pub mod plain;
pub mod pool;
pub mod positional;
pub mod registry;
pub mod siblings;
pub mod span;
pub mod token;
pub mod wal;
