//! What results mean together: heartbeats, composites, whose fault it is, the system's state, uptime. Pure.
//!
//! *Blind* (nothing could be said: Farero was not running, or a check could not be made) is never downtime: it counts
//! neither as up nor as down, and ends nothing.

use kernel::Timestamp;
use kernel::probe::{CheckId, Outcome};

pub mod composite;
pub mod explain;
pub mod heartbeat;
pub mod intensive;
pub mod system;
pub mod uptime;

pub use composite::{Composite, decide_composite, members};
pub use explain::{Explanations, decide_explanations};
pub use heartbeat::{Heartbeat, decide_heartbeat, decide_took};
pub use intensive::decide_interval;
pub use system::{Overall, Part, Standing, decide_component, decide_system};
pub use uptime::{Counts, component_uptime, system_uptime, uptime_percent, watched};

/// What is known of a check: its latest result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which check.
    pub check: CheckId,
    /// Its latest outcome.
    pub outcome: Outcome,
    /// When that run began.
    pub at: Timestamp,
    /// When it last went from down to a success; `None` when that was never seen.
    pub recovered_at: Option<Timestamp>,
}
