//! One system ready to run: its plan with everything prepared that can be prepared, and reasons for the rest. I/O: files that the
//! plan's references name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use act::notify::Sender;
use decide::rules::{Query, RuleGroup, covers};
use jiff::tz::TimeZone;
use kernel::Labels;
use kernel::probe::CheckId;
use kernel::secret::{Redactor, Resolver};
use observe::probe::{CheckSettings, PrepareError, prepare};
use observe_scrape::config::Job as ScrapeTarget;
use parking_lot::RwLock;
use plan_model::load::Loaded;
use plan_model::{Check, CheckKind, Plan};
use secrets::Values;

use crate::loops::judge::Judged;
use crate::loops::probes::Job;
use crate::target::job_of;

/// A label's name and value, shared by all series of a check.
pub type SharedLabel = (Arc<str>, Arc<str>);

/// One system ready to run.
pub struct System {
    /// The checked plan.
    pub plan: Arc<Plan>,
    /// The plan's time zone.
    pub zone: TimeZone,
    /// Everything the files gave.
    pub loaded: Arc<Loaded>,
    /// Folder the plan was read from.
    pub folder: String,
    /// Hash of the files.
    pub hash: String,
    /// Rules of the plan and of its rule files.
    pub groups: Vec<RuleGroup>,
    /// Checks that are asked.
    pub jobs: Vec<Arc<Job>>,
    /// Checks that are judged from what came in.
    pub judged: Vec<Judged>,
    /// Metrics endpoints.
    pub scrapes: Vec<Arc<ScrapeTarget>>,
    /// Checks that cannot be asked, with the reason.
    pub waiting: Vec<(CheckId, String)>,
    /// Channels ready to send.
    pub senders: HashMap<String, Arc<Sender>>,
    /// Channels that cannot be used, with the reason.
    pub silent: Vec<(String, String)>,
    /// Takes everything that the plan's references stand for out of texts.
    pub redactor: Redactor,
    /// What the plan's references stand for.
    values: RwLock<Arc<Values>>,
    labels: HashMap<CheckId, CheckLabels>,
}

struct CheckLabels {
    pairs: Vec<SharedLabel>,
    http: bool,
}

impl System {
    /// Prepares everything. What cannot be prepared (a reference without a value) is set aside with its reason.
    pub fn prepare(read: ReadPlan, values: Values) -> Self {
        let ReadPlan { plan, loaded, groups, folder, hash } = read;
        let redactor = Redactor::new(values.secrets());
        let conceal = Redactor::new(values.grave_secrets());
        let values = Arc::new(values);
        let resolver: &dyn Resolver = &*values;
        let mut system = Self {
            zone: plan.time_zone(),
            loaded,
            folder,
            hash,
            groups,
            jobs: Vec::new(),
            judged: Vec::new(),
            scrapes: Vec::new(),
            waiting: Vec::new(),
            senders: HashMap::new(),
            silent: Vec::new(),
            redactor: redactor.clone(),
            values: RwLock::new(values.clone()),
            labels: HashMap::new(),
            plan: plan.clone(),
        };
        for (component, name, check) in plan.checks() {
            system.add_check(component, name, check, resolver, &redactor);
        }
        for (name, component) in plan.components() {
            if let Some(endpoint) = &component.metrics {
                match job_of(&plan, name, &endpoint.scrape(), resolver, &redactor, &conceal) {
                    Ok(job) => system.scrapes.push(job),
                    Err(error) => system.waiting.push((CheckId::new(&plan.system, name, "metrics"), error.to_string())),
                }
            }
        }
        for (name, channel) in &plan.channels {
            match Sender::prepare(name, channel, &plan, resolver, redactor.clone()) {
                Ok(sender) => {
                    system.senders.insert(name.clone(), Arc::new(sender));
                }
                Err(error) => system.silent.push((name.clone(), error.to_string())),
            }
        }
        system
    }

