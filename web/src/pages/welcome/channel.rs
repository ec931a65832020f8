//! The assistant's second step: one channel, tried at once with a test message. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Query, State};
use http::StatusCode;
use kernel::secret::Secret;
use plan_model::outgoing::refused_name;
use plan_model::starter::{CHANNEL, FirstChannel};
use serde::Deserialize;

use super::{Step, Steps, answers, starter, write};
use crate::answer::Failure;
use crate::app::App;
use crate::control::{ControlError, Starter};
use crate::pages::form::Form;
use crate::pages::frame::{Frame, Nav};
use crate::pages::visit::Visit;
use crate::pages::{Answer, page};
use crate::text::text;

/// Kinds of channels that the assistant knows, the easiest first.
const KINDS: [&str; 7] = ["email", "telegram", "slack", "discord", "teams", "ntfy", "webhook"];

#[derive(Template)]
#[template(path = "welcome_channel.html")]
struct ChannelPage {
    f: Frame,
    steps: Steps,
    starter: Option<Starter>,
    given: Given,
    /// What the other side said to the test message.
    sent: String,
    error: String,
}

impl ChannelPage {
    fn is(&self, kind: &str) -> bool {
        self.given.kind == kind
    }

    fn kinds(&self) -> [(&'static str, &'static str); 7] {
        let t = &self.f.t.welcome;
        KINDS.map(|kind| {
            let label = match kind {
                "email" => t.kind_email,
                "telegram" => "Telegram",
                "slack" => "Slack",
                "discord" => "Discord",
                "teams" => "Microsoft Teams",
                "ntfy" => t.kind_ntfy,
                _ => t.kind_webhook,
            };
            (kind, label)
        })
    }
}

/// Which kind's form is shown.
#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    kind: String,
}

/// The fields of all kinds; each kind has some of them.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) server: String,
    #[serde(default)]
    pub(crate) security: String,
    #[serde(default)]
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) chat: String,
    #[serde(default)]
    pub(crate) topic: String,
    /// Password, token or address: never shown again.
    #[serde(default)]
    secret: String,
}

fn show(app: &App, visit: &Visit, given: Given, sent: String, error: String) -> Answer {
    let f = Frame::new(app, visit, Nav::None, text(visit.language).welcome.title).bare();
    let failed = !error.is_empty();
    let kind = if KINDS.contains(&given.kind.as_str()) { given.kind.clone() } else { "email".to_owned() };
    let given = Given { kind, secret: String::new(), ..given };
    let steps = Steps::at(Step::Channel, visit);
    let mut answer = page(&ChannelPage { f, steps, starter: starter(app), given, sent, error });
    if failed {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// `GET /welcome/channel`
pub(crate) async fn channel(State(app): State<App>, visit: Visit, Query(chosen): Query<Chosen>) -> Answer {
    let given = Given { kind: chosen.kind, ..Given::default() };
    show(&app, &visit, given, String::new(), String::new())
}

/// What the form says, as a channel; the secret's place is named, its value is not in it. `None`: something is missing.
fn of(given: &Given, reference: &str) -> Option<FirstChannel> {
    let text = |t: &str| t.trim().to_owned();
    let filled = |all: &[&String]| all.iter().all(|t| !t.trim().is_empty());
    let reference = reference.to_owned();
    let is_url = |t: &str| t.trim().starts_with("https://") || t.trim().starts_with("http://");
    Some(match given.kind.as_str() {
        "email" if filled(&[&given.server, &given.from, &given.to]) => FirstChannel::Email {
            server: text(&given.server),
            security: if matches!(given.security.as_str(), "tls" | "none") {
                given.security.clone()
            } else {
                "starttls".into()
            },
            user: text(&given.user),
            password: reference,
            from: text(&given.from),
            to: text(&given.to),
        },
        "telegram" if filled(&[&given.secret, &given.chat]) => {
            FirstChannel::Telegram { token: reference, chat: text(&given.chat) }
        }
        "ntfy" if filled(&[&given.topic]) => {
            FirstChannel::Ntfy { topic: text(&given.topic), server: text(&given.server) }
        }
        "slack" if is_url(&given.secret) => FirstChannel::Slack { url: reference },
        "discord" if is_url(&given.secret) => FirstChannel::Discord { url: reference },
        "teams" if is_url(&given.secret) => FirstChannel::Teams { url: reference },
        "webhook" if is_url(&given.secret) => FirstChannel::Webhook { url: reference },
        _ => return None,
    })
}

/// The host that the channel sends to, where it is this machine itself: a mail relay, a gateway beside Farero. Plans send nothing
/// there unless they name it; whoever administers has just done so.
fn own_host(given: &Given) -> Option<String> {
    let address = match given.kind.as_str() {
        "email" | "ntfy" => given.server.trim(),
        "telegram" => return None,
        _ => given.secret.trim(),
    };
    let uri: http::Uri = address.parse().ok()?;
    let host = uri.host().filter(|host| refused_name(host).is_some())?;
    Some(uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// `POST /welcome/channel`
pub(crate) async fn set_channel(State(app): State<App>, visit: Visit, Form(given): Form<Given>) -> Answer {
    let t = &text(visit.language).welcome;
    let Some(starter) = starter(&app) else { return Err(Failure::refused(t.no_folder)) };
    let reference = starter.reference(CHANNEL);
    let Some(channel) = of(&given, &reference) else {
        return show(&app, &visit, given, String::new(), t.channel_incomplete.to_owned());
    };
    let mut answers = answers(&app, &visit).await?;
    answers.channel = Some(channel);
    answers.allow = own_host(&given).into_iter().collect();
    let secret = given.secret.trim();
    let secrets: Vec<(String, Secret)> =
        (!secret.is_empty()).then(|| (CHANNEL.to_owned(), Secret::new(secret.to_owned()))).into_iter().collect();
    if let Err(why) = write(&app, &visit, &answers, &secrets).await? {
        return show(&app, &visit, given, String::new(), why);
    }
    // The plan's name may have just come from the first step.
    let system = self::starter(&app).map(|s| s.system).unwrap_or(starter.system);
    match app.control.test_channel(&system, CHANNEL, &visit.by()).await {
        Ok(said) => show(&app, &visit, given, if said.is_empty() { "OK".to_owned() } else { said }, String::new()),
        Err(ControlError::Failed(why)) => show(&app, &visit, given, String::new(), format!("{} {why}", t.test_failed)),
        Err(error) => Err(error.into()),
    }
}
