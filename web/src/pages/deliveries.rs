//! Deliveries: the outbox, its log, retrying and confirming by hand. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use kernel::message::{AttemptResult, DeliveryAttempt, DeliveryState, Message};
use kernel::phrase::in_language;
use kernel::trail::Deed;
use kernel::{Language, Timestamp};
use serde::Deserialize;
use state::{OutboxCount, OutboxFilter, OutboxRecord};

use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::limits::LIST_ROWS;
use crate::lists;
use crate::live::Change;
use crate::text::text;

/// Which deliveries to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    pub(crate) system: String,
    #[serde(default)]
    pub(crate) channel: String,
    /// `queued`, `sending`, `sent`, `awaiting_person`, `failed`; all when left out.
    #[serde(default)]
    pub(crate) state: String,
    /// Milliseconds since the epoch: only those stored before.
    pub(crate) before: Option<i64>,
}

/// All states with their words.
pub(crate) const STATES: [(DeliveryState, &str); 5] = [
    (DeliveryState::AwaitingPerson, "awaiting_person"),
    (DeliveryState::Failed, "failed"),
    (DeliveryState::Queued, "queued"),
    (DeliveryState::Sending, "sending"),
    (DeliveryState::Sent, "sent"),
];

impl Wanted {
    pub(crate) fn filter(&self, limit: usize) -> OutboxFilter {
        let some = |s: &str| Some(s.to_owned()).filter(|s| !s.is_empty());
        OutboxFilter {
            system: some(&self.system),
            channel: some(&self.channel),
            state: STATES.iter().find(|(_, w)| *w == self.state).map(|(s, _)| *s),
            before: self.before.map(Timestamp::from_millis),
            limit,
        }
    }
}

/// A delivery's state as shown.
pub(crate) fn state_view(state: DeliveryState, language: Language) -> StateView {
    let t = &text(language).alerts;
    let (class, word) = match state {
        DeliveryState::Queued => ("wait", t.state_queued),
        DeliveryState::Sending => ("wait", t.state_sending),
        DeliveryState::Sent => ("up", t.state_sent),
        DeliveryState::AwaitingPerson => ("slow", t.state_awaiting_person),
        DeliveryState::Failed => ("down", t.state_failed),
    };
    StateView { class, word }
}

/// What the other side said to an attempt.
pub(crate) fn result_words(result: &AttemptResult, language: Language) -> (&'static str, String) {
    let t = &text(language).alerts;
    let said = |error: &str| in_language(error, language).into_owned();
    match result {
        AttemptResult::Taken { answer } => (t.attempt_ok, said(answer)),
        AttemptResult::Postponed { error, .. } => (t.attempt_postponed, said(error)),
        AttemptResult::Refused { error } => (t.attempt_refused, said(error)),
    }
}

