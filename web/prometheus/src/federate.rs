//! `/federate`: the newest samples of chosen series, for another server to scrape. I/O: CPU pool, series.
//!
//! <https://prometheus.io/docs/prometheus/latest/federation/>

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::{Matcher, Point, Select, SeriesReader};

use crate::answer::{Api, too_large};
use crate::error::ApiError;
use crate::escaping::Escaping;
use crate::exposition::{Family, Form, Row, write_family};
use crate::gate::Turn;
use crate::holding::{Holding, points_of_bytes, points_of_labels};
use crate::limits::ANSWER_BYTES;
use crate::params::Params;
use crate::selectors::selector;

/// A series with its newest sample.
struct Newest {
    labels: Labels,
    t_ms: i64,
    point: Point,
}

/// `GET /federate`
pub(crate) async fn federate(api: Api, headers: HeaderMap, params: Params) -> Response {
    let refuse = |status: StatusCode, why: String| (status, format!("{why}\n")).into_response();
    if let Err(error) = params.whole() {
        return refuse(StatusCode::BAD_REQUEST, error.message().to_owned());
    }
    let all: Result<Vec<_>, String> = params.all("match[]").map(selector).collect();
    let all = match all {
        Ok(all) => all,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, why),
    };
    let reader = match api.reader() {
        Ok(reader) => reader,
        Err(error) => return refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    let form = negotiate(&headers);
    let end_ms = api.now().as_millis();
    let start_ms = end_ms - i64::try_from(api.settings().lookback.as_millis()).unwrap_or(0);
    let external = api.configuration().external_labels;
    let most = api.settings().limits.max_points;
    let work = move |turn: &Turn| -> Result<Bytes, ApiError> {
        let mut holding = Holding::new(turn, most);
        let found = newest(&*reader, &all, (start_ms, end_ms), &mut holding)?;
        Ok(turn.sent(write(found, &external, form, &mut holding)?))
    };
    match api.gate().run(api.settings().timeout, work).await {
        Ok(body) => ([(header::CONTENT_TYPE, form.content_type())], Body::from(body)).into_response(),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.message().to_owned()),
    }
}

/// The newest samples in a range, by metric; series that have ended are left out.
fn newest(
    reader: &dyn SeriesReader,
    all: &[Vec<Matcher>],
    (start_ms, end_ms): (i64, i64),
    holding: &mut Holding<'_>,
) -> Result<Vec<Newest>, ApiError> {
    let mut found: Vec<Newest> = Vec::new();
    for matchers in all {
        let select = Select { matchers: matchers.clone(), start_ms, end_ms };
        reader.visit_newest(&select, &mut |series| {
            let last = series.timestamps.len().checked_sub(1);
            let sample = last.and_then(|at| Some((*series.timestamps.get(at)?, series.values.get(at)?)));
            let Some((t_ms, point)) = sample.filter(|(_, point)| !point.is_stale()) else { return holding.look() };
            let words = if let Point::Histogram(h) = &point { h.words() as u64 } else { 0 };
            let points = points_of_labels(&series.labels) + words;
            found.push(Newest { labels: series.labels, t_ms, point });
            holding.take(points)
        })?;
        holding.check()?;
    }
    found.sort_by(|a, b| a.labels.name().cmp(b.labels.name()).then_with(|| a.labels.cmp(&b.labels)));
    found.dedup_by(|a, b| a.labels == b.labels);
    Ok(found)
}

