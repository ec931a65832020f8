//! How a component and a whole system stand, from the outcomes below them. Pure.

use kernel::probe::Outcome;
use plan_model::component::Criticality;

/// How a system stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// All that counts works.
    Online,
    /// All that counts works, some of it slowly.
    Slow,
    /// Something that counts is down; the system as such is not.
    Degraded,
    /// Something that the system stands or falls with is down, or all that counts.
    Down,
    /// Nothing is known.
    Blind,
}

impl Standing {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Slow => "slow",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Blind => "blind",
        }
    }
}

/// A component's part in the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its name.
    pub name: &'a str,
    /// How it stands.
    pub outcome: Outcome,
    /// How much hangs on it.
    pub criticality: Criticality,
    /// Run by others: named, never counted (CHK-07).
    pub third_party: bool,
}

/// The verdict on a system, with the names behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overall {
    /// How it stands.
    pub standing: Standing,
    /// What is down and counts.
    pub down: Vec<String>,
    /// What is slow and counts.
    pub slow: Vec<String>,
    /// What counts and nothing is known of.
    pub blind: Vec<String>,
    /// What is down and does not count: run by others, or of low criticality.
    pub beside: Vec<String>,
}

/// How a component stands by its checks: down when one is down, else slow when one is slow, blind when nothing is known.
pub fn decide_component(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let weight = |o: Outcome| match o {
        Outcome::Blind => 0,
        Outcome::Up => 1,
        Outcome::Slow => 2,
        Outcome::Down => 3,
    };
    outcomes.into_iter().max_by_key(|o| weight(*o)).unwrap_or(Outcome::Blind)
}

/// How a system stands by its components. Leave inactive ones and those without checks out.
pub fn decide_system(parts: &[Part<'_>]) -> Overall {
    let counts = |p: &&Part<'_>| !p.third_party && p.criticality != Criticality::Low;
    let counted: Vec<&Part<'_>> = parts.iter().filter(counts).collect();
    let named = |wanted: Outcome| -> Vec<String> {
        counted.iter().filter(|p| p.outcome == wanted).map(|p| p.name.to_owned()).collect()
    };
    let (down, slow, blind) = (named(Outcome::Down), named(Outcome::Slow), named(Outcome::Blind));
    let vital = counted.iter().any(|p| p.outcome == Outcome::Down && p.criticality == Criticality::High);
    let standing = if counted.len() == blind.len() {
        Standing::Blind
    } else if vital || down.len() == counted.len() {
        Standing::Down
    } else if !down.is_empty() {
        Standing::Degraded
    } else if !slow.is_empty() {
        Standing::Slow
    } else {
        Standing::Online
    };
    let beside = parts.iter().filter(|p| !counts(p) && p.outcome == Outcome::Down);
    Overall { standing, down, slow, blind, beside: beside.map(|p| p.name.to_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Criticality::{High, Low, Normal};

    fn check(parts: &[(Outcome, Criticality, bool)], standing: Standing) {
        let parts: Vec<Part<'_>> = parts
            .iter()
            .map(|(outcome, criticality, third_party)| Part {
                name: "x",
                outcome: *outcome,
                criticality: *criticality,
                third_party: *third_party,
            })
            .collect();
        assert_eq!(decide_system(&parts).standing, standing, "{parts:?}");
    }

    #[test]
    fn chk_07_a_third_party_never_makes_the_system_look_broken() {
        check(&[(Outcome::Up, Normal, false), (Outcome::Down, High, true)], Standing::Online);
        check(&[(Outcome::Down, High, true)], Standing::Blind);
    }

    #[test]
    fn dsh_06_the_overall_state_follows_criticality() {
        check(&[(Outcome::Up, Normal, false), (Outcome::Down, Normal, false)], Standing::Degraded);
        check(&[(Outcome::Up, Normal, false), (Outcome::Down, High, false)], Standing::Down);
        check(&[(Outcome::Up, Normal, false), (Outcome::Down, Low, false)], Standing::Online);
        check(&[(Outcome::Down, Normal, false), (Outcome::Down, Normal, false)], Standing::Down);
        check(&[(Outcome::Up, High, false), (Outcome::Slow, Normal, false)], Standing::Slow);
        check(&[(Outcome::Up, High, false), (Outcome::Blind, Normal, false)], Standing::Online);
        check(&[(Outcome::Blind, High, false)], Standing::Blind);
        check(&[], Standing::Blind);
    }

    #[test]
    fn chk_14_slow_is_not_down() {
        assert_eq!(decide_component([Outcome::Up, Outcome::Slow, Outcome::Blind]), Outcome::Slow);
        assert_eq!(decide_component([Outcome::Slow, Outcome::Down]), Outcome::Down);
        assert_eq!(decide_component([]), Outcome::Blind);
    }
}
