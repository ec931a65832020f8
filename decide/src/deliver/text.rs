//! What messages say, in the plan's language: title, text, items. Pure.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use kernel::alert::{Alert, AlertEvent, EventKind};
use kernel::message::{Message, MessageItem, MessageKind};
use kernel::{Duration, Timestamp};
use plan_model::{Plan, Severity};

use crate::words::{Words, fill, words};

/// Longest title: one SMS with room for a link, one line in a list of mails.
pub const LONGEST_TITLE: usize = 120;
/// Longest summary line of an item; what is longer is cut with an ellipsis.
pub const LONGEST_SUMMARY: usize = 300;

/// Who speaks: the plan, its time zone, the time, and where pages are.
#[derive(Clone, Copy)]
pub struct Voice<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its time zone.
    pub zone: &'a TimeZone,
    /// Base URL of this Farero's pages, without a slash at its end.
    pub base_url: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// One event to tell of.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The event; the end, where beginning and end are told together.
    pub event: AlertEvent,
    /// The beginning is told with it for the first time.
    pub began_too: bool,
}

impl Voice<'_> {
    pub(super) fn words(&self) -> &'static Words {
        words(self.plan.language)
    }

    pub(super) fn system_label(&self) -> &str {
        self.plan.label.as_deref().unwrap_or(&self.plan.system)
    }

    /// A time for people: local, to the minute.
    pub(super) fn local(&self, t: Timestamp) -> String {
        t.in_zone(self.zone).strftime("%Y-%m-%d %H:%M").to_string()
    }

    pub(super) fn span(&self, from: Timestamp, to: Timestamp) -> String {
        Duration::from(to.since(from)).humanize(self.plan.language)
    }

    /// How long ago a time is; fractions of a second tell nobody anything.
    fn ago(&self, from: Timestamp) -> String {
        let passed = Duration::from(self.now.since(from));
        match passed.as_millis() {
            ..1_000 => self.words().just_now.to_owned(),
            _ => fill(self.words().ago, &[&passed.humanize(self.plan.language)]),
        }
    }

    fn page(&self, path: &str) -> Option<String> {
        self.base_url.map(|base| format!("{}/{path}", base.trim_end_matches('/')))
    }
}

/// A message of one event, or of several that belong together; `part` and `parts` where one message would be too long.
pub fn message(voice: &Voice<'_>, name: &str, severity: &Severity, told: &[Told], part: (usize, usize)) -> Message {
    let w = voice.words();
    let label = severity.label.as_deref().unwrap_or(name);
    let items: Vec<MessageItem> = told.iter().map(|t| item(voice, t)).collect();
    let (kind, title, text, link) = match (told, items.as_slice()) {
        ([one], [item]) => {
            let kind = match one.event.kind {
                EventKind::Resolved => MessageKind::Resolved,
                EventKind::Fired | EventKind::Informed => MessageKind::Firing,
            };
            (kind, title_of_one(w, label, one, item), text_of_one(voice, label, one, item), item.link.clone())
        }
        _ => {
            let count = told.len().to_string();
            let system = voice.system_label();
            let title = match part {
                (_, 1) => fill(w.several, &[label, &count, system]),
                (n, of) => fill(w.several_part, &[label, &count, system, &n.to_string(), &of.to_string()]),
            };
            (MessageKind::Batch, title, text_of_many(voice, told, &items), voice.page("alerts"))
        }
    };
    Message {
        kind,
        system: voice.plan.system.clone(),
        system_label: voice.system_label().to_owned(),
        language: voice.plan.language,
        rank: severity.rank,
        severity_label: label.to_owned(),
        title: cut(&title, LONGEST_TITLE),
        text,
        items,
        link,
        created_at: voice.now,
    }
}

/// The message of `farero notify test`.
pub fn test_message(voice: &Voice<'_>, channel: &str) -> Message {
    let w = voice.words();
    Message {
        kind: MessageKind::Test,
        system: voice.plan.system.clone(),
        system_label: voice.system_label().to_owned(),
        language: voice.plan.language,
        rank: kernel::Rank::Info,
        severity_label: w.informed.to_owned(),
        title: cut(&format!("{} · {}", w.test, voice.system_label()), LONGEST_TITLE),
        text: format!("{}\n{}\n", fill(w.test_text, &[channel]), fill(w.system, &[voice.system_label()])),
        items: Vec::new(),
        link: voice.page(""),
        created_at: voice.now,
    }
}

fn title_of_one(w: &Words, label: &str, told: &Told, item: &MessageItem) -> String {
    match told.event.kind {
        EventKind::Resolved if told.began_too => format!("{label}: {}", fill(w.over, &[&item.summary])),
        EventKind::Resolved => format!("{} ({label}): {}", w.recovered, item.summary),
        EventKind::Fired | EventKind::Informed => format!("{label}: {}", item.summary),
    }
}

