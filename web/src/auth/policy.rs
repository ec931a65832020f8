//! What this installation asks of log-ins: who needs a second factor, how long sessions last. I/O: state.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use state::{State, StateError};

use crate::limits;

/// Its key among the settings.
pub(crate) const KEY: &str = "login.policy";

/// Who needs a second factor beside a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Needed {
    /// Whoever wants one.
    #[default]
    Nobody,
    /// Whoever may administer.
    Administrators,
    /// Everybody.
    Everybody,
}

impl Needed {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Nobody, Self::Administrators, Self::Everybody];

    /// The word in forms.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Administrators => "administrators",
            Self::Everybody => "everybody",
        }
    }

    /// From the word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|n| n.as_str() == word)
    }

    /// Whether someone needs one.
    pub(crate) const fn asks(self, administers: bool) -> bool {
        match self {
            Self::Nobody => false,
            Self::Administrators => administers,
            Self::Everybody => true,
        }
    }
}

/// What this installation asks of log-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// Who needs a second factor.
    pub(crate) second_factor: Needed,
    /// A session ends this long after its last use.
    pub(crate) idle_minutes: u32,
    /// A session ends this long after its log-in, used or not.
    pub(crate) life_hours: u32,
}

impl Default for Policy {
    fn default() -> Self {
        let minutes = |d: Duration| u32::try_from(d.as_secs() / 60).unwrap_or(u32::MAX);
        Self {
            second_factor: Needed::default(),
            idle_minutes: minutes(limits::SESSION_IDLE),
            life_hours: minutes(limits::SESSION_LIFE) / 60,
        }
    }
}

impl Policy {
    /// The one in force. One that cannot be read is the default: log-ins must go on.
    pub(crate) fn read(state: &State) -> Result<Self, StateError> {
        let stored = state.setting(KEY)?;
        Ok(stored.and_then(|text| serde_json::from_str::<Self>(&text).ok()).map(Self::bounded).unwrap_or_default())
    }

    /// Within the limits that have names.
    pub(crate) fn bounded(self) -> Self {
        let (shortest, longest) = limits::IDLE_MINUTES;
        let (least, most) = limits::LIFE_HOURS;
        Self {
            idle_minutes: self.idle_minutes.clamp(shortest, longest),
            life_hours: self.life_hours.clamp(least, most),
            ..self
        }
    }

    /// As it is stored.
    pub(crate) fn to_json(self) -> String {
        // Two numbers and a word: nothing in it can be refused.
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// Time without use after which a session ends.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle_minutes) * 60)
    }

    /// Time after which a session ends in any case.
    pub(crate) fn life(&self) -> Duration {
        Duration::from_secs(u64::from(self.life_hours) * 3_600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_the_policy_stays_within_its_bounds() {
        let wild = Policy { second_factor: Needed::Everybody, idle_minutes: 0, life_hours: u32::MAX };
        let tamed = wild.bounded();
        assert_eq!((tamed.idle_minutes, tamed.life_hours), (limits::IDLE_MINUTES.0, limits::LIFE_HOURS.1));
        assert_eq!(Policy::default().bounded(), Policy::default());
        assert!(
            Needed::Administrators.asks(true) && !Needed::Administrators.asks(false) && Needed::Everybody.asks(false)
        );
        assert_eq!(serde_json::from_str::<Policy>(&wild.to_json()).unwrap(), wild);
    }
}
