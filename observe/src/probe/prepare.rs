//! What a check is prepared with: its settings, the resolver, the secrets it came to know. Pure.

use std::cell::RefCell;

use kernel::Duration;
use kernel::secret::{Piece, ResolveError, Resolver, Secret, Text};
use plan_model::Check;
use plan_model::check::CheckDefaults;

/// Most attempts that a check may have: more would only hide an outage.
pub const MOST_ATTEMPTS: u32 = 10;

/// How a check is asked, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSettings {
    /// How often it is asked; probes that count changes (restarts) count them over this time.
    pub every: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Attempts in total, 1 to [`MOST_ATTEMPTS`].
    pub attempts: u32,
    /// Pause between attempts.
    pub pause: Duration,
    /// Slower than this is `slow`.
    pub slow: Option<Duration>,
    /// Further labels of its series, as the plan gives them.
    pub labels: Vec<(String, String)>,
}

impl CheckSettings {
    /// The check's own settings, else the system's, else 60 s, 10 s, 3 attempts, 1 s pause (hosts: every 15 s).
    pub fn of(check: &Check, defaults: &CheckDefaults) -> Self {
        let every = if check.host.is_some() {
            defaults.host_every.unwrap_or(Duration::from_secs(15))
        } else {
            defaults.every.unwrap_or(Duration::from_secs(60))
        };
        Self {
            every: check.every.unwrap_or(every),
            timeout: check.timeout.or(defaults.timeout).unwrap_or(Duration::from_secs(10)),
            attempts: check.attempts.or(defaults.attempts).unwrap_or(3).clamp(1, MOST_ATTEMPTS),
            pause: check.pause.unwrap_or(Duration::from_secs(1)),
            slow: check.slow.or(defaults.slow),
            labels: check.labels.iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
        }
    }
}

/// Why a check cannot be asked at all.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PrepareError {
    /// A reference has no value.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A setting that only shows itself as unusable now, when its references are resolved and its files are read.
    #[error("{setting} cannot be used: {reason}")]
    Unusable {
        /// The key in the plan.
        setting: &'static str,
        /// What is wrong and what to do. Holds no secret.
        reason: String,
    },
    /// The check has no kind; a checked plan never holds one.
    #[error("the check says nothing to ask: give it one kind, such as `http` or `tcp`")]
    NoKind,
    /// Heartbeats and composites are judged from what came in, not asked.
    #[error("a {0} check is judged, not asked")]
    Judged(&'static str),
}

impl PrepareError {
    /// A setting that cannot be used.
    pub(crate) fn unusable(setting: &'static str, reason: impl ToString) -> Self {
        Self::Unusable { setting, reason: reason.to_string() }
    }
}

/// Given to each kind while it prepares itself. Remembers every secret that it handed out, for the evidence.
pub(crate) struct Preparing<'a> {
    resolver: &'a dyn Resolver,
    settings: &'a CheckSettings,
    secrets: RefCell<Vec<Secret>>,
}

impl<'a> Preparing<'a> {
    pub(crate) const fn new(resolver: &'a dyn Resolver, settings: &'a CheckSettings) -> Self {
        Self { resolver, settings, secrets: RefCell::new(Vec::new()) }
    }

    /// How the check is asked.
    pub(crate) const fn settings(&self) -> &CheckSettings {
        self.settings
    }

    /// A text with its references replaced. What they stand for will not show in the evidence.
    pub(crate) fn resolve(&self, text: &Text) -> Result<Secret, PrepareError> {
        let mut out = String::new();
        for piece in text.pieces() {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                Piece::Reference(reference) => {
                    let secret = self.resolver.resolve(&reference)?;
                    out.push_str(secret.expose());
                    self.conceal(secret);
                }
            }
        }
        Ok(Secret::new(out))
    }

    /// Keeps a further value out of the evidence: a password found in a URL, an encoded form of a secret.
    pub(crate) fn conceal(&self, secret: Secret) {
        self.secrets.borrow_mut().push(secret);
    }

    /// Every secret that was handed out.
    pub(crate) fn into_secrets(self) -> Vec<Secret> {
        self.secrets.into_inner()
    }
}
