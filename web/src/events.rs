//! Live pages: one server-sent stream per open page, fragments of HTML by id, gathered so that no page is flooded.
//! I/O: HTTP.
//!
//! Invariant: when a page is told something depends only on what its reader sees. Where a change may be of something that is
//! kept from them (an alert, a delivery, a rule of a system that is not seen whole), the page is told at fixed beats instead,
//! whether or not anything happened: the moment of a message would tell what the page hides.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::app::App;
use crate::limits::{FRAGMENT_PAUSE, FRAGMENTS_AT_ONCE, LIVE_BEAT, LIVE_KEEPALIVE, LIVE_PAGE_LIFE};
use crate::live::{Change, Seen};
use crate::pages::frame::{Frame, Nav};
use crate::pages::overview::{Row, SystemView, parts};
use crate::pages::visit::Visit;

/// What a page listens to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Wanted {
    view: View,
    #[serde(default)]
    system: Option<String>,
    #[serde(default)]
    check: Option<String>,
}

impl Wanted {
    /// Whether nothing that this page could show is kept from its reader.
    fn is_whole(&self, seen: &Seen<'_>) -> bool {
        match (self.view, self.system.as_deref()) {
            (View::System, Some(system)) => seen.sees_whole(system),
            _ => seen.sees_everything(),
        }
    }
}

/// The kinds of live pages. Settings are none: whoever looks at them is the one who changes them, and a form that changed
/// under the hand would lose what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum View {
    /// A card per system.
    Systems,
    /// The overview of one system.
    System,
    /// A check's page.
    Check,
    /// Alerts.
    Alerts,
    /// Deliveries.
    Deliveries,
    /// The plan.
    Plan,
    /// Rules and their last evaluation.
    Rules,
    /// Measures of success.
    Kpis,
    /// Channels and what became of their last messages.
    Channels,
}

/// What has changed since the last message, for one page.
#[derive(Default)]
struct Dirty {
    rows: HashSet<Arc<str>>,
    parts: HashSet<Arc<str>>,
    stale: bool,
}

impl Dirty {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.parts.is_empty() && !self.stale
    }
}

/// One piece of a page.
#[derive(Serialize)]
struct Part {
    id: String,
    html: String,
}

#[derive(Serialize)]
struct Patch {
    now: i64,
    parts: Vec<Part>,
}

struct Page {
    app: App,
    visit: Visit,
    wanted: Wanted,
    changes: Receiver<Change>,
    dirty: Dirty,
    ends: tokio::time::Instant,
    epoch: u64,
    over: bool,
    /// Beats at which a page is told of what may be hidden from its reader; none where nothing is.
    beats: Option<tokio::time::Interval>,
    _permit: OwnedSemaphorePermit,
}

/// `GET /events`
pub(crate) async fn stream(State(app): State<App>, visit: Visit, Query(wanted): Query<Wanted>) -> Response {
    let Ok(permit) = app.gates.live_pages.clone().try_acquire_owned() else {
        tracing::warn!(limit = crate::limits::LIVE_PAGES, "too many live pages: one was turned away");
        return (StatusCode::SERVICE_UNAVAILABLE, "too many live pages at once").into_response();
    };
    let (changes, ends) = (app.live.changes(), tokio::time::Instant::now() + LIVE_PAGE_LIFE);
    let epoch = app.gates.known.epoch();
    let beats = (!wanted.is_whole(&visit.seen(&app))).then(|| {
        let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + LIVE_BEAT, LIVE_BEAT);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        beats
    });
    let page =
        Page { app, visit, wanted, changes, dirty: Dirty::default(), ends, epoch, over: false, beats, _permit: permit };
    let keep_alive = KeepAlive::new().interval(LIVE_KEEPALIVE);
    let mut response = Sse::new(messages(page)).keep_alive(keep_alive).into_response();
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    response
}

fn messages(page: Page) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(page, |mut page| async move {
        let event = page.next().await?;
        Some((Ok(event), page))
    })
}

