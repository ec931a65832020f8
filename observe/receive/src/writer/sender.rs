//! One sender: its series, its limits, its counters. Pure.

use std::sync::Arc;

use kernel::series::GroupId;
use parking_lot::{Mutex, RwLock};

use super::groups::Groups;
use super::table::{Key, Table};
use crate::limits::{Counters, Limits, Rate};
use crate::otlp::{Continued, Deltas};
use kernel::series::SeriesRef;

/// A sender.
#[derive(Debug)]
pub struct Sender {
    name: Box<str>,
    limits: RwLock<Arc<Limits>>,
    pub(super) table: RwLock<Table>,
    pub(super) groups: Mutex<Groups>,
    pub(super) rate: Mutex<Rate>,
    pub(crate) deltas: Mutex<Deltas>,
    pub(crate) continued: Mutex<Continued>,
    counters: Counters,
}

impl Sender {
    pub(super) fn new(name: &str, limits: Limits) -> Self {
        Self {
            name: name.into(),
            limits: RwLock::new(Arc::new(limits)),
            table: RwLock::default(),
            groups: Mutex::default(),
            rate: Mutex::default(),
            deltas: Mutex::default(),
            continued: Mutex::default(),
            counters: Counters::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
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
        self.groups.lock().forget(|group| groups.contains(&group));
    }
}
