//! Own commands with the exit codes of Nagios plugins. I/O.
//!
//! | exit | means |
//! | --- | --- |
//! | 0 | up |
//! | 1 | slow: works, but near a bound (Nagios's warning) |
//! | 2 | down |
//! | 3 | blind: the plugin itself could not ask |
//! | other | down, as Nagios reads it |
//!
//! A command that cannot be started, or that a signal ended, is blind: nothing is known of the target then. Performance
//! data (`|time=0.05s;1;2`) become `farero_command_value{label,unit}` in base units; see [`perfdata`].

use std::path::PathBuf;

use kernel::probe::{Phase, Reading};
use kernel::secret::{Secret, Text};
use plan_model::check::CommandCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

mod child;
pub(crate) mod perfdata;

pub(crate) use child::{Finished, Invocation, run};

/// A command check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedCommand {
    invocation: Invocation,
}

/// Makes the check ready.
pub(crate) fn prepare_command(check: &CommandCheck, with: &Preparing<'_>) -> Result<PreparedCommand, PrepareError> {
    let mut invocation = prepare_invocation("run", &check.run, with)?;
    if let Some(directory) = &check.directory {
        invocation.directory = Some(PathBuf::from(with.resolve(directory)?.expose()));
    }
    for (name, value) in &check.environment {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(PrepareError::unusable("environment", format!("`{name}` is no name of a variable")));
        }
        invocation.environment.push((name.clone(), with.resolve(value)?));
    }
    Ok(PreparedCommand { invocation })
}

/// Program and arguments, resolved.
pub(crate) fn prepare_invocation(
    setting: &'static str,
    argv: &[Text],
    with: &Preparing<'_>,
) -> Result<Invocation, PrepareError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(PrepareError::unusable(setting, "it is empty: give the program and its arguments as a list"));
    };
    let arguments = arguments.iter().map(|a| with.resolve(a)).collect::<Result<Vec<Secret>, _>>()?;
    Ok(Invocation { program: with.resolve(program)?, arguments, environment: Vec::new(), directory: None })
}

/// Asks once.
pub(crate) async fn probe_command(command: &PreparedCommand, attempt: &Attempt) -> Probed {
    probe_invocation(&command.invocation, attempt).await
}

/// Runs a command and reads its verdict; also the second half of an Oracle check.
pub(crate) async fn probe_invocation(invocation: &Invocation, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Processing);
    attempt.doing("waiting for the command to end");
    let finished = match run(invocation).await {
        Ok(finished) => finished,
        Err(e) => return Probed::blind(e.to_string()),
    };
    record_output(&finished, attempt);
    judge(&finished, attempt)
}

fn record_output(finished: &Finished, attempt: &Attempt) {
    if let Some(code) = finished.status.code() {
        attempt.read(Reading::new("farero_command_exit_code", f64::from(code)));
    }
    if finished.was_cut {
        attempt.fact("output", format!("cut after {} bytes", child::MOST_OUTPUT));
    }
    if let Some(first) = first_line(&finished.stderr) {
        attempt.fact("stderr", first);
    }
    for value in perfdata::parse_output(&String::from_utf8_lossy(&finished.stdout)) {
        attempt.read(value.into_reading());
    }
}

/// The verdict of the exit code, with the first line of the output as its reason.
fn judge(finished: &Finished, attempt: &Attempt) -> Probed {
    use std::os::unix::process::ExitStatusExt;
    let Some(code) = finished.status.code() else {
        let signal = finished.status.signal().unwrap_or_default();
        return Probed::blind(format!("the command was ended by signal {signal}")).with_body(&finished.stdout);
    };
    let said = first_line(&finished.stdout).or_else(|| first_line(&finished.stderr));
    let said = said.unwrap_or_else(|| "it printed nothing".to_owned());
    let probed = match code {
        0 => Probed::up(),
        1 => {
            attempt.fact("slow", said);
            Probed::slow()
        }
        2 => Probed::down(said),
        3 => Probed::blind(said),
        _ => Probed::down(format!("{said} (exit {code} is none of 0 to 3, and counts as down)")),
    };
    probed.with_status(format!("exit {code}")).with_body(&finished.stdout)
}

/// The first line that says something, without performance data.
fn first_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().map(|l| l.split('|').next().unwrap_or_default().trim()).find(|l| !l.is_empty())?;
    Some(line.to_owned())
}

#[cfg(test)]
mod tests;
