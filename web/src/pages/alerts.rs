//! Alerts now and past, one alert with its history, acknowledging. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use kernel::alert::{Alert, AlertEvent, AlertState, EventKind};
use kernel::{Duration, Rank, Timestamp};
use serde::Deserialize;
use state::{AlertFilter, AlertRecord, OutboxFilter, OutboxRecord};

use super::deliveries::state_view;
use super::form::Form;
use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::limits::{LIST_ROWS, NOTE_LONGEST};
use crate::lists;
use crate::live::Change;
use crate::text::text;

/// Deliveries looked through for those of one alert: those of a busy day.
const DELIVERIES_SEARCHED: usize = 500;

/// Which alerts to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    /// `firing` (when left out), `past`, `all`.
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) system: String,
    #[serde(default)]
    pub(crate) text: String,
    /// Milliseconds since the epoch: only those that fired before.
    pub(crate) before: Option<i64>,
}

impl Wanted {
    pub(crate) fn filter(&self, limit: usize) -> AlertFilter {
        let some = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
        AlertFilter {
            system: some(&self.system),
            firing_only: !matches!(self.state.as_str(), "past" | "all"),
            past_only: self.state == "past",
            text: some(&self.text),
            before: self.before.map(Timestamp::from_millis),
            limit,
        }
    }
}

/// One alert as the list shows it.
pub(crate) struct Line {
    pub(crate) record: AlertRecord,
    pub(crate) rank: Rank,
    pub(crate) severity: String,
    pub(crate) system_label: String,
    pub(crate) summary: String,
    pub(crate) firing: bool,
    pub(crate) since: Timestamp,
    pub(crate) lasted: Option<Duration>,
}

impl Line {
    fn new(app: &App, record: AlertRecord) -> Self {
        let alert = &record.alert;
        let (rank, severity) = severity_of(app, alert);
        let since = alert.fired_at.unwrap_or(alert.active_at);
        Self {
            rank,
            severity,
            system_label: app
                .live
                .system(&alert.system, |s| s.label().to_owned())
                .unwrap_or_else(|| alert.system.clone()),
            summary: alert.annotations.get("summary").unwrap_or(&alert.rule).to_owned(),
            firing: alert.state == AlertState::Firing,
            since,
            lasted: alert.resolved_at.map(|end| Duration::from(end.since(since))),
            record,
        }
    }
}

