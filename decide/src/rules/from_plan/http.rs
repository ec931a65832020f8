//! What a service's own metrics say of its requests, derived per service by recording rules (MET-04). Pure.
//!
//! | series | is |
//! | --- | --- |
//! | `service_requests_per_second`, `service_requests_per_minute` | requests, over 5 minutes |
//! | `service_error_ratio` | answers of status 5xx among all, 0 to 1 |
//! | `service_request_duration_seconds{quantile}`: `0.5`, `0.95`, `0.99` | P50, P95, P99 |
//! | `service_request_duration_seconds_mean` | mean |

use plan_model::component::HttpMetrics;

use super::{Maker, Rule, RuleKind};
use crate::rules::query::Query;
use crate::rules::template::Template;

/// The window that rates and percentiles are taken over: the one that all the documents' expressions use.
const WINDOW: &str = "5m";
/// Percentiles that are derived.
const QUANTILES: [&str; 3] = ["0.5", "0.95", "0.99"];

pub(super) fn rules(make: &Maker<'_>) -> Vec<Rule> {
    let with_http = make.plan.components().filter_map(|(name, component)| {
        let http = component.metrics.as_ref()?.scrape().http?;
        Some((name, http))
    });
    with_http.flat_map(|(name, http)| of_service(make, name, &http)).collect()
}

fn of_service(make: &Maker<'_>, service: &str, http: &HttpMetrics) -> Vec<Rule> {
    let duration = http.duration();
    let requests = http.requests.clone().unwrap_or_else(|| format!("{duration}_count"));
    let own = format!("system={:?}, service={service:?}", make.plan.system);
    let rate = |metric: &str, more: &str| format!("sum(rate({metric}{{{own}{more}}}[{WINDOW}]))");
    let all = rate(&requests, "");
    let errors = rate(&requests, &format!(", {}=~\"5..\"", http.status()));
    let seconds = rate(&format!("{duration}_sum"), "");
    let counted = rate(&format!("{duration}_count"), "");
    let plain = [
        ("service_requests_per_second", all.clone()),
        ("service_requests_per_minute", format!("60 * {all}")),
        ("service_error_ratio", format!("({errors} or vector(0)) / {all}")),
        ("service_request_duration_seconds_mean", format!("{seconds} / {counted}")),
    ];
    let quantile = |q: &'static str| {
        let buckets = format!("sum by (le) (rate({duration}_bucket{{{own}}}[{WINDOW}]))");
        record("service_request_duration_seconds", &format!("histogram_quantile({q}, {buckets})"), service, Some(q))
    };
    let plain = plain.into_iter().map(|(name, expr)| record(name, &expr, service, None));
    plain.chain(QUANTILES.into_iter().map(quantile)).flatten().collect()
}

fn record(name: &str, expr: &str, service: &str, quantile: Option<&str>) -> Option<Rule> {
    let label = |name: &str, value: &str| (name.to_owned(), Template::literal(value));
    Some(Rule {
        name: name.to_owned(),
        kind: RuleKind::Record,
        query: Query::parse(expr).ok()?,
        labels: [Some(label("service", service)), quantile.map(|q| label("quantile", q))]
            .into_iter()
            .flatten()
            .collect(),
        annotations: Vec::new(),
        evidence: None,
        explainable: false,
    })
}

#[cfg(test)]
mod tests {
    use decide_promql::Limits;
    use decide_promql::memory::MemoryReader;
    use kernel::{Labels, Timestamp};

    use crate::rules::rules_from_plan;
    use crate::testing::plan_with;

