//! Pages over metrics: what they say of series, rules and targets, and the charts on them. Pure but for the series asked for.
//!
//! The same pages stand in a Farero with a plan (`web` puts its frame around them and says who sees what) and beside the engine alone
//! (`run`). Neither people nor plans are known here.

pub mod chart;
pub mod format;
