//! What the references of one plan stand for at one time. I/O: asks whether files have changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use kernel::secret::{Reference, ResolveError, Resolver, Secret};

/// What the references of one plan stood for when they were looked up.
#[derive(Clone, Debug, Default)]
pub struct Values {
    pub(crate) found: BTreeMap<Reference, Result<Secret, String>>,
    pub(crate) files: Vec<(PathBuf, Option<Stamp>)>,
    pub(crate) good_until: Option<Instant>,
    pub(crate) known: BTreeSet<Secret>,
    pub(crate) grave: BTreeSet<Secret>,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl Stamp {
    pub(crate) fn of(path: &std::path::Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode: metadata.ino() })
    }
}

impl Values {
    /// Every value that is or was in use for this plan, and the parts of each that would give it away.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> + '_ {
        self.known.iter().cloned()
    }

    /// Those that are secrets without doubt. A variable of the environment may hold a port or a name just as well; in
    /// labels of series that must stay what it is.
    pub fn grave_secrets(&self) -> impl Iterator<Item = Secret> + '_ {
        self.grave.iter().cloned()
    }

    /// Whether a file that a value came from has changed, or a value from Vault has reached its time.
    pub fn is_due(&self) -> bool {
        self.good_until.is_some_and(|until| Instant::now() >= until)
            || self.files.iter().any(|(path, stamp)| Stamp::of(path) != *stamp)
    }

    /// Whether the references stand for the same as before.
    pub fn same_as(&self, other: &Self) -> bool {
        self.found == other.found
    }

    /// References without a value, with the reason.
    pub fn missing(&self) -> impl Iterator<Item = (&Reference, &str)> {
        self.found.iter().filter_map(|(reference, found)| Some((reference, found.as_ref().err()?.as_str())))
    }
}

impl Resolver for Values {
    fn resolve(&self, reference: &Reference) -> Result<Secret, ResolveError> {
        let failed = |reason: String| ResolveError { reference: reference.clone(), reason };
        match self.found.get(reference) {
            Some(Ok(value)) => Ok(value.clone()),
            Some(Err(reason)) => Err(failed(reason.clone())),
            None => Err(failed("it does not stand in the plan that was looked up; reload the plan".to_owned())),
        }
    }
}
