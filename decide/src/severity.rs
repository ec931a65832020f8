//! Which of the plan's severities an alert's word means. Pure.

use kernel::Rank;
use plan_model::{Plan, Severity};

/// An alert whose word the plan does not know is treated like one of this rank: seen by people, waking nobody who is
/// not woken by warnings. The checker of rules says so at load time.
pub const RANK_OF_UNKNOWN: Rank = Rank::Warning;

/// How a severity was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The word is a severity of the plan.
    ByName,
    /// The word is a common rank (`critical`), and the plan has a severity of that rank.
    ByRank,
    /// Nothing fits: the plan's severity nearest to [`RANK_OF_UNKNOWN`] stands in.
    StandIn,
}

/// A severity of the plan.
#[derive(Clone, Copy, Debug)]
pub struct Meant<'p> {
    /// Its name in the plan.
    pub name: &'p str,
    /// The severity.
    pub severity: &'p Severity,
    /// How it was found.
    pub found: Found,
}

/// The severity that a word means; `None` only when the plan has no severities at all.
pub fn severity_of<'p>(plan: &'p Plan, word: &str) -> Option<Meant<'p>> {
    if let Some((name, severity)) = plan.severities.get_key_value(word) {
        return Some(Meant { name, severity, found: Found::ByName });
    }
    let of_rank = |rank: Rank| plan.severities.iter().find(|(_, s)| s.rank == rank);
    if let Some((name, severity)) = rank_word(word).and_then(of_rank) {
        return Some(Meant { name, severity, found: Found::ByRank });
    }
    let graver = plan.severities.iter().filter(|(_, s)| s.rank >= RANK_OF_UNKNOWN).min_by_key(|(_, s)| s.rank);
    let lesser = || plan.severities.iter().max_by_key(|(_, s)| s.rank);
    graver.or_else(lesser).map(|(name, severity)| Meant { name, severity, found: Found::StandIn })
}

/// The common rank of a word: the plan's severity, or the rank of that name, or [`RANK_OF_UNKNOWN`].
pub fn rank_of(plan: &Plan, word: &str) -> Rank {
    severity_of(plan, word).map_or(RANK_OF_UNKNOWN, |m| m.severity.rank)
}

/// The rank that a word names by itself.
pub fn rank_word(word: &str) -> Option<Rank> {
    let rank = match word.to_ascii_lowercase().as_str() {
        "info" | "informational" | "none" => Rank::Info,
        "low" => Rank::Low,
        "warning" | "medium" => Rank::Warning,
        "high" | "error" => Rank::High,
        "critical" | "page" => Rank::Critical,
        _ => return None,
    };
    Some(rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plan;

    fn check(word: &str, name: &str, found: Found) {
        let plan = plan();
        let meant = severity_of(&plan, word).unwrap();
        assert_eq!((meant.name, meant.found), (name, found), "{word}");
    }

    #[test]
    fn alr_04_words_map_to_the_systems_own_severities() {
        check("critica", "critica", Found::ByName);
        check("critical", "critica", Found::ByRank);
        check("medium", "advertencia", Found::ByRank);
        check("", "advertencia", Found::StandIn);
        check("urgentísima", "advertencia", Found::StandIn);
        let mut none = plan();
        none.severities.clear();
        assert!(severity_of(&none, "critical").is_none());
        assert_eq!(rank_of(&none, "critical"), RANK_OF_UNKNOWN);
    }
}