fn text_of_one(voice: &Voice<'_>, label: &str, told: &Told, item: &MessageItem) -> String {
    let w = voice.words();
    let alert = &told.event.alert;
    let mut lines = vec![title_of_one(w, label, told, item), String::new()];
    lines.push(fill(w.system, &[voice.system_label()]));
    lines.extend(service_label(voice, alert).map(|s| fill(w.service, &[&s])));
    if !item.value.is_empty() {
        lines.push(fill(w.value, &[&item.value]));
    }
    lines.push(when(voice, &told.event));
    if !item.description.is_empty() {
        lines.extend([String::new(), item.description.clone()]);
    }
    lines.extend(item.runbook.as_ref().map(|r| fill(w.runbook, &[r])));
    lines.extend(item.link.as_ref().map(|l| fill(w.look, &[l])));
    lines.push(String::new());
    lines.push(fill(w.local_time, &[&voice.plan.timezone]));
    lines.join("\n") + "\n"
}

fn text_of_many(voice: &Voice<'_>, told: &[Told], items: &[MessageItem]) -> String {
    let w = voice.words();
    let mut text = fill(w.system, &[voice.system_label()]) + "\n";
    let group = |t: &Told| match (t.event.kind, t.began_too) {
        (EventKind::Fired, _) => w.firing_list,
        (EventKind::Resolved, true) => w.over_list,
        (EventKind::Resolved, false) => w.recovered_list,
        (EventKind::Informed, _) => w.informed_list,
    };
    for heading in [w.firing_list, w.over_list, w.recovered_list, w.informed_list] {
        let lines: Vec<String> = told
            .iter()
            .zip(items)
            .filter(|(t, _)| group(t) == heading)
            .map(|(t, item)| line_of(voice, &t.event, item))
            .collect();
        if !lines.is_empty() {
            let _ = write!(text, "\n{}\n{}\n", fill(heading, &[&lines.len().to_string()]), lines.join("\n"));
        }
    }
    if let Some(page) = voice.page("alerts") {
        let _ = write!(text, "\n{}", fill(w.look, &[&page]));
    }
    let _ = writeln!(text, "\n{}", fill(w.local_time, &[&voice.plan.timezone]));
    text
}

/// One event in one line of a list.
pub(super) fn line_of(voice: &Voice<'_>, event: &AlertEvent, item: &MessageItem) -> String {
    let mut line = format!("- {}", item.summary);
    if !item.value.is_empty() {
        let _ = write!(line, " [{}]", item.value);
    }
    let _ = write!(line, " · {}", when(voice, event));
    line
}

fn when(voice: &Voice<'_>, event: &AlertEvent) -> String {
    let w = voice.words();
    let alert = &event.alert;
    let from = alert.active_at;
    match (event.kind, alert.resolved_at) {
        (EventKind::Resolved, Some(to)) => format!(
            "{}, {}",
            fill(w.from_to, &[&voice.local(from), &voice.local(to)]),
            fill(w.lasted, &[&voice.span(from, to)])
        ),
        (EventKind::Informed, _) => voice.local(event.at),
        _ => fill(w.since, &[&voice.local(from), &voice.ago(from)]),
    }
}

/// One event as an item of a message.
pub fn item(voice: &Voice<'_>, told: &Told) -> MessageItem {
    let alert = &told.event.alert;
    let text = |name: &str| alert.annotations.get(name).unwrap_or_default().trim();
    let named = || match service_label(voice, alert) {
        Some(service) => format!("{} · {service}", alert.rule),
        None => alert.rule.clone(),
    };
    let summary = Some(text("summary")).filter(|s| !s.is_empty()).map_or_else(named, ToOwned::to_owned);
    let value = Some(text("value")).filter(|s| !s.is_empty());
    let plain = || if told.event.kind == EventKind::Informed { String::new() } else { number(alert.value) };
    MessageItem {
        kind: told.event.kind,
        alert: alert.clone(),
        summary: cut(&one_line(&summary), LONGEST_SUMMARY),
        description: text("description").to_owned(),
        value: value.map_or_else(plain, ToOwned::to_owned),
        since: voice.local(alert.active_at),
        runbook: ["runbook", "runbook_url"].iter().map(|n| text(n)).find(|s| !s.is_empty()).map(ToOwned::to_owned),
        link: voice.page(&format!("alerts/{}", alert.firing_id())),
    }
}

/// The service's name for people, with the name of the plan where that differs.
fn service_label(voice: &Voice<'_>, alert: &Alert) -> Option<String> {
    let name = alert.labels.get("service")?;
    let found = voice.plan.services.get(name).or_else(|| voice.plan.hosts.get(name));
    let label = found.and_then(|c| c.label.as_deref()).unwrap_or(name);
    Some(if label.eq_ignore_ascii_case(name) { label.to_owned() } else { format!("{label} ({name})") })
}

/// A number for people: four significant digits, no exponent where it can be read without one.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return value.to_string();
    }
    if size != 0.0 && !(1e-4..1e12).contains(&size) {
        return format!("{value:.3e}");
    }
    let whole_digits = if size < 1.0 { 1 } else { size.log10().floor() as i32 + 1 };
    let lead = if size > 0.0 && size < 1.0 { (-size.log10()).floor() as i32 } else { 0 };
    let decimals = usize::try_from((4 - whole_digits + lead + i32::from(size < 1.0)).clamp(0, 8)).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// At most `most` characters, the cut shown.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
