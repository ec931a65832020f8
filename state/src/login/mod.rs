//! How people prove who they are, beside the password: codes, passkeys, accounts at providers, what was begun and not ended,
//! failures, the sealed account. I/O.
//!
//! What must be readable again comes here sealed by the caller; all else as hashes.

pub(crate) mod ceremonies;
pub(crate) mod codes;
pub(crate) mod failures;
pub(crate) mod identities;
pub(crate) mod passkeys;
pub(crate) mod seals;
