//! Measures this machine: CPU, load, memory, file systems, network, disks, pressure (CHK-06, MET-05). I/O.
//!
//! Names and values are node_exporter's, so that its dashboards and rules work as they are. Beside them stand a few
//! ratios that the plan's thresholds use:
//!
//! | reading | formula |
//! | --- | --- |
//! | `farero_host_cpu_used_ratio` | 1 − Δ(idle + iowait) ÷ Δ(all modes), all CPUs, between two samples |
//! | `farero_host_memory_used_ratio` | 1 − MemAvailable ÷ MemTotal |
//! | `farero_host_disk_used_ratio{mountpoint}` | (size − free) ÷ (size − free + avail): `df`'s Use% |
//! | `farero_host_inodes_used_ratio{mountpoint}` | (files − files_free) ÷ files |
//! | `farero_host_network_used_ratio{device,direction}` | Δbytes ÷ Δseconds ÷ speed, where the speed is known |
//!
//! Files of `/proc` are opened once and read again from the start; no process is spawned. A part that cannot be read
//! leaves its readings out and says so by `node_scrape_collector_success{collector} 0`, as node_exporter does.

use std::sync::{Arc, Mutex, PoisonError};

use kernel::Timestamp;
use kernel::probe::Reading;
use plan_model::check::HostCheck;

use crate::probe::{Attempt, PrepareError, Preparing, Probed};

mod disk;
mod filesystem;
mod memory;
mod mounts;
mod network;
mod proc_file;
mod stat;
mod statvfs;
mod system;

/// Measures this machine again and again; keeps open files and the counters of the sample before.
#[derive(Debug, Default)]
pub struct HostSampler {
    stat: stat::StatReader,
    memory: memory::MemoryReader,
    filesystem: filesystem::FilesystemReader,
    network: network::NetworkReader,
    disk: disk::DiskReader,
    system: system::SystemReader,
}

impl HostSampler {
    /// A sampler that has measured nothing yet: ratios over time come with the second sample.
    pub fn new() -> Self {
        Self::default()
    }

    /// Measures once. Blocks for as long as the kernel takes to answer, and at most
    /// 500 ms for each file system that does not answer (the first time only): call it where blocking is allowed.
    pub fn sample(&mut self, now: Timestamp, check: &HostCheck) -> Vec<Reading> {
        let mut out = Vec::with_capacity(256);
        let parts: [(&'static str, std::io::Result<()>); 6] = [
            ("stat", self.stat.read(&mut out)),
            ("meminfo", self.memory.read(&mut out)),
            ("filesystem", self.filesystem.read(&check.mounts, &mut out)),
            ("netdev", self.network.read(now, &check.interfaces, &mut out)),
            ("diskstats", self.disk.read(&mut out)),
            ("loadavg", self.system.read(&mut out)),
        ];
        out.push(Reading::new("node_time_seconds", now.as_secs_f64()));
        for (collector, result) in parts {
            if let Err(error) = &result {
                tracing::debug!(collector, %error, "a part of this machine could not be measured");
            }
            let success = f64::from(u8::from(result.is_ok()));
            out.push(Reading::new("node_scrape_collector_success", success).label("collector", collector));
        }
        out
    }
}

/// A host check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedHost {
    check: HostCheck,
    sampler: Arc<Mutex<HostSampler>>,
}

/// Makes the check ready.
pub(crate) fn prepare_host(check: &HostCheck, _: &Preparing<'_>) -> Result<PreparedHost, PrepareError> {
    Ok(PreparedHost { check: check.clone(), sampler: Arc::default() })
}

/// Asks once.
pub(crate) async fn probe_host(host: &PreparedHost, attempt: &Attempt) -> Probed {
    attempt.doing("measuring this machine");
    let (sampler, check) = (host.sampler.clone(), host.check.clone());
    let now = attempt.now();
    let sampled =
        tokio::task::spawn_blocking(move || sampler.lock().unwrap_or_else(PoisonError::into_inner).sample(now, &check));
    let Ok(readings) = sampled.await else {
        return Probed::blind("measuring this machine was broken off; it is tried again at the next interval");
    };
    record_facts(&readings, attempt);
    let verdict = judge(&host.check, &readings);
    readings.into_iter().for_each(|r| attempt.read(r));
    verdict
}

/// What the bars of the overview show, as facts of the result.
fn record_facts(readings: &[Reading], attempt: &Attempt) {
    let ratio = |metric: &str| readings.iter().find(|r| r.metric == metric).map(|r| r.value);
    for (name, metric) in [("cpu", "farero_host_cpu_used_ratio"), ("memory", "farero_host_memory_used_ratio")] {
        if let Some(used) = ratio(metric) {
            attempt.fact(name, format!("{:.0} %", used * 100.0));
        }
    }
    let disks: Vec<String> = readings
        .iter()
        .filter(|r| r.metric == "farero_host_disk_used_ratio")
        .map(|r| format!("{} {:.0} %", r.labels.first().map_or("", |l| l.1.as_str()), r.value * 100.0))
        .collect();
    if !disks.is_empty() {
        attempt.fact("disk", disks.join(", "));
    }
}

/// Up when measured; blind when the kernel's counters cannot be read; down when a mount that the plan names is missing
/// or does not answer. Thresholds on the readings are rules, not part of the check.
fn judge(check: &HostCheck, readings: &[Reading]) -> Probed {
    if !readings.iter().any(|r| r.metric == "node_cpu_seconds_total") {
        return Probed::blind("the kernel's counters cannot be read (/proc/stat): is /proc mounted, is this Linux?");
    }
    let measured = |mount: &str| {
        readings.iter().any(|r| r.metric == "node_filesystem_size_bytes" && r.labels.iter().any(|(_, v)| v == mount))
    };
    let missing: Vec<&str> = check.mounts.iter().map(String::as_str).filter(|m| !measured(m)).collect();
    if missing.is_empty() {
        return Probed::up();
    }
    Probed::down(format!("not mounted, or not answering: {}; see `findmnt`", missing.join(", ")))
}

#[cfg(test)]
mod tests;
