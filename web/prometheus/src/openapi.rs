//! `/api/v1/openapi.yaml`: this API as an OpenAPI document, for generators of clients and for testers. Pure.
//!
//! <https://spec.openapis.org/oas/v3.1.0>. It is written as JSON, which YAML 1.2 contains.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};

use crate::answer::Api;
use crate::backend::PROMETHEUS_VERSION;
use crate::routes::table;

/// What a parameter takes.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// Seconds since the epoch or RFC 3339.
    Time,
    /// Seconds or a duration.
    Length,
    Number,
    Flag,
    /// May be repeated.
    List,
}

/// Name, what it takes, whether it must be there.
type Parameter = (&'static str, Kind, bool);

const QUERY: Parameter = ("query", Kind::Text, true);
const LIMIT: Parameter = ("limit", Kind::Number, false);
const START: Parameter = ("start", Kind::Time, false);
const END: Parameter = ("end", Kind::Time, false);
const MATCH: Parameter = ("match[]", Kind::List, false);
const TIMEOUT: Parameter = ("timeout", Kind::Length, false);
const LOOKBACK: Parameter = ("lookback_delta", Kind::Length, false);
const STATS: Parameter = ("stats", Kind::Text, false);
const POOL: Parameter = ("scrapePool", Kind::Text, false);
const METRIC: Parameter = ("metric", Kind::Text, false);
/// What all searches take.
const SEARCH: &[Parameter] = &[
    MATCH,
    ("search[]", Kind::List, false),
    ("fuzz_threshold", Kind::Number, false),
    ("fuzz_alg", Kind::Text, false),
    ("case_sensitive", Kind::Flag, false),
    ("sort_by", Kind::Text, false),
    ("sort_dir", Kind::Text, false),
    ("include_score", Kind::Flag, false),
    START,
    END,
    LIMIT,
    ("batch_size", Kind::Number, false),
];

/// Paths with what they are for and what they take, those of the path itself left out.
const PATHS: &[(&str, &str, &[Parameter])] = &[
    ("/query", "Evaluate an expression once", &[QUERY, ("time", Kind::Time, false), TIMEOUT, LIMIT, LOOKBACK, STATS]),
    (
        "/query_range",
        "Evaluate an expression over a range",
        &[
            QUERY,
            ("start", Kind::Time, true),
            ("end", Kind::Time, true),
            ("step", Kind::Length, true),
            TIMEOUT,
            LIMIT,
            LOOKBACK,
            STATS,
        ],
    ),
    ("/query_exemplars", "Exemplars of the series of an expression", &[QUERY, START, END]),
    ("/format_query", "Write an expression well", &[QUERY]),
    ("/parse_query", "Take an expression apart", &[QUERY]),
    ("/labels", "Names of labels", &[MATCH, START, END, LIMIT]),
    ("/label/{name}/values", "Values of a label", &[MATCH, START, END, LIMIT]),
    ("/series", "Label sets of series", &[("match[]", Kind::List, true), START, END, LIMIT]),
    ("/search/metric_names", "Search names of metrics", SEARCH),
    ("/search/label_names", "Search names of labels", SEARCH),
    ("/search/label_values", "Search values of a label", SEARCH),
    ("/read", "Remote read (snappy, protobuf)", &[]),
    ("/write", "Remote write (snappy, protobuf)", &[]),
    ("/otlp/v1/metrics", "OTLP metrics", &[]),
    (
        "/rules",
        "Rules",
        &[
            ("type", Kind::Text, false),
            ("rule_name[]", Kind::List, false),
            ("rule_group[]", Kind::List, false),
            ("file[]", Kind::List, false),
            MATCH,
            ("exclude_alerts", Kind::Flag, false),
            ("group_limit", Kind::Number, false),
            ("group_next_token", Kind::Text, false),
        ],
    ),
    ("/alerts", "Alerts that are pending or firing", &[]),
    ("/alertmanagers", "Alertmanagers that are told", &[]),
    ("/scrape_pools", "Names of scrape configurations", &[]),
    ("/scrape_pools/config", "A scrape configuration", &[("scrapePool", Kind::Text, true)]),
    ("/targets", "What is scraped", &[("state", Kind::Text, false), POOL]),
    ("/targets/metadata", "What targets say of metrics", &[("match_target", Kind::Text, false), METRIC, LIMIT]),
    (
        "/targets/relabel_steps",
        "What relabeling makes of labels",
        &[("scrapePool", Kind::Text, true), ("labels", Kind::Text, true)],
    ),
    ("/metadata", "What is known of metrics", &[METRIC, LIMIT, ("limit_per_metric", Kind::Number, false)]),
    ("/status/config", "The configuration", &[]),
    ("/status/flags", "Flags", &[]),
    ("/status/runtimeinfo", "The process", &[]),
    ("/status/buildinfo", "The program", &[]),
    ("/status/tsdb", "What makes series many", &[LIMIT]),
    ("/status/tsdb/blocks", "Blocks and roll-ups", &[]),
    ("/status/walreplay", "Whether the log is read", &[]),
    ("/status/self_metrics", "Its own numbers", &[("metric_name_pattern", Kind::Text, false)]),
    ("/features", "What is switched on", &[]),
    ("/notifications", "What the server has to say", &[]),
    ("/notifications/live", "The same as a stream", &[]),
    ("/openapi.yaml", "This document", &[]),
    ("/admin/tsdb/delete_series", "Delete samples", &[("match[]", Kind::List, true), START, END]),
    ("/admin/tsdb/clean_tombstones", "Remove what was deleted from the disk", &[]),
    ("/admin/tsdb/compact", "Make blocks of everything now (Farero's own)", &[]),
    ("/admin/tsdb/snapshot", "Copy the store while it runs", &[("skip_head", Kind::Flag, false)]),
];

/// Where this API begins.
const BASE: &str = "/api/v1";

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Time | Kind::Length => json!({ "type": "string" }),
        Kind::Number => json!({ "type": "integer" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::List => json!({ "type": "array", "items": { "type": "string" } }),
    }
}

fn described(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Time => Some("Seconds since the epoch, or RFC 3339."),
        Kind::Length => Some("Seconds, or a duration such as 5m."),
        Kind::Text | Kind::Number | Kind::Flag | Kind::List => None,
    }
}

