//! Which series the results of a check become: names and labels are made once and used again while the check goes on
//! saying the same things. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::probe::{CheckId, Outcome, Phase, ProbeResult};

use crate::system::{SharedLabel, System};

/// The labels that a reading has beside those of its check.
type MoreLabels = Vec<(String, String)>;

/// The layouts of all checks.
#[derive(Default)]
pub struct Layouts {
    names: Names,
    checks: HashMap<CheckId, Layout>,
}

/// The series of one check's last result, in the order of its samples.
pub struct Layout {
    source: String,
    base: Vec<SharedLabel>,
    is_blind: bool,
    phases: Vec<Phase>,
    readings: Vec<(Arc<str>, MoreLabels)>,
    series: Vec<Labels>,
}

impl Layouts {
    /// The layout that a result has.
    pub fn of(&mut self, system: &System, result: &ProbeResult) -> &Layout {
        let (base, phase_metric) = system.check_series(&result.check);
        // Looked up twice: a reference that is returned on one way only holds the map on the other, too.
        if !self.checks.get(&result.check).is_some_and(|l| l.fits(base, result)) {
            let layout = Layout::new(base, phase_metric, result, &mut self.names);
            self.checks.insert(result.check.clone(), layout);
        }
        &self.checks[&result.check]
    }

    /// Forgets a check that is gone.
    pub fn forget(&mut self, check: &CheckId) {
        self.checks.remove(check);
    }
}

impl Layout {
    fn new(base: &[SharedLabel], phase_metric: &str, result: &ProbeResult, names: &mut Names) -> Self {
        let is_blind = result.outcome == Outcome::Blind;
        let own = ["probe_success", "probe_slow", "probe_duration_seconds", "probe_attempts"];
        let mut series: Vec<Labels> = Vec::new();
        series.extend(own.iter().filter(|_| !is_blind).map(|name| names.series(base, name, [])));
        let phases: Vec<Phase> = result.phases.iter().map(|(phase, _)| *phase).collect();
        series.extend(phases.iter().map(|phase| names.series(base, phase_metric, [("phase", phase.as_str())])));
        let mut readings = Vec::with_capacity(result.readings.len());
        for reading in &result.readings {
            let more = reading.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
            series.push(names.series(base, &reading.metric, more));
            readings.push((names.share(&reading.metric), reading.labels.clone()));
        }
        Self { source: result.check.to_string(), base: base.to_vec(), is_blind, phases, readings, series }
    }

    /// Whether a result has the same series in the same order.
    fn fits(&self, base: &[SharedLabel], result: &ProbeResult) -> bool {
        self.is_blind == (result.outcome == Outcome::Blind)
            && self.base == base
            && self.phases.iter().eq(result.phases.iter().map(|(phase, _)| phase))
            && self.readings.len() == result.readings.len()
            && self.readings.iter().zip(&result.readings).all(|(o, n)| *o.0 == *n.metric && o.1 == n.labels)
    }

    /// The check's name as a source of series.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The samples of a result that this layout was made for.
    pub fn samples(&self, result: &ProbeResult) -> Vec<(Labels, f64)> {
        let own = [
            f64::from(u8::from(result.outcome.is_success())),
            f64::from(u8::from(result.outcome == Outcome::Slow)),
            result.duration.as_secs_f64(),
            f64::from(result.attempts),
        ];
        let own = own.into_iter().filter(|_| !self.is_blind);
        let phases = result.phases.iter().map(|(_, ms)| ms / 1_000.0);
        let values = own.chain(phases).chain(result.readings.iter().map(|r| r.value));
        self.series.iter().cloned().zip(values).collect()
    }
}

/// Names of metrics and labels, shared by all series that have them.
#[derive(Default)]
struct Names(HashMap<String, Arc<str>>);

impl Names {
    fn share(&mut self, name: &str) -> Arc<str> {
        match self.0.get(name) {
            Some(shared) => shared.clone(),
            None => self.0.entry(name.to_owned()).or_insert_with(|| Arc::from(name)).clone(),
        }
    }

    fn series<'a>(
        &mut self,
        base: &[SharedLabel],
        metric: &str,
        more: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Labels {
        let mut pairs = base.to_vec();
        pairs.push((self.share(METRIC_NAME), self.share(metric)));
        pairs.extend(more.into_iter().map(|(name, value)| (self.share(name), Arc::from(value))));
        Labels::from_shared(pairs)
    }
}

#[cfg(test)]
mod tests {
    use kernel::probe::{Evidence, Reading};
    use kernel::{Duration, Timestamp};

    use super::*;

    fn result(outcome: Outcome, phases: &[(Phase, f64)], readings: Vec<Reading>) -> ProbeResult {
        ProbeResult {
            check: CheckId::new("s", "web", "home"),
            due_at: Timestamp::from_secs(1),
            started_at: Timestamp::from_secs(1),
            duration: Duration::from_millis(250),
            outcome,
            attempts: 2,
            phases: phases.to_vec(),
            readings,
            evidence: Evidence::default(),
        }
    }

    #[test]
    fn samples_have_their_names_and_a_layout_fits_while_the_series_are_the_same() {
        let base = [(Arc::from("service"), Arc::from("web"))];
        let reading = |value| Reading::new("probe_x", value).label("zone", "a");
        let first = result(Outcome::Up, &[(Phase::Tls, 5.0)], vec![reading(1.0)]);
        let layout = Layout::new(&base, "probe_phase", &first, &mut Names::default());
        let texts: Vec<String> = layout.samples(&first).iter().map(|(labels, v)| format!("{labels} {v}")).collect();
        let expect = [
            r#"probe_success{service="web"} 1"#,
            r#"probe_slow{service="web"} 0"#,
            r#"probe_duration_seconds{service="web"} 0.25"#,
            r#"probe_attempts{service="web"} 2"#,
            r#"probe_phase{phase="tls", service="web"} 0.005"#,
            r#"probe_x{service="web", zone="a"} 1"#,
        ];
        assert_eq!(texts, expect);
        let fits = |r: &ProbeResult| layout.fits(&base, r);
        assert!(fits(&result(Outcome::Down, &[(Phase::Tls, 6.0)], vec![reading(2.0)])));
        assert!(!fits(&result(Outcome::Blind, &[(Phase::Tls, 6.0)], vec![reading(2.0)])));
        assert!(!fits(&result(Outcome::Up, &[], vec![reading(2.0)])));
        assert!(!fits(&result(Outcome::Up, &[(Phase::Tls, 6.0)], vec![Reading::new("probe_x", 2.0)])));
        assert!(!layout.fits(&[], &first), "another version of the plan gives other labels");
    }
}
