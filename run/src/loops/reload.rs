//! The loop that reads plans again: on SIGHUP, when their files change, when somebody asks. A bad new plan is refused with its
//! errors shown, the old one stays. I/O.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kernel::Language;
use kernel::phrase::in_language;
use kernel::probe::{Evidence, Outcome, ProbeResult};
use notify::{RecursiveMode, Watcher};
use plan_syntax::{Diagnostic, Level, Style};
use tokio::sync::mpsc;
use web::live::{InBoth, PlanVersion, Reload};

use crate::core::Core;
use crate::folder::read_folder;
use crate::loops::told;
use crate::plans::{Checked, check_read, origin};
use crate::system::{ReadPlan, System};

/// Editors write a file in several steps: the plan is read this long after the last of them.
const QUIET: Duration = Duration::from_millis(400);

/// Where file changes cannot be watched (network file systems), folders are compared this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let (touched, mut touches) = mpsc::channel(16);
    let watcher = watch(&core.config.plans, &touched);
    if let Err(error) = &watcher {
        tracing::warn!(%error, "plan files cannot be watched; they are compared every {} s instead", LOOK_EVERY.as_secs());
    }
    loop {
        let asked = tokio::select! {
            Some(()) = touches.recv() => {
                while tokio::time::timeout(QUIET, touches.recv()).await.is_ok_and(|t| t.is_some()) {}
                false
            }
            () = core.reload_bell.notified() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
        let turn = core.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || reload(&turn, asked)).await {
            tracing::error!(%error, "reading plans broke off; the plans in use stay");
        }
    }
}

fn watch(folders: &[PathBuf], touched: &mpsc::Sender<()>) -> notify::Result<notify::RecommendedWatcher> {
    let touched = touched.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let reading = event.as_ref().is_ok_and(|e| e.kind.is_access());
        if !reading {
            // A full queue means that a reload is about to happen anyway.
            let _ = touched.try_send(());
        }
    })?;
    for folder in folders {
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    // The watcher must live as long as the process; it stops when it is dropped.
    Ok(watcher)
}

/// Reads all folders; those that changed (all, when `asked`) are put in use or refused. Checking a large plan takes memory
/// for a moment, so what did not change is not checked again.
pub fn reload(core: &Core, asked: bool) {
    for folder in &core.config.plans {
        match read_folder(folder) {
            Ok(files) => {
                let is_new = core.see_plan(folder, origin(&files, core.now()));
                if asked || is_new {
                    let checked = check_read(files, folder, core.config.environment.as_deref(), core.now());
                    take(core, folder, checked);
                }
            }
            Err(error) if !core.see_plan(folder, error.to_string()) && !asked => {}
            Err(error) => {
                core.counters.reloads_refused.add_one();
                tracing::error!(%error, "the plan cannot be read; the one in use stays");
                let en = error.to_string();
                let es = in_language(&en, Language::Es).into_owned();
                told::refused(core, folder, &en, std::slice::from_ref(&en));
                refuse(core, folder, vec![InBoth { es, en }]);
            }
        }
    }
}

fn take(core: &Core, folder: &Path, checked: Checked) {
    match checked.read {
        Some(read) => crate::approval::consider(core, read, &checked.files),
        None => {
            core.counters.reloads_refused.add_one();
            let errors: Vec<InBoth> =
                checked.diagnostics.iter().filter(|d| d.level == Level::Error).map(|d| in_both(d, &checked)).collect();
            tracing::error!(folder = %folder.display(), errors = errors.len(), "the new plan has errors and is refused; the old one stays");
            let told: Vec<String> = errors.iter().map(|e| e.en.clone()).collect();
            told::refused(core, folder, &crate::plans::hash(&checked.files), &told);
            refuse(core, folder, errors);
        }
    }
}

