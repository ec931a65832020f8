//! What is scraped, and what is known of metrics. I/O: HTTP.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Labels;
use serde_json::{Value, json};

use crate::answer::{Answer, Api, success};
use crate::error::ApiError;
use crate::params::{Params, parse_integer};
use crate::selectors::selector;
use crate::views::MetricMetadata;

/// `GET /api/v1/scrape_pools`
pub(crate) async fn scrape_pools(api: Api) -> Answer {
    let mut names = api.scrape_pools();
    names.sort_unstable();
    success(&json!({ "scrapePools": names }))
}

fn pool_of(params: &Params) -> Result<&str, ApiError> {
    params.get("scrapePool").ok_or_else(|| ApiError::bad("no scrapePool parameter provided"))
}

fn no_pool(why: impl std::fmt::Display) -> ApiError {
    ApiError::bad(format!("error retrieving scrape config: {why}"))
}

/// `GET /api/v1/scrape_pools/config`
pub(crate) async fn scrape_pool_config(api: Api, params: Params) -> Answer {
    success(&json!({ "yaml": api.scrape_pool(pool_of(&params)?).map_err(no_pool)? }))
}

/// `GET /api/v1/targets`
pub(crate) async fn targets(api: Api, params: Params) -> Answer {
    let (pool, state) = (params.of_address("scrapePool"), params.of_address("state").to_lowercase());
    let wants = |which: &str| matches!(state.as_str(), "" | "any") || state == which;
    let in_pool = |name: &str| pool.is_empty() || name == pool;
    let mut all = api.targets();
    all.active.retain(|t| wants("active") && in_pool(&t.scrape_pool));
    all.active.sort_by(|a, b| a.scrape_pool.cmp(&b.scrape_pool));
    all.dropped.retain(|t| wants("dropped") && in_pool(&t.scrape_pool));
    all.dropped.sort_by(|a, b| a.scrape_pool.cmp(&b.scrape_pool));
    let counts = if wants("dropped") { json!(all.dropped_counts) } else { Value::Null };
    success(&json!({ "activeTargets": all.active, "droppedTargets": all.dropped, "droppedTargetCounts": counts }))
}

/// A number that limits a list; below zero it does not.
fn number(params: &Params, name: &str) -> Result<Option<usize>, ApiError> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let number = parse_integer(text).map_err(|_| ApiError::bad(format!("{name} must be a number")))?;
    Ok(usize::try_from(number).ok())
}

/// What is known of a metric; a histogram's and a summary's parts are known by its name.
fn known<'m>(all: &'m [MetricMetadata], metric: &str) -> Option<&'m MetricMetadata> {
    all.iter().find(|m| m.metric == metric)
}

fn described(m: &MetricMetadata) -> Value {
    json!({ "type": m.kind, "help": m.help, "unit": m.unit })
}

/// `GET /api/v1/targets/metadata`
pub(crate) async fn target_metadata(api: Api, params: Params) -> Answer {
    let limit = number(&params, "limit")?;
    let wanted = match params.get("match_target") {
        Some(text) => selector(text).map_err(|e| ApiError::parameter("match_target", e))?,
        None => Vec::new(),
    };
    let metric = params.text("metric");
    let mut out: Vec<Value> = Vec::new();
    for told in api.metadata() {
        if limit.is_some_and(|limit| out.len() >= limit) {
            break;
        }
        if !wanted.iter().all(|m| m.matches_labels(&told.target)) {
            continue;
        }
        if metric.is_empty() {
            out.extend(told.metrics.iter().map(|m| {
                json!({ "target": told.target, "metric": m.metric, "type": m.kind, "help": m.help, "unit": m.unit })
            }));
        } else if let Some(m) = known(&told.metrics, metric) {
            out.push(json!({ "target": told.target, "type": m.kind, "help": m.help, "unit": m.unit }));
        }
    }
    success(&out)
}

/// `GET /api/v1/metadata`
pub(crate) async fn metadata(api: Api, params: Params) -> Answer {
    let (limit, per_metric) = (number(&params, "limit")?, number(&params, "limit_per_metric")?.filter(|n| *n > 0));
    let metric = params.text("metric");
    let mut all: BTreeMap<String, BTreeSet<MetricMetadata>> = BTreeMap::new();
    for told in api.metadata() {
        for m in told.metrics.into_iter().filter(|m| metric.is_empty() || m.metric == metric) {
            let of_metric = all.entry(m.metric.clone()).or_default();
            if per_metric.is_none_or(|most| of_metric.len() < most) {
                of_metric.insert(m);
            }
        }
    }
    let most = limit.unwrap_or(usize::MAX);
    let out: BTreeMap<&str, Vec<Value>> =
        all.iter().take(most).map(|(name, set)| (name.as_str(), set.iter().map(described).collect())).collect();
    success(&out)
}

/// `GET /api/v1/targets/relabel_steps`
pub(crate) async fn relabel_steps(api: Api, params: Params) -> Answer {
    let pool = pool_of(&params)?;
    let text = params.get("labels").ok_or_else(|| ApiError::bad("no labels parameter provided"))?;
    let labels: Labels = serde_json::from_str(text).map_err(|e| ApiError::bad(format!("error parsing labels: {e}")))?;
    success(&json!({ "steps": api.relabel_steps(pool, labels).map_err(no_pool)? }))
}
