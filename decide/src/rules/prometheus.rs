//! Rules as Prometheus keeps and evaluates them, without a plan: rule files, groups, alerts, `for` restored. Pure.
//!
//! The plan's own rules ([`super::evaluate`]) differ on purpose: blind time does not count, and nothing ends unseen. What is
//! here does what Prometheus 3 does, to the word, for `farero metrics` and for `farero rules`.
//!
//! Invariants: a rule that fails writes nothing and its alerts stay; a rule over the group's `limit` writes nothing and
//! forgets its alerts; a series that a rule no longer gives ends with a staleness marker, once.

pub mod alert;
pub mod depends;
pub mod duration;
pub mod evaluate;
pub mod file;
pub mod group;
pub mod load;
pub mod restore;
pub mod schedule;
pub mod shared;
pub mod state;
pub mod yaml;

pub use alert::{ActiveAlert, Notice, Standing};
pub use evaluate::{Environment, RuleTurn, Turn, evaluate_group};
pub use file::{FileGroup, FileRule, RuleFile, read_rule_file};
pub use group::{Group, Kind, Rule};
pub use load::{Defaults, load_groups};
pub use restore::restore_for_state;
pub use state::{GroupState, Health, RuleState};
