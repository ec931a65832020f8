//! What the references of plans stand for: `${env:NAME}`, `${file:PATH}`, `${credential:NAME}`, `${age:FILE#KEY}`,
//! `${vault:MOUNT/PATH#KEY}`. I/O: environment, files, HashiCorp Vault.
//!
//! Invariants: all references of a plan are looked up at once, before they are used, and never while a check or a delivery
//! waits ([`Sources::look_up`]); what was found once stays known, so that a value that was changed is still taken out of
//! texts; a source that is away leaves the values in use as they are; no error holds a value.

mod collect;
mod keyed;
mod local;
pub mod sealed;
mod settings;
mod sources;
mod values;
mod vault;

pub use collect::{references, telling_parts};
pub use settings::{AGE_CREDENTIAL, Settings, VaultSettings};
pub use sources::Sources;
pub use values::Values;
