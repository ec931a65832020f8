//! Proof of the audit trail: signed checkpoints, verification that names every problem, exports that can be verified without
//! Farero's database. Pure: keys, streams and times are arguments.
//!
//! What is shown, and by what:
//! 1. Each entry's hash covers its number, the hash before it and its content ([`kernel::trail`]): a changed, dropped, swapped
//!    or doubled entry breaks the chain where it happened.
//! 2. A [`Checkpoint`] is signed (Ed25519): cutting the tail, or writing the whole chain anew, contradicts it.
//! 3. An export ([`export`]) has one spelling only, and ends with its counts and its own hash: one changed byte is found.
//! 4. An excerpt keeps the hashes of what it leaves out: it is still the whole chain between two checkpoints.
//!
//! What cannot be shown from one copy alone: that nothing followed the last checkpoint in it. Keep exports elsewhere.

mod checkpoint;
pub mod export;
mod hex;
mod line;
mod problem;
mod signed;
pub mod table;
mod verify;

pub use checkpoint::{Checkpoint, PublicKey, Signature, SignedCheckpoint, SigningKey, SigningKeyError};
pub use line::{End, Header, Line, Omitted, read_line};
pub use problem::{Found, Problem};
pub use signed::{DocumentSignature, SIGN_ACTION, SignedCopy, SignedDocument};
pub use verify::{KEY_ACTION, MOST_PROBLEMS, Report, Start, Verifier};
