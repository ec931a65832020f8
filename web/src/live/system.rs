//! One system in the read model: its plan as loaded, checks, hosts, counters, alerts, rules. Pure.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use kernel::alert::Alert;
use kernel::probe::CheckId;
use kernel::{Duration, Language, Timestamp};
use plan_model::{Component, Loaded, Plan};

use super::{CheckState, HostUse, Uptime};

/// A plan as it was loaded: a version in use.
#[derive(Clone, Debug)]
pub struct PlanVersion {
    /// The checked plan, without what is inactive.
    pub plan: Arc<Plan>,
    /// What else its files gave: diagnostics, inactive items, open parameters, rule files, documents. Its own `plan` is empty.
    pub loaded: Arc<Loaded>,
    /// Folder it was read from, as given on the command line.
    pub folder: String,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// Short hash of the files.
    pub hash: String,
}

impl PlanVersion {
    /// Of what was loaded; `None` when errors keep the plan from being used.
    pub fn new(mut loaded: Loaded, folder: &str, hash: &str, loaded_at: Timestamp) -> Option<Self> {
        let plan = Arc::new(loaded.plan.take()?);
        Some(Self { plan, loaded: Arc::new(loaded), folder: folder.to_owned(), loaded_at, hash: hash.to_owned() })
    }
}

/// A counter of today's activity.
#[derive(Clone, Debug, PartialEq)]
pub struct TodayValue {
    /// Its name in the plan.
    pub name: String,
    /// What is counted, for people.
    pub label: String,
    /// The count; `None` where the query gave nothing.
    pub value: Option<f64>,
    /// Why there is no value, where that is known.
    pub error: Option<String>,
}

/// A measure of success in a period.
#[derive(Clone, Debug, PartialEq)]
pub struct KpiPeriod {
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment of the next.
    pub end: Timestamp,
    /// The value, up to now where the period goes on; `None` where the measure gave nothing.
    pub value: Option<f64>,
    /// What the value is against the bounds.
    pub standing: decide::kpi::Standing,
}

/// A measure of success (KPI) over one kind of period.
#[derive(Clone, Debug, PartialEq)]
pub struct KpiState {
    /// Its name in the plan.
    pub name: String,
    /// The kind of period.
    pub period: plan_model::Period,
    /// The period that goes on and those before it, the newest first.
    pub periods: Vec<KpiPeriod>,
    /// Why the newest has no value, where that is known.
    pub error: Option<String>,
}

/// A part of the system that is watched intensively (CHK-16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intensive {
    /// One component, or the whole system.
    pub component: Option<String>,
    /// Until when.
    pub until: Timestamp,
    /// Who switched it on.
    pub by: String,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InBoth {
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
}

impl InBoth {
    /// In a language.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Es => &self.es,
            Language::En => &self.en,
        }
    }
}

/// What became of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When.
    pub at: Timestamp,
    /// Whether the new plan is in use; else the old one stayed.
    pub accepted: bool,
    /// Errors, rendered with the text underlined.
    pub errors: Vec<InBoth>,
}

/// How a rule's last evaluation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleVerdict {
    /// Not evaluated yet.
    Unknown,
    /// Evaluated.
    Ok,
    /// Failed; the error says why.
    Failed,
}

/// A rule and its last evaluation.
#[derive(Clone, Debug)]
pub struct RuleState {
    /// Name of the alert, or of the series that a recording rule writes.
    pub name: String,
    /// Whether it raises alerts; else it records.
    pub alerting: bool,
    /// PromQL.
    pub expression: String,
    /// How long it must hold.
    pub hold: Duration,
    /// How long it goes on firing once it no longer holds.
    pub keep_firing: Duration,
    /// The system's severity word.
    pub severity: Option<String>,
    /// Labels added to its alerts.
    pub labels: kernel::Labels,
    /// Annotations as templates.
    pub annotations: kernel::Labels,
    /// How the last evaluation went.
    pub verdict: RuleVerdict,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was last evaluated.
    pub evaluated_at: Option<Timestamp>,
    /// How long that took, in seconds.
    pub took_s: f64,
    /// Labels of its alerts, pending and firing.
    pub alerts: Vec<kernel::Labels>,
    /// The checks it looks at.
    pub covers: Vec<CheckId>,
}