    fn add_check(&mut self, component: &str, name: &str, check: &Check, resolver: &dyn Resolver, redactor: &Redactor) {
        let (Some(effective), Some(kind)) = (self.plan.effective(component, name), check.kinds().into_iter().next())
        else {
            return;
        };
        let id = CheckId::new(&self.plan.system, component, name);
        self.labels.insert(id.clone(), CheckLabels::of(&id, &kind, effective.third_party, &effective.labels));
        match kind {
            CheckKind::Heartbeat(heartbeat) => {
                match heartbeat.token.as_ref().map(|t| t.resolve(resolver)).transpose() {
                    Ok(token) => self.judged.push(Judged::heartbeat(id, heartbeat, token, effective.every.std())),
                    Err(error) => self.waiting.push((id, error.to_string())),
                }
                return;
            }
            CheckKind::Composite(composite) => {
                self.judged.push(Judged::composite(id, composite, effective.every.std()));
                return;
            }
            _ => {}
        }
        let settings = CheckSettings {
            every: effective.every,
            timeout: effective.timeout,
            attempts: effective.attempts,
            pause: effective.pause,
            slow: effective.slow,
            labels: effective.labels.iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
        };
        match prepare(id.clone(), check, &settings, resolver, redactor) {
            Ok(prepared) => self.jobs.push(Arc::new(Job {
                id,
                prepared,
                every: effective.every.std(),
                intensive: effective.intensive.std(),
                running: AtomicBool::new(false),
            })),
            Err(error) => self.waiting.push((id, reason(&error))),
        }
    }

    /// What the plan's references stand for.
    pub fn values(&self) -> Arc<Values> {
        self.values.read().clone()
    }

    /// Takes note of values that were looked up again and are the same.
    pub fn set_values(&self, values: Values) {
        *self.values.write() = Arc::new(values);
    }

    /// The plan as it was read, to prepare it anew.
    pub fn reading(&self) -> ReadPlan {
        ReadPlan {
            plan: self.plan.clone(),
            loaded: self.loaded.clone(),
            groups: self.groups.clone(),
            folder: self.folder.clone(),
            hash: self.hash.clone(),
        }
    }

    /// Whether the plan has this check, or waits for what a check of it needs.
    pub fn has(&self, check: &CheckId) -> bool {
        self.labels.contains_key(check) || self.waiting.iter().any(|(id, _)| id == check)
    }

    /// The labels that all series of a check share, and the name of its phases' series: HTTP has its own, as with
    /// blackbox_exporter.
    pub fn check_series(&self, check: &CheckId) -> (&[SharedLabel], &'static str) {
        let labels = self.labels.get(check);
        let is_http = labels.is_some_and(|l| l.http);
        let phases = if is_http { "probe_http_duration_seconds" } else { "probe_phase_duration_seconds" };
        (labels.map_or(&[], |l| &l.pairs), phases)
    }

    /// The checks that a rule looks at.
    pub fn covered_by(&self, query: &Query) -> Vec<CheckId> {
        let of = |labels: &CheckLabels| covers(query, &Labels::from_shared(labels.pairs.clone()));
        let mut found: Vec<CheckId> = self.labels.iter().filter(|(_, l)| of(l)).map(|(id, _)| id.clone()).collect();
        found.sort_unstable();
        found
    }

    /// The shortest time after which something that is judged should be looked at again.
    pub fn shortest_judged(&self) -> Option<Duration> {
        self.judged.iter().map(|j| j.every).min()
    }
}

fn reason(error: &PrepareError) -> String {
    error.to_string()
}

impl CheckLabels {
    fn of(id: &CheckId, kind: &CheckKind, third_party: bool, more: &indexmap::IndexMap<String, String>) -> Self {
        let pair = |name: &str, value: &str| (Arc::from(name), Arc::from(value));
        let mut pairs = vec![
            (Arc::from("system"), id.system.clone()),
            (Arc::from("service"), id.component.clone()),
            (Arc::from("check"), id.check.clone()),
            pair("kind", kind.name()),
        ];
        if third_party {
            pairs.push(pair("third_party", "true"));
        }
        pairs.extend(more.iter().map(|(n, v)| pair(n, v)));
        Self { pairs, http: matches!(kind, CheckKind::Http(_)) }
    }
}

/// A plan read and checked, not yet prepared.
pub struct ReadPlan {
    /// The checked plan.
    pub plan: Arc<Plan>,
    /// Everything the files gave.
    pub loaded: Arc<Loaded>,
    /// Rules of the plan and of its rule files.
    pub groups: Vec<RuleGroup>,
    /// Folder the plan was read from.
    pub folder: String,
    /// Hash of the files.
    pub hash: String,
}
