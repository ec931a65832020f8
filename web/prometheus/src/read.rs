//! Remote read: another Prometheus reads series from here, as samples or as a stream of chunks. I/O: HTTP, series.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/>

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::Labels;
use kernel::series::{MatchOp, Select, Series, SeriesReader};
use observe_receive::read::{
    FRAME_BYTES, Frames, Query, ReadRequest, ResponseType, SAMPLED_CONTENT_TYPE, STREAMED_CONTENT_TYPE, SampledAnswer,
};
use tokio::sync::mpsc;

use crate::answer::Api;
use crate::error::ApiError;
use crate::limits::FRAMES_WAITING;
use crate::receive::{refuse, whole};

/// What was read, query by query, sorted by labels.
type Found = Vec<Vec<Series>>;

/// `POST /api/v1/read`
pub(crate) async fn read(api: Api, request: Request) -> Response {
    let body = match whole(request.into_body()).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let asked = match ReadRequest::read(&body) {
        Ok(asked) => asked,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, why),
    };
    let reader = match api.reader() {
        Ok(reader) => reader,
        Err(why) => return refuse(StatusCode::INTERNAL_SERVER_ERROR, why),
    };
    let (external, queries) = (api.configuration().external_labels, asked.queries);
    let work = move |_: &crate::gate::Turn| -> Result<Found, ApiError> {
        queries.iter().map(|query| select(&*reader, query, &external)).collect()
    };
    let found = match api.gate().run(api.settings().timeout, work).await {
        Ok(found) => found,
        Err(why) => return refuse(StatusCode::INTERNAL_SERVER_ERROR, why.message()),
    };
    match asked.response {
        ResponseType::Samples => sampled(found).await,
        ResponseType::StreamedXorChunks => streamed(found),
    }
}

/// The series of a query with the labels that tell this server's from another's; conditions on those are met.
fn select(reader: &dyn SeriesReader, query: &Query, external: &Labels) -> Result<Vec<Series>, ApiError> {
    let Select { mut matchers, start_ms, end_ms } = query.select();
    matchers.retain(|m| m.op != MatchOp::Equal || external.get(&m.name) != Some(&*m.value));
    let mut found = reader.select(&Select { matchers, start_ms, end_ms })?;
    for series in &mut found {
        for (name, value) in external.iter() {
            if series.labels.get(name).is_none() {
                series.labels = series.labels.with(name, value);
            }
        }
    }
    found.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(found)
}

async fn sampled(found: Found) -> Response {
    let work = move || {
        let mut answer = SampledAnswer::default();
        found.iter().try_for_each(|series| answer.push(series))?;
        answer.finish()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(body)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(SAMPLED_CONTENT_TYPE)),
                (header::CONTENT_ENCODING, HeaderValue::from_static("snappy")),
            ];
            (headers, body).into_response()
        }
        Ok(Err(why)) => refuse(StatusCode::BAD_REQUEST, why),
        Err(broken) => refuse(StatusCode::INTERNAL_SERVER_ERROR, broken),
    }
}

/// Chunks are made while they are sent: whoever reads slowly holds a few frames, not all.
fn streamed(found: Found) -> Response {
    let (frames, waiting) = mpsc::channel::<Bytes>(FRAMES_WAITING);
    tokio::task::spawn_blocking(move || {
        let mut made = Frames::default();
        for (number, all) in found.into_iter().enumerate() {
            for series in all {
                made.push(number, &series, FRAME_BYTES);
                if made.len() >= FRAME_BYTES && frames.blocking_send(made.take().into()).is_err() {
                    return; // nobody reads any more
                }
            }
        }
        if !made.is_empty() {
            // Nobody reads any more: there is no one to tell.
            let _ = frames.blocking_send(made.take().into());
        }
    });
    let next = |mut waiting: mpsc::Receiver<Bytes>| async move {
        let frame = waiting.recv().await?;
        Some((Ok::<Bytes, std::convert::Infallible>(frame), waiting))
    };
    let body = Body::from_stream(futures_util::stream::unfold(waiting, next));
    ([(header::CONTENT_TYPE, HeaderValue::from_static(STREAMED_CONTENT_TYPE))], body).into_response()
}
