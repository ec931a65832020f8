//! A system's plan as a whole: the root of its files. Pure.

use indexmap::IndexMap;
use kernel::secret::Text;
use kernel::{Duration, Language};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::CheckDefaults;
use crate::parameter::{Environment, Parameter};
use crate::receive::Receive;
use crate::severity::AlertPolicy;
use crate::{
    Access, Approval, Audience, Channel, Component, Contact, Dashboard, Kpi, Outgoing, Person, Role, Severity, SignOff,
    Task, Team,
};

/// The plan of one system: what `plan.yaml` and the other YAML files of its folder say together.
///
/// Every `*.yaml` of the folder (but those under `rules/`) has this shape; maps of several files are joined, and a name
/// that stands in two of them is an error.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Farero plan")]
pub struct Plan {
    /// Short name of the system: lower-case letters, digits and hyphens.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]*$"))]
    pub system: String,
    /// The system's name for people; the short name when left out.
    #[serde(default)]
    pub label: Option<String>,
    /// What the system is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Version of the plan (PLN-15).
    #[serde(default)]
    pub version: Option<String>,
    /// Date of this version, as the document gives it.
    #[serde(default)]
    pub date: Option<String>,
    /// Role that answers for this version.
    #[serde(default)]
    pub author: Option<String>,
    /// Time zone of all hours in the plan, IANA name.
    #[schemars(extend("format" = "timezone"))]
    pub timezone: String,
    /// Language of messages and documents.
    #[serde(default)]
    pub language: Language,
    /// Environment used when none is named on the command line.
    #[serde(default)]
    pub environment: Option<String>,
    /// Environments and what is different in them.
    #[serde(default)]
    pub environments: IndexMap<String, Environment>,
    /// Values that stand in more than one place, or that the document leaves open (PLN-10). `${param:NAME}` refers to one.
    #[serde(default)]
    pub parameters: IndexMap<String, Parameter>,
    /// Roles of the people who work by this plan.
    #[serde(default)]
    pub roles: IndexMap<String, Role>,
    /// The team's people.
    #[serde(default)]
    pub people: IndexMap<String, Person>,
    /// Teams of people.
    #[serde(default)]
    pub teams: IndexMap<String, Team>,
    /// Who may do what in this system, beside what is granted on Farero's own pages.
    #[serde(default)]
    pub access: Vec<Access>,
    /// What happens only once others have said yes.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// External providers and escalation contacts.
    #[serde(default)]
    pub contacts: IndexMap<String, Contact>,
    /// Roles, people or contacts in the order in which an incident is escalated.
    #[serde(default)]
    pub escalation: Vec<String>,
    /// Groups that are informed but do not operate.
    #[serde(default)]
    pub audiences: IndexMap<String, Audience>,
    /// The system's own severities, gravest first.
    #[serde(default)]
    pub severities: IndexMap<String, Severity>,
    /// Ways to tell people.
    #[serde(default)]
    pub channels: IndexMap<String, Channel>,
    /// Where messages may go besides what is usual.
    #[serde(default)]
    pub outgoing: Outgoing,
    /// What every check has unless it says otherwise.
    #[serde(default)]
    pub defaults: CheckDefaults,
    /// Which severity the plan's own alerts have: down, slow, certificate, host use.
    #[serde(default)]
    pub alerts: AlertPolicy,
    /// Services: what the system consists of and depends on.
    #[serde(default)]
    pub services: IndexMap<String, Component>,
    /// Hosts: machines, virtual or not.
    #[serde(default)]
    pub hosts: IndexMap<String, Component>,
    /// Activities, automatic and manual (PLN-08).
    #[serde(default)]
    pub tasks: IndexMap<String, Task>,
    /// Measures of success, each with its periods and bounds (KPI-01).
    #[serde(default)]
    pub kpis: IndexMap<String, Kpi>,
    /// Documents that must be signed, and by which roles (CKL-06).
    #[serde(default)]
    pub signatures: IndexMap<String, SignOff>,
    /// What the overview shows beside services and hosts (DSH-06).
    #[serde(default)]
    pub overview: Overview,
    /// Dashboards: variables, rows and panels that show series (DSH-09).
    #[serde(default)]
    pub dashboards: IndexMap<String, Dashboard>,
    /// What others may send for the system.
    #[serde(default)]
    pub receive: Receive,
    /// How long measurements and the audit trail are kept.
    #[serde(default)]
    pub retention: Retention,
    /// An outside heartbeat that Farero calls while it works, so that its own failure is noticed (CHK-10).
    #[serde(default)]
    pub watchdog: Option<Watchdog>,
}

/// An outside heartbeat that Farero calls: a Healthchecks URL, another Farero's `/ping/…`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watchdog {
    /// Called with GET while checks are made and kept; silence means that Farero is down.
    pub url: Text,
    /// How often; 60 s when left out.
    #[serde(default)]
    pub every: Option<Duration>,
}

/// The parts of the overview page that the plan chooses.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// Today's activity: counters since midnight in the system's time zone.
    #[serde(default)]
    pub today: IndexMap<String, TodayCounter>,
}

/// One counter of today's activity.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TodayCounter {
    /// What is counted, for people.
    #[serde(default)]
    pub label: Option<String>,
    /// PromQL; the range `[today]` stands for the time since midnight.
    pub query: String,
    /// Whether it counts yet: `now`, `optional`, `planned`, `future` (PLN-14).
    #[serde(default)]
    pub state: crate::Life,
    /// First day on which a planned item is active, `2026-03-01`.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub from: Option<String>,
}

/// How long measurements and the audit trail are kept (MET-02, MET-03, LOG-11).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Raw samples; 30 days when left out.
    #[serde(default)]
    pub metrics: Option<Duration>,
    /// Roll-ups; 25 months when left out.
    #[serde(default)]
    pub rollups: Option<Duration>,
    /// Entries of the audit trail; 7 years when left out. Entries of all systems are kept as long as the plan that asks for
    /// the longest.
    #[serde(default)]
    pub trail: Option<Duration>,
}

/// A file of Prometheus rule groups, as it stands in the folder `rules/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleFile {
    /// Path below the plan's folder.
    pub path: String,
    /// The file's text, unchanged.
    pub text: String,
}
