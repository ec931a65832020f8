//! Channels: the ways to tell people (CHN). Secrets in them are references. Pure.

use indexmap::IndexMap;
use kernel::secret::Text;
use kernel::{Duration, Rank};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Life;

/// A way to tell people. Exactly one of the kinds is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name in the team's own words.
    #[serde(default)]
    pub label: Option<String>,
    /// E-mail by SMTP.
    #[serde(default)]
    pub email: Option<Email>,
    /// Slack incoming webhook.
    #[serde(default)]
    pub slack: Option<WebhookUrl>,
    /// Discord webhook.
    #[serde(default)]
    pub discord: Option<WebhookUrl>,
    /// Microsoft Teams workflow webhook.
    #[serde(default)]
    pub teams: Option<WebhookUrl>,
    /// Telegram bot.
    #[serde(default)]
    pub telegram: Option<Telegram>,
    /// Any receiver of Alertmanager's webhook payload.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// ntfy topic.
    #[serde(default)]
    pub ntfy: Option<Ntfy>,
    /// SMS through an HTTP gateway.
    #[serde(default)]
    pub sms: Option<Sms>,
    /// A person who passes the ready text on by hand and confirms it (CHN-05).
    #[serde(default)]
    pub person: Option<ByHand>,
    /// Channel that takes over when this one has failed for good.
    #[serde(default)]
    pub fallback: Option<String>,
    /// At most so many messages in so much time; more wait.
    #[serde(default)]
    pub limit: Option<RateLimit>,
    /// Only messages of at least this rank.
    #[serde(default)]
    pub at_least: Option<Rank>,
    /// Whether recoveries are told too; yes when left out.
    #[serde(default)]
    pub recovery: Option<bool>,
    /// Whether it counts yet: `now`, `optional`, `planned`, `future` (PLN-14).
    #[serde(default)]
    pub state: Life,
    /// First day on which a planned item is active, `2026-03-01`.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub from: Option<String>,
}

/// The kind of a channel with its settings.
#[derive(Clone, Copy, Debug)]
pub enum ChannelKind<'a> {
    /// E-mail by SMTP.
    Email(&'a Email),
    /// Slack incoming webhook.
    Slack(&'a WebhookUrl),
    /// Discord webhook.
    Discord(&'a WebhookUrl),
    /// Microsoft Teams workflow webhook.
    Teams(&'a WebhookUrl),
    /// Telegram bot.
    Telegram(&'a Telegram),
    /// Alertmanager's webhook payload.
    Webhook(&'a Webhook),
    /// ntfy topic.
    Ntfy(&'a Ntfy),
    /// SMS through an HTTP gateway.
    Sms(&'a Sms),
    /// A person.
    Person(&'a ByHand),
}

impl Channel {
    /// The kinds that are given; a checked plan has exactly one.
    pub fn kinds(&self) -> Vec<ChannelKind<'_>> {
        let mut all = Vec::new();
        all.extend(self.email.as_ref().map(ChannelKind::Email));
        all.extend(self.slack.as_ref().map(ChannelKind::Slack));
        all.extend(self.discord.as_ref().map(ChannelKind::Discord));
        all.extend(self.teams.as_ref().map(ChannelKind::Teams));
        all.extend(self.telegram.as_ref().map(ChannelKind::Telegram));
        all.extend(self.webhook.as_ref().map(ChannelKind::Webhook));
        all.extend(self.ntfy.as_ref().map(ChannelKind::Ntfy));
        all.extend(self.sms.as_ref().map(ChannelKind::Sms));
        all.extend(self.person.as_ref().map(ChannelKind::Person));
        all
    }
}

impl ChannelKind<'_> {
    /// The key in the plan.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Slack(_) => "slack",
            Self::Discord(_) => "discord",
            Self::Teams(_) => "teams",
            Self::Telegram(_) => "telegram",
            Self::Webhook(_) => "webhook",
            Self::Ntfy(_) => "ntfy",
            Self::Sms(_) => "sms",
            Self::Person(_) => "person",
        }
    }
}

/// E-mail by SMTP (CHN-01).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Mail server, `host` or `host:port`; port 587 for `starttls`, 465 for `tls`, 25 for `none` when left out.
    pub server: Text,
    /// How the connection is protected.
    #[serde(default)]
    pub security: MailSecurity,
    /// User name, where the server asks for one; an empty one is none.
    #[serde(default)]
    pub user: Option<Text>,
    /// Password, by reference.
    #[serde(default)]
    pub password: Option<Text>,
    /// Sender.
    pub from: Text,
    /// Receivers: addresses, or `role:NAME`, `person:NAME`, `contact:NAME`, `audience:NAME` of this plan.
    pub to: Vec<Text>,
    /// Certificate authority of the server, a PEM file, where it is not a public one.
    #[serde(default)]
    pub ca_file: Option<Text>,
}

/// How an SMTP connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS after STARTTLS, required.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None; only for a server on the same machine or network.
    None,
}

/// A webhook that is known by its URL alone: Slack, Discord, Teams.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookUrl {
    /// The secret URL, by reference.
    pub url: Text,
}

/// Telegram bot.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Telegram {
    /// The bot's token, by reference.
    pub token: Text,
    /// Chat to write to.
    pub chat: Text,
    /// Base URL of the Bot API; `https://api.telegram.org` when left out.
    #[serde(default)]
    pub api: Option<Text>,
}

/// Any receiver of Alertmanager's webhook payload (version 4).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to post.
    pub url: Text,
    /// Further headers.
    #[serde(default)]
    pub headers: IndexMap<String, Text>,
    /// Key of an HMAC-SHA256 signature in `X-Farero-Signature`, by reference.
    #[serde(default)]
    pub signing_key: Option<Text>,
}

/// ntfy topic.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ntfy {
    /// Base URL; `https://ntfy.sh` when left out.
    #[serde(default)]
    pub server: Option<Text>,
    /// Topic.
    pub topic: Text,
    /// Access token, by reference.
    #[serde(default)]
    pub token: Option<Text>,
}

/// SMS through an HTTP gateway (CHN-04). In `url`, `body` and headers `{to}`, `{text}` stand for number and text, encoded
/// as the place needs it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// Where to send the request.
    pub url: Text,
    /// `POST` when left out.
    #[serde(default)]
    pub method: Option<String>,
    /// Further headers.
    #[serde(default)]
    pub headers: IndexMap<String, Text>,
    /// Body with `{to}` and `{text}`; its form is told by `content_type`.
    #[serde(default)]
    pub body: Option<Text>,
    /// `application/x-www-form-urlencoded` (default) or `application/json`.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Receivers: numbers, or `role:NAME`, `person:NAME`, `contact:NAME`.
    pub to: Vec<Text>,
    /// Most characters a text may have; 160 when left out.
    #[serde(default)]
    pub max_chars: Option<usize>,
}

/// A person who passes the text on by hand, over WhatsApp for example.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    /// What to use: `WhatsApp`, `telephone`.
    pub medium: String,
    /// Roles or people who may do it.
    #[serde(default)]
    pub by: Vec<String>,
    /// Whom to tell: free text, or `role:NAME`, `person:NAME`, `contact:NAME`, `audience:NAME`.
    #[serde(default)]
    pub to: Vec<Text>,
    /// How long until it counts as failed and the fallback takes over.
    #[serde(default)]
    pub confirm_within: Option<Duration>,
}

/// So many messages in so much time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Messages.
    pub messages: u32,
    /// In this much time.
    pub per: Duration,
}
