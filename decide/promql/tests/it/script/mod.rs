//! The `promqltest` notation: loads, evaluations, and what they should give.

pub(crate) mod compare;
pub(crate) mod load;
pub(crate) mod parse;
pub(crate) mod pin;
pub(crate) mod run;
