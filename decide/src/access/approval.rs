//! Approvals: whether what somebody asked for may happen, who may say so, and how it stands. Pure.

use kernel::{Language, Timestamp};
use serde::{Deserialize, Serialize};

/// What a request for approval needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    /// So many different people must say yes.
    pub need: u32,
    /// Whoever asked may not be one of them.
    pub four_eyes: bool,
    /// The plan's roles, teams or people that may say so; anyone who may approve when empty.
    #[serde(default)]
    pub by: Vec<String>,
}

/// What one person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Yes or no.
    pub yes: bool,
    /// Why; may be empty.
    #[serde(default)]
    pub note: String,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It waits for people.
    Waiting,
    /// Enough people said yes.
    Approved,
    /// Somebody said no.
    Rejected,
    /// Its time passed before enough people said yes.
    Expired,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Approved, Self::Rejected, Self::Expired];

    /// The word in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// From the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// How a request stands, by what was said and the time. One no is enough; a person counts once, by what they said first; what
/// was said after the end does not count.
pub fn decide_standing(
    rule: &ApprovalRule,
    requester: &str,
    votes: &[Vote],
    expires: Timestamp,
    now: Timestamp,
) -> Standing {
    let mut voters: Vec<&str> = Vec::new();
    for vote in votes.iter().filter(|v| v.at < expires && !(rule.four_eyes && v.by == requester)) {
        if voters.contains(&vote.by.as_str()) {
            continue;
        }
        if !vote.yes {
            return Standing::Rejected;
        }
        voters.push(&vote.by);
        // A rule that needs nobody still needs somebody: nothing approves itself.
        if voters.len() >= rule.need.max(1) as usize {
            return Standing::Approved;
        }
    }
    if now >= expires { Standing::Expired } else { Standing::Waiting }
}

/// Why somebody may not say yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoVote {
    /// They asked for it themselves.
    OwnRequest,
    /// They are none of those who may.
    NotNamed,
    /// They have said what they think.
    Already,
    /// It is over.
    Over,
}

impl NoVote {
    /// In words.
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::OwnRequest => language.pick(
                "nadie aprueba lo que pidió: el plan exige cuatro ojos",
                "nobody approves their own request: the plan asks for four eyes",
            ),
            Self::NotNamed => language.pick(
                "el plan nombra a quienes aprueban esto, y no está entre ellos",
                "the plan names those who approve this, and you are none of them",
            ),
            Self::Already => language.pick("ya dio su respuesta", "you have answered already"),
            Self::Over => language.pick("la solicitud ya terminó", "the request is over"),
        }
    }
}

/// Whether somebody may say yes or no. `is_named` tells whether they are what a name of the rule stands for.
///
/// # Errors
/// Why not.
pub fn decide_vote(
    rule: &ApprovalRule,
    (requester, voter): (&str, &str),
    votes: &[Vote],
    standing: Standing,
    is_named: impl Fn(&str) -> bool,
) -> Result<(), NoVote> {
    if standing != Standing::Waiting {
        return Err(NoVote::Over);
    }
    if rule.four_eyes && requester == voter {
        return Err(NoVote::OwnRequest);
    }
    if votes.iter().any(|v| v.by == voter) {
        return Err(NoVote::Already);
    }
    if !rule.by.is_empty() && !rule.by.iter().any(|name| is_named(name)) {
        return Err(NoVote::NotNamed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: ApprovalRule = ApprovalRule { need: 2, four_eyes: true, by: Vec::new() };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn vote(by: &str, seconds: i64, yes: bool) -> Vote {
        Vote { by: by.into(), at: at(seconds), yes, note: String::new() }
    }

    fn check(rule: &ApprovalRule, votes: &[Vote], now: i64, expect: Standing) {
        assert_eq!(decide_standing(rule, "ana", votes, at(100), at(now)), expect, "{votes:?}");
    }

    #[test]
    fn sec_12_two_people_approve_and_never_the_one_who_asked() {
        check(&RULE, &[], 1, Standing::Waiting);
        check(&RULE, &[vote("eva", 1, true)], 2, Standing::Waiting);
        check(&RULE, &[vote("eva", 1, true), vote("eva", 2, true)], 3, Standing::Waiting);
        check(&RULE, &[vote("ana", 1, true), vote("eva", 2, true)], 3, Standing::Waiting);
        check(&RULE, &[vote("eva", 1, true), vote("leo", 2, true)], 3, Standing::Approved);
        check(&RULE, &[vote("eva", 1, true), vote("leo", 2, true)], 300, Standing::Approved);
        check(&RULE, &[vote("eva", 1, true), vote("leo", 2, false)], 3, Standing::Rejected);
        check(&RULE, &[vote("eva", 1, true), vote("leo", 100, true)], 101, Standing::Expired);
        check(&ApprovalRule { need: 0, ..RULE }, &[], 1, Standing::Waiting);
        check(&ApprovalRule { four_eyes: false, need: 1, ..RULE }, &[vote("ana", 1, true)], 2, Standing::Approved);
    }

    #[test]
    fn sec_12_who_may_say_so() {
        let named = ApprovalRule { by: vec!["qa-lead".into()], ..RULE };
        let ask = |rule: &ApprovalRule, voter: &str, votes: &[Vote], standing| {
            decide_vote(rule, ("ana", voter), votes, standing, |name| (name, voter) == ("qa-lead", "eva"))
        };
        assert_eq!(ask(&named, "eva", &[], Standing::Waiting), Ok(()));
        assert_eq!(ask(&named, "leo", &[], Standing::Waiting), Err(NoVote::NotNamed));
        assert_eq!(ask(&RULE, "leo", &[], Standing::Waiting), Ok(()));
        assert_eq!(ask(&RULE, "ana", &[], Standing::Waiting), Err(NoVote::OwnRequest));
        assert_eq!(ask(&RULE, "leo", &[vote("leo", 1, true)], Standing::Waiting), Err(NoVote::Already));
        assert_eq!(ask(&RULE, "leo", &[], Standing::Expired), Err(NoVote::Over));
    }
}
