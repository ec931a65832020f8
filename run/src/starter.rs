//! What the first-run assistant writes: a plan for somebody who has none, a file beside a plan that somebody has, and secrets in
//! files of their own. I/O: the plan's folder, the data folder.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kernel::Language;
use kernel::secret::Secret;
use plan_model::SourceFile;
use plan_model::load::LoadOptions;
use plan_model::starter::{Answers, is_own, write_fragment, write_plan};
use plan_syntax::{Level, Style};
use web::control::Starter;

use crate::core::Core;
use crate::folder::read_folder;
use crate::loops::reload;
use crate::plans::check_files;

/// Folder of the plan where none is named at the start.
pub const FOLDER: &str = "farero-plan";

/// The whole plan, where the assistant may write it.
const PLAN: &str = "plan.yaml";

/// The file beside somebody's own plan.
const FRAGMENT: &str = "first-steps.yaml";

/// Folder of secrets inside the data folder.
const SECRETS: &str = "secrets";

/// Makes a first plan in a folder that is not there yet, or is empty. Returns whether it did.
///
/// # Errors
/// The folder cannot be written.
pub fn provide(folder: &Path, language: Language) -> Result<bool> {
    let empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", folder.display())),
    };
    if !empty {
        return Ok(false);
    }
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let answers = Answers { language, ..Answers::default() };
    write_file(&folder.join(PLAN), &write_plan(&answers), 0o644)?;
    Ok(true)
}

/// What the assistant may write into: with one plan only, so that nobody has to ask which.
pub fn starter(core: &Core) -> Option<Starter> {
    let [folder] = core.config.plans.as_slice() else { return None };
    let systems = core.systems();
    let system = systems.values().find(|s| Path::new(&s.folder) == folder)?;
    Some(Starter {
        system: system.plan.system.clone(),
        label: system.plan.label.clone().unwrap_or_else(|| system.plan.system.clone()),
        timezone: system.plan.timezone.clone(),
        whole: owns_plan(folder),
        folder: folder.display().to_string(),
        secrets: secrets_folder(core).display().to_string(),
    })
}

fn owns_plan(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join(PLAN)).is_ok_and(|text| is_own(&text))
}

fn secrets_folder(core: &Core) -> PathBuf {
    let folder = core.config.data.join(SECRETS);
    std::path::absolute(&folder).unwrap_or(folder)
}

/// Writes secrets and plan, and reads the plan again. A plan with errors is not written.
///
/// # Errors
/// Why not, in words for people.
pub fn write(core: &Core, answers: &Answers, secrets: &[(String, Secret)]) -> Result<(), String> {
    let before = starter(core).ok_or("Farero watches several plans: change their files by hand")?;
    let folder = Path::new(&before.folder);
    let (name, text) = match before.whole {
        true => (PLAN, write_plan(answers)),
        false => (FRAGMENT, write_fragment(answers)),
    };
    let path = folder.join(name);
    if std::fs::read_to_string(&path).is_ok_and(|old| !is_own(&old)) {
        return Err(format!("{} was changed by hand: go on there, the assistant leaves it alone", path.display()));
    }
    // The references in the new plan must have something to stand for when it is read.
    for (name, secret) in secrets {
        keep_secret(core, name, secret).map_err(|e| format!("{e:#}"))?;
    }
    try_out(core, folder, name, &text)?;
    write_file(&path, &text, 0o644).map_err(|e| format!("{e:#}"))?;
    if before.whole && answers.system() != before.system {
        // Nothing but the assistant's own beginnings was measured under the old name.
        core.forget_system(&before.system);
    }
    reload::reload(core, true);
    Ok(())
}

/// Checks the folder as it would be with the new file.
fn try_out(core: &Core, folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let mut files = read_folder(folder).map_err(|e| e.to_string())?;
    files.retain(|f| f.path != name);
    files.push(SourceFile::new(name, text));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let options = LoadOptions {
        folder: folder.display().to_string(),
        environment: core.config.environment.clone(),
        today: core.now().in_zone(&jiff::tz::TimeZone::UTC).date(),
    };
    let checked = check_files(files, &options, &folder.display().to_string());
    if checked.read.is_some() {
        return Ok(());
    }
    let errors: Vec<_> = checked.diagnostics.iter().filter(|d| d.level == Level::Error).cloned().collect();
    let style = Style { color: false, language: Language::Es };
    Err(plan_syntax::render(&errors, &checked.loaded.sources, style))
}

fn keep_secret(core: &Core, name: &str, secret: &Secret) -> Result<()> {
    let folder = secrets_folder(core);
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.with_context(|| format!("{} cannot be made", folder.display()))?;
    write_file(&folder.join(name), secret.expose(), 0o600)
}

/// Writes a file whole or not at all.
fn write_file(path: &Path, text: &str, mode: u32) -> Result<()> {
    let failed = || format!("{} cannot be written; let the user that runs Farero own the folder", path.display());
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    // A leading dot keeps the half-written file out of the plan.
    let beside = path.with_file_name(format!(".{}", name.to_string_lossy()));
    let options = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside);
    let mut file = options.with_context(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)?;
    std::fs::rename(&beside, path).with_context(failed)
}
