//! `outgoing-refused`: a channel, or the watchdog, that sends to this machine or to a metadata service, which Farero refuses
//! unless the plan allows it by name (SEC-12). Pure.
//!
//! ```yaml
//! channels:
//!   avisos: { webhook: { url: "http://127.0.0.1:9000/hook" } }   # and no `outgoing: { allow: ["127.0.0.1:9000"] }`
//! ```

use kernel::secret::{Piece, Text};
use plan_syntax::Diagnostic;

use super::{Advise, Review};
use crate::{Channel, ChannelKind};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (name, channel) in &review.plan.channels {
        for (key, target) in targets(channel) {
            out.extend(refused(review, &format!("channels.{name}.{key}"), &format!("channel `{name}`"), target));
        }
    }
    if let Some(watchdog) = &review.plan.watchdog {
        out.extend(refused(review, "watchdog.url", "the watchdog", of_url(&watchdog.url)));
    }
    out
}

/// Host and port, where both are known as written.
type Target = Option<(String, u16)>;

fn targets(channel: &Channel) -> Vec<(&'static str, Target)> {
    channel
        .kinds()
        .into_iter()
        .filter_map(|kind| match kind {
            ChannelKind::Email(c) => Some(("email.server", of_address(&c.server))),
            ChannelKind::Slack(c) => Some(("slack.url", of_url(&c.url))),
            ChannelKind::Discord(c) => Some(("discord.url", of_url(&c.url))),
            ChannelKind::Teams(c) => Some(("teams.url", of_url(&c.url))),
            ChannelKind::Telegram(c) => c.api.as_ref().map(|api| ("telegram.api", of_url(api))),
            ChannelKind::Webhook(c) => Some(("webhook.url", of_url(&c.url))),
            ChannelKind::Ntfy(c) => c.server.as_ref().map(|server| ("ntfy.server", of_url(server))),
            ChannelKind::Sms(c) => Some(("sms.url", of_url(&c.url))),
            ChannelKind::Person(_) => None,
        })
        .collect()
}

/// The host of a URL whose authority is written out.
fn of_url(url: &Text) -> Target {
    let pieces = url.pieces();
    let Some(Piece::Literal(start)) = pieces.first() else { return None };
    let (scheme, rest) = start.split_once("://")?;
    let end = rest.find(['/', '?', '#']);
    if end.is_none() && pieces.len() > 1 {
        return None;
    }
    let authority = &rest[..end.unwrap_or(rest.len())];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(host_and_port(host, if scheme == "https" { 443 } else { 80 }))
}

fn of_address(address: &Text) -> Target {
    address.references().is_empty().then(|| host_and_port(address.written(), 25))
}

fn host_and_port(text: &str, usual: u16) -> (String, u16) {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host.to_owned(), port.parse().unwrap_or(usual))
        }
        _ => (text.to_owned(), usual),
    }
}

fn refused(review: &Review<'_>, path: &str, who: &str, target: Target) -> Option<Diagnostic> {
    let (host, port) = target?;
    let why = review.plan.outgoing.refuses(&host, port)?;
    let en = format!("{who} sends to `{host}`: {why}; Farero refuses it");
    let es = format!("{} envía a `{host}`: {}; Farero no lo permite", in_spanish(who), why_in_spanish(why));
    let entry = format!("outgoing: {{ allow: [\"{host}:{port}\"] }}");
    Some(review.warning("outgoing-refused", path, en, es).advise(
        format!("if that is meant, say so in the plan: {entry}"),
        format!("si es lo que se quiere, dígalo en el plan: {entry}"),
    ))
}

fn in_spanish(who: &str) -> String {
    if who == "the watchdog" { "el aviso de vida".to_owned() } else { who.replace("channel", "el canal") }
}

fn why_in_spanish(why: &str) -> &'static str {
    match why {
        w if w.contains("loopback") => "esta misma máquina",
        w if w.contains("metadata") => "el servicio de metadatos de la nube",
        w if w.contains("link-local") => "una dirección de enlace local",
        w if w.contains("unspecified") => "ninguna dirección",
        _ => "una dirección reservada",
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn sec_12_sending_to_this_machine_must_be_allowed_by_name() {
        let code = "outgoing-refused";
        let channels = "channels:\n  a: {webhook: {url: 'http://127.0.0.1:9000/x'}}\n  b: {email: {server: 'localhost', \
                        security: none, from: a@b.example, to: [c@d.example]}}\n  c: {webhook: {url: '${env:HOOK}'}}\n  \
                        d: {webhook: {url: 'http://${env:HOST}/x'}}\n  e: {webhook: {url: 'http://10.0.0.5/x'}}\n";
        let a = "2: channel `a` sends to `127.0.0.1`: this machine itself (loopback); Farero refuses it";
        let b = "3: channel `b` sends to `localhost`: this machine itself (loopback); Farero refuses it";
        check(code, channels, &[a, b]);
        check(code, &format!("{channels}outgoing: {{allow: ['127.0.0.1:9000', localhost]}}\n"), &[]);
        check(code, &format!("{channels}outgoing: {{allow: ['127.0.0.1:9001', localhost]}}\n"), &[a]);
        check(
            code,
            "watchdog: {url: 'http://169.254.169.254/latest'}\n",
            &["1: the watchdog sends to `169.254.169.254`: the cloud's metadata service; Farero refuses it"],
        );
    }
}
