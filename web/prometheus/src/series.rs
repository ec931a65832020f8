//! Names: of series, of labels, and their values; exemplars. I/O: CPU pool, series.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::Labels;
use kernel::series::{Exemplar, Select, SeriesError, SeriesReader};

use crate::answer::{Answer, Api, json, success_with, truncated};
use crate::error::ApiError;
use crate::escaping::unescape;
use crate::json::{push_labels, push_texts, write_exemplars};
use crate::params::Params;
use crate::selectors::{expression, inside, selectors};

fn selects(all: Vec<Vec<kernel::series::Matcher>>, (start_ms, end_ms): (i64, i64)) -> Vec<Select> {
    all.into_iter().map(|matchers| Select { matchers, start_ms, end_ms }).collect()
}

/// Runs `ask` for each selector off the async threads; all of them together are one request. What is found is sorted and told once.
async fn gather<T: Ord + Send + 'static>(
    api: &Api,
    selects: Vec<Select>,
    ask: impl Fn(&dyn SeriesReader, &Select) -> Result<Vec<T>, SeriesError> + Send + 'static,
) -> Result<Vec<T>, ApiError> {
    let (reader, timeout) = (api.reader()?, api.settings().timeout);
    let work = move |turn: &crate::gate::Turn| {
        let mut all = Vec::new();
        for select in &selects {
            if !decide_promql::Control::goes_on(turn) {
                return Err(ApiError::execution("nobody waits for the answer any more"));
            }
            all.extend(ask(&*reader, select)?);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    };
    api.gate().run(timeout, work).await
}

/// Selectors of a request for names; without one everything is meant.
fn or_everything(params: &Params) -> Result<Vec<Select>, ApiError> {
    let range = params.range()?;
    let mut all = selectors(params)?;
    if all.is_empty() {
        all.push(Vec::new());
    }
    Ok(selects(all, range))
}

/// `GET|POST /api/v1/labels`
pub(crate) async fn labels(api: Api, params: Params) -> Answer {
    let limit = params.limit()?;
    let mut names = gather(&api, or_everything(&params)?, |reader, select| reader.label_names(select)).await?;
    let warnings = truncated(&mut names, limit);
    success_with(&names, &warnings)
}

/// `GET /api/v1/label/{name}/values`
pub(crate) async fn label_values(api: Api, Path(name): Path<String>, params: Params) -> Answer {
    let name = unescape(&name);
    if name.is_empty() {
        return Err(ApiError::bad(format!("invalid label name: {name:?}")));
    }
    let limit = params.limit()?;
    let selects = or_everything(&params)?;
    let mut values = gather(&api, selects, move |reader, select| reader.label_values(&name, select)).await?;
    let warnings = truncated(&mut values, limit);
    success_with(&values, &warnings)
}

/// `GET|POST /api/v1/series`
pub(crate) async fn series(api: Api, params: Params) -> Answer {
    params.whole()?;
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad("no match[] parameter provided"));
    }
    let limit = params.limit()?;
    let range = params.range()?;
    let all = selectors(&params).map_err(|e| ApiError::parameter("match[]", e.message()))?;
    let mut found = gather(&api, selects(all, range), |reader, select| reader.series(select)).await?;
    let warnings = truncated(&mut found, limit);
    let mut body = br#"{"status":"success","data":["#.to_vec();
    for (i, labels) in found.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        push_labels(&mut body, labels);
    }
    body.push(b']');
    push_texts(&mut body, "warnings", &warnings);
    body.push(b'}');
    Ok(json(body))
}

/// Exemplars of all series that an expression reads.
pub(crate) async fn exemplars(api: Api, params: Params) -> Result<Response, ApiError> {
    let range = params.range()?;
    if range.1 < range.0 {
        return Err(ApiError::bad("end timestamp must not be before start timestamp"));
    }
    let expr = expression(params.text("query")).map_err(ApiError::bad)?;
    let selects = selects(inside(&expr), range);
    if selects.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let (reader, timeout) = (api.reader()?, api.settings().timeout);
    let work = move |_: &crate::gate::Turn| {
        let mut all: Vec<(Labels, Vec<Exemplar>)> = Vec::new();
        for select in &selects {
            all.extend(reader.exemplars(select)?);
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|a, b| a.0 == b.0);
        Ok(write_exemplars(&all))
    };
    Ok(json(api.gate().run(timeout, work).await?))
}
