//! Searching names of metrics, names of labels and values: for boxes that complete while somebody types. I/O: CPU pool, series.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#searching-metric-names-label-names-and-label-values>
//!
//! An answer is lines of JSON: lists of results, then one that says how it ended.

mod score;

use std::collections::HashMap;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};

use crate::answer::{Answer, Api, too_large};
use crate::error::ApiError;
use crate::gate::Turn;
use crate::holding::{Holding, points_of_bytes};
use crate::json::{Exponent, push_number, push_text};
use crate::limits::{ANSWER_BYTES, SEARCH_BATCH, SEARCH_BATCH_MOST, SEARCH_RESULTS, SEARCH_RESULTS_MOST, SEARCH_TERMS};
use crate::params::{Params, parse_integer, parse_time};
use crate::series::{or_everything, texts};
use crate::views::MetricMetadata;
use score::{Algorithm, Wanted};

/// How results are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Rising,
    Falling,
    /// The best first, equal ones by their text.
    Score,
}

/// What somebody searches for.
#[derive(Debug)]
struct Search {
    wanted: Wanted,
    order: Order,
    with_score: bool,
    limit: usize,
    batch: usize,
}

/// Where it is searched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place<'a> {
    Metrics,
    Labels,
    Values(&'a str),
}

/// `GET|POST /api/v1/search/metric_names`
pub(crate) async fn metric_names(api: Api, params: Params) -> Answer {
    answer(api, params, Place::Metrics).await
}

/// `GET|POST /api/v1/search/label_names`
pub(crate) async fn label_names(api: Api, params: Params) -> Answer {
    answer(api, params, Place::Labels).await
}

/// `GET|POST /api/v1/search/label_values`
pub(crate) async fn label_values(api: Api, params: Params) -> Answer {
    let label = params.text("label").to_owned();
    answer(api, params, Place::Values(&label)).await
}

async fn answer(api: Api, params: Params, place: Place<'_>) -> Answer {
    params.whole()?;
    let range = range(&params, api.now().as_millis())?;
    let selects = or_everything(&params, range)?;
    let endpoint = match place {
        Place::Metrics => "metric_names",
        Place::Labels => "label_names",
        Place::Values(_) => "label_values",
    };
    let search = Search::read(&params, endpoint)?;
    let (label, key) = match place {
        Place::Metrics => (Some(kernel::labels::METRIC_NAME.to_owned()), "name"),
        Place::Labels => (None, "name"),
        Place::Values("") => return Err(ApiError::bad("missing required parameter \"label\"")),
        Place::Values(label) => (Some(label.to_owned()), "value"),
    };
    let told = place == Place::Metrics && flag(&params, "include_metadata", false)?;
    let described = if told { Described::of(&api) } else { Described::default() };
    let (reader, settings) = (api.reader()?, api.settings());
    let most = settings.limits.max_points;
    let work = move |turn: &Turn| -> Result<Bytes, ApiError> {
        let mut holding = Holding::new(turn, most);
        let all = texts(&*reader, &selects, label.as_deref(), &mut holding)?;
        let found = search.found(all.iter().map(|text| &**text), &mut holding)?;
        Ok(turn.sent(search.write(&found, key, &described, &mut holding)?))
    };
    let body = api.gate().run(settings.timeout, work).await?;
    Ok(lines(body))
}

