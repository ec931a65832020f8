//! Messages that no rule asks for and that nobody may miss: one for each channel that the gravest severities go to. Pure.
//!
//! ```
//! // The seal of the break-glass account was broken: e-mail and SMS of severity `critica` are told at once.
//! ```

use kernel::message::{DeliveryState, Message, MessageKind, OutboxEntry};
use kernel::{Language, Rank};

use super::text::Voice;
use super::{cut, text};

/// Something grave that happened to Farero itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grave<'a> {
    /// Somebody logged in with the sealed code of the break-glass account.
    SealBroken {
        /// From which address.
        from: &'a str,
        /// What they gave as the reason.
        reason: &'a str,
    },
}

/// Entries for the outbox, due at once. Where no severity is critical, or none of them names a channel, every channel is told.
pub fn decide_alarm(voice: &Voice<'_>, grave: &Grave<'_>) -> Vec<OutboxEntry> {
    let plan = voice.plan;
    let critical = plan.severities.values().filter(|s| s.rank == Rank::Critical);
    let mut channels: Vec<&String> =
        critical.flat_map(|s| &s.channels).filter(|c| plan.channels.contains_key(*c)).collect();
    channels.sort_unstable();
    channels.dedup();
    if channels.is_empty() {
        channels = plan.channels.keys().collect();
    }
    let message = message(voice, grave);
    let entry = |channel: &String| OutboxEntry {
        key: format!("alarm-{}-{}/{channel}", voice.now.as_millis(), plan.system),
        system: plan.system.clone(),
        channel: channel.clone(),
        message: message.clone(),
        state: DeliveryState::Queued,
        tries: 0,
        due_at: voice.now,
        created_at: voice.now,
        fallen_from: Vec::new(),
    };
    channels.into_iter().map(entry).collect()
}

fn message(voice: &Voice<'_>, grave: &Grave<'_>) -> Message {
    let Grave::SealBroken { from, reason } = grave;
    let language = voice.plan.language;
    let severity = voice.plan.severities.values().find(|s| s.rank == Rank::Critical).and_then(|s| s.label.clone());
    let label = severity.unwrap_or_else(|| language.pick("Crítica", "Critical").to_owned());
    let (title, told) = match language {
        Language::Es => (
            "Se rompió el sello de la cuenta de emergencia de Farero",
            format!(
                "Alguien entró en Farero con el código sellado de la cuenta de emergencia.\n\nDesde: {from}\nMotivo: {reason}\n\nSi nadie del equipo lo hizo, termine todas las sesiones y revise el registro de auditoría ahora. El código debe sellarse de nuevo.\n"
            ),
        ),
        Language::En => (
            "The seal of Farero's break-glass account was broken",
            format!(
                "Somebody logged in to Farero with the sealed code of the break-glass account.\n\nFrom: {from}\nReason: {reason}\n\nIf nobody of the team did, end all sessions and look at the audit trail now. The code must be sealed anew.\n"
            ),
        ),
    };
    Message {
        kind: MessageKind::Firing,
        system: voice.plan.system.clone(),
        system_label: voice.plan.label.clone().unwrap_or_else(|| voice.plan.system.clone()),
        language,
        rank: Rank::Critical,
        title: cut(&format!("{label}: {title}"), text::LONGEST_TITLE),
        severity_label: label,
        text: told,
        items: Vec::new(),
        link: voice.base_url.map(|base| format!("{}/settings/installation", base.trim_end_matches('/'))),
        created_at: voice.now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use kernel::Timestamp;
    use plan_model::{LoadOptions, SourceFile, load};

    fn told(severities: &str) -> Vec<OutboxEntry> {
        let text = format!(
            "system: mini\ntimezone: UTC\nlanguage: es\n{severities}\nchannels:\n  correo: {{ webhook: {{ url: 'https://a' }} }}\n  sms: {{ webhook: {{ url: 'https://b' }} }}\n  grupo: {{ webhook: {{ url: 'https://c' }} }}\n"
        );
        let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
        let plan = load(&[SourceFile::new("plan.yaml", text)], &options).plan.unwrap();
        let voice =
            Voice { plan: &plan, zone: &TimeZone::UTC, base_url: Some("https://f"), now: Timestamp::from_secs(1) };
        decide_alarm(&voice, &Grave::SealBroken { from: "10.0.0.9", reason: "Nadie podía entrar" })
    }

    #[test]
    fn sec_12_everybody_whom_the_gravest_severity_reaches_is_told() {
        let channels = |severities: &str| told(severities).into_iter().map(|e| e.channel).collect::<Vec<_>>();
        let two = "severities:\n  alta: { rank: critical, channels: [sms, correo] }\n  otra: { rank: critical, channels: [sms] }\n  baja: { rank: info, channels: [grupo] }";
        assert_eq!(channels(two), ["correo", "sms"]);
        assert_eq!(channels(""), ["correo", "sms", "grupo"], "without a critical severity everybody");
        let first = told(two).remove(0);
        assert!(first.message.text.contains("10.0.0.9") && first.message.text.contains("Nadie podía entrar"));
        assert_eq!(
            (first.message.rank, first.state, first.due_at),
            (Rank::Critical, DeliveryState::Queued, Timestamp::from_secs(1))
        );
    }
}
