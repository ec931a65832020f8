//! `file_sd_configs`: lists in files, read again when they change. I/O.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::Refresh;
use super::list::{from_json, from_yaml};
use crate::config::{FileDiscovery, TargetGroup, matching};

/// Files are looked at this often: whether they have changed costs one call each, and works on every file system.
const LOOK: Duration = Duration::from_secs(1);

/// When a file was written, and how long it was.
type Stamp = (Option<SystemTime>, u64);

/// The files of one section.
pub(super) struct Files {
    config: FileDiscovery,
    seen: BTreeMap<PathBuf, (Stamp, Vec<TargetGroup>)>,
    read_all: Option<Instant>,
    began: bool,
}

impl Files {
    pub(super) const fn new(config: FileDiscovery) -> Self {
        Self { config, seen: BTreeMap::new(), read_all: None, began: false }
    }

    /// Reads what has changed; a file that cannot be read keeps what it said before.
    fn look(&mut self) -> Result<Option<Vec<TargetGroup>>, String> {
        let all_again = self.read_all.is_none_or(|at| at.elapsed() >= self.config.refresh);
        if all_again {
            self.read_all = Some(Instant::now());
        }
        let paths: Vec<PathBuf> = self.config.files.iter().flat_map(|pattern| matching(pattern)).collect();
        let before = self.seen.len();
        self.seen.retain(|path, _| paths.contains(path) && path.exists());
        let mut changed = before != self.seen.len() || !std::mem::replace(&mut self.began, true);
        let mut failed = None;
        for path in paths {
            let Ok(facts) = std::fs::metadata(&path) else { continue };
            let stamp = (facts.modified().ok(), facts.len());
            if !all_again && self.seen.get(&path).is_some_and(|(seen, _)| *seen == stamp) {
                continue;
            }
            changed = true;
            match read(&path) {
                Ok(groups) => drop(self.seen.insert(path, (stamp, groups))),
                Err(reason) => {
                    // Noted as seen, so that it is told once.
                    self.seen.entry(path).or_default().0 = stamp;
                    failed = Some(reason);
                }
            }
        }
        match failed {
            Some(reason) => Err(reason),
            None => Ok(changed.then(|| self.seen.values().flat_map(|(_, groups)| groups.clone()).collect())),
        }
    }
}

fn read(path: &Path) -> Result<Vec<TargetGroup>, String> {
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|e| format!("{name}: {e}"))?;
    let extra = ("__meta_filepath", name.as_str());
    if path.extension().is_some_and(|e| e == "json") {
        return from_json(&text, &name, extra);
    }
    let text = String::from_utf8(text).map_err(|_| format!("{name}: the file is not UTF-8"))?;
    from_yaml(&text, &name, extra)
}

impl Refresh for Files {
    fn interval(&self) -> Duration {
        LOOK.min(self.config.refresh)
    }

    async fn refresh(&mut self) -> Result<Option<Vec<TargetGroup>>, String> {
        self.look()
    }
}
