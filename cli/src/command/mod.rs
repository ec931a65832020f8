//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod import;
pub(crate) mod manual;
pub(crate) mod metrics;
pub(crate) mod notify;
pub(crate) mod query;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod secrets;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod trail;
