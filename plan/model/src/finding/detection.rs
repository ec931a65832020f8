//! `late-detection`: a failure is found later than its alert promises to be told. Pure.
//!
//! ```yaml
//! defaults: { every: 5m, timeout: 30s, attempts: 3 }
//! alerts: { down: critica }
//! severities:
//!   critica: { rank: critical, deliver: now, channels: [correo] }
//! ```
//!
//! “At once” begins when the failure is found: with a run every 5 min and 3 attempts of 30 s that is up to 6 min 32 s after
//! it happened.

use indexmap::IndexMap;
use kernel::Language::{En, Es};
use kernel::{Duration, Language};
use plan_syntax::Diagnostic;

use super::{Advise, Review, names};
use crate::{CheckSettings, Deliver};

/// A failure told within this time of happening is told at once, as people mean it.
const IMMEDIATE: Duration = Duration::from_mins(2);

/// What makes the time to detection.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct Pace {
    every: Duration,
    attempts: u32,
    timeout: Duration,
    pause: Duration,
    hold: Duration,
}

impl Pace {
    fn new(s: &CheckSettings) -> Self {
        Self { every: s.every, attempts: s.attempts, timeout: s.timeout, pause: s.pause, hold: s.hold }
    }

    fn worst(self) -> Duration {
        let attempts = u64::from(self.attempts);
        let ms = self.every.as_millis()
            + attempts * self.timeout.as_millis()
            + (attempts - 1) * self.pause.as_millis()
            + self.hold.as_millis();
        Duration::from_millis(ms)
    }

    fn sum(self, language: Language) -> String {
        let say = |d: Duration| d.humanize(language);
        let mut out = match language {
            En => format!("{} until the next run, {} × {}", say(self.every), self.attempts, say(self.timeout)),
            Es => format!("{} hasta la siguiente revisión, {} × {}", say(self.every), self.attempts, say(self.timeout)),
        };
        if self.attempts > 1 {
            let pauses = format!("{} × {}", self.attempts - 1, say(self.pause));
            out.push_str(&format!("{} {pauses}", language.pick(", pausas de", ", pauses of")));
        }
        if self.hold > Duration::ZERO {
            out.push_str(&format!("{} {}", language.pick(", espera de", ", hold of"), say(self.hold)));
        }
        out
    }
}

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut slow: IndexMap<(String, Pace), Vec<String>> = IndexMap::new();
    for (component, name, check) in review.plan.checks() {
        if check.heartbeat.is_some() || check.composite.is_some() || check.host.is_some() {
            continue;
        }
        let Some(settings) = review.plan.effective(component, name) else { continue };
        let Some(severity) = settings.down_severity.clone() else { continue };
        let promise = match review.plan.severities.get(&severity).map(|s| s.deliver) {
            Some(Deliver::Now) => IMMEDIATE,
            Some(Deliver::Within(time)) => time.max(IMMEDIATE),
            _ => continue,
        };
        let pace = Pace::new(&settings);
        if pace.worst() > promise {
            slow.entry((severity, pace)).or_default().push(format!("{component}/{name}"));
        }
    }
    slow.into_iter().map(|((severity, pace), checks)| say(review, &severity, pace, &checks)).collect()
}

fn say(review: &Review<'_>, severity: &str, pace: Pace, checks: &[String]) -> Diagnostic {
    let deliver = review.plan.severities.get(severity).map(|s| s.deliver).unwrap_or_default();
    let (en, es) = names(checks.iter().map(String::as_str));
    let path = format!("severities.{severity}.deliver");
    let found = review.finding(
        "late-detection",
        &path,
        format!(
            "`{severity}` is delivered `{deliver}`, and a failure of {en} is found up to {} after it happens: {}",
            pace.worst().humanize(En),
            pace.sum(En)
        ),
        format!(
            "`{severity}` se entrega `{deliver}`, y un fallo de {es} se detecta hasta {} después de ocurrir: {}",
            pace.worst().humanize(Es),
            pace.sum(Es)
        ),
    );
    let found = match checks.first().and_then(|c| c.split_once('/')) {
        Some((component, check)) => {
            let own = format!("{}.every", review.check_path(component, check));
            let at = if review.loaded.locate(&own).is_some() { own } else { "defaults.every".to_owned() };
            found.related(review.loaded.nearest_place(&at), "the interval is set here")
        }
        None => found,
    };
    found.advise(
        "make the interval, the timeout, the attempts or the hold smaller for these checks, or promise less",
        "reduzca el intervalo, el tiempo límite, los intentos o la espera de estas revisiones, o prometa menos",
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn alr_05_immediate_is_not_sooner_than_found() {
        let rest = "alerts: {down: c}\nseverities: {c: {rank: critical, channels: [s]}}\nchannels: {s: {slack: {url: '${env:S}'}}}\n\
                    services: {a: {check: {tcp: 'a:1'}}, b: {check: {tcp: 'b:1'}}, d: {check: {tcp: 'd:1', every: 10s}}}\n";
        check(
            "late-detection",
            &format!("{rest}defaults: {{every: 5m, timeout: 30s, attempts: 3}}\n"),
            &[
                "2: `c` is delivered `now`, and a failure of `a/check` and `b/check` is found up to 6 min 32 s after it happens: \
               5 min until the next run, 3 × 30 s, pauses of 2 × 1 s",
            ],
        );
        check("late-detection", rest, &[]);
    }
}
