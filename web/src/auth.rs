//! Who is asking, and what they may do: passwords, sessions, API tokens, one-time links, the guard. I/O: state.
//!
//! Invariants: nothing but a hash of a session's or token's secret is stored; a password change ends all sessions; no
//! route runs its handler before [`guard`] has let the request pass.

pub(crate) mod guard;
pub mod link;
pub(crate) mod origin;
pub(crate) mod password;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod throttle;
pub(crate) mod token;

use crate::routes::Permission;

/// What a person or a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees.
    Viewer,
    /// Sees and operates.
    Operator,
    /// Everything.
    Administrator,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    /// The word in the database and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// From the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == word)
    }

    /// Whether the role includes a permission.
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Public | Permission::Read => true,
            Permission::Operate => self >= Self::Operator,
            Permission::Administer => self >= Self::Administrator,
        }
    }
}

/// How someone proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A session's cookie.
    Session {
        /// Hash of the cookie's secret.
        token_hash: String,
        /// What forms send back.
        csrf: String,
    },
    /// An API token.
    Token {
        /// Its number.
        id: i64,
    },
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account's number; none for a token without an owner.
    pub user_id: Option<i64>,
    /// Account name, or the token's.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Language of the account.
    pub language: Option<kernel::Language>,
    /// How they proved it.
    pub proof: Proof,
}

impl Identity {
    /// The name under which deeds are recorded.
    pub fn by(&self) -> String {
        match self.proof {
            Proof::Session { .. } => self.name.clone(),
            Proof::Token { .. } => format!("token {}", self.name),
        }
    }
}
