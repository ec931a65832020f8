//! `receiver-without-address`: a channel writes to a role, person or contact that has no address for it (CHN-01). Pure.
//!
//! ```yaml
//! roles: { guardia: { people: [ana] } }
//! people: { ana: { email: "${env:ANA_EMAIL}" } }
//! channels:
//!   sms: { sms: { url: "${env:SMS_URL}", to: ["role:guardia"] } }   # and `ana` has no `mobile`
//! ```

use kernel::secret::Text;
use plan_syntax::Diagnostic;

use super::{Advise, Review};
use crate::ChannelKind;

/// Which address a channel needs.
#[derive(Clone, Copy)]
enum Need {
    Mail,
    Number,
}

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (name, channel) in &review.plan.channels {
        for kind in channel.kinds() {
            let (to, need) = match kind {
                ChannelKind::Email(mail) => (&mail.to, Need::Mail),
                ChannelKind::Sms(sms) => (&sms.to, Need::Number),
                _ => continue,
            };
            for (index, receiver) in to.iter().enumerate() {
                if reaches(review, receiver.written(), need) != Some(false) {
                    continue;
                }
                let path = format!("channels.{name}.{}.to[{index}]", kind.name());
                let (en, es) = match need {
                    Need::Mail => ("mail address", "dirección de correo"),
                    Need::Number => ("mobile number", "número de móvil"),
                };
                let written = receiver.written();
                let found = review.warning(
                    "receiver-without-address",
                    &path,
                    format!("`{written}` has no {en}, so `{name}` does not reach them"),
                    format!("`{written}` no tiene {es}, así que `{name}` no llega"),
                );
                out.push(found.advise("add it to the people behind it", "añádala a las personas que hay detrás"));
            }
        }
    }
    out
}

/// Whether a named receiver has an address; `None` for an address itself.
fn reaches(review: &Review<'_>, receiver: &str, need: Need) -> Option<bool> {
    let (kind, name) = receiver.split_once(':')?;
    let (plan, name) = (review.plan, name.trim());
    let person = |name: &String| {
        let person = plan.people.get(name);
        given(person.and_then(|p| match need {
            Need::Mail => p.email.as_ref(),
            Need::Number => p.mobile.as_ref(),
        }))
    };
    match kind {
        "role" => Some(plan.roles.get(name)?.people.iter().any(person)),
        "person" => Some(person(&name.to_owned())),
        "contact" => {
            let contact = plan.contacts.get(name)?;
            Some(given(match need {
                Need::Mail => contact.email.as_ref(),
                Need::Number => contact.phone.as_ref(),
            }))
        }
        "audience" => Some(matches!(need, Need::Mail) && !plan.audiences.get(name)?.emails.is_empty()),
        _ => None,
    }
}

fn given(text: Option<&Text>) -> bool {
    text.is_some_and(|t| !t.written().trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn chn_01_receivers_have_addresses() {
        check(
            "receiver-without-address",
            "people: {ana: {email: '${env:A}'}}\nroles: {r: {people: [ana]}, e: {}}\nchannels:\n  \
             m: {email: {server: m.example, from: a@b.example, to: ['role:r', 'role:e', x@y.example]}}\n  \
             s: {sms: {url: '${env:U}', to: ['person:ana']}}\n",
            &[
                "4: `role:e` has no mail address, so `m` does not reach them",
                "5: `person:ana` has no mobile number, so `s` does not reach them",
            ],
        );
    }
}
