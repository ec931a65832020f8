//! Whether a changed plan may be put in use, or waits until others have said yes. I/O: state.
//!
//! Invariants: the plan in use says whether a change of it needs approval, so no change can approve itself; what was approved is
//! these very files, known by their SHA-256; a restart asks as a reload does.

use decide::access::{ApprovalRule, Standing, Vote, decide_standing};
use kernel::Language;
use kernel::phrase::in_language;
use kernel::trail::{Actor, Deed};
use plan_model::load::Loaded;
use plan_model::{ApprovalOf, Plan};
use plan_syntax::SourceFile;
use sha2::{Digest, Sha256};
use state::{NewApproval, StateError};
use web::live::{InBoth, Reload};

use crate::core::Core;
use crate::loops::reload::put_in_use;
use crate::plans::check_read;
use crate::system::ReadPlan;

/// Name under which Farero asks: files do not say who changed them.
const ASKS: &str = "plans";

/// Most lines of a difference that a request shows.
const LINES_SHOWN: usize = 400;

/// What becomes of a plan.
enum Verdict {
    /// It may be used.
    Use,
    /// It waits for people, or they said no; in words.
    Stay(String),
}

/// A plan that is in use, or was the last time.
struct Before<'a> {
    plan: &'a Plan,
    loaded: &'a Loaded,
    subject: String,
}

/// What stands for some files: nobody makes other files with the same.
fn subject(files: &[SourceFile]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [file.path.as_bytes(), file.text.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn decide(core: &Core, before: &Before<'_>, read: &ReadPlan, files: &[SourceFile]) -> Result<Verdict, StateError> {
    let environment = read.loaded.environment.as_deref();
    let subject = subject(files);
    let Some(rule) = before.plan.approval(ApprovalOf::Plan, environment) else { return Ok(Verdict::Use) };
    if subject == before.subject {
        return Ok(Verdict::Use);
    }
    let now = core.now();
    let name = &before.plan.system;
    if let Some(known) = core.state.approval_of(ApprovalOf::Plan.as_str(), name, &subject)? {
        let kept: Option<ApprovalRule> = serde_json::from_str(&known.asked.rule).ok();
        let votes: Vec<Vote> = known.votes.into_iter().map(|(by, at, yes, note)| Vote { by, at, yes, note }).collect();
        let standing = match (Standing::parse(&known.standing), &kept) {
            (Some(Standing::Waiting) | None, Some(rule)) => {
                decide_standing(rule, &known.asked.requested_by, &votes, known.asked.expires_at, now)
            }
            (Some(decided), _) => decided,
            (None, None) => Standing::Rejected,
        };
        match standing {
            Standing::Approved => return Ok(Verdict::Use),
            Standing::Waiting => return Ok(Verdict::Stay(waits(core, known.id))),
            Standing::Rejected => {
                let why =
                    format!("the changed plan was rejected; see {}/approvals/{}", core.config.base_url(), known.id);
                return Ok(Verdict::Stay(why));
            }
            Standing::Expired => {}
        }
    }
    let language = before.plan.language;
    let lines = plan_model::diff(before.loaded, &read.loaded);
    let mut details: Vec<String> = lines.iter().take(LINES_SHOWN).map(|c| c.text(language)).collect();
    if lines.len() > LINES_SHOWN {
        details.push(format!("… {}", lines.len() - LINES_SHOWN));
    }
    let kept = ApprovalRule { need: rule.needed(), four_eyes: rule.four_eyes, by: rule.by.clone() };
    let asked = NewApproval {
        what: ApprovalOf::Plan.as_str().to_owned(),
        system: name.clone(),
        environment: environment.unwrap_or_default().to_owned(),
        subject: subject.clone(),
        details: details.join("\n"),
        payload: String::new(),
        rule: serde_json::to_string(&kept).unwrap_or_default(),
        requested_by: ASKS.to_owned(),
        requested_at: now,
        expires_at: now + rule.within.map_or(web::approvals::WAITS, kernel::Duration::std),
    };
    let deed = Deed::new(now, Actor::farero(ASKS), "approval.ask")
        .on(ApprovalOf::Plan.as_str(), &subject)
        .in_system(name)
        .in_environment(environment.unwrap_or_default());
    let (id, _) = core.state.ask_approval(&asked, &deed)?;
    Ok(Verdict::Stay(waits(core, id)))
}

fn waits(core: &Core, id: i64) -> String {
    format!("the changed plan waits for approval; see {}/approvals/{id}", core.config.base_url())
}

/// Puts a plan in use that was read again, unless it waits for approval.
pub fn consider(core: &Core, read: ReadPlan, files: &[SourceFile]) {
    let systems = core.systems();
    let verdict = match systems.get(&read.plan.system) {
        None => Ok(Verdict::Use),
        Some(used) => match last_subject(core, &used.plan.system) {
            Ok(subject) => decide(core, &Before { plan: &used.plan, loaded: &used.loaded, subject }, &read, files),
            Err(error) => Err(error),
        },
    };
    settle(core, verdict, read, files);
}

/// Puts a plan in use at a start: the one that was in use before, while a changed one waits for approval.
pub fn begin(core: &Core, read: ReadPlan, files: &[SourceFile]) {
    let name = read.plan.system.clone();
    let last = match core.state.plans(&name) {
        Ok(all) => all.into_iter().next(),
        Err(error) => {
            core.store_failed("the plan that was in use", &error);
            None
        }
    };
    let changed = |old: &Vec<SourceFile>| subject(old) != subject(files);
    let Some(old_files) = last.and_then(|v| files_of(&v.files_json)).filter(changed) else {
        return put_in_use(core, read, files);
    };
    let folder = std::path::Path::new(&read.folder);
    let old = check_read(old_files, folder, core.config.environment.as_deref(), core.now());
    let Some(old_read) = old.read else { return put_in_use(core, read, files) };
    let before = Before { plan: &old_read.plan, loaded: &old.loaded, subject: subject(&old.files) };
    match decide(core, &before, &read, files) {
        Ok(Verdict::Use) => put_in_use(core, read, files),
        other => {
            put_in_use(core, old_read, &old.files);
            settle(core, other, read, files);
        }
    }
}

fn settle(core: &Core, verdict: Result<Verdict, StateError>, read: ReadPlan, files: &[SourceFile]) {
    let name = read.plan.system.clone();
    let why = match verdict {
        Ok(Verdict::Use) => return put_in_use(core, read, files),
        Ok(Verdict::Stay(why)) => why,
        Err(error) => {
            core.store_failed("a request for approval", &error);
            format!("whether the changed plan was approved cannot be read: {error}")
        }
    };
    tracing::warn!(system = %name, %why, "the plan in use stays");
    core.counters.reloads_refused.add_one();
    let es = in_language(&why, Language::Es).into_owned();
    core.live.set_reload(&name, Reload { at: core.now(), accepted: false, errors: vec![InBoth { es, en: why }] });
}

/// The files of a stored version.
fn files_of(json: &str) -> Option<Vec<SourceFile>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(json).ok()?;
    Some(pairs.into_iter().map(|(path, text)| SourceFile::new(path, text)).collect())
}

/// What stands for the files that are in use.
fn last_subject(core: &Core, system: &str) -> Result<String, StateError> {
    let last = core.state.plans(system)?.into_iter().next();
    Ok(last.and_then(|v| files_of(&v.files_json)).map(|f| subject(&f)).unwrap_or_default())
}
