//! `single-channel`: grave alerts that hang on one channel; `channel-unused`: one that carries nothing;
//! `channel-too-strict`: one that a severity names and that refuses its rank (CHN-07, CHN-08). Pure.
//!
//! ```yaml
//! severities:
//!   critica: { rank: critical, deliver: now, channels: [correo] }   # and `correo` has no fallback
//! ```

use std::collections::HashSet;

use kernel::Rank;
use plan_syntax::Diagnostic;

use super::{Advise, Review};
use crate::Deliver;

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = strict(review);
    for (name, severity) in &review.plan.severities {
        let [only] = severity.channels.as_slice() else { continue };
        let has_fallback = review.plan.channels.get(only).is_some_and(|c| c.fallback.is_some());
        if severity.rank < Rank::High || severity.deliver != Deliver::Now || has_fallback {
            continue;
        }
        let found = review.finding(
            "single-channel",
            &format!("severities.{name}.channels"),
            format!("alerts of `{name}` hang on `{only}` alone: when it fails, nobody hears of them"),
            format!("las alertas de `{name}` dependen solo de `{only}`: si falla, nadie se entera"),
        );
        out.push(found.advise(
            format!("name a second channel, or a `fallback:` of `{only}`"),
            format!("nombre otro canal, o un `fallback:` de `{only}`"),
        ));
    }
    out.extend(unused(review));
    out
}

fn strict(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (name, severity) in &review.plan.severities {
        for channel in &severity.channels {
            let least = review.plan.channels.get(channel).and_then(|c| c.at_least);
            let Some(least) = least.filter(|l| severity.rank < *l) else { continue };
            let (rank, least) = (severity.rank.as_str(), least.as_str());
            let found = review.finding(
                "channel-too-strict",
                &format!("severities.{name}.channels"),
                format!("`{channel}` carries only {least} and graver, so it never carries `{name}` ({rank})"),
                format!("`{channel}` solo lleva {least} o más grave, así que nunca lleva `{name}` ({rank})"),
            );
            out.push(found.advise(
                "take the channel out here, or change its `at_least`",
                "quite aquí el canal, o cambie su `at_least`",
            ));
        }
    }
    out
}

fn unused(review: &Review<'_>) -> Vec<Diagnostic> {
    let plan = review.plan;
    let named = plan.severities.values().flat_map(|s| &s.channels);
    let used: HashSet<&String> = named.chain(plan.channels.values().filter_map(|c| c.fallback.as_ref())).collect();
    let idle = plan.channels.keys().filter(|n| !used.contains(n));
    idle.map(|name| {
        let path = format!("channels.{name}");
        let en = format!("nothing is ever sent over `{name}`: no severity names it, and it is no fallback");
        let es = format!("nunca se envía nada por `{name}`: ninguna severidad lo nombra, ni es fallback de otro");
        review
            .finding("channel-unused", &path, en, es)
            .advise("name it under a severity's `channels:`", "nómbrelo en los `channels:` de una severidad")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn chn_07_channels_carry_what_they_are_named_for() {
        let rest = "severities:\n  a: {rank: critical, channels: [one]}\n  b: {rank: low, channels: [one, two]}\n  \
                    c: {rank: high, channels: [two]}\nchannels:\n  one: {slack: {url: '${env:S}'}}\n  \
                    two: {slack: {url: '${env:S}'}, at_least: high, fallback: one}\n  three: {slack: {url: '${env:S}'}}\n";
        check("single-channel", rest, &["2: alerts of `a` hang on `one` alone: when it fails, nobody hears of them"]);
        check("channel-too-strict", rest, &["3: `two` carries only high and graver, so it never carries `b` (low)"]);
        check(
            "channel-unused",
            rest,
            &["8: nothing is ever sent over `three`: no severity names it, and it is no fallback"],
        );
    }
}
