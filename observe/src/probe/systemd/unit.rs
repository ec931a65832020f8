//! What `systemctl show` prints of a unit. Pure.

use std::fmt;

/// The properties asked for.
pub(super) const PROPERTIES: &str = "--property=LoadState,ActiveState,SubState,NRestarts,MainPID,Result,ExecMainStatus";

/// States as node_exporter counts them.
pub(super) const STATES: [&str; 5] = ["active", "activating", "deactivating", "inactive", "failed"];

/// State of a unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct UnitState {
    pub(super) load: String,
    pub(super) active: String,
    pub(super) sub: String,
    pub(super) result: String,
    pub(super) exit_status: String,
    /// Automatic restarts since the unit was started by hand.
    pub(super) restarts: u64,
    /// 0 when there is none.
    pub(super) main_pid: i32,
}

impl UnitState {
    pub(super) fn is_missing(&self) -> bool {
        self.load == "not-found"
    }

    pub(super) fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "refreshing")
    }

    pub(super) fn why_not_active(&self) -> String {
        let state = format!("the unit is {self}");
        match self.result.as_str() {
            "" | "success" => state,
            result => format!("{state}: {result}, status {}", self.exit_status),
        }
    }
}

impl fmt::Display for UnitState {
    /// As `systemctl status` says it: `active (running)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.active, self.sub)
    }
}

/// Lines `Name=value` in any order; `None` without an `ActiveState`.
pub(super) fn parse_show(text: &str) -> Option<UnitState> {
    let mut state = UnitState::default();
    for (name, value) in text.lines().filter_map(|l| l.split_once('=')) {
        let value = value.trim();
        match name {
            "LoadState" => state.load = value.to_owned(),
            "ActiveState" => state.active = value.to_owned(),
            "SubState" => state.sub = value.to_owned(),
            "Result" => state.result = value.to_owned(),
            "ExecMainStatus" => state.exit_status = value.to_owned(),
            "NRestarts" => state.restarts = value.parse().unwrap_or(0),
            "MainPID" => state.main_pid = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    (!state.active.is_empty()).then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_systemctl_prints() {
        let text = "NRestarts=[not set]\nMainPID=0\nLoadState=loaded\nActiveState=active\nSubState=waiting\n";
        let state = parse_show(text).unwrap();
        assert_eq!((state.to_string().as_str(), state.restarts, state.main_pid), ("active (waiting)", 0, 0));
        assert_eq!(parse_show(""), None);
    }
}
