//! The exit codes, the same for all commands. Pure.

/// All is well; findings that are no errors may have been printed.
pub(crate) const OK: u8 = 0;
/// The answer is "no": the plan has errors, the plans differ, something is down, the message was not taken, the backup is damaged.
pub(crate) const NO: u8 = 1;
/// It could not be tried: wrong arguments, an unreadable folder, no connection.
pub(crate) const TROUBLE: u8 = 2;
