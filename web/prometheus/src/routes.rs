//! The one table of routes, and a router of its own for servers without people. Pure.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use http::{HeaderValue, Method, StatusCode, header};
use observe_receive::otlp::grpc::EXPORT_METRICS_PATH;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use crate::answer::Api;
use crate::backend::Backend;
use crate::error::ApiError;
use crate::{
    admin, federate, grpc, lifecycle, openapi, query, read, receive, rules, search, self_metrics, series, status,
    targets,
};

/// What a route is for, so that whoever mounts it can say who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Reads series, through the eyes of whoever asks.
    Read,
    /// Reads rules and alerts.
    Rules,
    /// Tells what is scraped and what is known of metrics.
    Targets,
    /// Tells of the server itself: configuration, flags, store.
    Status,
    /// Tells nothing of any series: what it is, what it can, how an expression is written.
    Open,
    /// Adds samples.
    Write,
    /// Deletes, copies.
    Admin,
    /// Tells whether it lives.
    Alive,
    /// Reads the configuration again, ends.
    Lifecycle,
}

/// One route.
pub struct Route<S> {
    /// HTTP method; `GET` answers `HEAD` too.
    pub method: Method,
    /// Path as axum writes it.
    pub path: &'static str,
    /// What it is for.
    pub purpose: Purpose,
    /// What answers; it finds its [`Api`] in the request's extensions.
    pub handler: MethodRouter<S>,
}

/// Adds a route for each method.
fn add<S, H, T>(all: &mut Vec<Route<S>>, methods: &[Method], path: &'static str, purpose: Purpose, handler: H)
where
    S: Clone + Send + Sync + 'static,
    H: Handler<T, S> + Clone,
    T: 'static,
{
    for method in methods {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        all.push(Route { method: method.clone(), path, purpose, handler: on(filter, handler.clone()) });
    }
}

const GET: &[Method] = &[Method::GET];

const POST: &[Method] = &[Method::POST];
const GET_POST: &[Method] = &[Method::GET, Method::POST];
const POST_PUT: &[Method] = &[Method::POST, Method::PUT];

/// Every route.
pub fn table<S: Clone + Send + Sync + 'static>() -> Vec<Route<S>> {
    use Purpose::{Admin, Alive, Lifecycle, Open, Read, Rules, Status, Targets, Write};
    let mut all = Vec::new();
    let a = &mut all;
    add(a, GET_POST, "/api/v1/query", Read, query::query);
    add(a, GET_POST, "/api/v1/query_range", Read, query::query_range);
    add(a, GET_POST, "/api/v1/query_exemplars", Read, query::query_exemplars);
    add(a, GET_POST, "/api/v1/format_query", Open, query::format_query);
    add(a, GET_POST, "/api/v1/parse_query", Open, query::parse_query);
    add(a, GET_POST, "/api/v1/labels", Read, series::labels);
    add(a, GET, "/api/v1/label/{name}/values", Read, series::label_values);
    add(a, GET_POST, "/api/v1/series", Read, series::series);
    add(a, GET_POST, "/api/v1/search/metric_names", Read, search::metric_names);
    add(a, GET_POST, "/api/v1/search/label_names", Read, search::label_names);
    add(a, GET_POST, "/api/v1/search/label_values", Read, search::label_values);
    add(a, POST, "/api/v1/read", Read, read::read);
    add(a, GET, "/federate", Read, federate::federate);
    add(a, GET, "/api/v1/rules", Rules, rules::rules);
    add(a, GET, "/api/v1/alerts", Rules, rules::alerts);
    add(a, GET, "/api/v1/alertmanagers", Targets, rules::alertmanagers);
    add(a, GET, "/api/v1/scrape_pools", Targets, targets::scrape_pools);
    add(a, GET, "/api/v1/scrape_pools/config", Targets, targets::scrape_pool_config);
    add(a, GET, "/api/v1/targets", Targets, targets::targets);
    add(a, GET, "/api/v1/targets/metadata", Targets, targets::target_metadata);
    add(a, GET, "/api/v1/targets/relabel_steps", Targets, targets::relabel_steps);
    add(a, GET, "/api/v1/metadata", Targets, targets::metadata);
    add(a, GET, "/api/v1/status/config", Status, status::config);
    add(a, GET, "/api/v1/status/flags", Status, status::flags);
    add(a, GET, "/api/v1/status/runtimeinfo", Status, status::runtime_info);
    add(a, GET, "/api/v1/status/tsdb", Status, status::tsdb);
    add(a, GET, "/api/v1/status/tsdb/blocks", Status, status::blocks);
    add(a, GET, "/api/v1/status/walreplay", Status, status::wal_replay);
    add(a, GET, "/api/v1/status/self_metrics", Status, self_metrics::self_metrics);
    add(a, GET, "/api/v1/openapi.yaml", Open, openapi::openapi);
    add(a, GET, "/api/v1/status/buildinfo", Open, status::build_info);
    add(a, GET, "/api/v1/features", Open, status::features);
    add(a, GET, "/api/v1/notifications", Open, status::notifications);
    add(a, GET, "/api/v1/notifications/live", Open, status::notifications_live);
    add(a, GET, "/version", Open, status::version);
    add(a, GET, "/metrics", Status, status::metrics);
    add(a, POST_PUT, "/api/v1/admin/tsdb/delete_series", Admin, admin::delete_series);
    add(a, POST_PUT, "/api/v1/admin/tsdb/clean_tombstones", Admin, admin::clean_tombstones);
    add(a, POST_PUT, "/api/v1/admin/tsdb/compact", Admin, admin::compact);
    add(a, POST_PUT, "/api/v1/admin/tsdb/snapshot", Admin, admin::snapshot);
    add(a, GET, "/-/healthy", Alive, lifecycle::healthy);
    add(a, GET, "/-/ready", Alive, lifecycle::ready);
    add(a, POST_PUT, "/-/reload", Lifecycle, lifecycle::reload);
    add(a, POST_PUT, "/-/quit", Lifecycle, lifecycle::quit);
    add(a, GET, "/-/reload", Lifecycle, lifecycle::only_changes);
    add(a, GET, "/-/quit", Lifecycle, lifecycle::only_changes);
    add(a, POST, "/api/v1/write", Write, receive::write);
    add(a, POST, "/api/v1/otlp/v1/metrics", Write, receive::otlp);
    add(a, POST, EXPORT_METRICS_PATH, Write, grpc::export_metrics);
    all
}