impl Page {
    /// Waits for a change, gathers what comes within the pause, and says it in one message.
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Rights have changed since: the page asks anew, and gets what it may see now.
            if self.over || self.app.gates.known.epoch() != self.epoch {
                return None;
            }
            tokio::select! {
                change = tokio::time::timeout_at(self.ends, self.changes.recv()) => match change {
                    Ok(Ok(change)) => self.mark(&change),
                    Ok(Err(RecvError::Lagged(_))) => self.dirty.stale = true,
                    Ok(Err(RecvError::Closed)) | Err(_) => return None,
                },
                () = beat(self.beats.as_mut()) => self.mark_beat(),
            }
            if self.dirty.is_empty() {
                continue;
            }
            tokio::time::sleep(FRAGMENT_PAUSE).await;
            loop {
                match self.changes.try_recv() {
                    Ok(change) => self.mark(&change),
                    Err(tokio::sync::broadcast::error::TryRecvError::Lagged(_)) => self.dirty.stale = true,
                    Err(_) => break,
                }
            }
            let dirty = std::mem::take(&mut self.dirty);
            if self.app.gates.known.epoch() != self.epoch {
                return None;
            }
            let event = self.event(&dirty);
            if event.is_some() {
                return event;
            }
        }
    }

    /// Whether a change is of something that this person sees, for certain.
    fn is_seen(&self, change: &Change) -> bool {
        let seen = self.visit.seen(&self.app);
        match change {
            Change::Check(id) => seen.check(id, |_, _| ()).is_some(),
            Change::Plan(s) => seen.system(s, |_| ()).is_some(),
            Change::System(s) | Change::Alerts(s) | Change::Kpis(s) | Change::Rules(s, _) => seen.sees_whole(s),
            Change::Deliveries => seen.sees_everything(),
        }
    }

    /// What a page shows that no change told it of: all of it.
    fn mark_beat(&mut self) {
        let seen = self.visit.seen(&self.app);
        match self.wanted.view {
            View::Alerts | View::Deliveries | View::Channels | View::Rules | View::Kpis => self.dirty.stale = true,
            View::System => self.dirty.parts.extend(self.wanted.system.as_deref().map(Arc::from)),
            View::Systems => {
                let names = seen.system_names().into_iter().map(|(name, _)| name);
                self.dirty.parts.extend(names.filter(|name| !seen.sees_whole(name)));
            }
            View::Check | View::Plan => {}
        }
    }

    fn mark(&mut self, change: &Change) {
        // What plans grant may have changed: the stream ends after this, and the page asks anew.
        self.over |= matches!(change, Change::Plan(_));
        if !self.is_seen(change) {
            return;
        }
        let about = |system: &Arc<str>| self.wanted.system.as_deref().is_none_or(|s| s == &**system);
        let dirty = &mut self.dirty;
        match (self.wanted.view, change) {
            (View::System, Change::Check(id)) if about(&id.system) => {
                dirty.rows.insert(id.component.clone());
                dirty.parts.insert(id.system.clone());
            }
            (View::System, Change::System(s) | Change::Alerts(s)) if about(s) => {
                dirty.parts.insert(s.clone());
            }
            (View::Systems, Change::Check(id)) => {
                dirty.parts.insert(id.system.clone());
            }
            (View::Systems, Change::System(s) | Change::Alerts(s)) => {
                dirty.parts.insert(s.clone());
            }
            (View::Check, Change::Check(id)) => {
                dirty.stale |= self.wanted.check.as_deref() == Some(id.to_string().as_str());
            }
            (View::Alerts, Change::Alerts(_))
            | (View::Deliveries | View::Channels, Change::Deliveries)
            | (View::Rules, Change::Rules(..))
            | (View::Kpis, Change::Kpis(_)) => dirty.stale = true,
            (_, Change::Plan(s)) if about(s) => dirty.stale = true,
            _ => {}
        }
    }

    fn event(&self, dirty: &Dirty) -> Option<Event> {
        if dirty.stale || dirty.rows.len() > FRAGMENTS_AT_ONCE {
            return Some(Event::default().event("stale").data("1"));
        }
        let parts = match self.wanted.view {
            View::System => self.system_parts(dirty),
            View::Systems => self.cards(dirty),
            _ => return None,
        };
        let patch = Patch { now: self.app.clock.now().as_millis(), parts };
        Event::default().event("patch").json_data(&patch).ok()
    }

    fn frame(&self, system: &str) -> Frame {
        Frame::new(&self.app, &self.visit, Nav::None, "").about(&self.app, system)
    }

    fn system_parts(&self, dirty: &Dirty) -> Vec<Part> {
        let Some(name) = dirty.parts.iter().next() else { return Vec::new() };
        let (language, now) = (self.visit.language, self.app.clock.now());
        let found = self.visit.seen(&self.app).system(name, |s| {
            let rows: Vec<Row> = dirty.rows.iter().filter_map(|c| Row::one(s, c, language)).collect();
            (rows, SystemView::new(s, language, now))
        });
        let Some((rows, s)) = found else { return Vec::new() };
        let f = &self.frame(name);
        let mut out = Vec::with_capacity(rows.len() + 4);
        for r in &rows {
            push(&mut out, r.dom_id.clone(), &RowPart { f, r });
        }
        push(&mut out, format!("summary.{name}"), &SummaryPart { f, sum: &s.summary });
        push(&mut out, format!("alerts.{name}"), &AlertsPart { f, s: &s });
        push(&mut out, format!("hosts.{name}"), &HostsPart { f, s: &s });
        push(&mut out, format!("today.{name}"), &TodayPart { f, s: &s });
        out
    }

    fn cards(&self, dirty: &Dirty) -> Vec<Part> {
        let (language, now) = (self.visit.language, self.app.clock.now());
        let mut out = Vec::new();
        for name in &dirty.parts {
            if let Some(s) = self.visit.seen(&self.app).system(name, |s| SystemView::new(s, language, now)) {
                push(&mut out, format!("card.{name}"), &CardPart { f: &self.frame(name), s: &s });
            }
        }
        out
    }
}

/// The next beat; never, where there are none.
async fn beat(beats: Option<&mut tokio::time::Interval>) {
    match beats {
        Some(beats) => {
            beats.tick().await;
        }
        None => std::future::pending().await,
    }
}

fn push(out: &mut Vec<Part>, id: String, template: &impl Template) {
    match template.render() {
        Ok(html) => out.push(Part { id, html }),
        Err(error) => tracing::error!(%error, "a fragment could not be rendered"),
    }
}

#[derive(Template)]
#[template(path = "parts/row.html")]
struct RowPart<'a> {
    f: &'a Frame,
    r: &'a Row,
}

#[derive(Template)]
#[template(path = "parts/summary.html")]
struct SummaryPart<'a> {
    f: &'a Frame,
    sum: &'a parts::Summary,
}

#[derive(Template)]
#[template(path = "parts/alerts_strip.html")]
struct AlertsPart<'a> {
    f: &'a Frame,
    s: &'a SystemView,
}

#[derive(Template)]
#[template(path = "parts/hosts.html")]
struct HostsPart<'a> {
    f: &'a Frame,
    s: &'a SystemView,
}

#[derive(Template)]
#[template(path = "parts/today.html")]
struct TodayPart<'a> {
    f: &'a Frame,
    s: &'a SystemView,
}

#[derive(Template)]
#[template(path = "parts/card.html")]
struct CardPart<'a> {
    f: &'a Frame,
    s: &'a SystemView,
}
