//! Rules from Prometheus's files, evaluated on their grids: loading, reloading, and what is known of them. I/O: files, the series store.
//!
//! Each group is a task of its own, see [`group`]. Reloading stops a group that has changed, and the new one goes on with its alerts;
//! one that has not changed does not notice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration as StdDuration;

use decide::rules::prometheus::restore::Tolerances;
use decide::rules::prometheus::{Defaults, Group, GroupState, load_groups, read_rule_file};
use decide_promql::Limits;
use kernel::series::{SeriesReader, SeriesWriter};
use kernel::{Clock, Duration, Labels};
use parking_lot::RwLock;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinHandle;
use web_prometheus::views::{ActiveAlert, RuleGroup};

use super::notify::Notifier;
use counters::GroupCounters;

mod api;
pub mod counters;
pub mod group;
pub mod write;

/// So long after its last telling an alert is told again (`rules.alert.resend-delay`).
pub const RESEND_DELAY: StdDuration = StdDuration::from_secs(60);

/// So many groups are evaluated at once: more would take turns on the processors, and hold their series meanwhile.
pub const GROUPS_AT_ONCE: usize = 4;

/// What the configuration says of rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `rule_files`: paths and globs; relative ones below `folder`.
    pub rule_files: Vec<String>,
    /// The configuration's folder.
    pub folder: PathBuf,
    /// `global.evaluation_interval`
    pub interval: Duration,
    /// `global.rule_query_offset`
    pub query_offset: Duration,
    /// `global.external_labels`
    pub external_labels: Labels,
    /// `web.external-url`
    pub external_url: String,
    /// `query.lookback-delta`
    pub lookback: Duration,
    /// What a rule's query may cost.
    pub limits: Limits,
    /// See [`RESEND_DELAY`].
    pub resend_delay: StdDuration,
    /// How `for` is restored.
    pub tolerances: Tolerances,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rule_files: Vec::new(),
            folder: PathBuf::new(),
            interval: Duration::from_mins(1),
            query_offset: Duration::ZERO,
            external_labels: Labels::default(),
            external_url: String::new(),
            lookback: Duration::from_mins(5),
            limits: Limits::default(),
            resend_delay: RESEND_DELAY,
            tolerances: Tolerances::default(),
        }
    }
}

/// What groups share.
pub struct Shared {
    /// Series are read here.
    pub reader: Arc<dyn SeriesReader>,
    /// Series are written here.
    pub writer: Arc<dyn SeriesWriter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Alerts are told here.
    pub notifier: Arc<Notifier>,
    /// What is said in the configuration now.
    settings: RwLock<Arc<Settings>>,
    permits: Semaphore,
}

/// A group as it is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// In the words of Prometheus's API.
    pub view: RuleGroup,
    /// What is counted of it.
    pub counters: Arc<GroupCounters>,
    /// Samples that the last evaluation gave.
    pub samples: usize,
}

/// What a group's task and the others both know.
struct Board {
    shown: RwLock<Arc<Shown>>,
}

/// A group whose task runs.
struct Running {
    group: Arc<Group>,
    board: Arc<Board>,
    stop: watch::Sender<bool>,
    task: JoinHandle<GroupState>,
}

impl Running {
    /// Ends it once its evaluation is done.
    async fn stop(self) -> (Arc<Group>, GroupState) {
        // A send fails only when the task has ended already.
        let _ = self.stop.send(true);
        match self.task.await {
            Ok(state) => (self.group, state),
            Err(error) => {
                tracing::error!(group = self.group.key(), %error, "a group of rules broke off: its alerts begin anew");
                let state = GroupState::new(&self.group, true);
                (self.group, state)
            }
        }
    }
}

/// All groups.
pub struct RuleManager {
    shared: Arc<Shared>,
    running: Mutex<BTreeMap<String, Running>>,
    boards: RwLock<BTreeMap<String, Arc<Board>>>,
}

impl RuleManager {
    /// Without groups; [`RuleManager::load`] brings them.
    pub fn new(
        reader: Arc<dyn SeriesReader>,
        writer: Arc<dyn SeriesWriter>,
        clock: Arc<dyn Clock>,
        notifier: Arc<Notifier>,
    ) -> Self {
        let settings = RwLock::new(Arc::new(Settings::default()));
        let permits = Semaphore::new(GROUPS_AT_ONCE);
        let shared = Arc::new(Shared { reader, writer, clock, notifier, settings, permits });
        Self { shared, running: Mutex::default(), boards: RwLock::default() }
    }

