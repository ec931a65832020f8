//! What all loops share: the stores, the read model, the plans in use, and the bells that wake them. I/O through its parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::probe::{CheckId, ProbeResult};
use kernel::series::{Row, SeriesWriter};
use kernel::trail::Deed;
use kernel::{Clock, Timestamp};
use observe_receive::writer::Writer;
use parking_lot::RwLock;
use secrets::{Sources, Values};
use state::State;
use store_series::SeriesStore;
use tokio::sync::{Notify, mpsc, watch};
use web::live::Live;

use crate::config::Config;
use crate::counters::Counters;
use crate::loops::scrapes::Scraper;
use crate::system::System;
use crate::trail::Keeper;

/// The plans in use, by system.
pub type Systems = BTreeMap<String, Arc<System>>;

/// What all loops share.
pub struct Core {
    /// What must survive.
    pub state: State,
    /// Signs the trail.
    pub keeper: Keeper,
    /// Measurements.
    pub series: Arc<SeriesStore>,
    /// What takes in samples that others send.
    pub receiving: web::Receiving,
    /// What reads the metrics endpoints of the plans.
    pub scraper: Arc<Scraper>,
    /// The read model that pages are made from.
    pub live: Arc<Live>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What Farero counts about itself.
    pub counters: Counters,
    /// Where the values of references come from.
    pub sources: Sources,
    /// Its own certificate, where it speaks TLS itself.
    pub certificates: std::sync::OnceLock<Arc<web::tls::Certificates>>,
    /// How Farero was started.
    pub config: Config,
    /// Rings when rules should be evaluated at once.
    pub rules_bell: Notify,
    /// Rings when deliveries should be decided at once.
    pub deliveries_bell: Notify,
    /// Rings when the outbox should be looked at once.
    pub outbox_bell: Notify,
    /// Rings when heartbeats and composites should be judged at once.
    pub judge_bell: Notify,
    /// Rings when plans should be read again.
    pub reload_bell: Notify,
    /// Rings when the certificate should be read or ordered again.
    pub certificates_bell: Notify,
    systems: RwLock<Arc<Systems>>,
    explanations: RwLock<BTreeMap<String, Explained>>,
    intensive: RwLock<Intensive>,
    /// What each plan folder held when it was last looked at.
    seen_plans: RwLock<BTreeMap<PathBuf, String>>,
    changed: watch::Sender<u64>,
    /// When the probing loop last turned and a life sign was last stored, milliseconds since the epoch.
    turned: [AtomicI64; 2],
    results: mpsc::Sender<ProbeResult>,
}

/// A loop without which nothing is watched.
#[derive(Clone, Copy, Debug)]
pub enum Vital {
    /// Checks are started.
    Probes = 0,
    /// Life signs are stored.
    Alive = 1,
}

/// What explains the failures of a system's components.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// What explains what.
    pub by: decide::health::Explanations,
}

/// What is watched intensively now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intensive(pub Vec<state::Intensive>);

impl Intensive {
    /// Whether a check belongs to something that is watched intensively.
    pub fn covers(&self, check: &CheckId) -> bool {
        let of_it = |i: &state::Intensive| {
            *i.system == *check.system && i.component.as_deref().is_none_or(|c| c == &*check.component)
        };
        self.0.iter().any(of_it)
    }
}

impl Core {
    /// Of its parts, without a plan yet.
    pub fn new(parts: Parts, results: mpsc::Sender<ProbeResult>) -> Self {
        Self {
            state: parts.state,
            keeper: parts.keeper,
            receiving: web::Receiving::new(
                Arc::new(
                    Writer::new(parts.series.clone(), parts.config.receive.clone()).with_reader(parts.series.clone()),
                ),
                parts.series.clone(),
            ),
            series: parts.series,
            scraper: Arc::default(),
            live: parts.live,
            clock: parts.clock,
            counters: Counters::default(),
            sources: parts.sources,
            certificates: std::sync::OnceLock::new(),
            config: parts.config,
            rules_bell: Notify::new(),
            deliveries_bell: Notify::new(),
            outbox_bell: Notify::new(),
            judge_bell: Notify::new(),
            reload_bell: Notify::new(),
            certificates_bell: Notify::new(),
            systems: RwLock::default(),
            explanations: RwLock::default(),
            intensive: RwLock::default(),
            seen_plans: RwLock::default(),
            changed: watch::Sender::new(0),
            turned: Default::default(),
            results,
        }
    }

    /// The plans in use.
    pub fn systems(&self) -> Arc<Systems> {
        self.systems.read().clone()
    }

