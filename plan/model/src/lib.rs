//! The checked plan: the types people's files are read into, findings, differences, JSON Schema. Pure.
//!
//! The types here are the one source: the reader checks files against the JSON Schema generated from them, editors
//! complete by it, and the manual's tables come from it. Maps keep the order of the files.

pub mod access;
pub mod channel;
pub mod check;
pub mod component;
pub mod dashboard;
pub mod diff;
pub mod effective;
mod finding;
pub mod inactive;
pub mod kpi;
pub mod load;
pub mod outgoing;
pub mod parameter;
pub mod people;
pub mod receive;
pub mod schema;
pub mod scrape;
pub mod severity;
pub mod sign_off;
pub mod starter;
pub mod summary;
pub mod system;
pub mod task;
pub mod threshold;
mod verify;

pub use access::{Access, Approval, ApprovalOf, Team};
pub use channel::{Channel, ChannelKind};
pub use check::{Check, CheckKind};
pub use component::{Component, ComponentKind, Life};
pub use dashboard::Dashboard;
pub use diff::{Change, ChangeKind, diff};
pub use effective::CheckSettings;
pub use inactive::{Inactive, ItemKind, Reason};
pub use kpi::{Bound, Kpi, Period};
pub use load::{Document, DocumentKind, LoadOptions, Loaded, OpenParameter, load, wants};
pub use outgoing::Outgoing;
pub use people::{Audience, Contact, Person, Role};
pub use plan_syntax::SourceFile;
pub use schema::schema;
pub use severity::{Deliver, Severity};
pub use sign_off::{Required, SignOff};
pub use summary::PlanSummary;
pub use system::{Plan, RuleFile};
pub use task::Task;
