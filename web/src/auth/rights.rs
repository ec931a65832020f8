//! What an account was granted, from everywhere: the database, the plans, the groups of an identity provider. I/O: state.

use decide::access::from_plan;
use kernel::access::{Grant, Granted, Kind, Object, Role, Source, Verb};
use state::{State, StateError, User};

use super::access::Access;
use crate::live::Live;

/// All that an account was granted, and what it is in plans and teams.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn of_account(s: &State, live: &Live, user: &User) -> Result<Access, StateError> {
    let mut grants: Vec<Granted> = Role::parse(&user.role)
        .map(|role| Granted { grant: Grant::everywhere(role), source: Source::Page })
        .into_iter()
        .collect();
    grants.extend(s.identities(user.id)?.into_iter().flat_map(|linked| linked.grants));
    grants.extend(s.granted(user.id)?.0);
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

/// Whether an account lets people in and out; of such accounts more may be asked at the log-in.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn administers(s: &State, live: &Live, user: &User) -> Result<bool, StateError> {
    Ok(of_account(s, live, user)?.may(Verb::Administer, Object::platform(Kind::People)))
}
