//! Names: of series, of labels, and their values; exemplars. I/O: CPU pool, series.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use kernel::Labels;
use kernel::series::{Exemplar, Matcher, Select, SeriesError, SeriesReader, VisitEach};

use crate::answer::{Answer, Api, TRUNCATED, json, too_large};
use crate::error::ApiError;
use crate::escaping::unescape;
use crate::gate::Turn;
use crate::holding::{Holding, points_of_bytes, points_of_labels, points_of_text};
use crate::json::{push_labels, push_text, push_texts, write_exemplars};
use crate::limits::ANSWER_BYTES;
use crate::params::Params;
use crate::selectors::{expression, inside, selectors};

fn selects(all: Vec<Vec<Matcher>>, (start_ms, end_ms): (i64, i64)) -> Vec<Select> {
    all.into_iter().map(|matchers| Select { matchers, start_ms, end_ms }).collect()
}

/// What a list is made of: sorted, each told once.
trait Entry: Ord + Send + 'static {
    /// Points of 8 bytes that it takes.
    fn points(&self) -> u64;

    fn write(&self, out: &mut Vec<u8>);
}

impl Entry for Labels {
    fn points(&self) -> u64 {
        points_of_labels(self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        push_labels(out, self);
    }
}

impl Entry for Arc<str> {
    fn points(&self) -> u64 {
        points_of_text(self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        push_text(out, self);
    }
}

/// Asks a reader, one at a time.
type Ask<T> = dyn Fn(&dyn SeriesReader, &Select, VisitEach<'_, T>) -> Result<(), SeriesError> + Send;

/// What was found, the first ones of it, and whether there were more.
struct Found<T> {
    all: BTreeSet<T>,
    cut: bool,
}

/// Gathers what all selectors find; with a limit no more than that is ever held.
fn gather<T: Entry>(
    reader: &dyn SeriesReader,
    selects: &[Select],
    limit: Option<usize>,
    ask: &Ask<T>,
    holding: &mut Holding<'_>,
) -> Result<Found<T>, ApiError> {
    let mut found = Found { all: BTreeSet::new(), cut: false };
    for select in selects {
        ask(reader, select, &mut |one: T| {
            if limit.is_some() && found.cut && found.all.last().is_some_and(|last| one > *last) {
                return holding.look();
            }
            let points = one.points();
            if !found.all.insert(one) {
                return holding.look();
            }
            holding.take(points)?;
            if limit.is_some_and(|limit| found.all.len() > limit)
                && let Some(last) = found.all.pop_last()
            {
                holding.give_back(last.points());
                found.cut = true;
            }
            ControlFlow::Continue(())
        })?;
        holding.check()?;
    }
    Ok(found)
}

/// The answer with what was found.
fn write<T: Entry>(found: Found<T>, holding: &mut Holding<'_>) -> Result<Vec<u8>, ApiError> {
    let mut body = br#"{"status":"success","data":["#.to_vec();
    for (i, one) in found.all.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        let before = body.len();
        one.write(&mut body);
        if body.len() > ANSWER_BYTES {
            return Err(too_large());
        }
        if holding.take(points_of_bytes(body.len() - before)).is_break() {
            break;
        }
    }
    holding.check()?;
    body.push(b']');
    push_texts(&mut body, "warnings", &found.cut.then(|| TRUNCATED.to_owned()).into_iter().collect::<Vec<_>>());
    body.push(b'}');
    Ok(body)
}

/// A list of all that selectors find, as an answer. All of it is one piece of work on the CPU pool.
async fn list<T: Entry>(api: &Api, selects: Vec<Select>, limit: Option<usize>, ask: Box<Ask<T>>) -> Answer {
    let (reader, settings) = (api.reader()?, api.settings());
    let most = settings.limits.max_points;
    let work = move |turn: &Turn| -> Result<Bytes, ApiError> {
        let mut holding = Holding::new(turn, most);
        let found = gather(&*reader, &selects, limit, &*ask, &mut holding)?;
        Ok(turn.sent(write(found, &mut holding)?))
    };
    Ok(json(api.gate().run(settings.timeout, work).await?))
}

/// The values of a label, or the names of all labels, that selectors find: for searching in them.
pub(crate) fn texts(
    reader: &dyn SeriesReader,
    selects: &[Select],
    label: Option<&str>,
    holding: &mut Holding<'_>,
) -> Result<BTreeSet<Arc<str>>, ApiError> {
    let label = label.map(str::to_owned);
    let ask = move |reader: &dyn SeriesReader, select: &Select, visit: VisitEach<'_, Arc<str>>| match &label {
        Some(label) => reader.visit_values(label, select, visit),
        None => names(reader, select, visit),
    };
    Ok(gather(reader, selects, None, &ask, holding)?.all)
}

/// Names are few: as a list, one by one.
fn names(reader: &dyn SeriesReader, select: &Select, visit: VisitEach<'_, Arc<str>>) -> Result<(), SeriesError> {
    // Stopped early is no failure.
    let _ = reader.label_names(select)?.into_iter().map(Arc::from).try_for_each(visit);
    Ok(())
}

/// Selectors of a request for names; without one everything is meant.
pub(crate) fn or_everything(params: &Params, range: (i64, i64)) -> Result<Vec<Select>, ApiError> {
    let mut all = selectors(params)?;
    if all.is_empty() {
        all.push(Vec::new());
    }
    Ok(selects(all, range))
}

/// `GET|POST /api/v1/labels`
pub(crate) async fn labels(api: Api, params: Params) -> Answer {
    let limit = params.limit()?;
    let selects = or_everything(&params, params.range()?)?;
    list(&api, selects, limit, Box::new(names)).await
}

/// `GET /api/v1/label/{name}/values`
pub(crate) async fn label_values(api: Api, Path(name): Path<String>, params: Params) -> Answer {
    let name = unescape(&name);
    if name.is_empty() {
        return Err(ApiError::bad(format!("invalid label name: {name:?}")));
    }
    let limit = params.limit()?;
    let selects = or_everything(&params, params.range()?)?;
    let ask = move |reader: &dyn SeriesReader, select: &Select, visit: VisitEach<'_, Arc<str>>| {
        reader.visit_values(&name, select, visit)
    };
    list(&api, selects, limit, Box::new(ask)).await
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
    let ask =
        |reader: &dyn SeriesReader, select: &Select, visit: VisitEach<'_, Labels>| reader.visit_labels(select, visit);
    list::<Labels>(&api, selects(all, range), limit, Box::new(ask)).await
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
    let work = move |turn: &Turn| {
        let mut all: Vec<(Labels, Vec<Exemplar>)> = Vec::new();
        for select in &selects {
            all.extend(reader.exemplars(select)?);
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|a, b| a.0 == b.0);
        Ok(turn.sent(write_exemplars(&all)))
    };
    Ok(json(api.gate().run(timeout, work).await?))
}
