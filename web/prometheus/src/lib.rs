//! Prometheus's HTTP API v1 over the read and write ports of the series store. I/O: HTTP.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>
//!
//! It knows neither people nor plans: whoever mounts its routes ([`table`]) decides who may, and puts into each request for whom it
//! is answered ([`Api`]). A server of its own is [`router`]. What is behind it is the port [`Backend`].
//!
//! Invariants:
//! 1. Queries run on the CPU pool, few at once ([`Gate`]), long ones behind short ones, and stop when nobody waits any more.
//! 2. Series are read through [`Backend::reader`] only, so that nobody sees more than they may.
//! 3. Texts, status codes and JSON are Prometheus's, so that its clients need not know whom they talk to.

mod admin;
mod answer;
mod ask;
mod backend;
mod error;
mod escaping;
mod exposition;
mod federate;
mod gate;
mod grpc;
mod holding;
mod json;
mod lifecycle;
pub mod limits;
mod openapi;
mod params;
mod query;
mod read;
mod receive;
pub mod receiving;
mod routes;
mod rules;
mod search;
mod selectors;
mod self_metrics;
mod series;
mod status;
mod targets;
pub mod views;

pub use answer::Api;
pub use ask::{Asking, When};
pub use backend::{Backend, BuildInfo, Configuration, PROMETHEUS_VERSION, Settings, default_gate, unknown_pool};
pub use error::ApiError;
pub use gate::{Counts, Gate};
pub use grpc::grpc_router;
pub use routes::{Purpose, Route, router, table};
