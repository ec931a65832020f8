//! Dashboards of a plan: their PromQL is looked at when the plan is loaded; when one is shown, what is asked follows from the
//! range and from what was chosen (DSH-09). Pure.

pub mod check;
pub mod choose;
mod legend;
pub mod marks;
pub mod moment;

pub use check::check;
pub use choose::{Available, Selection, asked, choose};
pub use legend::legend;
pub use marks::{MOST_MARKS, Mark, marks};
pub use moment::Moment;
