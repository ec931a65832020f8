//! Words that two rooms or more use: time, labels, samples, results, messages, secrets. Pure.
//!
//! The kernel knows nothing of plans, files, sockets, databases or pages. A word moves here only when a
//! second room needs it; everything else stays with its owner.

pub mod access;
pub mod alert;
pub mod duration;
pub mod flag;
pub mod float;
pub mod hash;
pub mod heartbeat;
pub mod html;
pub mod labels;
pub mod language;
pub mod message;
pub mod phrase;
pub mod probe;
pub mod quantity;
pub mod re2;
pub mod schedule;
pub mod secret;
pub mod series;
pub mod severity;
pub mod time;
pub mod trail;

pub use duration::Duration;
pub use labels::Labels;
pub use language::Language;
pub use severity::Rank;
pub use time::{Clock, Timestamp};