/// An error of a plan with its text underlined, for readers of either language.
fn in_both(diagnostic: &Diagnostic, checked: &Checked) -> InBoth {
    let render = |language| {
        let style = Style { color: false, language };
        plan_syntax::render(std::slice::from_ref(diagnostic), &checked.loaded.sources, style).trim_end().to_owned()
    };
    InBoth { es: render(Language::Es), en: render(Language::En) }
}

fn refuse(core: &Core, folder: &Path, errors: Vec<InBoth>) {
    for system in core.systems().values().filter(|s| Path::new(&s.folder) == folder) {
        core.live.set_reload(&system.plan.system, Reload { at: core.now(), accepted: false, errors: errors.clone() });
    }
}

/// Prepares a plan and puts it in use; nothing that was measured or decided is lost.
pub fn put_in_use(core: &Core, read: ReadPlan, files: &[plan_syntax::SourceFile]) {
    core.see_plan(Path::new(&read.folder), origin(files, core.now()));
    record_version(core, &read, files);
    let values = core.look_up(&read.plan, &read.folder);
    put_in_use_with(core, read, values);
}

/// As [`put_in_use`], with values that were looked up already.
pub fn put_in_use_with(core: &Core, read: ReadPlan, values: secrets::Values) {
    let now = core.now();
    let system = Arc::new(System::prepare(read, values));
    let name = system.plan.system.clone();
    for (check, reason) in &system.waiting {
        tracing::warn!(%check, %reason, "cannot be asked yet");
    }
    for (channel, reason) in &system.silent {
        tracing::warn!(system = %name, %channel, %reason, "channel cannot be used yet");
    }
    set_tokens(core, &system);
    core.live.set_plan(PlanVersion {
        plan: system.plan.clone(),
        loaded: system.loaded.clone(),
        folder: system.folder.clone(),
        loaded_at: now,
        hash: system.hash.clone(),
    });
    core.live.set_reload(&name, Reload { at: now, accepted: true, errors: Vec::new() });
    show_waiting(core, &system);
    core.counters.reloads.add_one();
    tracing::info!(system = %name, checks = system.jobs.len() + system.judged.len(), rules = system.groups.len(), "plan in use");
    core.put_system(system);
    core.rules_bell.notify_one();
    core.deliveries_bell.notify_one();
}

fn record_version(core: &Core, read: &ReadPlan, files: &[plan_syntax::SourceFile]) {
    let version = state::PlanVersion {
        system: read.plan.system.clone(),
        hash: read.hash.clone(),
        at: core.now(),
        version: read.plan.version.clone().unwrap_or_default(),
        files_json: serde_json::to_string(&files.iter().map(|f| (&f.path, &f.text)).collect::<Vec<_>>())
            .unwrap_or_default(),
    };
    let told = told::in_use(core, read, files, version.at);
    if let Err(error) = core.state.record_plan(&version, &told) {
        core.store_failed("the plan's version", &error);
    }
}

/// Heartbeats whose address the plan names get it; the others keep the one that was made for them.
fn set_tokens(core: &Core, system: &System) {
    for judged in &system.judged {
        let Some(token) = &judged.token else { continue };
        match core.state.set_heartbeat_token(&judged.id, token.expose()) {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!(check = %judged.id, "its `token` is another heartbeat's: give each its own; calls count for the other one");
            }
            Err(error) => core.store_failed("a heartbeat's token", &error),
        }
    }
}

/// Checks that cannot be asked are shown as blind with the reason.
fn show_waiting(core: &Core, system: &System) {
    let now = core.now();
    for (check, reason) in &system.waiting {
        let result = ProbeResult {
            check: check.clone(),
            due_at: now,
            started_at: now,
            duration: kernel::Duration::ZERO,
            outcome: Outcome::Blind,
            attempts: 1,
            phases: Vec::new(),
            readings: Vec::new(),
            evidence: Evidence { error: Some(reason.clone()), ..Evidence::default() },
        };
        core.live.record_result(&Arc::new(result), None);
    }
}
