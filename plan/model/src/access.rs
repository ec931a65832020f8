//! Teams, who may do what, and what needs approval (PLN-02, CKL-06, INC-14). Pure.

use kernel::access::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A group of people who work together.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its name in the team's own words.
    #[serde(default)]
    pub label: Option<String>,
    /// People and roles that belong to it.
    #[serde(default)]
    pub people: Vec<String>,
}

/// A built-in role for people of this plan, in this system only.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// What they may do.
    pub role: Role,
    /// Roles, teams or people of the plan; a person has an account by `login`.
    pub to: Vec<String>,
    /// In which environments; all when empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Only for these tasks, runbooks or checklists; beside them the system is only seen.
    #[serde(default)]
    pub procedures: Vec<String>,
    /// Only for these channels; beside them the system is only seen.
    #[serde(default)]
    pub channels: Vec<String>,
}

/// What happens only once others have said yes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What it is that needs approval.
    #[serde(rename = "for")]
    pub what: ApprovalOf,
    /// In which environments; all when empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Roles, teams or people of the plan who may say yes; everybody with the role `approver` when empty.
    #[serde(default)]
    pub by: Vec<String>,
    /// How many of them; 1 when left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 20))]
    pub need: u32,
    /// Whether whoever asks counts among them; with four eyes they do not.
    #[serde(default = "yes")]
    pub four_eyes: bool,
    /// How long the request waits; 7 days when left out.
    #[serde(default)]
    pub within: Option<kernel::Duration>,
}

impl Approval {
    /// How many must say yes. Files do not say who changed them, so that nobody can be kept from approving their own plan: where four
    /// eyes are asked for, two people say yes to it, and one of them at least is another.
    pub const fn needed(&self) -> u32 {
        match self.what {
            ApprovalOf::Plan if self.four_eyes && self.need < 2 => 2,
            _ => self.need,
        }
    }
}

const fn one() -> u32 {
    1
}

const fn yes() -> bool {
    true
}

/// What may need approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalOf {
    /// That a changed plan is put in use.
    Plan,
    /// That somebody becomes administrator of this system.
    Administrator,
    /// That something is deployed; asked for by whoever deploys.
    Deployment,
}

impl ApprovalOf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plan, Self::Administrator, Self::Deployment];

    /// The word in plans, in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Administrator => "administrator",
            Self::Deployment => "deployment",
        }
    }

    /// From the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == word)
    }
}

impl crate::Plan {
    /// The rule for something in an environment, where the plan has one: the first that names the environment, else the first
    /// that names none.
    pub fn approval(&self, what: ApprovalOf, environment: Option<&str>) -> Option<&Approval> {
        let of_kind = || self.approvals.iter().filter(|a| a.what == what);
        let named = of_kind().find(|a| environment.is_some_and(|e| a.environments.iter().any(|n| n == e)));
        named.or_else(|| of_kind().find(|a| a.environments.is_empty()))
    }

    /// The accounts of those whom a role, team or person of the plan stands for.
    pub fn accounts_of(&self, name: &str) -> Vec<&str> {
        let fill = |name: &str| self.roles.get(name).map(|r| r.people.iter().map(String::as_str).collect::<Vec<_>>());
        let mut people: Vec<&str> = fill(name).unwrap_or_default();
        for member in self.teams.get(name).into_iter().flat_map(|t| &t.people) {
            people.extend(fill(member).unwrap_or_else(|| vec![member]));
        }
        people.extend(self.people.get_key_value(name).map(|(n, _)| n.as_str()));
        let mut accounts: Vec<&str> = people.into_iter().filter_map(|p| self.people.get(p)?.login.as_deref()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// The accounts of all whom some names stand for, each once.
    pub fn accounts_of_all<'p>(&'p self, names: &[String]) -> Vec<&'p str> {
        let mut all: Vec<&str> = names.iter().flat_map(|n| self.accounts_of(n)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
