//! Channels: exactly one kind, receivers that exist, addresses that look right. Pure.

use kernel::secret::Text;
use plan_syntax::suggest::listing;

use super::Verifier;
use crate::{Channel, ChannelKind};

/// All kinds of channel.
const KINDS: &[&str] = &["email", "slack", "discord", "teams", "telegram", "webhook", "ntfy", "sms", "person"];

/// What a receiver may name, and where that is declared.
const RECEIVERS: &[(&str, &str)] =
    &[("role", "roles"), ("person", "people"), ("contact", "contacts"), ("audience", "audiences")];

impl Verifier<'_> {
    pub(super) fn channels(&mut self) {
        let plan = self.plan;
        for (name, channel) in &plan.channels {
            let path = format!("channels.{name}");
            match channel.kinds().as_slice() {
                [kind] => self.channel(*kind, &path),
                [] => {
                    let error =
                        self.error("no-kind", format_args!("{path}"), format!("`{name}` says not how it sends"));
                    error.expected = Some(listing(KINDS.iter().copied(), 12, "or"));
                }
                [_, second, ..] => {
                    let second = second.name();
                    let message = format!("`{name}` sends in more than one way");
                    self.error("several-kinds", format_args!("{path}.{second}"), message).help =
                        Some("make each a channel of its own, and name both under the severity's `channels:`".into());
                }
            }
            if let Some(fallback) = &channel.fallback {
                self.refer(fallback, &["channels"], "channel", format_args!("{path}.fallback"));
            }
            self.rate(channel, &path);
        }
    }

    fn rate(&mut self, channel: &Channel, path: &str) {
        let Some(limit) = channel.limit else { return };
        if limit.messages == 0 || limit.per == kernel::Duration::ZERO {
            self.error("no-messages", format_args!("{path}.limit"), "this limit lets no message pass".to_owned())
                .help = Some("write at least one message in at least 1s, or take the limit out".into());
        }
    }

    fn channel(&mut self, kind: ChannelKind<'_>, path: &str) {
        let path = format!("{path}.{}", kind.name());
        match kind {
            ChannelKind::Email(email) => {
                self.receivers(&email.to, &format!("{path}.to"), |t| t.contains('@'), "a mail address");
                self.host_port(&email.server, false, &path, "server");
            }
            ChannelKind::Sms(sms) => {
                let number = |t: &str| t.chars().filter(char::is_ascii_digit).count() >= 3;
                self.receivers(&sms.to, &format!("{path}.to"), number, "a telephone number");
                self.url(&sms.url, &["http", "https"], &path, "url");
                let types = ["application/x-www-form-urlencoded", "application/json"];
                self.one_of(sms.content_type.as_deref(), &types, "content type", &format!("{path}.content_type"));
                self.method(sms.method.as_deref(), &format!("{path}.method"));
            }
            ChannelKind::Person(person) => {
                self.receivers(&person.to, &format!("{path}.to"), |_| true, "a person");
                for (index, by) in person.by.iter().enumerate() {
                    let by = by.split_once(':').map_or(by.as_str(), |(_, name)| name.trim());
                    self.refer(by, &["roles", "people"], "role or person", format_args!("{path}.by[{index}]"));
                }
            }
            ChannelKind::Slack(hook) | ChannelKind::Discord(hook) | ChannelKind::Teams(hook) => {
                self.url(&hook.url, &["http", "https"], &path, "url");
            }
            ChannelKind::Webhook(hook) => self.url(&hook.url, &["http", "https"], &path, "url"),
            ChannelKind::Ntfy(ntfy) => {
                if let Some(server) = &ntfy.server {
                    self.url(server, &["http", "https"], &path, "server");
                }
            }
            ChannelKind::Telegram(telegram) => {
                if let Some(api) = &telegram.api {
                    self.url(api, &["http", "https"], &path, "api");
                }
            }
        }
    }

    fn receivers(&mut self, to: &[Text], path: &str, fits: impl Fn(&str) -> bool, what: &str) {
        if to.is_empty() && what != "a person" {
            self.error("no-receiver", format_args!("{path}"), "nobody receives this".to_owned()).expected =
                Some(format!("{what}, or `role:NAME`, `person:NAME`, `contact:NAME`, `audience:NAME`"));
        }
        for (index, receiver) in to.iter().enumerate() {
            let text = receiver.written().trim();
            let named = text.split_once(':').and_then(|(kind, name)| {
                RECEIVERS.iter().find(|(k, _)| *k == kind).map(|(k, section)| (*k, *section, name.trim()))
            });
            match named {
                Some((kind, section, name)) => {
                    self.refer(name, &[section], kind, format_args!("{path}[{index}]"));
                }
                None if !receiver.references().is_empty() || fits(text) => {}
                None => {
                    let error =
                        self.error("bad-receiver", format_args!("{path}[{index}]"), format!("`{text}` is not {what}"));
                    error.expected =
                        Some(format!("{what}, or `role:NAME`, `person:NAME`, `contact:NAME`, `audience:NAME`"));
                }
            }
        }
    }
}
