//! Who is asking, and what they may do: passwords, sessions, API tokens, one-time links, the guard. I/O: state.
//!
//! Invariants: nothing but a hash of a session's or token's secret is stored; a password change ends all sessions; no
//! route runs its handler before [`guard`] has let the request pass. The protocols of log-ins (codes, passkeys, OIDC) are
//! spoken by the room `auth`; here they meet sessions, the database and pages.

pub mod access;
pub(crate) mod ceremony;
pub(crate) mod enter;
pub(crate) mod find;
pub(crate) mod guard;
pub(crate) mod known;
pub mod link;
pub mod login;
pub(crate) mod origin;
pub(crate) mod password;
pub(crate) mod policy;
pub(crate) mod proof;
pub(crate) mod rate;
pub mod refusals;
pub(crate) mod rights;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod tell;
pub(crate) mod throttle;
pub(crate) mod token;

pub use access::Access;
pub use kernel::access::Role;
use kernel::trail::Actor;

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
        /// The account that owns it.
        owner: String,
    },
    /// The operating system: a caller over the Unix socket.
    Local {
        /// Number of the user.
        uid: u32,
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
    pub access: Access,
    /// Language of the account.
    pub language: Option<kernel::Language>,
    /// How they proved it.
    pub proof: Proof,
}

impl Identity {
    /// The account behind it, whatever it was proved by: nobody counts as two by using a token.
    pub fn account(&self) -> &str {
        match &self.proof {
            Proof::Session { .. } | Proof::Local { .. } => &self.name,
            Proof::Token { owner, .. } => owner,
        }
    }

    /// Who they are in the trail.
    pub fn actor(&self) -> Actor {
        let name = self.name.clone();
        match &self.proof {
            Proof::Session { .. } => Actor::Person { name },
            Proof::Token { owner, .. } => Actor::Token { name: owner.clone(), token: name },
            Proof::Local { .. } => Actor::Local { name },
        }
    }

    /// The name under which deeds are recorded.
    pub fn by(&self) -> String {
        match self.proof {
            Proof::Session { .. } | Proof::Local { .. } => self.name.clone(),
            Proof::Token { .. } => format!("token {}", self.name),
        }
    }
}
