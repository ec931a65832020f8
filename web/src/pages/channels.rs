//! Channels of each plan, who uses them, and sending a test. I/O: HTTP, the loops.

use askama::Template;
use axum::extract::{Path, State};
use kernel::{Language, Rank, Timestamp};
use plan_model::Channel;
use state::OutboxFilter;

use super::deliveries::state_view;
use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, page};
use crate::answer::Failure;
use crate::app::App;
use crate::live::SystemState;
use crate::text::text;

/// A channel as shown.
pub(crate) struct ChannelView {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: &'static str,
    pub(crate) medium: Option<String>,
    pub(crate) users: Vec<(String, Rank)>,
    pub(crate) fallback: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) at_least: Option<Rank>,
    pub(crate) no_recovery: bool,
    pub(crate) result: Option<Result<String, String>>,
    /// State and time of the newest message.
    pub(crate) last: Option<(StateView, Timestamp)>,
    pub(crate) waiting: u64,
}

impl ChannelView {
    fn new(system: &SystemState, name: &str, channel: &Channel, language: Language) -> Self {
        let label_of =
            |n: &str| system.plan().channels.get(n).and_then(|c| c.label.clone()).unwrap_or_else(|| n.to_owned());
        let severities = system.plan().severities.iter().filter(|(_, s)| s.channels.iter().any(|c| c == name));
        Self {
            name: name.to_owned(),
            label: label_of(name),
            kind: channel.kinds().first().map_or("?", |k| k.name()),
            medium: channel.person.as_ref().map(|p| p.medium.clone()),
            users: severities.map(|(n, s)| (s.label.clone().unwrap_or_else(|| n.clone()), s.rank)).collect(),
            fallback: channel.fallback.as_deref().map(label_of),
            limit: channel.limit.map(|l| format!("{} / {}", l.messages, l.per.humanize(language))),
            at_least: channel.at_least,
            no_recovery: channel.recovery == Some(false),
            result: None,
            last: None,
            waiting: 0,
        }
    }
}

/// The channels of a system.
pub(crate) struct Group {
    pub(crate) system: String,
    pub(crate) label: String,
    pub(crate) channels: Vec<ChannelView>,
}

/// The active channels of all systems.
pub(crate) fn groups(app: &App, visit: &Visit) -> Vec<Group> {
    visit.seen(app).systems(|s| Group {
        system: s.name().to_owned(),
        label: s.label().to_owned(),
        channels: s
            .plan()
            .channels
            .iter()
            .filter(|(n, _)| visit.access.sees_channel(s, n))
            .map(|(n, c)| ChannelView::new(s, n, c, visit.language))
            .collect(),
    })
}

#[derive(Template)]
#[template(path = "channels.html")]
struct ChannelsPage {
    f: Frame,
    groups: Vec<Group>,
}

/// Adds what became of each channel's newest message, and how many wait.
async fn add_deliveries(app: &App, groups: &mut [Group], language: Language) -> Result<(), Failure> {
    let names: Vec<(String, String)> =
        groups.iter().flat_map(|g| g.channels.iter().map(|c| (g.system.clone(), c.name.clone()))).collect();
    let read = app.db(move |s| {
        let waiting = s.outbox_waiting()?;
        let mut last = Vec::with_capacity(names.len());
        for (system, channel) in names {
            let filter = OutboxFilter {
                system: Some(system.clone()),
                channel: Some(channel.clone()),
                limit: 1,
                ..OutboxFilter::default()
            };
            last.extend(s.outbox(&filter)?.pop().map(|r| (system, channel, r.entry.state, r.entry.created_at)));
        }
        Ok((waiting, last))
    });
    let (waiting, last) = read.await?;
    for group in groups {
        for c in &mut group.channels {
            let of = |system: &str, channel: &str| system == group.system && channel == c.name;
            c.waiting = waiting.iter().find(|(s, n, _)| of(s, n)).map_or(0, |(.., count)| *count);
            let newest = last.iter().find(|(s, n, ..)| of(s, n));
            c.last = newest.map(|(.., state, at)| (state_view(*state, language), *at));
        }
    }
    Ok(())
}

fn frame(app: &App, visit: &Visit) -> Frame {
    Frame::new(app, visit, Nav::Channels, text(visit.language).alerts.channels_title)
}

/// `GET /channels`
pub(crate) async fn channels(State(app): State<App>, visit: Visit) -> Answer {
    let mut groups = groups(&app, &visit);
    add_deliveries(&app, &mut groups, visit.language).await?;
    Ok(page(&ChannelsPage { f: frame(&app, &visit).live("view=channels"), groups }))
}

/// Sends a test message and tells the trail of it, whatever came of it.
pub(crate) async fn send_test(
    app: &App,
    visit: &Visit,
    system: &str,
    channel: &str,
) -> Result<String, crate::ControlError> {
    let sent = app.control.test_channel(system, channel, &visit.by()).await;
    let deed = visit.deed(app.clock.now(), "channel.test").on("channel", channel).in_system(system);
    let deed = match &sent {
        Ok(answer) => deed.saying(answer),
        Err(error) => deed.failed(error.to_string()),
    };
    app.told(deed).await;
    sent
}

/// `POST /channels/{system}/{channel}/test`
pub(crate) async fn test(
    State(app): State<App>,
    visit: Visit,
    Path((system, channel)): Path<(String, String)>,
) -> Answer {
    let mut groups = groups(&app, &visit);
    let group = groups.iter_mut().find(|g| g.system == system);
    let Some(view) = group.and_then(|g| g.channels.iter_mut().find(|c| c.name == channel)) else {
        return Err(Failure::not_found(format!("{system}/{channel}")));
    };
    let sent = send_test(&app, &visit, &system, &channel).await;
    view.result = Some(sent.map_err(|e| e.to_string()));
    add_deliveries(&app, &mut groups, visit.language).await?;
    let mut f = frame(&app, &visit);
    f.here = "/channels".to_owned();
    Ok(page(&ChannelsPage { f, groups }))
}
