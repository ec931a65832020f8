//! `farero notify test CHANNEL`: sends a test message from here. I/O.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use kernel::message::AttemptResult;
use kernel::phrase::in_language;
use kernel::{Clock, Language};
use run::plans::check_folder;
use run::system::System;
use serde_json::json;

use crate::arguments::{Notify, NotifyAction};

pub(crate) fn run(arguments: &Notify, language: Language) -> Result<ExitCode> {
    let NotifyAction::Test { channel, plan, environment, json, secrets } = &arguments.action;
    let result = send(channel, plan, environment.as_deref(), super::run::secret_settings(secrets))?;
    let taken = matches!(result, AttemptResult::Taken { .. });
    if *json {
        crate::print::line(&serde_json::to_string_pretty(&json!({ "channel": channel, "outcome": result }))?)?;
    } else {
        crate::print::line(&match &result {
            AttemptResult::Taken { answer } => format!("{channel}: {}: {answer}", language.pick("recibido", "taken")),
            AttemptResult::Postponed { error, .. } => format!(
                "{channel}: {}: {}",
                language.pick("no recibido, otro intento puede lograrlo", "not taken, a later try may succeed"),
                in_language(error, language)
            ),
            AttemptResult::Refused { error } => {
                format!("{channel}: {}: {}", language.pick("rechazado", "refused"), in_language(error, language))
            }
        })?;
    }
    Ok(ExitCode::from(if taken { crate::exit::OK } else { crate::exit::NO }))
}

fn send(channel: &str, folder: &Path, environment: Option<&str>, settings: secrets::Settings) -> Result<AttemptResult> {
    let checked = check_folder(folder, environment, run::SystemClock.now())?;
    let read = checked.read.with_context(|| format!("{0} has errors; see: farero check {0}", folder.display()))?;
    let sources = secrets::Sources::new(settings);
    let values = sources.look_up(&serde_json::to_value(&*read.plan)?, folder);
    run::redacting::learn(values.secrets().chain(sources.own_secrets()));
    let system = System::prepare(read, values);
    let Some(sender) = system.senders.get(channel) else {
        let reason = system.silent.iter().find(|(name, _)| name == channel).map(|(_, reason)| reason.clone());
        let names: Vec<&str> = system.plan.channels.keys().map(String::as_str).collect();
        bail!(
            reason.unwrap_or_else(|| format!(
                "there is no channel `{channel}` in use; the plan has: {}",
                names.join(", ")
            ))
        );
    };
    let entry = run::loops::outbox::test_entry(&system, channel, None, run::SystemClock.now());
    Ok(super::run::runtime()?.block_on(sender.perform(&entry)))
}