/// A group of rules.
#[derive(Clone, Debug)]
pub struct RuleGroupState {
    /// Its name.
    pub name: String,
    /// The rule file, or `plan` for the plan's own thresholds.
    pub file: String,
    /// How often it is evaluated.
    pub every: Duration,
    /// The rules, in order.
    pub rules: Vec<RuleState>,
}

/// A system and where it stands.
#[derive(Clone, Debug)]
pub struct SystemState {
    /// Its plan as loaded.
    pub version: PlanVersion,
    /// The plan's time zone.
    pub zone: TimeZone,
    /// Active checks, in the order of the plan.
    pub checks: IndexMap<CheckId, CheckState>,
    /// Hosts and their use.
    pub hosts: IndexMap<String, HostUse>,
    /// Counters of today.
    pub today: Vec<TodayValue>,
    /// Measures of success, in the plan's order.
    pub kpis: Vec<KpiState>,
    /// The system's uptime, third parties left out.
    pub uptime: Uptime,
    /// Alerts pending or firing.
    pub alerts: Vec<Alert>,
    /// Rules.
    pub rules: Vec<RuleGroupState>,
    /// What is watched intensively.
    pub intensive: Vec<Intensive>,
    /// The last reload.
    pub reload: Option<Reload>,
    /// Whether the plan restricts anything.
    restricts: bool,
}

impl SystemState {
    pub(super) fn new(version: PlanVersion) -> Self {
        let mut system = Self {
            zone: TimeZone::UTC,
            checks: IndexMap::new(),
            hosts: IndexMap::new(),
            today: Vec::new(),
            kpis: Vec::new(),
            uptime: Uptime::default(),
            alerts: Vec::new(),
            rules: Vec::new(),
            intensive: Vec::new(),
            reload: None,
            restricts: false,
            version,
        };
        system.build();
        system
    }

    pub(super) fn replace_plan(&mut self, version: PlanVersion) {
        self.version = version;
        self.build();
    }

    fn build(&mut self) {
        let plan = self.version.plan.clone();
        self.zone = plan.time_zone();
        self.restricts = decide::access::restricted::is_any(&plan);
        let mut old = std::mem::take(&mut self.checks);
        for (component, check, spec) in plan.checks() {
            let Some(settings) = plan.effective(component, check) else { continue };
            let id = CheckId::new(&plan.system, component, check);
            let mut state = CheckState::new(id.clone(), spec, &settings);
            if let Some(old) = old.swap_remove(&id) {
                state.inherit(old);
            }
            self.checks.insert(id, state);
        }
        self.hosts.retain(|name, _| plan.hosts.contains_key(name));
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.version.plan
    }

    /// The system's short name.
    pub fn name(&self) -> &str {
        &self.version.plan.system
    }

    /// The system's name for people.
    pub fn label(&self) -> &str {
        self.version.plan.label.as_deref().unwrap_or(self.name())
    }

    /// The environment in which it runs.
    pub fn environment(&self) -> Option<&str> {
        self.version.loaded.environment.as_deref()
    }

    /// Whether anything of it is restricted to some people (INC-14).
    pub fn is_restricted(&self) -> bool {
        let labels = self.rules.iter().flat_map(|g| &g.rules).map(|r| &r.labels);
        let labels = labels.chain(self.alerts.iter().map(|a| &a.labels));
        self.restricts || labels.into_iter().any(|l| l.get(decide::access::restricted::LABEL).is_some())
    }

    /// The plan's language.
    pub fn language(&self) -> Language {
        self.version.plan.language
    }

    /// The active components in the order of the plan, services first, each with its checks.
    pub fn components(&self) -> impl Iterator<Item = (&str, &Component, Vec<&CheckState>)> {
        self.plan().components().map(|(name, component)| {
            let checks = component
                .all_checks()
                .filter_map(|(check, _)| self.checks.get(&CheckId::new(self.name(), name, check)));
            (name, component, checks.collect())
        })
    }

    /// A service or host of the plan.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.plan().component(name)
    }

    /// When the newest result came.
    pub fn newest(&self) -> Option<Timestamp> {
        self.checks.values().filter_map(CheckState::at).max()
    }
}
