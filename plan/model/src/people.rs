//! Roles, people, contacts, audiences (ROL). Pure.

use kernel::secret::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A role and how many people fill it (ROL-01).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The role's name in the team's own words.
    #[serde(default)]
    pub label: Option<String>,
    /// What it is responsible for.
    #[serde(default)]
    pub duties: Option<String>,
    /// How many people, or from how many.
    #[serde(default)]
    pub headcount: Option<f64>,
    /// At most how many people, where the document gives a range.
    #[serde(default)]
    pub headcount_max: Option<f64>,
    /// Full-time equivalents.
    #[serde(default)]
    pub fte: Option<f64>,
    /// Who fills it.
    #[serde(default)]
    pub people: Vec<String>,
}

/// A member of the team.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name for people.
    #[serde(default)]
    pub name: Option<Text>,
    /// Name of the account with which they log in to Farero.
    #[serde(default)]
    pub login: Option<String>,
    /// Mail address.
    #[serde(default)]
    pub email: Option<Text>,
    /// Mobile number, international form.
    #[serde(default)]
    pub mobile: Option<Text>,
}

/// Someone outside the team (ROL-03).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name of the person or the company.
    #[serde(default)]
    pub label: Option<String>,
    /// What they are to us.
    #[serde(default)]
    pub kind: ContactKind,
    /// Name of the person.
    #[serde(default)]
    pub name: Option<Text>,
    /// Mail address.
    #[serde(default)]
    pub email: Option<Text>,
    /// Telephone.
    #[serde(default)]
    pub phone: Option<Text>,
}

/// What a contact is to the team.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContactKind {
    /// Maker or seller of something in use.
    #[default]
    Vendor,
    /// Runs something for the system: server, domain.
    Provider,
    /// Decides when the team cannot.
    Escalation,
    /// Public body that reports go to.
    Authority,
}

/// A group that is informed but does not operate (ROL-05).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// Its name in the team's own words.
    #[serde(default)]
    pub label: Option<String>,
    /// Mail addresses.
    #[serde(default)]
    pub emails: Vec<Text>,
}
