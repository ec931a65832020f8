//! One sender: its series, its limits, its counters. Pure.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kernel::series::GroupId;
use parking_lot::{Mutex, RwLock};

use super::groups::Groups;
use super::table::{Key, TURN_MS, Table};
use crate::limits::{Counters, Limits, Rate};
use crate::otlp::{Continued, Deltas, Told};
use kernel::series::SeriesRef;

/// Who sends, and into whose series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SenderName {
    /// Senders of the same space share their series: it does not matter which of them sends a sample. `""` when there is one.
    pub space: String,
    /// Who sends, such as an address: limits and counters are each one's own. `""` when senders of a space are not told apart.
    pub sender: String,
}

impl SenderName {
    /// As it is shown: the sender, or its space where there is one sender only.
    pub fn shown(&self) -> &str {
        if self.sender.is_empty() { &self.space } else { &self.sender }
    }
}

impl From<&str> for SenderName {
    /// The only sender of a space.
    fn from(space: &str) -> Self {
        Self { space: space.to_owned(), sender: String::new() }
    }
}

/// What the senders of a space share.
#[derive(Debug, Default)]
pub(crate) struct Space {
    name: Box<str>,
    pub(super) groups: Mutex<Groups>,
    pub(crate) deltas: Mutex<Deltas>,
    pub(crate) continued: Mutex<Continued>,
    pub(crate) told: Mutex<Told>,
}

impl Space {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Its name, which its groups in the store have.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// A sender.
#[derive(Debug)]
pub struct Sender {
    name: SenderName,
    pub(crate) space: Arc<Space>,
    /// Tells senders of this process apart.
    pub(crate) number: u32,
    limits: RwLock<Arc<Limits>>,
    pub(super) table: RwLock<Table>,
    pub(super) rate: Mutex<Rate>,
    counters: Counters,
    seen_ms: AtomicI64,
}

impl Sender {
    pub(super) fn new(name: SenderName, space: Arc<Space>, number: u32, limits: Limits) -> Self {
        Self {
            name,
            space,
            number,
            limits: RwLock::new(Arc::new(limits)),
            table: RwLock::default(),
            rate: Mutex::default(),
            counters: Counters::default(),
            seen_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// Its name, as it is shown.
    pub fn name(&self) -> &str {
        self.name.shown()
    }

    /// Whether it has sent nothing for so long that it can be forgotten with its series.
    pub(super) fn is_idle(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.seen_ms.load(Ordering::Relaxed)) > 2 * TURN_MS
    }

    /// What it may bring.
    pub fn limits(&self) -> Arc<Limits> {
        self.limits.read().clone()
    }

    /// Gives it limits of its own.
    pub fn set_limits(&self, limits: Limits) {
        *self.limits.write() = Arc::new(limits);
    }

    /// What was taken and turned away.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Series that were written in the last hours.
    pub fn series(&self) -> usize {
        self.table.read().len()
    }

    /// Lets go of series that have not been seen for long.
    pub(super) fn turn(&self, now_ms: i64) {
        self.seen_ms.store(now_ms, Ordering::Relaxed);
        if self.table.read().is_due(now_ms) {
            let mut table = self.table.write();
            if table.is_due(now_ms) {
                table.turn(now_ms);
            }
        }
    }

    /// Remembers series.
    pub(super) fn remember(&self, all: impl IntoIterator<Item = (Key, SeriesRef)>) {
        let mut all = all.into_iter().peekable();
        if all.peek().is_some() {
            let mut table = self.table.write();
            all.for_each(|(key, series)| table.insert(key, series));
        }
    }

    /// Forgets what lies in groups that the store does not know any more.
    pub(super) fn forget(&self, groups: &[GroupId]) {
        self.table.write().forget(|group| groups.contains(&group));
        self.space.groups.lock().forget(|group| groups.contains(&group));
    }
}
