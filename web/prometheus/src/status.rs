//! About the server itself: configuration, flags, build, store. I/O: HTTP, the operating system.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use decide_promql::functions;
use http::{HeaderValue, StatusCode, header};
use kernel::series::{BlockFacts, Counted, SeriesAdmin};
use serde_json::{Value, json};

use crate::answer::{Answer, Api, success};
use crate::error::{ApiError, ErrorKind};
use crate::limits::{STATUS_ENTRIES, STATUS_ENTRIES_MOST};
use crate::params::{Params, parse_integer};
use crate::views::go_time;

/// `GET /api/v1/status/config`
pub(crate) async fn config(api: Api) -> Answer {
    success(&json!({ "yaml": api.configuration().yaml }))
}

/// `GET /api/v1/status/flags`
pub(crate) async fn flags(api: Api) -> Answer {
    success(&api.settings().flags)
}

/// `GET /api/v1/status/buildinfo`: Grafana asks it to know what it talks to.
pub(crate) async fn build_info(api: Api) -> Answer {
    success(&api.settings().build)
}

/// `GET /version`
pub(crate) async fn version(api: Api) -> Response {
    axum::Json(&api.settings().build).into_response()
}

/// `GET /api/v1/status/runtimeinfo`
pub(crate) async fn runtime_info(api: Api) -> Answer {
    let (settings, configuration) = (api.settings(), api.configuration());
    let folder = std::env::current_dir().map(|p| p.display().to_string()).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Go's own words stand for what comes nearest here.
    success(&json!({
        "startTime": go_time(Some(settings.started_at)),
        "CWD": folder,
        "hostname": hostname(),
        "serverTime": go_time(Some(api.now())),
        "reloadConfigSuccess": configuration.is_good,
        "lastConfigTime": go_time(configuration.read_at.or(Some(settings.started_at))),
        "corruptionCount": 0,
        "goroutineCount": tokio::runtime::Handle::current().metrics().num_alive_tasks(),
        "GOMAXPROCS": cores,
        "GOMEMLIMIT": i64::MAX,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": settings.retention,
    }))
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

fn store(api: &Api) -> Result<Arc<dyn SeriesAdmin>, ApiError> {
    let none = || ApiError::new(ErrorKind::NotFound, "nothing is known of the store here");
    api.store().ok_or_else(none)
}

/// `GET /api/v1/status/tsdb`
pub(crate) async fn tsdb(api: Api, params: Params) -> Answer {
    let limit = match params.get("limit") {
        None => STATUS_ENTRIES,
        Some(text) => parse_integer(text)
            .ok()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n > 0)
            .ok_or_else(|| ApiError::bad("limit must be a positive number"))?,
    };
    if limit > STATUS_ENTRIES_MOST {
        return Err(ApiError::bad(format!("limit must not exceed {STATUS_ENTRIES_MOST}")));
    }
    let store = store(&api)?;
    let found = api.gate().run(api.settings().timeout, move |_| Ok(store.cardinality(limit))).await?;
    let counted =
        |all: &[Counted]| -> Vec<Value> { all.iter().map(|c| json!({ "name": c.name, "value": c.count })).collect() };
    success(&json!({
        "headStats": {
            "numSeries": found.series,
            "numLabelPairs": found.label_pairs,
            // There are no chunks here: a column of each series is being written.
            "chunkCount": found.series,
            "minTime": found.min_ms.unwrap_or(i64::MAX),
            "maxTime": found.max_ms.unwrap_or(i64::MIN),
        },
        "seriesCountByMetricName": counted(&found.series_by_metric),
        "labelValueCountByLabelName": counted(&found.values_by_label),
        "memoryInBytesByLabelName": counted(&found.bytes_by_label),
        "seriesCountByLabelValuePair": counted(&found.series_by_pair),
    }))
}

fn block(b: &BlockFacts) -> Value {
    let mut told = json!({
        "ulid": b.name,
        "minTime": b.min_ms,
        "maxTime": b.max_ms,
        "stats": { "numSamples": b.samples, "numSeries": b.series, "numBytes": b.bytes },
        "compaction": { "level": b.level, "sources": [b.name] },
        "version": 1,
    });
    if let (Some(ms), Some(told)) = (b.rollup_ms, told.as_object_mut()) {
        // Prometheus has none; clients leave out what they do not know.
        told.insert("rollup".to_owned(), json!({ "resolutionMs": ms }));
    }
    told
}

/// `GET /api/v1/status/tsdb/blocks`
pub(crate) async fn blocks(api: Api) -> Answer {
    let store = store(&api)?;
    let found = api.gate().run(api.settings().timeout, move |_| Ok(store.blocks())).await?;
    success(&json!({ "blocks": found.iter().map(block).collect::<Vec<_>>() }))
}

/// `GET /api/v1/status/walreplay`: the log is read before anything is answered.
pub(crate) async fn wal_replay(_: Api) -> Answer {
    success(&json!({ "min": 0, "max": 0, "current": 0 }))
}

/// `GET /api/v1/notifications`: what Prometheus's own pages would show; there are none here.
pub(crate) async fn notifications(_: Api) -> Answer {
    success(&json!([]))
}

/// `GET /api/v1/notifications/live`
pub(crate) async fn notifications_live(_: Api) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `GET /api/v1/features`: what of Prometheus's there is.
pub(crate) async fn features(api: Api) -> Answer {
    let on = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), true)).collect::<BTreeMap<_, _>>();
    let mut api_features = on(&[
        "exclude_alerts",
        "label_values_match",
        "openapi_3.1",
        "otlp_write_receiver",
        "query_stats",
        "query_warnings",
        "remote_write_receiver",
        "search",
        "search_fuzz_alg_jarowinkler",
        "search_fuzz_alg_subsequence",
        "time_range_labels",
        "time_range_series",
    ]);
    api_features.insert("admin".to_owned(), api.admin().is_some());
    api_features.insert("lifecycle".to_owned(), api.has_lifecycle());
    let operators = [
        "!=",
        "!~",
        "%",
        "*",
        "+",
        "-",
        "/",
        "<",
        "<=",
        "==",
        "=~",
        ">",
        ">=",
        "@",
        "^",
        "and",
        "atan2",
        "avg",
        "bottomk",
        "count",
        "count_values",
        "group",
        "limit_ratio",
        "limitk",
        "max",
        "min",
        "or",
        "quantile",
        "stddev",
        "stdvar",
        "sum",
        "topk",
        "unless",
    ];
    let all = functions().iter().map(|f| (f.name.to_owned(), true)).collect::<BTreeMap<_, _>>();
    success(&json!({
        "api": api_features,
        "promql": on(&[
            "anchored", "at_modifier", "bool", "by", "delayed_name_removal", "duration_expr", "fill", "group_left", "group_right",
            "ignoring", "negative_offset", "offset", "on", "smoothed", "subqueries", "type_and_unit_labels", "without",
        ]),
        "promql_functions": all,
        "promql_operators": on(&operators),
        "tsdb": on(&["exemplars", "native_histograms", "out_of_order"]),
    }))
}

/// `GET /metrics`
pub(crate) async fn metrics(api: Api) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
    ([(header::CONTENT_TYPE, kind)], api.own_metrics()).into_response()
}
