//! Who is asking, and what they may do. I/O: state.

pub mod guard;

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
    /// Whether the role includes a permission.
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Public | Permission::Read => true,
            Permission::Operate => self >= Self::Operator,
            Permission::Administer => self >= Self::Administrator,
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Account name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}
