//! End to end: the real binary, real counterparts, stories told with few words. I/O.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test's tools may give up loudly"
)]

pub mod binary;
pub mod browser;
pub mod docker;
pub mod farero;
pub mod hooks;
pub mod mail;
#[path = "../../state/tests/common/postgres.rs"]
pub mod postgres;
pub mod provider;
pub mod target;
pub mod tools;
pub mod vault;
pub mod wait;

pub use farero::Farero;
pub use hooks::Hooks;
pub use mail::MailServer;
pub use provider::OidcProvider;
pub use target::Target;
pub use vault::Vault;
pub use wait::{eventually, wait_for};
