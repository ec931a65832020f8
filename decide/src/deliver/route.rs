//! Which channels hear of what: severity, channel settings, recovery wishes (CHN-07 as far as severities go). Pure.

use kernel::Rank;
use kernel::alert::EventKind;
use plan_model::{Channel, Plan};

/// Why a channel does not hear of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The plan has no channel of that name.
    Unknown,
    /// The channel is planned or lacks a parameter.
    Inactive,
    /// The channel takes graver messages only (`at_least`).
    TooLight,
    /// The channel wants no recoveries.
    NoRecovery,
}

impl Silence {
    /// For reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "no such channel",
            Self::Inactive => "the channel is not active",
            Self::TooLight => "below the channel's at_least",
            Self::NoRecovery => "the channel wants no recoveries",
        }
    }
}

/// The channel, or why it stays silent about an event of that rank and kind.
pub fn takes<'p>(
    plan: &'p Plan,
    name: &str,
    active: bool,
    rank: Rank,
    kind: EventKind,
) -> Result<&'p Channel, Silence> {
    let channel = plan.channels.get(name).ok_or(Silence::Unknown)?;
    if !active {
        return Err(Silence::Inactive);
    }
    if channel.at_least.is_some_and(|least| rank < least) {
        return Err(Silence::TooLight);
    }
    if kind == EventKind::Resolved && channel.recovery == Some(false) {
        return Err(Silence::NoRecovery);
    }
    Ok(channel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plan;

    #[test]
    fn chn_04_sms_takes_only_what_is_critical_and_no_recoveries() {
        let plan = plan();
        let check = |rank, kind| takes(&plan, "sms", true, rank, kind).err();
        assert_eq!(check(Rank::Critical, EventKind::Fired), None);
        assert_eq!(check(Rank::High, EventKind::Fired), Some(Silence::TooLight));
        assert_eq!(check(Rank::Critical, EventKind::Resolved), Some(Silence::NoRecovery));
        assert_eq!(takes(&plan, "sms", false, Rank::Critical, EventKind::Fired).err(), Some(Silence::Inactive));
        assert_eq!(takes(&plan, "fax", true, Rank::Critical, EventKind::Fired).err(), Some(Silence::Unknown));
    }
}