fn lines(body: Bytes) -> Response {
    let kind = HeaderValue::from_static("application/x-ndjson; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The last hour, unless the request names times.
fn range(params: &Params, now_ms: i64) -> Result<(i64, i64), ApiError> {
    const HOUR_MS: i64 = 3_600_000;
    let time = |name: &str, usual: i64| {
        params.get(name).map_or(Ok(usual), |text| {
            parse_time(text).map_err(|e| ApiError::bad(format!("invalid time value for '{name}': {e}")))
        })
    };
    let (start, end) = (time("start", now_ms - HOUR_MS)?, time("end", now_ms)?);
    if end < start {
        return Err(ApiError::bad("end timestamp must not be before start timestamp"));
    }
    Ok((start, end))
}

fn flag(params: &Params, name: &str, usual: bool) -> Result<bool, ApiError> {
    let Some(text) = params.get(name) else { return Ok(usual) };
    kernel::flag::parse_bool(text).map_err(|_| ApiError::bad(format!("invalid {name} {text:?}: must be boolean")))
}

/// A number above zero.
fn count(params: &Params, name: &str, usual: usize) -> Result<usize, ApiError> {
    let Some(text) = params.get(name) else { return Ok(usual) };
    let number = parse_integer(text).ok().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    number.ok_or_else(|| ApiError::bad(format!("invalid {name} {text:?}: must be a positive integer")))
}

impl Search {
    fn read(params: &Params, endpoint: &str) -> Result<Self, ApiError> {
        let terms: Vec<&str> = params.all("search[]").collect();
        if terms.len() > SEARCH_TERMS {
            let got = terms.len();
            return Err(ApiError::bad(format!("too many search[] terms: got {got}, maximum is {SEARCH_TERMS}")));
        }
        let threshold = match params.get("fuzz_threshold") {
            None => 0,
            Some(text) => parse_integer(text)
                .ok()
                .filter(|n| (0..=100).contains(n))
                .ok_or_else(|| ApiError::bad(format!("invalid fuzz_threshold {text:?}: must be 0-100")))?,
        };
        let algorithm = match params.get("fuzz_alg") {
            None | Some("subsequence") => Algorithm::Subsequence,
            Some("jarowinkler") => Algorithm::JaroWinkler,
            Some(other) => {
                let text = format!("unsupported fuzz_alg {other:?}: must be one of [subsequence jarowinkler]");
                return Err(ApiError::bad(text));
            }
        };
        let is_exact = flag(params, "case_sensitive", true)?;
        let with_score = flag(params, "include_score", false)?;
        let order = order(params, endpoint, !terms.is_empty())?;
        let limit = count(params, "limit", SEARCH_RESULTS)?;
        if limit > SEARCH_RESULTS_MOST {
            return Err(ApiError::bad(format!(
                "limit {limit} exceeds the configured maximum ({SEARCH_RESULTS_MOST}, see --web.search.max-limit)"
            )));
        }
        let batch = count(params, "batch_size", SEARCH_BATCH)?.min(limit).min(SEARCH_BATCH_MOST);
        let wanted = Wanted::new(&terms, threshold as f64 / 100.0, algorithm, is_exact);
        Ok(Self { wanted, order, with_score, limit, batch })
    }

    /// What matches, in order, with how well it does: one more than is wanted, where there are more.
    fn found<'t>(
        &self,
        all: impl DoubleEndedIterator<Item = &'t str>,
        holding: &mut Holding<'_>,
    ) -> Result<Vec<(&'t str, f64)>, ApiError> {
        let mut scored = |text: &'t str| {
            let flow = holding.look();
            (flow.is_continue(), self.wanted.score(text).map(|score| (text, score)))
        };
        let mut out = Vec::new();
        let mut take = |text: &'t str| {
            let (goes_on, found) = scored(text);
            out.extend(found);
            goes_on && (self.order == Order::Score || out.len() <= self.limit)
        };
        let _all_taken = if self.order == Order::Falling { all.rev().all(&mut take) } else { { all }.all(&mut take) };
        holding.check()?;
        if self.order == Order::Score {
            out.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            out.truncate(self.limit + 1);
        }
        Ok(out)
    }

    fn write(
        &self,
        found: &[(&str, f64)],
        key: &str,
        described: &Described,
        holding: &mut Holding<'_>,
    ) -> Result<Vec<u8>, ApiError> {
        let shown = &found[..found.len().min(self.limit)];
        let mut out = Vec::new();
        // There is a list even where nothing was found.
        let nothing: &[&[(&str, f64)]] = &[&[]];
        let batches: Vec<&[(&str, f64)]> = shown.chunks(self.batch.max(1)).collect();
        for batch in if batches.is_empty() { nothing } else { &batches } {
            let before = out.len();
            out.extend_from_slice(br#"{"results":["#);
            for (i, (text, score)) in batch.iter().enumerate() {
                out.extend_from_slice(if i == 0 { br#"{""# } else { br#",{""# });
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(br#"":"#);
                push_text(&mut out, text);
                if self.with_score {
                    out.extend_from_slice(br#","score":"#);
                    push_number(&mut out, *score, Exponent::Far);
                }
                described.write(&mut out, text);
                out.push(b'}');
            }
            out.extend_from_slice(b"]}\n");
            if out.len() > ANSWER_BYTES {
                return Err(too_large());
            }
            if holding.take(points_of_bytes(out.len() - before)).is_break() {
                break;
            }
        }
        holding.check()?;
        let more = found.len() > shown.len();
        out.extend_from_slice(format!("{{\"status\":\"success\",\"has_more\":{more}}}\n").as_bytes());
        Ok(out)
    }
}

fn order(params: &Params, endpoint: &str, searches: bool) -> Result<Order, ApiError> {
    let (by, direction) = (params.text("sort_by"), params.text("sort_dir"));
    match (by, direction) {
        ("", "") => {}
        ("", _) => return Err(ApiError::bad("sort_dir is only valid when sort_by is set")),
        (_, "") => {}
        ("score", _) => return Err(ApiError::bad("sort_dir is not supported for sort_by=score")),
        (_, "asc" | "dsc") => {}
        _ => return Err(ApiError::bad(format!("invalid sort_dir {direction:?}: must be \"asc\" or \"dsc\""))),
    }
    match by {
        "score" if !searches => Err(ApiError::bad("sort_by=score requires search[] to be set")),
        "score" => Ok(Order::Score),
        "" | "alpha" => Ok(if direction == "dsc" { Order::Falling } else { Order::Rising }),
        _ => Err(ApiError::bad(format!("invalid sort_by {by:?} for {endpoint}: must be \"alpha\" or \"score\""))),
    }
}

/// What is known of families of metrics; of each the first that was told of each kind.
#[derive(Default)]
struct Described(HashMap<String, Vec<MetricMetadata>>);

impl Described {
    fn of(api: &Api) -> Self {
        let mut all: HashMap<String, Vec<MetricMetadata>> = HashMap::new();
        for metric in api.metadata().into_iter().flat_map(|told| told.metrics) {
            let known = all.entry(metric.metric.clone()).or_default();
            if known.iter().all(|k| k.kind != metric.kind) {
                known.push(metric);
            }
        }
        Self(all)
    }

    /// What is known of a metric: under its own name, or under that of its family, where the family's kind has such parts.
    fn find(&self, name: &str) -> Option<&MetricMetadata> {
        if let Some(known) = self.0.get(name) {
            return known.first();
        }
        let (family, suffix) = name.split_at(name.rfind('_')?);
        // A family that ends so already has its series under its own name.
        if matches!(suffix, "_total" | "_info") && family.ends_with(suffix) {
            return None;
        }
        let has_part = |kind: &str| match suffix {
            "_total" => kind == "counter",
            "_bucket" => matches!(kind, "histogram" | "gaugehistogram"),
            "_sum" | "_count" => matches!(kind, "histogram" | "gaugehistogram" | "summary"),
            "_gsum" | "_gcount" => kind == "gaugehistogram",
            "_info" => kind == "info",
            _ => false,
        };
        self.0.get(family)?.iter().find(|m| has_part(&m.kind))
    }

    fn write(&self, out: &mut Vec<u8>, name: &str) {
        let Some(metric) = self.find(name) else { return };
        for (key, text) in [("type", &metric.kind), ("help", &metric.help), ("unit", &metric.unit)] {
            if !text.is_empty() {
                out.extend_from_slice(format!(",\"{key}\":").as_bytes());
                push_text(out, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_family() {
        let told = |metric: &str, kind: &str| MetricMetadata {
            metric: metric.to_owned(),
            kind: kind.to_owned(),
            help: String::new(),
            unit: String::new(),
        };
        let all = [told("a", "counter"), told("b", "histogram"), told("c_total", "counter"), told("d", "summary")];
        let described = Described(all.into_iter().map(|m| (m.metric.clone(), vec![m])).collect());
        let check = |name: &str, kind: Option<&str>| {
            assert_eq!(described.find(name).map(|m| m.kind.as_str()), kind, "{name}");
        };
        check("a", Some("counter"));
        check("a_total", Some("counter"));
        check("a_bucket", None);
        check("b_bucket", Some("histogram"));
        check("c_total", Some("counter"));
        check("c_total_total", None);
        check("d_count", Some("summary"));
        check("d_bucket", None);
        check("unknown", None);
    }
}