fn write(found: Vec<Newest>, external: &Labels, form: Form, holding: &mut Holding<'_>) -> Result<Vec<u8>, ApiError> {
    let (mut out, mut counted) = (Vec::new(), 0);
    let mut family: Option<Family> = None;
    for one in found {
        let name = one.labels.name();
        // Series without a name have no place in these forms, and histograms none in the text.
        if name.is_empty() || (matches!(one.point, Point::Histogram(_)) && form.is_text()) {
            continue;
        }
        let (labels, kind) = (with_external(&one.labels, external), Family::kind_of(&one.point));
        let fits = family.as_ref().is_some_and(|f| f.name == name && f.kind == kind);
        if !fits {
            if let Some(done) = family.take() {
                write_family(&mut out, &done, form);
                if out.len() > ANSWER_BYTES {
                    return Err(too_large());
                }
                if holding.take(points_of_bytes(out.len() - counted)).is_break() {
                    break;
                }
                counted = out.len();
            }
            family = Some(Family { name: name.to_owned(), kind, rows: Vec::new() });
        }
        if let Some(family) = &mut family {
            family.rows.push(Row { labels, t_ms: one.t_ms, point: one.point });
        }
    }
    if let Some(last) = family {
        write_family(&mut out, &last, form);
    }
    holding.check()?;
    Ok(out)
}

/// A series' labels without its name, and those external ones that it has not; `instance` is told even when it is empty, so that
/// the scraper does not put its own there.
fn with_external(labels: &Labels, external: &Labels) -> Vec<(String, String)> {
    let own = labels.iter().filter(|(n, _)| *n != METRIC_NAME);
    let mut all: Vec<(String, String)> = own.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let mut missing: Vec<(&str, &str)> = external.iter().filter(|(n, _)| labels.get(n).is_none()).collect();
    if external.get("instance").is_none() && labels.get("instance").is_none() {
        missing.push(("instance", ""));
        missing.sort_unstable();
    }
    all.extend(missing.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())));
    all
}

/// The form that whoever asks likes best: delimited protobuf when it is named, text otherwise.
fn negotiate(headers: &HeaderMap) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut best: Option<(f32, Form)> = None;
    for clause in accept.split(',') {
        let mut parts = clause.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let (mut quality, mut escaping, mut delimited, mut family) = (1.0, Escaping::default(), false, false);
        for (name, value) in parts.filter_map(|p| p.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim() {
                "q" => quality = value.parse().unwrap_or(0.0),
                "escaping" => escaping = Escaping::named(value).unwrap_or_default(),
                "encoding" => delimited = value == "delimited",
                "proto" => family = value == "io.prometheus.client.MetricFamily",
                _ => {}
            }
        }
        let form = match kind {
            "application/vnd.google.protobuf" if delimited && family => Form::Protobuf(escaping),
            "text/plain" | "text/*" | "*/*" => Form::Text(escaping),
            _ => continue,
        };
        if quality > 0.0 && best.is_none_or(|(most, _)| quality > most) {
            best = Some((quality, form));
        }
    }
    best.map_or(Form::Text(Escaping::default()), |(_, form)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_form_is_chosen() {
        let of = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            negotiate(&headers)
        };
        let proto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        assert_eq!(of("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), Form::Text(Escaping::Underscores));
        assert_eq!(of(&format!("{proto};q=0.7,text/plain;q=0.3")), Form::Protobuf(Escaping::Underscores));
        assert_eq!(
            of(&format!("{proto};q=0.3,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4")),
            Form::Text(Escaping::None)
        );
        assert_eq!(of("application/openmetrics-text"), Form::Text(Escaping::Underscores));
    }

    #[test]
    fn external_labels_are_added_where_they_are_missing() {
        let of = |labels: Labels, external: &[(&str, &str)]| {
            let all = with_external(&labels, &Labels::new(external.iter().copied()));
            all.into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(",")
        };
        let up = Labels::metric("up", [("job", "a"), ("zone", "x")]);
        assert_eq!(of(up.clone(), &[]), "job=a,zone=x,instance=");
        assert_eq!(of(up.clone(), &[("zone", "y"), ("a", "b")]), "job=a,zone=x,a=b,instance=");
        assert_eq!(of(up.with("instance", "i"), &[("instance", "j")]), "instance=i,job=a,zone=x");
    }
}
