//! Tests with real counterparts: Prometheus and promtool, where they are installed (elsewhere they say so and pass).

pub(crate) mod http;
mod opentelemetry;
mod prometheus;
pub(crate) mod run;
