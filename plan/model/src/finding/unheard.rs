//! `alert-unheard`: a severity whose alerts are to be delivered, and no channel carries them. Pure.
//!
//! ```yaml
//! severities:
//!   critica: { rank: critical, deliver: now, channels: [sms] }
//! channels:
//!   sms: { state: future, sms: { url: "${env:SMS_URL}", to: ["+51900000000"] } }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review, names};
use crate::{Deliver, Severity};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let sent = review.plan.severities.iter().filter(|(_, s)| s.deliver != Deliver::Info);
    sent.filter_map(|(name, severity)| unheard(review, name, severity)).collect()
}

fn unheard(review: &Review<'_>, name: &str, severity: &Severity) -> Option<Diagnostic> {
    let carries = |channel: &&String| {
        review.plan.channels.get(*channel).is_some_and(|c| c.at_least.is_none_or(|least| severity.rank >= least))
    };
    if severity.channels.iter().any(|c| carries(&c)) {
        return None;
    }
    let path = format!("severities.{name}");
    let declared = review.loaded.root().at(&format!("{path}.channels"));
    let asleep: Vec<&str> = match declared.map(|n| &n.value) {
        Some(plan_syntax::Value::List(items)) => items.iter().filter_map(|i| i.as_text()).collect(),
        _ => Vec::new(),
    };
    let deliver = severity.deliver;
    let (en, es) = if asleep.is_empty() {
        ("it has no channel".to_owned(), "no tiene canal".to_owned())
    } else {
        let (en, es) = names(asleep.iter().copied());
        (format!("none of its channels carries them: {en}"), format!("ninguno de sus canales las lleva: {es}"))
    };
    let found = review.finding(
        "alert-unheard",
        &path,
        format!("nobody receives alerts of `{name}`, which are to be delivered ({deliver}): {en}"),
        format!("nadie recibe las alertas de `{name}`, que deben entregarse ({deliver}): {es}"),
    );
    Some(found.advise(
        "name a channel that is in use under `channels:`, or write `deliver: info`",
        "nombre un canal en uso bajo `channels:`, o escriba `deliver: info`",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn alr_05_what_is_delivered_reaches_somebody() {
        let channels = "channels: {c: {slack: {url: '${env:S}'}}, sms: {state: future, slack: {url: '${env:S}'}}, \
                        top: {at_least: critical, slack: {url: '${env:S}'}}}\n";
        check(
            "alert-unheard",
            &format!(
                "severities:\n  a: {{rank: critical, channels: [c, sms]}}\n  b: {{rank: critical, channels: [sms]}}\n  \
                 c: {{rank: low, deliver: within 1h}}\n  d: {{rank: info, deliver: info}}\n  \
                 e: {{rank: low, channels: [top]}}\n{channels}"
            ),
            &[
                "3: nobody receives alerts of `b`, which are to be delivered (now): none of its channels carries them: `sms`",
                "4: nobody receives alerts of `c`, which are to be delivered (within 1h): it has no channel",
                "6: nobody receives alerts of `e`, which are to be delivered (now): none of its channels carries them: `top`",
            ],
        );
    }
}
