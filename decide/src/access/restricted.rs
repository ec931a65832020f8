//! What is restricted to whom: severities, components and rules that only some people may see (INC-14). Pure.
//!
//! A severity or component says `restricted_to:`, a rule has the label `restricted_to`. Whoever sees it must be among each
//! of the lists that hold; administrators are not, unless they are named.

use kernel::alert::Alert;
use plan_model::Plan;

/// Label of an alert or rule that names whom it is restricted to, with commas between.
pub const LABEL: &str = "restricted_to";

/// One list of those who may see something: roles, teams or people of the plan, or built-in roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction<'a> {
    /// As the plan lists them.
    Names(&'a [String]),
    /// As a label writes them.
    Label(&'a str),
}

impl<'a> Restriction<'a> {
    /// The names.
    pub fn names(&self) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        match self {
            Self::Names(names) => Box::new(names.iter().map(String::as_str)),
            Self::Label(text) => Box::new(text.split(',').map(str::trim).filter(|n| !n.is_empty())),
        }
    }
}

/// The restriction of a component, where it has one.
pub fn of_component<'a>(plan: &'a Plan, component: &str) -> Option<Restriction<'a>> {
    let list = &plan.component(component)?.restricted_to;
    (!list.is_empty()).then_some(Restriction::Names(list))
}

/// The restriction of a severity, where it has one.
pub fn of_severity<'a>(plan: &'a Plan, severity: &str) -> Option<Restriction<'a>> {
    let list = &plan.severities.get(severity)?.restricted_to;
    (!list.is_empty()).then_some(Restriction::Names(list))
}

/// The restriction of a dashboard, where it has one (DSH-10).
pub fn of_dashboard<'a>(plan: &'a Plan, dashboard: &str) -> Option<Restriction<'a>> {
    let list = &plan.dashboards.get(dashboard)?.restricted_to;
    (!list.is_empty()).then_some(Restriction::Names(list))
}

/// All restrictions of an alert: its own label, its severity's, its component's.
pub fn of_alert<'a>(plan: Option<&'a Plan>, alert: &'a Alert) -> Vec<Restriction<'a>> {
    let own = alert.labels.get(LABEL).filter(|l| !l.trim().is_empty()).map(Restriction::Label);
    let component = alert.labels.get("service").or_else(|| alert.labels.get("component"));
    let from_plan = plan.into_iter().flat_map(|plan| {
        let of_component = component.and_then(|c| of_component(plan, c));
        of_severity(plan, alert.severity()).into_iter().chain(of_component)
    });
    own.into_iter().chain(from_plan).collect()
}

/// Whether anything in a plan is restricted at all.
pub fn is_any(plan: &Plan) -> bool {
    plan.severities.values().any(|s| !s.restricted_to.is_empty())
        || plan.components().any(|(_, c)| !c.restricted_to.is_empty())
        || plan.dashboards.values().any(|d| !d.restricted_to.is_empty())
}
