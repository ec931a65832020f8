//! Thresholds on hosts: CPU, memory, disks, by node_exporter's metrics (ALR-13, ALR-14, ALR-15). Pure.

use indexmap::IndexMap;
use kernel::Duration;
use plan_model::CheckKind;
use plan_model::severity::AlertPolicy;
use plan_model::threshold::Threshold;

use super::select::{Chosen, Members, choose};
use super::{Draft, Maker, over, up_to_minute};
use crate::rules::Rule;
use crate::words::fill;

/// Shortest window of a rate: two minutes hold several samples even where one is lost.
const RATE_WINDOW: Duration = Duration::from_mins(2);
/// Hosts sampled less often than this need `last_over_time`.
const OFTEN: Duration = Duration::from_mins(2);

/// What is measured.
#[derive(Clone, Copy)]
enum Measure {
    Cpu,
    Memory,
    Disk,
}

/// What hosts must share to share a rule.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shared {
    /// Thousandths of a percent, to be compared exactly.
    above: u64,
    hold: Duration,
    severity: String,
    runbook: Option<String>,
    every: Duration,
}

pub(super) fn rules(make: &Maker<'_>) -> Vec<Rule> {
    [Measure::Disk, Measure::Memory, Measure::Cpu].into_iter().flat_map(|m| of_measure(make, m)).collect()
}

fn of_measure(make: &Maker<'_>, measure: Measure) -> Vec<Rule> {
    let (mut sets, mut all) = (IndexMap::<Shared, Members>::new(), Members::default());
    for (component, name, check) in make.plan.checks() {
        let is_host = check.kinds().iter().any(|k| matches!(k, CheckKind::Host(_)));
        let Some(settings) = make.plan.effective(component, name).filter(|_| is_host) else { continue };
        all.add(component, name);
        let policy = make.plan.alert_policy(component);
        for t in thresholds(&policy, measure) {
            let key = Shared {
                above: (t.above.percent() * 1_000.0).round() as u64,
                hold: t.hold.unwrap_or_default(),
                severity: t.severity.clone(),
                runbook: t.runbook.clone(),
                every: settings.every,
            };
            sets.entry(key).or_default().add(component, name);
        }
    }
    sets.sort_by(|a, _, b, _| b.above.cmp(&a.above));
    choose(make.plan, &sets, &all).into_iter().filter_map(|(k, chosen)| rule(make, measure, &k, &chosen)).collect()
}

fn thresholds(policy: &AlertPolicy, measure: Measure) -> &[Threshold] {
    match measure {
        Measure::Cpu => &policy.cpu,
        Measure::Memory => &policy.memory,
        Measure::Disk => &policy.disk,
    }
}

fn rule(make: &Maker<'_>, measure: Measure, key: &Shared, chosen: &Chosen) -> Option<Rule> {
    let window = (key.every > OFTEN).then(|| up_to_minute(Duration::from_millis(3 * key.every.as_millis())));
    let newest = |metric: &str| over(&chosen.of(metric), window);
    let left = |free: &str, all: &str| format!("100 * (1 - {} / {})", newest(free), newest(all));
    let (name, seen, summary) = match measure {
        Measure::Cpu => {
            let window = RATE_WINDOW.max(up_to_minute(Duration::from_millis(4 * key.every.as_millis())));
            let idle = chosen.of_and("node_cpu_seconds_total", "mode=\"idle\"");
            let seen = format!("100 * (1 - avg by (system, service) (rate({idle}[{window}])))");
            ("HostCpuHigh", seen, make.words.cpu)
        }
        Measure::Memory => {
            ("HostMemoryHigh", left("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"), make.words.memory)
        }
        Measure::Disk => {
            // As df tells it: what is kept back for root counts neither as used nor as free.
            let used = format!("({} - {})", newest("node_filesystem_size_bytes"), newest("node_filesystem_free_bytes"));
            let seen = format!("100 * {used} / ({used} + {})", newest("node_filesystem_avail_bytes"));
            ("HostDiskFull", seen, make.words.disk)
        }
    };
    let bound = key.above as f64 / 1_000.0;
    let hold = key.hold.humanize(make.plan.language);
    let bound_text = format!("{bound} %");
    let description = match key.hold {
        Duration::ZERO => fill(make.words.above, &[&bound_text]),
        _ => fill(make.words.above_for, &[&bound_text, &hold]),
    };
    Draft {
        name,
        expr: format!("{seen} > {bound}"),
        seen,
        hold: key.hold,
        severity: &key.severity,
        summary: summary.to_owned(),
        description,
        value: "{{ printf \"%.1f\" $value }} %",
        runbook: key.runbook.as_deref(),
        explainable: false,
    }
    .rule()
}
