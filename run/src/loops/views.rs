//! The loop that keeps the read model's slow parts fresh: uptime, hosts, today's activity, own numbers. I/O by the stores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use decide_promql::{Limits, Query, Value, evaluate, parse};
use kernel::probe::CheckId;
use kernel::{Duration as PlanDuration, Timestamp};
use web::live::{DiskUse, HostUse, OwnMetric, TodayValue, Uptime};

use crate::activity;
use crate::core::Core;
use crate::system::System;

/// Hosts, today's activity and own numbers are read this often.
const EVERY: Duration = Duration::from_secs(5);

/// Uptime is computed this often at most: it moves slowly.
const UPTIME_EVERY: Duration = Duration::from_secs(30);

/// After uptime was computed, nothing of it is done for this many times as long: a year of 10,000 checks is much to add up,
/// and may not take more than a hundredth of a core.
const UPTIME_REST: u32 = 100;

const DAY: Duration = Duration::from_secs(86_400);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut uptime_due: Option<Timestamp> = None;
    let mut changed = core.changed();
    loop {
        let now = core.now();
        let with_uptime = uptime_due.is_none_or(|at| at <= now);
        let turn = core.clone();
        match tokio::task::spawn_blocking(move || refresh(&turn, now, with_uptime)).await {
            Ok(Some(took)) => {
                // Right after a start there is nothing to show yet: the first results are counted soon.
                let is_young = now.since(core.live.started_at()) < UPTIME_EVERY * 4;
                let least = if is_young { EVERY } else { UPTIME_EVERY };
                uptime_due = Some(now + least.max(took * UPTIME_REST));
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "refreshing the overview broke off"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = changed.changed() => uptime_due = None,
        }
    }
}

/// Refreshes everything; how long uptime took, where it was computed.
fn refresh(core: &Core, now: Timestamp, with_uptime: bool) -> Option<Duration> {
    let mut uptime_took = Duration::ZERO;
    for system in core.systems().values() {
        let name = &system.plan.system;
        for (host, _) in &system.plan.hosts {
            if let Some(used) = host_use(core, system, host, now) {
                core.live.set_host(name, host, used);
            }
        }
        if !system.plan.overview.today.is_empty() {
            core.live.set_today(name, today(core, system, now));
        }
        if with_uptime {
            let began = Instant::now();
            set_uptime(core, system, now);
            uptime_took += began.elapsed();
        }
    }
    own(core);
    with_uptime.then_some(uptime_took)
}

fn set_uptime(core: &Core, system: &System, now: Timestamp) {
    let [day, week, month, year] = [1, 7, 30, 365].map(|days| activity::uptimes(core, system, now - DAY * days, now));
    for id in system.plan.checks().map(|(component, check, _)| CheckId::new(&system.plan.system, component, check)) {
        let of = |u: &activity::Uptimes| u.checks.get(&id).copied();
        core.live.set_check_uptime(&id, Uptime { day: of(&day), week: of(&week), month: of(&month), year: of(&year) });
    }
    let uptime = Uptime { day: day.system, week: week.system, month: month.system, year: year.system };
    core.live.set_system_uptime(&system.plan.system, uptime);
}

/// The first value that a query gives now, with its labels.
fn ask(core: &Core, query: &str, now: Timestamp) -> Result<Vec<(kernel::Labels, f64)>, String> {
    let expr = parse(query).map_err(|e| e.to_string())?;
    let result = evaluate(&Query::instant(&expr, now.as_millis()), &*core.series, &Limits::default());
    match result.map_err(|e| e.to_string())?.value {
        Value::Scalar(sample) => Ok(vec![(kernel::Labels::default(), sample.value)]),
        Value::Vector(samples) => {
            Ok(samples.into_iter().filter_map(|s| Some((s.labels.clone(), s.float()?))).collect())
        }
        _ => Err("the query gives no single value".to_owned()),
    }
}