fn operation(path: &str, summary: &str, parameters: &[Parameter], method: &str) -> Value {
    let one = |name: &str, place: &str, kind: Kind, required: bool| {
        let mut out = json!({ "name": name, "in": place, "required": required, "schema": schema(kind) });
        if let (Some(text), Some(out)) = (described(kind), out.as_object_mut()) {
            out.insert("description".to_owned(), json!(text));
        }
        out
    };
    let mut all: Vec<Value> = Vec::new();
    if path.contains("{name}") {
        all.push(one("name", "path", Kind::Text, true));
    }
    // A form holds them as well as the address.
    all.extend(parameters.iter().map(|(name, kind, required)| one(name, "query", *kind, *required && method == "get")));
    let fails = json!({ "description": "No success", "content": { "application/json": {
        "schema": { "$ref": "#/components/schemas/Failure" } } } });
    json!({
        "summary": summary,
        "parameters": all,
        "responses": { "200": { "description": "Success" }, "default": fails },
    })
}

/// The document, of the routes that there are.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in table::<()>() {
        let Some(path) = route.path.strip_prefix(BASE) else { continue };
        let Some((_, summary, parameters)) = PATHS.iter().find(|(known, _, _)| *known == path) else { continue };
        let method = route.method.as_str().to_lowercase();
        let operation = operation(path, summary, parameters, &method);
        if let Some(methods) = paths.entry(path.to_owned()).or_insert_with(|| json!({})).as_object_mut() {
            methods.insert(method, operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Prometheus's HTTP API, as Farero answers it",
            "version": PROMETHEUS_VERSION,
            "license": { "name": "Apache-2.0" },
        },
        "servers": [{ "url": BASE }],
        "paths": paths,
        "components": { "schemas": { "Failure": {
            "type": "object",
            "required": ["status", "errorType", "error"],
            "properties": {
                "status": { "const": "error" },
                "errorType": { "type": "string" },
                "error": { "type": "string" },
            },
        } } },
    })
}

/// `GET /api/v1/openapi.yaml`
pub(crate) async fn openapi(_: Api) -> Response {
    let kind = HeaderValue::from_static("application/yaml; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], format!("{:#}\n", document())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let routes = table::<()>();
        let routes: BTreeSet<&str> = routes.iter().filter_map(|r| r.path.strip_prefix(BASE)).collect();
        let described: BTreeSet<&str> = PATHS.iter().map(|(path, _, _)| *path).collect();
        assert_eq!(routes, described);
        let document = document();
        assert_eq!(document["paths"].as_object().unwrap().len(), described.len());
        let series = &document["paths"]["/series"];
        assert_eq!(series["get"]["parameters"][0]["required"], true);
        assert_eq!(series["post"]["parameters"][0]["required"], false);
    }
}