/// Rank and label of an alert's severity, by the plan in use.
pub(crate) fn severity_of(app: &App, alert: &Alert) -> (Rank, String) {
    let word = alert.severity();
    let found = app.live.system(&alert.system, |s| {
        s.plan().severities.get(word).map(|v| (v.rank, v.label.clone().unwrap_or_else(|| word.to_owned())))
    });
    found.flatten().unwrap_or((Rank::Warning, word.to_owned()))
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsPage {
    f: Frame,
    wanted: Wanted,
    lines: Vec<Line>,
    filtered: bool,
    older: Option<String>,
}

impl AlertsPage {
    fn is_state(&self, state: &str) -> bool {
        let now = if self.wanted.state.is_empty() { "firing" } else { &self.wanted.state };
        now == state
    }
}

/// `GET /alerts`
pub(crate) async fn alerts(State(app): State<App>, visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let filter = wanted.filter(LIST_ROWS + 1);
    let mut found = lists::alerts(&app, &visit.access, filter).await?;
    let more = found.len() > LIST_ROWS;
    found.truncate(LIST_ROWS);
    let lines: Vec<Line> = found.into_iter().map(|r| Line::new(&app, r)).collect();
    let last = lines.last().map(|l| l.since.as_millis()).filter(|_| more);
    let older = last.map(|ms| format!("?{}&before={ms}", query(&wanted)));
    let f = Frame::new(&app, &visit, Nav::Alerts, text(visit.language).alerts.title).live("view=alerts");
    let filtered = !wanted.text.trim().is_empty() || !wanted.system.is_empty();
    Ok(page(&AlertsPage { f, wanted, lines, filtered, older }))
}

fn query(wanted: &Wanted) -> String {
    use crate::auth::guard::encode;
    format!("state={}&system={}&text={}", encode(&wanted.state), encode(&wanted.system), encode(&wanted.text))
}

/// One entry of an alert's history.
struct Moment {
    at: Timestamp,
    class: &'static str,
    what: String,
    note: String,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertPage {
    f: Frame,
    line: Line,
    moments: Vec<Moment>,
    deliveries: Vec<(StateView, OutboxRecord)>,
    expression: Option<String>,
    check: Option<String>,
}

/// `GET /alerts/{id}`
pub(crate) async fn alert(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Answer {
    let wanted = id.clone();
    let stored = app.db(move |s| {
        let Some(record) = s.alert(&wanted)? else { return Ok(None) };
        let system = Some(record.alert.system.clone());
        let filter = OutboxFilter { system, limit: DELIVERIES_SEARCHED, ..OutboxFilter::default() };
        let mut deliveries = s.outbox(&filter)?;
        deliveries.retain(|d| d.entry.message.items.iter().any(|i| i.alert.firing_id() == wanted));
        Ok(Some((s.events_of(&wanted)?, deliveries, record)))
    });
    let (events, deliveries, record) = stored.await?.ok_or_else(|| Failure::not_found(id))?;
    let alert = record.alert.clone();
    let deliveries = deliveries.into_iter().filter(|d| lists::sees_delivery(&app.live, &visit.access, &d.entry));
    let line = Line::new(&app, record);
    let rule = visit.seen(&app).system(&alert.system, |s| {
        let group = s.rules.iter().find(|g| g.name == alert.group)?;
        group.rules.iter().find(|r| r.name == alert.rule).map(|r| r.expression.clone())
    });
    let check = visit.seen(&app).system(&alert.system, |s| {
        let component = alert.labels.get("service").or_else(|| alert.labels.get("component"))?;
        let named = alert.labels.get("check");
        let found = s.checks.keys().find(|id| &*id.component == component && named.is_none_or(|n| n == &*id.check));
        found.map(|id| format!("/s/{id}"))
    });
    let f = Frame::new(&app, &visit, Nav::Alerts, line.summary.clone()).about(&app, &alert.system).live("view=alerts");
    let deliveries = deliveries.map(|d| (state_view(d.entry.state, visit.language), d)).collect();
    let moments = moments(&line, &events, &f);
    Ok(page(&AlertPage { f, line, moments, deliveries, expression: rule.flatten(), check: check.flatten() }))
}

fn moments(line: &Line, events: &[AlertEvent], f: &Frame) -> Vec<Moment> {
    let (t, alert) = (&f.t.alerts, &line.record.alert);
    let moment = |at, class, what: &str| Moment { at, class, what: what.to_owned(), note: String::new() };
    let mut all = vec![moment(alert.active_at, "blind", t.began)];
    for event in events {
        let (class, what) = match event.kind {
            EventKind::Fired => ("down", t.fired),
            EventKind::Resolved => ("up", t.resolved),
            EventKind::Informed => ("blind", t.informed),
        };
        all.push(moment(event.at, class, what));
    }
    if let (true, Some(at)) = (events.is_empty(), alert.fired_at) {
        all.push(moment(at, "down", t.fired));
    }
    if let Some(ack) = &line.record.acknowledged {
        let what = format!("{} {}", t.acknowledged_by, ack.by);
        all.push(Moment { at: ack.at, class: "slow", what, note: ack.note.clone() });
    }
    all.sort_by_key(|m| m.at);
    all
}

/// The fields of an acknowledgement.
#[derive(Deserialize)]
pub(crate) struct Note {
    #[serde(default)]
    note: String,
}

/// Stores an acknowledgement and tells everyone; whether there is such an alert.
pub(crate) async fn store_acknowledgement(app: &App, id: &str, visit: &Visit, note: &str) -> Result<bool, Failure> {
    let note: String = note.trim().chars().take(NOTE_LONGEST).collect();
    let (wanted, now, by) = (id.to_owned(), app.clock.now(), visit.by());
    let deed = visit.deed(now, "alert.acknowledge").on("alert", id).saying(&note);
    let stored = app.db(move |s| {
        let Some(record) = s.alert(&wanted)? else { return Ok(None) };
        let deed = deed.in_system(&record.alert.system).set("rule", &record.alert.rule);
        s.acknowledge(&wanted, &by, now, &note, &deed)?;
        Ok(s.alert(&wanted)?.filter(|r| r.acknowledged.is_some()))
    });
    let Some(record) = stored.await? else { return Ok(false) };
    app.control.wake_deliveries();
    app.live.announce(Change::Alerts(record.alert.system.as_str().into()));
    Ok(true)
}

/// `POST /alerts/{id}/acknowledge`
pub(crate) async fn acknowledge(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<Note>,
) -> Result<Response, Failure> {
    match store_acknowledgement(&app, &id, &visit, &form.note).await? {
        true => Ok(done(&format!("/alerts/{id}"), "acknowledged")),
        false => Err(Failure::not_found(id)),
    }
}
