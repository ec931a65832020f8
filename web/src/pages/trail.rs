//! The audit trail: search, paging, exports. For administrators and auditors. I/O: HTTP, state, the loops.

use askama::Template;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::Timestamp;
use kernel::trail::{Deed, Outcome};
use serde::Deserialize;
use state::TrailFilter;

use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::guard::encode;
use crate::limits::LIST_ROWS;
use crate::text::{actions, text};
use crate::trail_export::{Export, Format};

/// Which entries to list. Days are those of the page's time zone.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) actor: String,
    #[serde(default)]
    pub(crate) object: String,
    #[serde(default)]
    pub(crate) system: String,
    #[serde(default)]
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) id: String,
    /// First day, `2026-03-01`.
    #[serde(default)]
    pub(crate) since: String,
    /// Last day.
    #[serde(default)]
    pub(crate) until: String,
    /// Only entries with a smaller number.
    pub(crate) before: Option<u64>,
    /// Form of an export.
    #[serde(default)]
    pub(crate) format: String,
}

impl Wanted {
    fn filter(&self, zone: &TimeZone, limit: usize) -> Result<TrailFilter, Failure> {
        let trimmed = |s: &String| s.trim().to_owned();
        Ok(TrailFilter {
            actor: trimmed(&self.actor),
            object: trimmed(&self.object),
            system: trimmed(&self.system),
            action: trimmed(&self.action),
            outcome: Outcome::parse(&self.outcome),
            business_id: trimmed(&self.id),
            since: day(&self.since, zone, 0)?,
            until: day(&self.until, zone, 1)?,
            text: trimmed(&self.text),
            before: self.before,
            limit,
            ..TrailFilter::default()
        })
    }

    /// The query of this search, without its page.
    fn query(&self) -> String {
        let fields = [
            ("text", &self.text),
            ("actor", &self.actor),
            ("object", &self.object),
            ("system", &self.system),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("id", &self.id),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let used = fields.into_iter().filter(|(_, v)| !v.trim().is_empty());
        used.map(|(name, v)| format!("{name}={}", encode(v.trim()))).collect::<Vec<_>>().join("&")
    }
}

/// When a day of a zone begins, some days later.
fn day(text: &str, zone: &TimeZone, later: i64) -> Result<Option<Timestamp>, Failure> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let begin = |date: Date| {
        let date = date.checked_add(jiff::Span::new().days(later))?;
        date.to_zoned(zone.clone())
    };
    let parsed = text.trim().parse().and_then(begin);
    let at = parsed.map_err(|e| Failure::invalid(format!("`{text}` is no day (2026-03-01): {e}")))?;
    Ok(Some(Timestamp::from_jiff(at.timestamp())))
}

/// One entry as shown.
struct Line {
    sequence: u64,
    /// `None` when a newer version wrote it.
    deed: Option<Deed>,
    action: String,
    outcome: StateView,
    hash: String,
    text: String,
}

#[derive(Template)]
#[template(path = "trail.html")]
struct TrailPage {
    f: Frame,
    wanted: Wanted,
    kinds: Vec<(&'static str, &'static str)>,
    lines: Vec<Line>,
    older: Option<String>,
    query: String,
    filtered: bool,
    head: u64,
    signed: u64,
    key: String,
}

impl TrailPage {
    fn actor(&self, deed: &Deed) -> String {
        actions::actor(self.f.language, &deed.actor)
    }
}

fn outcome_view(outcome: Outcome, f: &Frame) -> StateView {
    let t = &f.t.trail;
    let (class, word) = match outcome {
        Outcome::Done => ("up", t.done),
        Outcome::Refused => ("slow", t.refused),
        Outcome::Failed => ("down", t.failed),
    };
    StateView { class, word }
}

fn line(entry: kernel::trail::Entry, f: &Frame) -> Line {
    let deed = entry.deed().ok();
    let action = deed.as_ref().map_or_else(|| "?".to_owned(), |d| actions::action(f.language, &d.action));
    let outcome = outcome_view(deed.as_ref().map_or(Outcome::Done, |d| d.outcome), f);
    Line { sequence: entry.sequence, deed, action, outcome, hash: entry.hash.to_string(), text: entry.text }
}

/// `GET /trail`
pub(crate) async fn trail(State(app): State<App>, visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let mut f = Frame::new(&app, &visit, Nav::Trail, text(visit.language).trail.title);
    if !wanted.system.is_empty() {
        f = f.about(&app, &wanted.system);
    }
    let filter = wanted.filter(&f.zone, LIST_ROWS + 1)?;
    let (mut found, head, signed) =
        app.db(move |s| Ok((s.trail(&filter)?, s.trail_head()?.sequence, s.checkpointed()?))).await?;
    let more = found.len() > LIST_ROWS;
    found.truncate(LIST_ROWS);
    let query = wanted.query();
    let older = found.last().filter(|_| more).map(|e| {
        let join = if query.is_empty() { "" } else { "&" };
        format!("?{query}{join}before={}", e.sequence)
    });
    let key = app.control.trail_key();
    let lines = found.into_iter().map(|e| line(e, &f)).collect();
    let (kinds, filtered) = (actions::kinds(visit.language), !query.is_empty());
    Ok(page(&TrailPage { f, wanted, kinds, lines, older, query, filtered, head, signed, key }))
}

/// `GET /trail/export`
pub(crate) async fn export(State(app): State<App>, visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let zone = Frame::new(&app, &visit, Nav::Trail, "").zone;
    let format = Format::parse(&wanted.format).ok_or_else(|| Failure::invalid("format: jsonl or csv"))?;
    send(&app, &visit, wanted.filter(&zone, 0)?, format).await
}

/// An export as a download: signed up to now, told in the trail, and written as it is read.
pub(crate) async fn send(app: &App, visit: &Visit, filter: TrailFilter, format: Format) -> Result<Response, Failure> {
    let now = app.clock.now();
    let chosen = crate::trail_export::describe(&filter);
    let told = visit.deed(now, "trail.export").on("trail", format.ending()).saying(chosen);
    app.record(told).await?;
    let key = app.control.checkpoint().await?;
    let (sender, receiver) = tokio::sync::mpsc::channel(PARTS_AHEAD);
    let (state, export) = (app.state.clone(), Export { filter, key, made_at: now });
    tokio::task::spawn_blocking(move || {
        let out = std::io::BufWriter::with_capacity(PART_BYTES, Parts(sender));
        if let Err(error) = export.write(&state, format, out) {
            // The client went away, or the database failed; the file it has lacks its last line.
            tracing::warn!(%error, "an export of the trail broke off");
        }
    });
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let name = format!("attachment; filename=\"farero-trail-{}.{}\"", now.as_millis(), format.ending());
    let mut answer = body.into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if let Ok(name) = HeaderValue::from_str(&name) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}

/// Parts of an export that may wait for a slow client.
const PARTS_AHEAD: usize = 8;

/// Bytes of one part.
const PART_BYTES: usize = 64 * 1024;

/// Hands what is written on to the answer's body; waits while the client is slow.
struct Parts(tokio::sync::mpsc::Sender<std::io::Result<bytes::Bytes>>);

impl std::io::Write for Parts {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        let gone = |_| std::io::Error::new(std::io::ErrorKind::BrokenPipe, "the client has gone");
        self.0.blocking_send(Ok(bytes::Bytes::copy_from_slice(part))).map_err(gone)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
