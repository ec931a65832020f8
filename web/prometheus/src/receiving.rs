//! What takes in samples, named for those who mount the routes. Pure.

pub use observe_receive::limits::{Counters, Limits, Reason};
pub use observe_receive::otlp::OtlpOptions;
pub use observe_receive::writer::{Sender, SenderName, Writer};
