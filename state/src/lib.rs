//! What must survive a restart: all SQL of Farero. I/O (SQLite, PostgreSQL).
//!
//! Invariants, each with a test in `tests/`:
//! 1. What a writing call returned `Ok` for is on disk; a kill at any moment loses none of it. The one exception is
//!    named: successes of checks between two flushes (see [`State::record_results`]), which become blind time.
//! 2. An event stored twice is stored once.
//! 3. An outbox key stored twice is stored once.
//! 4. `commit_evaluation`, `commit_deliveries` and `finish_attempt` keep everything or nothing.
//! 5. The history shows an alert as firing exactly when it is among the active ones.
//! 6. A one-time link is used once.
//! 7. Nothing grows without bound: rings per check, [`State::clean`] for the rest; the audit trail ends after its legal time.
//! 8. What a person or Farero changed is told in the audit trail, in the transaction of the change (see `trail.rs`).
//!
//! `state` knows nothing of probes, rules, channels, pages or clocks; time is an argument. Secrets reach it as hashes.

mod alerts;
pub mod backup;
mod blind;
pub mod clean;
mod codec;
mod db;
mod deliveries;
mod error;
mod heartbeat;
mod history;
mod intensive;
mod login;
#[doc(hidden)]
pub mod migrate;
mod outbox;
mod people;
mod plans;
mod results;
mod rights;
mod rollups;
mod sessions;
mod settings;
mod signatures;
mod tokens;
mod trail;

pub use alerts::{Acknowledgement, AlertFilter, AlertRecord, EvaluationCommit};
pub use db::{
    Cell, Dialect, FILE_NAME, FromCell, PostgresUrl, Row, SqlError, SqlResult, State, StateLocation, Tx, Value,
};
pub use deliveries::DeliveryCommit;
pub use error::StateError;
pub use heartbeat::PINGS_KEPT;
pub use history::{LatestResult, ResultFilter};
pub use intensive::Intensive;
pub use login::ceremonies::{CEREMONIES, Ceremony};
pub use login::codes::Totp;
pub use login::failures::{FAILURES, FailureCount};
pub use login::identities::Identity;
pub use login::passkeys::{NewPasskey, Passkey};
pub use login::seals::Seal;
pub use migrate::SCHEMA_VERSION;
pub use outbox::{OutboxCount, OutboxFilter, OutboxRecord};
pub use people::{NewUser, User};
pub use plans::PlanVersion;
pub use results::{CHANGES_KEPT, FAILURES_KEPT, FLUSH_EVERY_MS, SAMPLES_KEPT};
pub use rights::{AccountKind, Approval, ApprovalFilter, GrantRow, Holder, Member, NewApproval, Team};
pub use rollups::{Bucket, Counts, Span};
pub use sessions::{Session, TOUCH_EVERY_MS};
pub use signatures::{NewSignature, Signature};
pub use tokens::{ApiToken, Link, NewToken};
pub use trail::{CHECKPOINT_FILE, CUT_ACTION, CUT_AT_ONCE, CheckpointFile, TrailFilter, TrailRow};