/// A server of this API alone: every route, nobody asked who they are.
///
/// `cors` says which web pages of others may read answers (Prometheus's `web.cors.origin`, anchored at both ends); `None`: none.
pub fn router(backend: Arc<dyn Backend>, cors: Option<regex::Regex>) -> Router {
    let mut router = Router::new();
    for route in table::<()>() {
        router = router.route(route.path, route.handler);
    }
    // Chunks are packed already, and have to go out as they are made.
    let packable = DefaultPredicate::new().and(NotForContentType::new("application/x-"));
    router
        .fallback(not_found)
        .layer(from_fn(as_httprouter))
        .layer(CatchPanicLayer::custom(|_| ApiError::internal("unexpected error").into_response()))
        .layer(from_fn(wait_until_ready))
        // Fast rather than small: clients are near, and a large answer would keep a core busy.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(packable))
        .layer(from_fn_with_state(Cors(cors), allow_origin))
        .layer(Extension(Api(backend)))
}

async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "404 page not found\n")
}

/// Answers what no method is there for as Prometheus's router does, and who asks for the methods of a path.
async fn as_httprouter(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let asks = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    let (StatusCode::METHOD_NOT_ALLOWED, Some(path)) = (response.status(), path) else { return response };
    let mut methods: Vec<String> =
        table::<()>().iter().filter(|r| r.path == path).map(|r| r.method.as_str().to_owned()).collect();
    // What only says that it has to be done otherwise answers so itself.
    if methods.is_empty() || lifecycle::says_how(&path) {
        return response;
    }
    if methods.iter().any(|m| m == "GET") {
        methods.push("HEAD".to_owned());
    }
    methods.push("OPTIONS".to_owned());
    methods.sort_unstable();
    let allow = [(header::ALLOW, methods.join(", "))];
    match asks {
        true => (allow, ()).into_response(),
        false => (StatusCode::METHOD_NOT_ALLOWED, allow, "Method Not Allowed\n").into_response(),
    }
}

/// Nothing but whether it lives is answered before everything is read.
async fn wait_until_ready(api: Api, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/-/") || api.is_ready() {
        return next.run(request).await;
    }
    lifecycle::not_ready()
}

/// Which pages of others may read answers.
#[derive(Clone)]
struct Cors(Option<regex::Regex>);

impl Cors {
    /// What a page from `origin` is told.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        /// Every origin there is, as Prometheus's default says it.
        const EVERY: &str = "^(?:.*)$";
        let pattern = self.0.as_ref()?;
        if pattern.as_str() == EVERY {
            return Some(HeaderValue::from_static("*"));
        }
        origin.to_str().is_ok_and(|o| pattern.is_match(o)).then(|| origin.clone())
    }
}

async fn allow_origin(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asks_first = request.method() == Method::OPTIONS && request.uri().path().starts_with("/api/v1/");
    let mut response = if asks_first { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    if let (Some(origin), true) = (origin, cors.0.is_some()) {
        let headers = response.headers_mut();
        if let Some(allowed) = cors.allowed(&origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
        let set = [
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type, Origin"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
            (header::VARY, "Origin"),
        ];
        for (name, value) in set {
            headers.append(name, HeaderValue::from_static(value));
        }
    }
    response
}
