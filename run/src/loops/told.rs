//! What the loops tell the trail of plans: which came into use with what differences, which were refused. Pure but for the core.

use std::path::Path;

use kernel::Timestamp;
use kernel::trail::{Actor, Deed, Hash, MOST_CHANGES};
use plan_model::{ChangeKind, diff};
use plan_syntax::SourceFile;

use crate::core::Core;
use crate::system::ReadPlan;

/// Errors of a refused plan that are told; the rest is counted.
const ERRORS_TOLD: usize = 10;

/// The deed of a plan that comes into use: its hashes, and what is different from the one that was in use.
pub(super) fn in_use(core: &Core, read: &ReadPlan, files: &[SourceFile], now: Timestamp) -> Deed {
    let name = &read.plan.system;
    let mut text = Vec::new();
    for file in files {
        for part in [&file.path, &file.text] {
            text.extend_from_slice(part.as_bytes());
            text.push(0);
        }
    }
    let systems = core.systems();
    let before = systems.get(name);
    let mut deed = Deed::new(now, Actor::farero("plans"), "plan.use")
        .on("plan", name)
        .in_system(name)
        .in_environment(read.loaded.environment.as_deref().unwrap_or_default())
        .changed("hash", before.map(|s| s.hash.as_str()), Some(&read.hash))
        .set("sha256", Hash::of(&text).to_string())
        .set("version", read.plan.version.as_deref().unwrap_or_default());
    let Some(before) = before else { return deed };
    let differences = diff(&before.loaded, &read.loaded);
    let shown = MOST_CHANGES.saturating_sub(deed.change.len());
    for change in differences.iter().take(shown) {
        let clean = |text: &Option<String>| text.as_ref().map(|t| before.redactor.redact(t));
        let (old, new) = (clean(&change.old), clean(&change.new));
        let gone = change.kind == ChangeKind::Removed;
        let new = new.or_else(|| (!gone).then(String::new));
        deed = deed.changed(&change.path, old.as_deref(), new.as_deref());
    }
    let more = differences.len().saturating_sub(shown);
    if more > 0 { deed.saying(format!("and {more} more differences")) } else { deed }
}

/// Tells of a plan that was refused, once for each of its versions.
pub(super) fn refused(core: &Core, folder: &Path, hash: &str, errors: &[String]) {
    let folder_name = folder.display().to_string();
    if !core.keeper.is_news(&format!("plan {folder_name}"), hash, "") {
        return;
    }
    let systems = core.systems();
    let system = systems.values().find(|s| Path::new(&s.folder) == folder);
    let mut said: Vec<&str> = errors.iter().take(ERRORS_TOLD).map(String::as_str).collect();
    let rest = format!("and {} more errors", errors.len().saturating_sub(ERRORS_TOLD));
    if errors.len() > ERRORS_TOLD {
        said.push(&rest);
    }
    let deed = Deed::new(core.now(), Actor::farero("plans"), "plan.refuse")
        .on("plan", system.map_or(folder_name.as_str(), |s| &s.plan.system))
        .in_system(system.map_or("", |s| &s.plan.system))
        .set("hash", hash)
        .set("folder", &folder_name)
        .set("errors", errors.len().to_string());
    let text = system.map_or_else(|| said.join("\n\n"), |s| s.redactor.redact(&said.join("\n\n")));
    core.tell(&deed.refused(text));
}