    /// Reads the rule files and has their groups evaluated; alerts of groups that were there go on. The first time, `for` is
    /// restored from what was written before.
    ///
    /// # Errors
    /// Everything that is wrong with the files; then the groups stay as they were.
    pub async fn load(&self, settings: Settings) -> Result<(), Vec<String>> {
        let groups = read_groups(&settings)?;
        let mut running = self.running.lock().await;
        let first = running.is_empty() && self.boards.read().is_empty();
        *self.shared.settings.write() = Arc::new(settings);
        let mut old = std::mem::take(&mut *running);
        for group in groups {
            let key = group.key();
            match old.remove(&key) {
                Some(same) if same.group.is_same(&group) => {
                    running.insert(key, same);
                }
                Some(changed) => {
                    let (before, state) = changed.stop().await;
                    let state = GroupState::carried(&group, &before, state);
                    running.insert(key, self.start(group, state, false));
                }
                None => {
                    let state = GroupState::new(&group, !first);
                    running.insert(key, self.start(group, state, first));
                }
            }
        }
        *self.boards.write() = running.iter().map(|(key, r)| (key.clone(), r.board.clone())).collect();
        drop(running);
        for (_, gone) in old {
            let (group, state) = gone.stop().await;
            tokio::spawn(group::end_series(self.shared.clone(), group, state));
        }
        Ok(())
    }

    fn start(&self, group: Group, state: GroupState, restore: bool) -> Running {
        let group = Arc::new(group);
        let shown = Shown { view: api::group(&group, &state), counters: Arc::default(), samples: 0 };
        let board = Arc::new(Board { shown: RwLock::new(Arc::new(shown)) });
        let (stop, stopping) = watch::channel(false);
        let work = group::Work { shared: self.shared.clone(), group: group.clone(), board: board.clone(), restore };
        let task = tokio::spawn(work.run(state, stopping));
        Running { group, board, stop, task }
    }

    /// The groups as they stand, by file and name.
    pub fn groups(&self) -> Vec<Arc<Shown>> {
        let mut all: Vec<Arc<Shown>> = self.boards.read().values().map(|b| b.shown.read().clone()).collect();
        all.sort_by(|a, b| (&a.view.file, &a.view.name).cmp(&(&b.view.file, &b.view.name)));
        all
    }

    /// All pending and firing alerts.
    pub fn alerts(&self) -> Vec<ActiveAlert> {
        let of_group = |shown: Arc<Shown>| {
            let rules = shown.view.rules.iter().filter_map(|r| r.alerting.as_ref());
            rules.flat_map(|a| a.alerts.clone()).collect::<Vec<ActiveAlert>>()
        };
        self.groups().into_iter().flat_map(of_group).collect()
    }

    /// What is counted, in Prometheus's text format.
    pub fn exposition(&self) -> String {
        counters::exposition(&self.groups())
    }

    /// Ends all groups once their evaluations are done.
    pub async fn stop(&self) {
        let running = std::mem::take(&mut *self.running.lock().await);
        for (_, group) in running {
            group.stop().await;
        }
    }
}

/// The groups of all files.
fn read_groups(settings: &Settings) -> Result<Vec<Group>, Vec<String>> {
    let (mut groups, mut errors) = (Vec::new(), Vec::new());
    for pattern in &settings.rule_files {
        let files = match files_of(&settings.folder.join(pattern)) {
            Ok(files) => files,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for path in files {
            match read_file(&path, settings.interval) {
                Ok(read) => groups.extend(read),
                Err(all) => errors.extend(all),
            }
        }
    }
    if errors.is_empty() { Ok(groups) } else { Err(errors) }
}

/// The files that a pattern names, sorted.
fn files_of(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let text = pattern.to_string_lossy();
    let found = glob::glob(&text).map_err(|e| format!("rule_files: {text}: {e}"))?;
    Ok(found.filter_map(Result::ok).collect())
}

fn read_file(path: &Path, interval: Duration) -> Result<Vec<Group>, Vec<String>> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| vec![format!("{name}: {e}")])?;
    let file = read_rule_file(&text, false)
        .map_err(|all| all.into_iter().map(|e| format!("{name}: {e}")).collect::<Vec<String>>())?;
    load_groups(&name, &file, Defaults { interval }).map_err(|e| vec![e])
}

#[cfg(test)]
mod tests;