/// The text that a person passes on: the title and the message below it.
pub(crate) fn ready_text(message: &Message) -> String {
    match (&message.link, message.text.contains(&message.title)) {
        (_, true) => message.text.clone(),
        _ => format!("{}\n\n{}", message.title, message.text),
    }
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    f: Frame,
    wanted: Wanted,
    counts: Vec<(StateView, &'static str, u64)>,
    rows: Vec<(StateView, OutboxRecord)>,
    older: Option<String>,
}

impl DeliveriesPage {
    fn said(&self, attempt: &DeliveryAttempt) -> String {
        let (word, answer) = result_words(&attempt.result, self.f.language);
        if answer.is_empty() { word.to_owned() } else { format!("{word}: {answer}") }
    }

    fn ready(&self, record: &OutboxRecord) -> String {
        ready_text(&record.entry.message)
    }

    fn waits_for_person(&self, record: &OutboxRecord) -> bool {
        record.entry.state == DeliveryState::AwaitingPerson
    }
}

fn count(counts: &[OutboxCount], state: DeliveryState) -> u64 {
    counts.iter().filter(|c| c.state == state).map(|c| c.count).sum()
}

/// `GET /deliveries`
pub(crate) async fn deliveries(State(app): State<App>, visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let filter = wanted.filter(LIST_ROWS + 1);
    let mut found = lists::deliveries(&app, &visit.access, filter).await?;
    let counts = lists::counts(&app, &visit.access).await?;
    let more = found.len() > LIST_ROWS;
    found.truncate(LIST_ROWS);
    let last = found.last().map(|r| r.entry.created_at.as_millis()).filter(|_| more);
    let encode = crate::auth::guard::encode;
    let older = last.map(|ms| {
        let (system, channel, state) = (encode(&wanted.system), encode(&wanted.channel), encode(&wanted.state));
        format!("?system={system}&channel={channel}&state={state}&before={ms}")
    });
    let view = |s| state_view(s, visit.language);
    let counts = STATES.iter().map(|(s, word)| (view(*s), *word, count(&counts, *s))).collect();
    let rows = found.into_iter().map(|r| (view(r.entry.state), r)).collect();
    let f = Frame::new(&app, &visit, Nav::Deliveries, text(visit.language).alerts.del_title).live("view=deliveries");
    Ok(page(&DeliveriesPage { f, wanted, counts, rows, older }))
}

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    f: Frame,
    state: StateView,
    record: OutboxRecord,
    attempts: Vec<(&'static str, String, DeliveryAttempt)>,
    ready: String,
    awaits: bool,
    retryable: bool,
}

/// `GET /deliveries/{*key}`
pub(crate) async fn delivery(State(app): State<App>, visit: Visit, Path(key): Path<String>) -> Answer {
    let wanted = key.clone();
    let stored = app.db(move |s| {
        let Some(entry) = s.outbox_entry(&wanted)? else { return Ok(None) };
        let filter = OutboxFilter {
            system: Some(entry.system.clone()),
            channel: Some(entry.channel.clone()),
            before: Some(Timestamp::from_millis(entry.created_at.as_millis() + 1)),
            limit: LIST_ROWS,
            ..OutboxFilter::default()
        };
        let record = s.outbox(&filter)?.into_iter().find(|r| r.entry.key == wanted);
        let record = record.unwrap_or(OutboxRecord { entry, confirmed: None, last_attempt: None });
        Ok(Some((record, s.attempts(&wanted)?)))
    });
    let (record, attempts) = stored.await?.ok_or_else(|| Failure::not_found(key))?;
    let f = Frame::new(&app, &visit, Nav::Deliveries, record.entry.message.title.clone());
    let f = f.about(&app, &record.entry.system).live("view=deliveries");
    let said = |a: DeliveryAttempt| {
        let (word, answer) = result_words(&a.result, f.language);
        (word, answer, a)
    };
    let attempts = attempts.into_iter().map(said).collect();
    let state = record.entry.state;
    Ok(page(&DeliveryPage {
        state: state_view(state, visit.language),
        ready: ready_text(&record.entry.message),
        awaits: state == DeliveryState::AwaitingPerson,
        retryable: matches!(state, DeliveryState::Failed | DeliveryState::Queued),
        f,
        record,
        attempts,
    }))
}

/// A deed in the system and over the channel of a delivery.
fn of_system(state: &state::State, deed: Deed, key: &str) -> Result<Deed, state::StateError> {
    Ok(match state.outbox_entry(key)? {
        Some(entry) => deed.in_system(&entry.system).set("channel", &entry.channel).set("title", &entry.message.title),
        None => deed,
    })
}

/// Says that a person has passed a message on; `false` when it waits for none.
pub(crate) async fn store_confirmation(app: &App, key: &str, visit: &Visit) -> Result<bool, Failure> {
    let (key, now, by) = (key.to_owned(), app.clock.now(), visit.by());
    let deed = visit.deed(now, "delivery.confirm").on("delivery", &key);
    let changed = app.db(move |s| s.confirm_by_person(&key, &by, now, &of_system(s, deed, &key)?)).await?;
    if changed {
        app.control.wake_deliveries();
        app.live.announce(Change::Deliveries);
    }
    Ok(changed)
}

/// Queues a delivery again; `false` when it is neither waiting nor given up.
pub(crate) async fn store_retry(app: &App, key: &str, visit: &Visit) -> Result<bool, Failure> {
    let (key, now) = (key.to_owned(), app.clock.now());
    let deed = visit.deed(now, "delivery.retry").on("delivery", &key);
    let changed = app.db(move |s| s.retry_now(&key, now, &of_system(s, deed, &key)?)).await?;
    if changed {
        app.control.wake_deliveries();
        app.live.announce(Change::Deliveries);
    }
    Ok(changed)
}

/// `POST /deliveries/confirm/{*key}`
pub(crate) async fn confirm(
    State(app): State<App>,
    visit: Visit,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let changed = store_confirmation(&app, &key, &visit).await?;
    Ok(done("/deliveries", if changed { "confirmed" } else { "nothing" }))
}

/// `POST /deliveries/retry/{*key}`
pub(crate) async fn retry(State(app): State<App>, visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    let changed = store_retry(&app, &key, &visit).await?;
    Ok(done("/deliveries", if changed { "retried" } else { "nothing" }))
}
