//! Remote read: another Prometheus reads series from here, as samples or as a stream of chunks. I/O: HTTP, series.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/>

use std::ops::ControlFlow;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::Labels;
use kernel::series::{MatchOp, Select, Series, SeriesReader};
use observe_receive::read::{
    FRAME_BYTES, Frames, Query, ReadRequest, ResponseType, SAMPLED_CONTENT_TYPE, STREAMED_CONTENT_TYPE, SampledAnswer,
};

use crate::answer::Api;
use crate::error::ApiError;
use crate::gate::Turn;
use crate::holding::{Holding, points_of_bytes, points_of_labels};
use crate::receive::{refuse, whole};

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
    let (external, queries, response) = (api.configuration().external_labels, asked.queries, asked.response);
    let (most, most_samples) = (api.settings().limits.max_points, api.settings().limits.max_samples);
    let work = move |turn: &Turn| {
        let mut reading = Reading { holding: Holding::new(turn, most), samples: 0, most_samples };
        match response {
            ResponseType::Samples => sampled(turn, &mut reading, &*reader, &queries, &external),
            ResponseType::StreamedXorChunks => streamed(turn, &mut reading, &*reader, &queries, &external),
        }
    };
    match api.gate().run(api.settings().timeout, work).await {
        Ok(Made::Whole(body)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(SAMPLED_CONTENT_TYPE)),
                (header::CONTENT_ENCODING, HeaderValue::from_static("snappy")),
            ];
            (headers, body).into_response()
        }
        Ok(Made::Frames(frames)) => {
            let frames = frames.into_iter().map(Ok::<Bytes, std::convert::Infallible>);
            let body = Body::from_stream(futures_util::stream::iter(frames));
            ([(header::CONTENT_TYPE, HeaderValue::from_static(STREAMED_CONTENT_TYPE))], body).into_response()
        }
        Ok(Made::TooMuch(why)) => refuse(StatusCode::BAD_REQUEST, why),
        Err(why) => refuse(StatusCode::INTERNAL_SERVER_ERROR, why.message()),
    }
}

/// An answer that is ready to be sent; it counts as held until it is.
enum Made {
    Whole(Bytes),
    /// By series, which are sorted.
    Frames(Vec<Bytes>),
    /// More than one answer may have.
    TooMuch(String),
}

/// What was read so far.
struct Reading<'t> {
    holding: Holding<'t>,
    samples: u64,
    most_samples: u64,
}

impl Reading<'_> {
    /// Hands on the series of a query with the labels that tell this server's from another's; conditions on those are met.
    fn each(
        &mut self,
        reader: &dyn SeriesReader,
        query: &Query,
        external: &Labels,
        take: &mut dyn FnMut(&mut Holding<'_>, Series) -> ControlFlow<()>,
    ) -> Result<(), ApiError> {
        let Select { mut matchers, start_ms, end_ms } = query.select();
        matchers.retain(|m| m.op != MatchOp::Equal || external.get(&m.name) != Some(&*m.value));
        let Self { holding, samples, most_samples } = self;
        let mut over = false;
        reader.visit(&Select { matchers, start_ms, end_ms }, &mut |mut series| {
            *samples += series.timestamps.len() as u64;
            over = *samples > *most_samples;
            if over {
                return ControlFlow::Break(());
            }
            for (name, value) in external.iter() {
                if series.labels.get(name).is_none() {
                    series.labels = series.labels.with(name, value);
                }
            }
            take(holding, series)
        })?;
        if over {
            let text = "query processing would load too many samples into memory in query execution";
            return Err(ApiError::execution(text));
        }
        self.holding.check()
    }
}

/// All samples in one message: they are held as they are.
fn sampled(
    turn: &Turn,
    reading: &mut Reading<'_>,
    reader: &dyn SeriesReader,
    queries: &[Query],
    external: &Labels,
) -> Result<Made, ApiError> {
    let mut answer = SampledAnswer::default();
    for query in queries {
        let (mut found, mut held) = (Vec::new(), 0);
        reading.each(reader, query, external, &mut |holding, series| {
            // Time and value, and both again in the message.
            let points = points_of_labels(&series.labels) + 4 * series.timestamps.len() as u64;
            held += points;
            found.push(series);
            holding.take(points)
        })?;
        found.sort_by(|a: &Series, b| a.labels.cmp(&b.labels));
        if let Err(why) = answer.push(&found) {
            return Ok(Made::TooMuch(why));
        }
        // The message stays.
        reading.holding.give_back(held / 2);
    }
    match answer.finish() {
        Ok(body) => Ok(Made::Whole(turn.sent(body))),
        Err(why) => Ok(Made::TooMuch(why)),
    }
}

/// Chunks, some twelve times smaller than the samples in them: only they are held, until they are sent.
fn streamed(
    turn: &Turn,
    reading: &mut Reading<'_>,
    reader: &dyn SeriesReader,
    queries: &[Query],
    external: &Labels,
) -> Result<Made, ApiError> {
    let mut frames = Vec::new();
    for (number, query) in queries.iter().enumerate() {
        let mut found: Vec<(Labels, Vec<u8>)> = Vec::new();
        reading.each(reader, query, external, &mut |holding, series| {
            let mut made = Frames::default();
            made.push(number, &series, FRAME_BYTES);
            let bytes = made.take();
            let points = points_of_labels(&series.labels) + points_of_bytes(bytes.len());
            found.push((series.labels, bytes));
            holding.take(points)
        })?;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        frames.extend(found.into_iter().map(|(_, bytes)| turn.sent(bytes)));
    }
    Ok(Made::Frames(frames))
}
