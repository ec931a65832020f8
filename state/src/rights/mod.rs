//! Who may do what, beside what plans grant: grants of accounts and teams, teams, kinds of accounts, requests for approval. I/O.
//!
//! Invariants, each with a test in `tests/rights.rs` on both databases: a grant belongs to an account or to a team; with either it
//! goes; a person says yes or no to a request once; a request that was decided stays decided.

mod accounts;
mod approvals;
mod grants;
mod teams;

pub use approvals::{Approval, ApprovalFilter, NewApproval};
pub use grants::{GrantRow, Holder};
pub use teams::{Kind as AccountKind, Member, Team};
