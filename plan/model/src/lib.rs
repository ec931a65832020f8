//! The checked plan: the types people's files are read into, findings, differences, JSON Schema. Pure.
//!
//! The types here are the one source: the reader checks files against the JSON Schema generated from them, editors
//! complete by it, and the manual's tables come from it. Maps keep the order of the files.

pub mod channel;
pub mod check;
pub mod component;
pub mod parameter;
pub mod people;
pub mod severity;
pub mod system;
pub mod task;
pub mod threshold;

pub use channel::{Channel, ChannelKind};
pub use check::{Check, CheckKind};
pub use component::{Component, ComponentKind, Life};
pub use people::{Audience, Contact, Person, Role};
pub use severity::{Deliver, Severity};
pub use system::{Plan, RuleFile};
pub use task::Task;
