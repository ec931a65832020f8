//! Rules: read from files, made from the plan, evaluated. Pure.

use kernel::alert::{Alert, EventKind};

pub mod covers;
pub mod evaluate;
pub mod file;
pub mod from_plan;
pub mod group;
pub mod lint;
mod names;
pub mod prometheus;
pub mod query;
pub mod step;
pub mod template;
pub mod testing;

pub use covers::covers;
pub use evaluate::{GroupDecision, GroupReport, Recorded, RuleReport, Turn, decide_group, decide_removed};
pub use file::{RulePlaces, RulesRead, read_rule_files};
pub use from_plan::rules_from_plan;
pub use group::{Origin, Rule, RuleGroup, RuleKind};
pub use lint::lint;
pub use query::{Answer, Asking, OfSystem, Query};

/// The annotation that names what an alert is explained by: the components, separated by `, `, that it depends on and
/// that are down. Such an alert is shown and not delivered on its own.
pub const EXPLAINED_BY: &str = "explained_by";

/// The id of an event: the firing and what happened to it. The same event has the same id however often it is decided.
pub fn event_id(alert: &Alert, kind: EventKind) -> String {
    let what = match kind {
        EventKind::Fired => "fired",
        EventKind::Resolved => "resolved",
        EventKind::Informed => "informed",
    };
    format!("{}-{what}", alert.firing_id())
}
