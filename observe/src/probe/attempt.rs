//! One attempt of a probe: how far it is, what it has read, and its verdict. Pure but for the monotonic clock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::Timestamp;
use kernel::probe::{Outcome, Phase, Reading};
use tokio::time::Instant;

use super::CheckSettings;

/// Where a running probe writes down how far it is and what it has read. Readings and facts count even when the
/// probe fails or is cut off afterwards: a certificate's end is known although its chain is not trusted.
#[derive(Debug)]
pub(crate) struct Attempt {
    now: Timestamp,
    deadline: Instant,
    notes: Mutex<Notes>,
}

#[derive(Debug)]
struct Notes {
    step: &'static str,
    running: Option<(Phase, Instant)>,
    phases: Vec<(Phase, f64)>,
    readings: Vec<Reading>,
    facts: Vec<(&'static str, String)>,
}

/// Phases in milliseconds, readings, facts.
pub(crate) type Parts = (Vec<(Phase, f64)>, Vec<Reading>, Vec<(&'static str, String)>);

impl Attempt {
    /// Begins now, ends at the settings' timeout.
    pub(crate) fn new(settings: &CheckSettings, now: Timestamp) -> Self {
        let notes = Notes {
            step: "starting",
            running: None,
            phases: Vec::with_capacity(5),
            readings: Vec::new(),
            facts: Vec::new(),
        };
        Self { now, deadline: Instant::now() + settings.timeout.std(), notes: Mutex::new(notes) }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time on the calendar at which the attempt began.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// When the attempt is cut off. Most probes need not look: they are simply dropped.
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The former phase ends, this one begins. A phase begun again adds to its time (redirects).
    pub(crate) fn begin(&self, phase: Phase) {
        let mut notes = self.notes();
        notes.close();
        notes.running = Some((phase, Instant::now()));
        notes.step = match phase {
            Phase::Resolve => "looking up the name",
            Phase::Connect => "connecting",
            Phase::Tls => "shaking hands for TLS",
            Phase::Processing => "waiting for the answer",
            Phase::Transfer => "reading the answer",
        };
    }

    /// A step in words, for the error text of a timeout: `no answer within 10s: given up while logging in`.
    pub(crate) fn doing(&self, step: &'static str) {
        self.notes().step = step;
    }

    /// The step that was begun last.
    pub(crate) fn step(&self) -> &'static str {
        self.notes().step
    }

    /// The last phase ends.
    pub(crate) fn finish(&self) {
        self.notes().close();
    }

    /// Keeps a further number.
    pub(crate) fn read(&self, reading: Reading) {
        self.notes().readings.push(reading);
    }

    /// Keeps a further number that may be missing.
    pub(crate) fn read_some(&self, metric: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.read(Reading::new(metric, value));
        }
    }

    /// Keeps a further fact for the evidence; of a repeated name the last one counts.
    pub(crate) fn fact(&self, name: &'static str, value: impl Into<String>) {
        let mut notes = self.notes();
        let value = value.into();
        match notes.facts.iter_mut().find(|(n, _)| *n == name) {
            Some(old) => old.1 = value,
            None => notes.facts.push((name, value)),
        }
    }

    /// Everything that was written down.
    pub(crate) fn into_parts(self) -> Parts {
        let mut notes = self.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        notes.close();
        (notes.phases, notes.readings, notes.facts)
    }
}

impl Notes {
    fn close(&mut self) {
        let Some((phase, since)) = self.running.take() else { return };
        let ms = since.elapsed().as_secs_f64() * 1_000.0;
        match self.phases.iter_mut().find(|(p, _)| *p == phase) {
            Some((_, sum)) => *sum += ms,
            None => self.phases.push((phase, ms)),
        }
    }
}

/// What a probe says at its end. Texts may hold secrets: they are redacted on the way out, and the body is cut.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Probed {
    pub(crate) outcome: Outcome,
    /// The protocol's own verdict: `HTTP/1.1 200 OK`.
    pub(crate) status: Option<String>,
    /// What went wrong, in words.
    pub(crate) error: Option<String>,
    /// First bytes of the answer.
    pub(crate) body: Option<Vec<u8>>,
}

impl Probed {
    /// The target works.
    pub(crate) const fn up() -> Self {
        Self { outcome: Outcome::Up, status: None, error: None, body: None }
    }

    /// The target works but is near a bound; the reason is a fact of the attempt.
    pub(crate) const fn slow() -> Self {
        Self { outcome: Outcome::Slow, status: None, error: None, body: None }
    }

    /// The target does not work.
    pub(crate) fn down(error: impl Into<String>) -> Self {
        Self { outcome: Outcome::Down, status: None, error: Some(error.into()), body: None }
    }

    /// Nothing can be said of the target: the check itself could not be made.
    pub(crate) fn blind(error: impl Into<String>) -> Self {
        Self { outcome: Outcome::Blind, status: None, error: Some(error.into()), body: None }
    }

    /// With the protocol's own verdict.
    #[must_use]
    pub(crate) fn with_status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// With the first bytes of the answer.
    #[must_use]
    pub(crate) fn with_body(mut self, body: &[u8]) -> Self {
        let cut = body.len().min(4 * kernel::probe::EVIDENCE_BODY_BYTES);
        self.body = Some(body[..cut].to_vec());
        self
    }
}

#[cfg(test)]
impl Attempt {
    /// An attempt of 5 s for tests of verdicts.
    pub(crate) fn for_test() -> Self {
        let settings = CheckSettings {
            every: kernel::Duration::from_secs(60),
            timeout: kernel::Duration::from_secs(5),
            attempts: 1,
            pause: kernel::Duration::ZERO,
            slow: None,
            labels: Vec::new(),
        };
        Self::new(&settings, Timestamp::from_secs(0))
    }
}