fn host_use(core: &Core, system: &System, host: &str, now: Timestamp) -> Option<HostUse> {
    let of = format!("{{system={:?},service={host:?}}}", system.plan.system);
    let all = |metric: &str| ask(core, &format!("{metric}{of}"), now).unwrap_or_default();
    let one = |metric: &str| all(metric).first().map(|(_, v)| *v);
    let ratio = |metric: &str| one(metric).map(|v| v * 100.0);
    let memory = one("node_memory_MemTotal_bytes");
    let disks = all("farero_host_disk_used_ratio")
        .into_iter()
        .map(|(labels, used)| {
            let mount = labels.get("mountpoint").unwrap_or_default().to_owned();
            let sizes = all("node_filesystem_size_bytes");
            let size = sizes.iter().find(|(l, _)| l.get("mountpoint") == Some(&mount)).map(|(_, v)| *v);
            DiskUse { mount, percent: used * 100.0, bytes: size.map(|s| (s * used, s)) }
        })
        .collect();
    let cores = ask(core, &format!("count(count by (cpu) (node_cpu_seconds_total{of}))"), now)
        .ok()?
        .first()
        .map(|(_, v)| *v as u32);
    let memory_ratio = ratio("farero_host_memory_used_ratio");
    let used = HostUse {
        at: now,
        cpu: ratio("farero_host_cpu_used_ratio"),
        cores,
        memory: memory_ratio,
        memory_bytes: memory.zip(memory_ratio).map(|(total, percent)| (total * percent / 100.0, total)),
        disks,
    };
    (used.cpu.is_some() || used.memory.is_some() || !used.disks.is_empty()).then_some(used)
}

/// The counters since midnight in the system's zone: `[today]` in a query stands for that time.
fn today(core: &Core, system: &System, now: Timestamp) -> Vec<TodayValue> {
    let midnight = now.in_zone(&system.zone).start_of_day().map_or(now, |z| Timestamp::from_jiff(z.timestamp()));
    let since = PlanDuration::from(now.since(midnight).max(Duration::from_secs(1)));
    system
        .plan
        .overview
        .today
        .iter()
        .map(|(name, counter)| {
            let query = counter.query.replace("[today]", &format!("[{since}]"));
            let answer = ask(core, &query, now);
            TodayValue {
                name: name.clone(),
                label: counter.label.clone().unwrap_or_else(|| name.clone()),
                // `increase()` extrapolates; what is counted are whole things.
                value: answer.as_ref().ok().and_then(|all| all.first()).map(|(_, v)| v.round()),
                error: answer.err(),
            }
        })
        .collect()
}

/// Numbers about Farero's own certificate.
fn certificate(state: &web::tls::CertificateState) -> Vec<OwnMetric> {
    let metric = |name: &str, help: &str, counter, value| OwnMetric {
        name: name.to_owned(),
        help: help.to_owned(),
        counter,
        labels: Vec::new(),
        value,
    };
    let mut all = vec![
        metric("farero_certificate_changes_total", "Certificates put in use.", true, state.changes as f64),
        metric("farero_certificate_refusals_total", "New certificates refused.", true, state.refusals as f64),
    ];
    let ends = state.ends_at.map(|at| at.as_millis() as f64 / 1_000.0);
    all.extend(ends.map(|ends| metric("farero_certificate_ends_seconds", "When its certificate ends.", false, ends)));
    all
}

/// What others sent, and what of it was turned away and why.
fn received(core: &Core) -> Vec<OwnMetric> {
    let mut all = Vec::new();
    let mut add = |name: &str, help: &str, labels: &[(&str, &str)], value: u64| {
        all.push(OwnMetric {
            name: name.to_owned(),
            help: help.to_owned(),
            counter: name.ends_with("_total"),
            labels: labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            value: value as f64,
        });
    };
    for sender in core.receiving.writer().senders() {
        let (by, counters) = (("sender", sender.name()), sender.counters());
        add("farero_receive_series", "Series of a sender.", &[by], sender.series() as u64);
        add("farero_receive_requests_total", "Requests understood.", &[by], counters.requests());
        add("farero_receive_samples_total", "Samples taken.", &[by], counters.samples());
        for (reason, count) in counters.rejected().filter(|(_, n)| *n > 0) {
            let labels = [("reason", reason.name()), by];
            add("farero_receive_rejected_total", "Samples turned away, by reason.", &labels, count);
        }
    }
    all
}

/// Farero's own numbers.
fn own(core: &Core) {
    let mut all: Vec<OwnMetric> = core
        .counters
        .list()
        .into_iter()
        .chain(core.scraper.counters())
        .map(|(name, help, value)| OwnMetric {
            name: name.to_owned(),
            help: help.to_owned(),
            counter: true,
            labels: Vec::new(),
            value: value as f64,
        })
        .collect();
    all.extend(core.certificates.get().into_iter().flat_map(|c| certificate(&c.state())));
    for count in core.state.outbox_counts().unwrap_or_default() {
        all.push(OwnMetric {
            name: "farero_outbox_entries".to_owned(),
            help: "Messages by state.".to_owned(),
            counter: false,
            labels: vec![
                ("system".to_owned(), count.system),
                ("state".to_owned(), format!("{:?}", count.state).to_lowercase()),
            ],
            value: count.count as f64,
        });
    }
    if let Some(p99) = core.counters.take_lateness_p99() {
        core.live.set_lateness(p99);
    }
    all.extend(received(core));
    core.live.set_own(all);
}
