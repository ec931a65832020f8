//! Prometheus's HTTP API v1 as far as clients need it: Grafana, promtool, scripts. I/O: HTTP, series.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>

mod ask;
mod params;
mod rules;
mod write;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::Timestamp;
use kernel::series::{Select, SeriesReader};
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Access;
use crate::limits::QUERY_STEPS;
pub(crate) use params::Params;
pub(crate) use rules::{alerts, rules};

/// An answer that is no success, in Prometheus's words.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl ApiError {
    fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "bad_data", message: message.into() }
    }

    fn execution(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, kind: "execution", message: message.into() }
    }

    fn busy(kind: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, kind, message: message.into() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "status": "error", "errorType": self.kind, "error": self.message });
        (self.status, Json(body)).into_response()
    }
}

type Answer = Result<Response, ApiError>;

fn success(data: Value) -> Response {
    Json(json!({ "status": "success", "data": data })).into_response()
}

/// `GET|POST /api/v1/query`
pub(crate) async fn query(State(app): State<App>, access: Access, params: Params) -> Answer {
    let text = params.need("query")?;
    let at = params.time("time")?.unwrap_or_else(|| app.clock.now());
    let found = ask::evaluate(&app, &access, text, ask::When::At(at.as_millis()), params.duration("timeout")?).await?;
    Ok(write::evaluated(&found))
}

/// `GET|POST /api/v1/query_range`
pub(crate) async fn query_range(State(app): State<App>, access: Access, params: Params) -> Answer {
    let text = params.need("query")?;
    let need = |name: &str| -> Result<Timestamp, ApiError> {
        params.time(name)?.ok_or_else(|| ApiError::bad(format!("invalid parameter \"{name}\": it is missing")))
    };
    let (start, end) = (need("start")?.as_millis(), need("end")?.as_millis());
    let step = params.duration("step")?.ok_or_else(|| ApiError::bad("invalid parameter \"step\": it is missing"))?;
    let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
    if end < start {
        return Err(ApiError::bad("invalid parameter \"end\": end timestamp must not be before start time"));
    }
    if step <= 0 {
        return Err(ApiError::bad(
            "invalid parameter \"step\": zero or negative query resolution step widths are not accepted",
        ));
    }
    if (end - start) / step > QUERY_STEPS {
        let message = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
        return Err(ApiError::bad(message));
    }
    let when = ask::When::Range { start, end, step };
    let found = ask::evaluate(&app, &access, text, when, params.duration("timeout")?).await?;
    Ok(write::evaluated(&found))
}

/// The window of a request for names: the last hours that are in memory and on disk, when left out.
fn window(app: &App, params: &Params) -> Result<(i64, i64), ApiError> {
    let end = params.time("end")?.unwrap_or_else(|| app.clock.now());
    let day = std::time::Duration::from_secs(86_400);
    let start = params.time("start")?.unwrap_or_else(|| end - day);
    Ok((start.as_millis(), end.as_millis()))
}

fn selects(app: &App, params: &Params) -> Result<Vec<Select>, ApiError> {
    let (start_ms, end_ms) = window(app, params)?;
    let parse = |text: &str| ask::matchers(text).map(|matchers| Select { matchers, start_ms, end_ms });
    params.all("match[]").map(parse).collect()
}

/// Runs `ask` for each selector off the async threads; all of them together are one request.
async fn gather<T: Ord + Send + 'static>(
    app: &App,
    access: &Access,
    selects: Vec<Select>,
    ask: impl Fn(&dyn SeriesReader, &Select) -> Result<Vec<T>, kernel::series::SeriesError> + Send + 'static,
) -> Result<Vec<T>, ApiError> {
    let reader = ask::seen_series(app, access)?;
    ask::in_turn(app, move || {
        let mut all = Vec::new();
        for select in &selects {
            all.extend(ask(&reader, select).map_err(|e| ApiError::execution(e.to_string()))?);
        }
        all.sort();
        all.dedup();
        Ok(all)
    })
    .await
}

fn or_everything(mut selects: Vec<Select>, (start_ms, end_ms): (i64, i64)) -> Vec<Select> {
    if selects.is_empty() {
        selects.push(Select { matchers: Vec::new(), start_ms, end_ms });
    }
    selects
}

/// `GET|POST /api/v1/labels`
pub(crate) async fn labels(State(app): State<App>, access: Access, params: Params) -> Answer {
    let selects = or_everything(selects(&app, &params)?, window(&app, &params)?);
    let names = gather(&app, &access, selects, |reader, select| reader.label_names(select)).await?;
    Ok(success(json!(names)))
}

/// `GET /api/v1/label/{name}/values`
pub(crate) async fn label_values(
    State(app): State<App>,
    access: Access,
    axum::extract::Path(name): axum::extract::Path<String>,
    params: Params,
) -> Answer {
    let selects = or_everything(selects(&app, &params)?, window(&app, &params)?);
    let values = gather(&app, &access, selects, move |reader, select| reader.label_values(&name, select)).await?;
    Ok(success(json!(values)))
}

/// `GET|POST /api/v1/series`
pub(crate) async fn series(State(app): State<App>, access: Access, params: Params) -> Answer {
    let selects = selects(&app, &params)?;
    if selects.is_empty() {
        return Err(ApiError::bad("no match[] parameter provided"));
    }
    let found = gather(&app, &access, selects, |reader, select| {
        reader.select(select).map(|all| all.into_iter().map(|s| s.labels).collect())
    });
    Ok(success(json!(found.await?)))
}

/// `GET /api/v1/status/buildinfo`: Grafana asks it to know what it talks to.
pub(crate) async fn build_info(State(app): State<App>) -> Response {
    success(json!({ "version": app.config.version, "application": "farero" }))
}
