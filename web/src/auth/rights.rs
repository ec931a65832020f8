//! What an account was granted, from everywhere: the database, the plans, the groups of an identity provider. I/O: state.

use decide::access::from_plan;
use kernel::access::{Grant, Granted, Role, Source};
use state::{State, StateError, User};

use super::access::Access;
use crate::live::Live;

/// All that an account was granted, and what it is in plans and teams.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn of_account(_: &State, live: &Live, user: &User) -> Result<Access, StateError> {
    let mut grants: Vec<Granted> = Role::parse(&user.role)
        .map(|role| Granted { grant: Grant::everywhere(role), source: Source::Page })
        .into_iter()
        .collect();
    let mut memberships = Vec::new();
    let from_plans = live.systems(|s| {
        let own = from_plan::memberships(s.plan(), &user.name);
        (from_plan::grants(s.plan(), &own), own)
    });
    for (granted, own) in from_plans {
        grants.extend(granted);
        memberships.extend(own);
    }
    Ok(Access::new(grants, memberships))
}
