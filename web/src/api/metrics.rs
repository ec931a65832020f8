//! Farero's own numbers in Prometheus's text form (MET-15). I/O: HTTP.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use crate::app::App;
use crate::auth::Access;
use crate::limits::LIVE_PAGES;
use crate::live::OwnMetric;
use crate::pages::overview::firing;

fn gauge(name: &str, help: &str, value: f64) -> OwnMetric {
    OwnMetric { name: name.into(), help: help.into(), counter: false, labels: Vec::new(), value }
}

fn own(app: &App, access: &Access) -> Vec<OwnMetric> {
    let number = |n: usize| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    let open = LIVE_PAGES - app.gates.live_pages.available_permits();
    let seen = access.seen(app);
    let mut all = vec![
        gauge("farero_ready", "Whether all loops have started.", f64::from(u8::from(app.live.is_ready()))),
        gauge("farero_start_time_seconds", "When this process started.", app.live.started_at().as_secs_f64()),
        gauge("farero_web_live_pages", "Pages that listen for changes.", number(open)),
    ];
    for (by, count) in app.gates.rates.turned_away() {
        let name = "farero_web_requests_limited_total";
        let metric = gauge(name, "Requests turned away because there were too many.", count as f64);
        all.push(OwnMetric { counter: true, labels: vec![("by".into(), by.into())], ..metric });
    }
    if !access.sees_all() {
        all.clear(); // The platform's own numbers are for those who see everything.
    }
    for (name, checks, alerts) in seen.systems(|s| (s.name().to_owned(), s.checks.len(), firing(s).count())) {
        let with = |m: OwnMetric| OwnMetric { labels: vec![("system".into(), name.clone())], ..m };
        all.push(with(gauge("farero_checks", "Checks of the plan in use.", number(checks))));
        all.push(with(gauge("farero_alerts_firing", "Alerts that fire.", number(alerts))));
    }
    all.extend(seen.own());
    all
}

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<App>, access: Access) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&app, &access)).into_response()
}

/// The numbers that somebody may see.
pub(crate) fn text(app: &App, access: &Access) -> String {
    let mut all = own(app, access);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    render(&all)
}

fn render(all: &[OwnMetric]) -> String {
    let (mut out, mut told) = (String::new(), BTreeSet::new());
    for metric in all {
        // Writing into a String cannot fail.
        if told.insert(&metric.name) {
            let kind = if metric.counter { "counter" } else { "gauge" };
            let help = metric.help.replace('\\', "\\\\").replace('\n', "\\n");
            let _ = writeln!(out, "# HELP {} {help}\n# TYPE {} {kind}", metric.name, metric.name);
        }
        out.push_str(&metric.name);
        for (i, (name, value)) in metric.labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(out, "{}{name}=\"{value}\"", if i == 0 { '{' } else { ',' });
        }
        if !metric.labels.is_empty() {
            out.push('}');
        }
        let _ = writeln!(out, " {}", decide_promql::format_number(metric.value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_15_labels_are_escaped_and_help_is_told_once() {
        let metric = |v: &str| OwnMetric {
            labels: vec![("channel".into(), v.into())],
            counter: true,
            ..gauge("farero_x_total", "X.", 2.0)
        };
        let text = render(&[metric("a\"b"), metric("c\nd")]);
        let expect = "# HELP farero_x_total X.\n# TYPE farero_x_total counter\nfarero_x_total{channel=\"a\\\"b\"} 2\nfarero_x_total{channel=\"c\\nd\"} 2\n";
        assert_eq!(text, expect);
    }
}
