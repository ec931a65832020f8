//! A plan's folder into a checked plan with its rules. I/O: reads the folder.

use std::path::Path;
use std::sync::Arc;

use decide::rules::file::read_rule_files;
use decide::rules::from_plan::rules_from_plan;
use decide::rules::lint::lint;
use kernel::Timestamp;
use kernel::hash::fnv1a;
use plan_model::load::{LoadOptions, Loaded, load};
use plan_syntax::diagnostic::has_errors;
use plan_syntax::{Diagnostic, SourceFile};

use crate::folder::{FolderError, read_folder};
use crate::system::ReadPlan;

/// What reading a folder gave: a plan ready to be prepared, or none because of errors; and everything there is to say.
pub struct Checked {
    /// Everything the files gave.
    pub loaded: Arc<Loaded>,
    /// Everything there is to say: about the plan and about its rule files.
    pub diagnostics: Vec<Diagnostic>,
    /// The plan with its rules; `None` when there are errors.
    pub read: Option<ReadPlan>,
    /// The files.
    pub files: Vec<SourceFile>,
}

/// Reads and checks a plan's folder.
///
/// # Errors
/// The folder cannot be read. Errors in the plan are in the diagnostics.
pub fn check_folder(folder: &Path, environment: Option<&str>, now: Timestamp) -> Result<Checked, FolderError> {
    let files = read_folder(folder)?;
    Ok(check_read(files, folder, environment, now))
}

/// Checks the files of a plan's folder that were read already.
pub fn check_read(files: Vec<SourceFile>, folder: &Path, environment: Option<&str>, now: Timestamp) -> Checked {
    let folder = folder.display().to_string();
    let environment = environment.map(ToOwned::to_owned);
    check_files(files, &LoadOptions { folder: folder.clone(), environment, today: today(now) }, &folder)
}

/// The day that decides what is planned from a day on: UTC's, as the plan's own time zone is not known before it is read.
fn today(now: Timestamp) -> jiff::civil::Date {
    now.in_zone(&jiff::tz::TimeZone::UTC).date()
}

/// What a plan follows from: its files and the day. While it stays the same, reading the plan again changes nothing.
pub fn origin(files: &[SourceFile], now: Timestamp) -> String {
    format!("{} {}", hash(files), today(now))
}

/// Checks files that were read already.
pub fn check_files(files: Vec<SourceFile>, options: &LoadOptions, folder: &str) -> Checked {
    let mut loaded = load(&files, options);
    let plan = loaded.plan.take().map(Arc::new);
    let mut diagnostics = loaded.diagnostics.clone();
    let mut groups = Vec::new();
    if let Some(plan) = &plan {
        let read = read_rule_files(&loaded.rule_files, &loaded.sources, plan);
        diagnostics.extend(lint(&read, plan, &loaded.sources));
        diagnostics.extend(read.diagnostics);
        diagnostics.extend(decide::kpi::check(plan, &loaded));
        diagnostics.extend(decide::dashboards::check(plan, &loaded));
        groups.extend(rules_from_plan(plan));
        groups.extend(read.groups);
    }
    plan_syntax::diagnostic::sort(&mut diagnostics);
    let loaded = Arc::new(loaded);
    let read = plan.filter(|_| !has_errors(&diagnostics)).map(|plan| ReadPlan {
        plan,
        loaded: loaded.clone(),
        groups,
        folder: folder.to_owned(),
        hash: hash(&files),
    });
    Checked { loaded, diagnostics, read, files }
}

/// A short hash of all files, FNV-1a over paths and texts: tells one version of a plan from another.
pub fn hash(files: &[SourceFile]) -> String {
    let hash = fnv1a(files.iter().flat_map(|f| f.path.bytes().chain([0]).chain(f.text.bytes()).chain([0])));
    format!("{hash:016x}")
}
