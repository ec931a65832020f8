//! Checks of this machine, of what runs on it, and of what reports by itself. Pure.

use kernel::Duration;
use kernel::secret::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::net::from_text;

from_text!(SystemdCheck.unit, DockerCheck.container, ProcessCheck.name);

/// Something outside calls a URL of this Farero in time: a cron job, another Farero, a script.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatCheck {
    /// How often a call is expected; or use `schedule`.
    #[serde(default)]
    pub period: Option<Duration>,
    /// When a call is expected, as a schedule in the system's time zone.
    #[serde(default)]
    pub schedule: Option<kernel::schedule::Schedule>,
    /// How late it may be; a tenth of the period, at least 1 min, when left out.
    #[serde(default)]
    pub grace: Option<Duration>,
    /// Longest time between start and finish, where the caller tells both.
    #[serde(default)]
    pub max_duration: Option<Duration>,
    /// Secret part of the URL, by reference; a random one is made and shown on the check's page when left out.
    #[serde(default)]
    pub token: Option<Text>,
}

/// Unit of systemd: active, and the process behind it (CHK-04).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemdCheck {
    /// Name of the unit.
    pub unit: Text,
    /// Fails when the unit restarted more often than this within the check's interval.
    #[serde(default)]
    pub max_restarts: Option<u32>,
}

/// Docker container: running, healthy, restarts (CHK-05).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DockerCheck {
    /// Name or id of the container; or use `compose_service`.
    #[serde(default)]
    pub container: Text,
    /// Compose service (label `com.docker.compose.service`), of which at least one container must run.
    #[serde(default)]
    pub compose_service: Option<Text>,
    /// Compose project, where the service's name is not unique.
    #[serde(default)]
    pub compose_project: Option<Text>,
    /// Docker's socket or address; `unix:///var/run/docker.sock` when left out.
    #[serde(default)]
    pub docker: Option<Text>,
}

/// Process on this machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessCheck {
    /// Name of the executable (`comm`), or a part of the command line when `match_arguments` is set.
    pub name: Text,
    /// Look in the whole command line.
    #[serde(default)]
    pub match_arguments: bool,
    /// Fails below this number of processes; 1 when left out.
    #[serde(default)]
    pub min: Option<u32>,
    /// Fails above this number of processes.
    #[serde(default)]
    pub max: Option<u32>,
}

/// Own command. Exit 0 is up, 1 slow, 2 down, 3 blind, as with Nagios plugins; performance data become readings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandCheck {
    /// Program and arguments; no shell.
    pub run: Vec<Text>,
    /// Working directory.
    #[serde(default)]
    pub directory: Option<Text>,
    /// Further environment variables; nothing else is passed on but PATH, HOME and LANG.
    #[serde(default)]
    pub environment: indexmap::IndexMap<String, Text>,
}

/// This machine: CPU, load, memory, disks with inodes, network, uptime; node_exporter's metric names.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostCheck {
    /// Mounts to measure; all real file systems when empty.
    #[serde(default)]
    pub mounts: Vec<String>,
    /// Network interfaces to measure; all but loopback and virtual ones when empty.
    #[serde(default)]
    pub interfaces: Vec<String>,
}

/// Other checks together, one verdict (CHK-11).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompositeCheck {
    /// `component/check`, or a component alone for all its checks.
    pub of: Vec<String>,
    /// Passes when at least this many pass; all when left out.
    #[serde(default)]
    pub at_least: Option<u32>,
}