    /// Puts a system in use, or another version of it.
    pub fn put_system(&self, system: Arc<System>) {
        let mut guard = self.systems.write();
        let mut systems = (**guard).clone();
        systems.insert(system.plan.system.clone(), system);
        *guard = Arc::new(systems);
        drop(guard);
        self.ring_changed();
    }

    /// Notes what a plan folder holds; whether that is new.
    pub fn see_plan(&self, folder: &Path, origin: String) -> bool {
        let before = self.seen_plans.write().insert(folder.to_owned(), origin.clone());
        before != Some(origin)
    }

    /// Takes a system out of use, because its plan has another name now.
    pub fn forget_system(&self, name: &str) {
        let mut guard = self.systems.write();
        let mut systems = (**guard).clone();
        systems.remove(name);
        *guard = Arc::new(systems);
        drop(guard);
        self.live.remove_system(name);
        self.ring_changed();
    }

    /// What the references of a plan stand for now; the log takes note, so that it shows none of it. Waits for files and
    /// for Vault: not for async threads.
    pub fn look_up(&self, plan: &plan_model::Plan, folder: &str) -> Values {
        let json = serde_json::to_value(plan).unwrap_or_default();
        let values = self.sources.look_up(&json, std::path::Path::new(folder));
        crate::redacting::learn(values.secrets().chain(self.sources.own_secrets()));
        values
    }

    /// A receiver that wakes when plans or intensive watching changed.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Wakes everybody who follows plans and intensive watching.
    pub fn ring_changed(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// What is watched intensively.
    pub fn intensive(&self) -> Intensive {
        self.intensive.read().clone()
    }

    /// Sets what is watched intensively; wakes the loops when that changed.
    pub fn set_intensive(&self, now_watched: Intensive) {
        let mut guard = self.intensive.write();
        let changed = *guard != now_watched;
        *guard = now_watched;
        drop(guard);
        if changed {
            self.ring_changed();
        }
    }

    /// Hands a result to the collecting loop; waits while its queue is full.
    pub async fn hand_in(&self, result: ProbeResult) {
        // The collecting loop ends only at shutdown; a result of that moment is not acknowledged to anybody.
        let _ = self.results.send(result).await;
    }

    /// Appends rows; failures are counted and logged.
    pub fn append(&self, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        match self.series.append(&kernel::series::rows_of(rows)) {
            Ok(appended) => {
                self.counters.samples.add(appended.samples);
                self.counters.samples_out_of_order.add(appended.out_of_order);
            }
            Err(error) => self.store_failed("samples", &error),
        }
    }

    /// Tells the trail of something that Farero did.
    pub fn tell(&self, deed: &Deed) {
        if let Err(error) = self.state.record(deed) {
            self.store_failed("an entry of the trail", &error);
        }
    }

    /// Counts and logs that something could not be stored.
    pub fn store_failed(&self, what: &str, error: &dyn std::error::Error) {
        self.counters.store_errors.add_one();
        tracing::error!(%error, "{what} could not be stored");
    }

    /// Looks anew at what explains the failures of a system.
    pub fn explain(&self, system: &System, seen: &[decide::health::Seen]) {
        let by = decide::health::decide_explanations(&system.plan, seen);
        self.explanations.write().insert(system.plan.system.clone(), Explained { by });
    }

    /// What explains the failures of a system's components.
    pub fn explained(&self, system: &str) -> Explained {
        self.explanations.read().get(system).cloned().unwrap_or_default()
    }

    /// The component whose failure explains a check's, where there is one.
    pub fn explained_by(&self, check: &CheckId) -> Option<String> {
        self.explanations.read().get(&*check.system)?.by.of(&check.component)
    }

    /// Notes that a vital loop turned.
    pub fn note_turn(&self, which: Vital) {
        self.turned[which as usize].store(self.now().as_millis(), Ordering::Relaxed);
    }

    /// Whether all vital loops have turned within a time.
    pub fn works(&self, now: Timestamp, within: Duration) -> bool {
        self.turned.iter().all(|at| now.since(Timestamp::from_millis(at.load(Ordering::Relaxed))) <= within)
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What a [`Core`] is made of.
pub struct Parts {
    /// What must survive.
    pub state: State,
    /// Signs the trail.
    pub keeper: Keeper,
    /// Measurements.
    pub series: Arc<SeriesStore>,
    /// The read model.
    pub live: Arc<Live>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the values of references come from.
    pub sources: Sources,
    /// How Farero was started.
    pub config: Config,
}
