//! The last administrator: whoever could still let others in must not be lost. Pure.

use kernel::access::Kind;
use kernel::access::{Grant, Granted, Object, Request, Verb};

/// Whether a grant administers the platform: lets people in and says who may do what everywhere.
pub fn is_administrator(grant: &Grant) -> bool {
    grant.allows(&Request::new(Verb::Administer, Object::platform(Kind::People)))
}

/// A person as far as this decision needs them.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Account number.
    pub id: i64,
    /// May log in, and is no service account.
    pub enters: bool,
    /// All that they were granted.
    pub grants: &'a [Granted],
}

/// Whether somebody who can log in administers the platform.
pub fn some_stay(all: &[Candidate<'_>]) -> bool {
    all.iter().any(|c| c.enters && c.grants.iter().any(|g| is_administrator(&g.grant)))
}
