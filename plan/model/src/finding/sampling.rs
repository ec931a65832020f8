//! `too-few-samples`: a threshold that must hold for a time in which the host is measured hardly twice. Pure.
//!
//! ```yaml
//! defaults: { host_every: 5m }
//! alerts:
//!   cpu: [ { above: 90%, for: 10m, severity: advertencia } ]
//! hosts:
//!   servidor: { check: { host: {} } }
//! ```

use std::collections::HashSet;

use kernel::Language::{En, Es};
use plan_syntax::Diagnostic;

use super::{Advise, Review};

/// Fewer samples than this within a hold time say little: one missing or odd value decides.
const FEWEST_SAMPLES: u64 = 4;

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let (mut out, mut seen) = (Vec::new(), HashSet::new());
    for (component, name, _) in review.plan.checks().filter(|(_, _, check)| check.host.is_some()) {
        let Some(settings) = review.plan.effective(component, name) else { continue };
        let policy = review.plan.alert_policy(component);
        for (measure, thresholds) in [("cpu", &policy.cpu), ("memory", &policy.memory), ("disk", &policy.disk)] {
            for (index, threshold) in thresholds.iter().enumerate() {
                let Some(hold) = threshold.hold.filter(|h| h.as_millis() > 0) else { continue };
                let samples = hold.as_millis() / settings.every.as_millis().max(1);
                let own = format!("{}.alerts.{measure}[{index}].for", review.component_path(component));
                let path =
                    if review.loaded.locate(&own).is_some() { own } else { format!("alerts.{measure}[{index}].for") };
                if samples >= FEWEST_SAMPLES || !seen.insert(path.clone()) {
                    continue;
                }
                let (every, above) = (settings.every, threshold.above);
                let found = review.finding(
                    "too-few-samples",
                    &path,
                    format!(
                        "{measure} above {above} for {} rests on {samples} samples: `{component}` is measured every {}",
                        hold.humanize(En),
                        every.humanize(En)
                    ),
                    format!(
                        "{measure} sobre {above} durante {} se apoya en {samples} muestras: `{component}` se mide cada {}",
                        hold.humanize(Es),
                        every.humanize(Es)
                    ),
                );
                out.push(found.advise(
                    "measure hosts more often (`defaults.host_every: 15s`)",
                    "mida los servidores más a menudo (`defaults.host_every: 15s`)",
                ));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn met_05_thresholds_rest_on_enough_samples() {
        let rest = "alerts: {cpu: [{above: 90%, for: 10m, severity: a}], disk: [{above: 80%, severity: a}]}\n\
                    severities: {a: {rank: low}}\nhosts: {vm: {check: {host: {}}}}\n";
        check(
            "too-few-samples",
            &format!("{rest}defaults: {{host_every: 5m}}\n"),
            &["1: cpu above 90% for 10 min rests on 2 samples: `vm` is measured every 5 min"],
        );
        check("too-few-samples", rest, &[]);
    }
}
