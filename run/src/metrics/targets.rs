//! What is scraped, in the shapes of the API. Pure.

use kernel::Labels;
use observe_scrape::manager::{Health, Manager};
use serde_json::json;
use web_prometheus::views::{
    DroppedTarget, MetricMetadata, RelabelStep, Target, TargetHealth, TargetMetadata, Targets,
};

/// All targets, by job.
pub(crate) fn targets(manager: &Manager) -> Targets {
    let mut all = Targets::default();
    for pool in manager.pools(None) {
        all.dropped_counts.insert(pool.name, pool.dropped_count as u64);
        all.active.extend(pool.active.into_iter().map(|t| Target {
            discovered_labels: t.discovered_labels,
            labels: t.labels,
            scrape_pool: t.scrape_pool,
            scrape_url: t.scrape_url,
            global_url: t.global_url,
            last_error: t.last_error,
            last_scrape: t.last_scrape,
            last_scrape_duration: t.last_scrape_duration,
            health: match t.health {
                Health::Unknown => TargetHealth::Unknown,
                Health::Up => TargetHealth::Up,
                Health::Down => TargetHealth::Down,
            },
            scrape_interval: t.scrape_interval,
            scrape_timeout: t.scrape_timeout,
        }));
        let dropped = pool.dropped.into_iter();
        all.dropped.extend(
            dropped.map(|t| DroppedTarget { discovered_labels: t.discovered_labels, scrape_pool: t.scrape_pool }),
        );
    }
    all
}

/// What each relabeling rule of a job makes of labels; `None` when there is no such job. After the rule that drops the target
/// the others are not asked any more, and said to drop it too.
pub(super) fn relabel_steps(manager: &Manager, job: &str, labels: &Labels) -> Option<Vec<RelabelStep>> {
    let steps = manager.relabel_steps(job, labels)?;
    let step = |s: observe_scrape::relabel::RelabelStep| RelabelStep {
        rule: json!({
            "sourceLabels": s.rule.source_labels,
            "separator": s.rule.separator,
            "regex": s.rule.regex,
            "modulus": s.rule.modulus,
            "targetLabel": s.rule.target_label,
            "replacement": s.rule.replacement,
            "action": s.rule.action.name(),
        }),
        output: s.output,
        keep: s.keep,
    };
    Some(steps.into_iter().map(step).collect())
}

/// What targets told of their metrics.
pub(crate) fn metadata(manager: &Manager) -> Vec<TargetMetadata> {
    let mut out: Vec<TargetMetadata> = Vec::new();
    for one in manager.metadata(&|_| true, "") {
        let metric = MetricMetadata {
            metric: one.metric,
            kind: one.metadata.kind.as_str().to_owned(),
            help: one.metadata.help,
            unit: one.metadata.unit,
        };
        match out.last_mut() {
            Some(last) if last.target == one.target => last.metrics.push(metric),
            _ => out.push(TargetMetadata { target: one.target, metrics: vec![metric] }),
        }
    }
    out
}
