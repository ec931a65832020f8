//! The day's digest: what it counts and what it says (CHN-09, ALR-21). Pure.

use std::fmt::Write as _;

use kernel::alert::{Alert, AlertEvent, EventKind};
use kernel::message::{Message, MessageKind};
use kernel::{Duration, Timestamp};
use plan_model::Severity;

use super::daily;
use super::text::{Told, Voice, cut, item, line_of, number};
use crate::words::fill;

/// Most lines of one list in a digest; the rest is counted, and stands on the page.
pub const LINES_PER_LIST: usize = 50;

/// What happened in a period, counted from what is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    /// Results that were fine.
    pub up: u64,
    /// Results that were fine but slow.
    pub slow: u64,
    /// Results that failed.
    pub down: u64,
    /// The system's uptime in percent, third parties and blind time left out.
    pub uptime_percent: Option<f64>,
    /// Uptime of each component in percent, in the plan's order: name for people, uptime, whether a third party runs it.
    pub components: Vec<(String, Option<f64>, bool)>,
    /// How long Farero was not watching.
    pub blind: Duration,
    /// Firings by severity, in the system's own words, the gravest first.
    pub fired: Vec<(String, u64)>,
    /// What is firing now.
    pub open: Vec<Alert>,
}

/// A digest that is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due<'a> {
    /// The severity's name in the plan.
    pub name: &'a str,
    /// The severity.
    pub severity: &'a Severity,
    /// The end of the period of the digest before, where there was one.
    pub from: Timestamp,
    /// When it was due.
    pub at: Timestamp,
    /// Whether that was so long ago that people wonder.
    pub late: bool,
}

/// The digest's message; with the day's activity where this is the severity of the summary.
pub(super) fn message(voice: &Voice<'_>, due: &Due<'_>, activity: Option<&Activity>, events: &[AlertEvent]) -> Message {
    let w = voice.words();
    let told: Vec<Told> = events.iter().map(|e| Told { event: e.clone(), began_too: false }).collect();
    let items: Vec<_> = told.iter().map(|t| item(voice, t)).collect();
    let date = daily::date_told(due.at, voice.zone).to_string();
    let title = format!("{}: {}", fill(w.digest, &[voice.system_label(), &date]), headline(voice, activity, events));
    let mut text = format!("{title}\n");
    let _ = writeln!(text, "{}", fill(w.digest_period, &[&voice.local(due.from), &voice.local(due.at)]));
    if due.late {
        let _ = writeln!(text, "{}", fill(w.digest_late, &[&voice.local(due.at)]));
    }
    if let Some(activity) = activity {
        text.push_str(&activity_text(voice, activity));
    }
    let lines: Vec<String> = events.iter().zip(&items).map(|(e, i)| line_of(voice, e, i)).collect();
    push_list(voice, &mut text, w.news, &lines);
    if let Some(base) = voice.base_url {
        let _ = write!(text, "\n{}", fill(w.look, &[base]));
    }
    let _ = writeln!(text, "\n{}", fill(w.local_time, &[&voice.plan.timezone]));
    Message {
        kind: MessageKind::Digest,
        system: voice.plan.system.clone(),
        system_label: voice.system_label().to_owned(),
        language: voice.plan.language,
        rank: due.severity.rank,
        severity_label: due.severity.label.as_deref().unwrap_or(due.name).to_owned(),
        title: cut(&title, super::text::LONGEST_TITLE),
        text,
        items,
        link: voice.base_url.map(ToOwned::to_owned),
        created_at: voice.now,
    }
}

/// The text verdict in the title.
fn headline(voice: &Voice<'_>, activity: Option<&Activity>, events: &[AlertEvent]) -> String {
    let w = voice.words();
    let mut parts = Vec::new();
    if let Some(a) = activity {
        parts.extend(a.uptime_percent.map(|u| fill(w.uptime, &[&number_percent(u)])));
        parts.extend((!a.fired.is_empty()).then(|| alerts_line(voice, a)));
    }
    let news = events.iter().filter(|e| e.kind == EventKind::Informed).count();
    if news > 0 {
        parts.push(fill(w.news, &[&news.to_string()]).trim_end_matches(':').to_owned());
    }
    if parts.is_empty() { w.digest_quiet.to_owned() } else { parts.join(", ") }
}

fn activity_text(voice: &Voice<'_>, a: &Activity) -> String {
    let w = voice.words();
    let mut text = String::from("\n");
    let mut line = |s: String| {
        text.push_str(&s);
        text.push('\n');
    };
    line(a.uptime_percent.map_or(w.uptime_unknown.to_owned(), |u| fill(w.uptime, &[&number_percent(u)])));
    let done = a.up + a.slow + a.down;
    line(match done {
        0 => w.checks_none.to_owned(),
        _ => fill(w.checks_done, &[done, a.up, a.slow, a.down].map(|n| n.to_string()).each_ref().map(String::as_str)),
    });
    if a.blind > Duration::ZERO {
        line(fill(w.blind, &[&a.blind.humanize(voice.plan.language)]));
    }
    line(if a.fired.is_empty() { w.alerts_none.to_owned() } else { alerts_line(voice, a) });
    if !a.components.is_empty() {
        line(w.per_service.to_owned());
        for (name, uptime, third_party) in &a.components {
            let name = if *third_party { fill(w.third_party, &[name]) } else { name.clone() };
            line(format!("- {name}: {}", uptime.map_or("–".to_owned(), |u| format!("{} %", number_percent(u)))));
        }
    }
    let open: Vec<String> = a.open.iter().map(|alert| open_line(voice, alert)).collect();
    if open.is_empty() {
        line(w.open_none.to_owned());
    }
    push_list(voice, &mut text, w.open_now, &open);
    text
}

fn alerts_line(voice: &Voice<'_>, a: &Activity) -> String {
    let by: Vec<String> = a.fired.iter().map(|(name, n)| format!("{name} {n}")).collect();
    fill(voice.words().alerts_by_severity, &[&by.join(", ")])
}

fn open_line(voice: &Voice<'_>, alert: &Alert) -> String {
    let at = alert.fired_at.unwrap_or(alert.active_at);
    let event =
        AlertEvent { id: String::new(), at, kind: EventKind::Fired, rank: kernel::Rank::Info, alert: alert.clone() };
    let item = item(voice, &Told { event: event.clone(), began_too: false });
    line_of(voice, &event, &item)
}

fn push_list(voice: &Voice<'_>, text: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(text, "\n{}\n", fill(heading, &[&lines.len().to_string()]));
    for line in lines.iter().take(LINES_PER_LIST) {
        let _ = writeln!(text, "{line}");
    }
    if let Some(more) = lines.len().checked_sub(LINES_PER_LIST).filter(|n| *n > 0) {
        let _ = writeln!(text, "{}", fill(voice.words().more, &[&more.to_string()]));
    }
}

/// A percentage that does not round a failure away: 99.999 is not 100.
fn number_percent(percent: f64) -> String {
    if percent < 100.0 && percent > 99.9 {
        format!("{:.3}", (percent * 1_000.0).floor() / 1_000.0)
    } else {
        number(percent)
    }
}