    /// Ten minutes of requests every 15 s: so many per sample within each bucket, and so many with an error.
    fn requests(series: &mut MemoryReader, service: &str, counts: [(&str, f64); 4], errors: f64) {
        let mut add = |metric: &str, more: &[(&str, &str)], step: f64| {
            let own = [("system", "sigcerh"), ("service", service)];
            let labels = Labels::metric(metric, own.into_iter().chain(more.iter().copied()));
            let samples: Vec<(i64, f64)> = (0..40).map(|i| (i * 15_000, i as f64 * step)).collect();
            series.add(labels, &samples);
        };
        let all = counts[3].1;
        for (le, n) in counts {
            add("http_request_duration_seconds_bucket", &[("le", le), ("status", "200")], n);
        }
        add("http_request_duration_seconds_sum", &[("status", "200")], all * 0.125);
        add("http_request_duration_seconds_count", &[("status", "200")], all - errors);
        add("http_request_duration_seconds_count", &[("status", "503")], errors);
    }

    #[test]
    fn met_04_requests_percentiles_mean_and_errors_per_service() {
        let mut series = MemoryReader::default();
        requests(&mut series, "backend", [("0.1", 90.0), ("0.2", 98.0), ("0.4", 150.0), ("+Inf", 150.0)], 3.0);
        let plan = plan_with(serde_json::json!({ "services": {
            "backend": { "metrics": { "url": "http://b/metrics", "http": {} } },
            "other": { "metrics": { "url": "http://o/metrics", "http": { "requests": "http_requests_total" } } },
            "plain": { "metrics": "http://p/metrics" }
        } }));
        let groups = rules_from_plan(&plan);
        let rules = &groups.iter().find(|g| g.name == "plan-http").unwrap().rules;
        assert_eq!(rules.len(), 14, "seven for each of the two services that have them");
        let told = |name: &str, quantile: Option<&str>| {
            let label = |r: &crate::rules::Rule, l: &str| {
                r.labels.iter().find(|(n, _)| n == l).map(|(_, t)| t.source().to_owned())
            };
            let is_it = |r: &&crate::rules::Rule| {
                let same = label(r, "quantile").as_deref() == quantile;
                r.name == name && same && label(r, "service").as_deref() == Some("backend")
            };
            let rule = rules.iter().find(is_it).unwrap();
            let answer = rule.query.ask(Timestamp::from_secs(585), &series, &Limits::default()).unwrap();
            let numbers: Vec<f64> = answer.numbers().map(|(_, v)| v).collect();
            assert_eq!(numbers.len(), 1, "{name} {quantile:?}: {}", rule.query.text());
            (numbers[0] * 1e6).round() / 1e6
        };
        assert_eq!(told("service_requests_per_second", None), 10.0);
        assert_eq!(told("service_requests_per_minute", None), 600.0);
        assert_eq!(told("service_error_ratio", None), 0.02);
        assert_eq!(told("service_request_duration_seconds_mean", None), 0.125);
        assert_eq!(told("service_request_duration_seconds", Some("0.5")), 0.083333);
        assert_eq!(told("service_request_duration_seconds", Some("0.95")), 0.371154);
        assert_eq!(told("service_request_duration_seconds", Some("0.99")), 0.394231);
    }

    #[test]
    fn met_04_no_errors_are_a_share_of_zero_and_no_requests_none() {
        let mut series = MemoryReader::default();
        requests(&mut series, "backend", [("0.1", 9.0), ("0.2", 9.0), ("0.4", 9.0), ("+Inf", 9.0)], 0.0);
        let plan = plan_with(serde_json::json!({ "services": {
            "backend": { "metrics": { "url": "http://b/metrics", "http": {} } },
            "idle": { "metrics": { "url": "http://i/metrics", "http": {} } }
        } }));
        let groups = rules_from_plan(&plan);
        let rules = &groups.iter().find(|g| g.name == "plan-http").unwrap().rules;
        let ratios = rules.iter().filter(|r| r.name == "service_error_ratio").map(|r| {
            let answer = r.query.ask(Timestamp::from_secs(585), &series, &Limits::default()).unwrap();
            answer.numbers().map(|(_, v)| v).collect::<Vec<_>>()
        });
        assert_eq!(ratios.collect::<Vec<_>>(), [vec![0.0], vec![]]);
    }
}
