//! Processes on this machine: how many, with what memory and CPU time. I/O.

use std::fs;

use kernel::probe::Reading;
use plan_model::check::ProcessCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

mod facts;

pub(crate) use facts::{ProcessFacts, read_facts};

/// The kernel keeps this many bytes of an executable's name in `comm`.
const COMM_BYTES: usize = 15;

/// Most bytes of a command line that are looked at.
const MOST_ARGUMENTS: usize = 64 << 10;

/// A process check, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct PreparedProcess {
    wanted: Wanted,
    min: u32,
    max: Option<u32>,
}

/// Which processes count.
#[derive(Clone, Debug)]
enum Wanted {
    /// The executable's name.
    Name(String),
    /// A part of the command line.
    Arguments(String),
}

/// Makes the check ready.
pub(crate) fn prepare_process(check: &ProcessCheck, with: &Preparing<'_>) -> Result<PreparedProcess, PrepareError> {
    let name = with.resolve(&check.name)?.expose().to_owned();
    if name.is_empty() {
        return Err(PrepareError::unusable("name", "it is empty: give the name of an executable"));
    }
    let min = check.min.unwrap_or(1);
    if let Some(max) = check.max.filter(|max| *max < min) {
        return Err(PrepareError::unusable("max", format!("{max} is less than min, which is {min}")));
    }
    let wanted = if check.match_arguments { Wanted::Arguments(name) } else { Wanted::Name(name) };
    Ok(PreparedProcess { wanted, min, max: check.max })
}

/// Asks once.
pub(crate) async fn probe_process(process: &PreparedProcess, attempt: &Attempt) -> Probed {
    attempt.doing("looking through /proc");
    let wanted = process.wanted.clone();
    let found = match tokio::task::spawn_blocking(move || find_processes(&wanted)).await {
        Ok(Ok(found)) => found,
        Ok(Err(e)) => return Probed::blind(format!("/proc cannot be read: {e}")),
        Err(e) => return Probed::blind(format!("looking through /proc was broken off: {e}")),
    };
    record(&found, attempt);
    judge(process, found.len())
}

fn record(found: &[ProcessFacts], attempt: &Attempt) {
    let sum = |of: fn(&ProcessFacts) -> f64| found.iter().map(of).sum::<f64>();
    attempt.read(Reading::new("farero_processes", found.len() as f64));
    attempt.read(Reading::new("process_resident_memory_bytes", sum(|p| p.resident_bytes)));
    attempt.read(Reading::new("process_cpu_seconds_total", sum(|p| p.cpu_seconds)));
    attempt.read(Reading::new("process_threads", sum(|p| p.threads)));
    let ids: Vec<String> = found.iter().take(10).map(|p| p.pid.to_string()).collect();
    if !ids.is_empty() {
        attempt.fact("pid", ids.join(", "));
    }
}

fn judge(process: &PreparedProcess, found: usize) -> Probed {
    let bounds = match process.max {
        Some(max) if max == process.min => format!("{max}"),
        Some(max) => format!("{} to {max}", process.min),
        None => format!("at least {}", process.min),
    };
    let is_over = process.max.is_some_and(|max| found > max as usize);
    if found < process.min as usize || is_over {
        return Probed::down(format!("{found} processes run, expected {bounds}"));
    }
    Probed::up().with_status(format!("{found} running"))
}

fn find_processes(wanted: &Wanted) -> std::io::Result<Vec<ProcessFacts>> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry.ok().and_then(|e| e.file_name().to_str()?.parse::<i32>().ok()) else { continue };
        if is_wanted(wanted, pid, own) {
            // One that ended meanwhile, or a zombie, does not run.
            found.extend(read_facts(pid).filter(ProcessFacts::is_running));
        }
    }
    Ok(found)
}

fn is_wanted(wanted: &Wanted, pid: i32, own: i32) -> bool {
    match wanted {
        Wanted::Name(name) => {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            is_named(name, comm.trim_end_matches('\n'), || read_arguments(pid))
        }
        // Farero's own command line may hold the text (the plan's folder is named like the system).
        Wanted::Arguments(part) => pid != own && read_arguments(pid).contains(part.as_str()),
    }
}

/// `comm` is cut after 15 bytes: a longer name is compared with the program in the command line too.
fn is_named(name: &str, comm: &str, arguments: impl Fn() -> String) -> bool {
    if name.len() <= COMM_BYTES {
        return comm == name;
    }
    let program = arguments();
    let program = program.split(' ').next().unwrap_or_default();
    name.as_bytes().starts_with(comm.as_bytes()) && comm.len() == COMM_BYTES && program.rsplit('/').next() == Some(name)
}

/// The command line, its words separated by spaces.
fn read_arguments(pid: i32) -> String {
    let mut bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    bytes.truncate(MOST_ARGUMENTS);
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use kernel::probe::Outcome;

    use super::*;

    fn prepared(wanted: Wanted, min: u32, max: Option<u32>) -> PreparedProcess {
        PreparedProcess { wanted, min, max }
    }

    #[test]
    fn chk_04_bounds_on_the_number_of_processes() {
        let check = |min, max, found, expect| {
            let process = prepared(Wanted::Name("x".into()), min, max);
            assert_eq!(judge(&process, found).outcome, expect, "{found} with {min} to {max:?}");
        };
        check(1, None, 0, Outcome::Down);
        check(1, None, 7, Outcome::Up);
        check(0, Some(0), 0, Outcome::Up);
        check(0, Some(0), 1, Outcome::Down);
        check(2, Some(3), 4, Outcome::Down);
    }

    #[test]
    fn chk_04_finds_a_process_by_name_and_by_arguments() {
        let mut child = std::process::Command::new("sleep").arg("4242.5").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        // The child's name changes from ours to its own when it begins.
        let by_name = loop {
            let found = find_processes(&Wanted::Name("sleep".into())).unwrap();
            if found.iter().any(|p| p.pid == pid) {
                break found;
            }
        };
        let by_arguments = find_processes(&Wanted::Arguments("sleep 4242.5".into())).unwrap();
        child.kill().unwrap();
        // Not waited for yet: a zombie, which does not run.
        while read_facts(pid).is_some_and(|p| p.is_running()) {}
        assert!(find_processes(&Wanted::Arguments("sleep 4242.5".into())).unwrap().is_empty());
        child.wait().unwrap();
        assert!(by_name.iter().any(|p| p.pid == pid && p.resident_bytes > 0.0));
        assert_eq!(by_arguments.iter().map(|p| p.pid).collect::<Vec<_>>(), [pid]);
    }

    #[test]
    fn long_names_are_compared_whole() {
        let long = "prometheus-node-exporter";
        assert!(is_named(long, "prometheus-node", || "/usr/bin/prometheus-node-exporter --x".into()));
        assert!(!is_named(long, "prometheus-node", || "prometheus-node-other".into()));
        assert!(is_named("nginx", "nginx", String::new));
        assert!(!is_named("nginx", "nginx2", String::new));
    }
}
