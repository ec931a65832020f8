//! Addresses of a dashboard and its panels: what is chosen stands in them. Pure.

use plan_model::dashboard::expand::percent_encoded;

use super::look::Sight;
use super::shown::Scope;

impl Sight {
    /// Pairs of the address as they stand, with and without some.
    fn query(&self, without: &[&str], with: &[(&str, &str)]) -> String {
        let is_kept = |name: &str| !without.contains(&name) && with.iter().all(|(n, _)| *n != name) && name != "done";
        let kept = self.pairs.iter().filter(|(n, v)| is_kept(n) && (!v.is_empty() || n.starts_with("var-")));
        let all = kept.map(|(n, v)| (n.as_str(), v.as_str())).chain(with.iter().copied());
        all.map(|(n, v)| format!("{}={}", percent_encoded(n), percent_encoded(v))).collect::<Vec<_>>().join("&")
    }

    fn path(&self) -> String {
        format!("/dashboards/{}/{}", percent_encoded(&self.system), percent_encoded(&self.id))
    }

    /// The address of this dashboard with other settings.
    pub(super) fn address(&self, without: &[&str], with: &[(&str, &str)]) -> String {
        let query = self.query(without, with);
        if query.is_empty() { self.path() } else { format!("{}?{query}", self.path()) }
    }

    /// The address of a panel's content.
    pub(super) fn panel_address(&self, number: usize, scope: &Scope, alone: bool) -> String {
        let mut with = scope_pairs(scope);
        with.extend(alone.then_some(("alone", "1")));
        let query = self.query(&["panel", "kiosk", "refresh", "row", "repeat"], &with);
        format!("{}/panels/{number}?{query}", self.path())
    }

    /// The address of a panel's data.
    pub(crate) fn data_address(&self, number: usize, scope: &Scope) -> String {
        let query = self.query(&["panel", "kiosk", "refresh", "row", "repeat"], &scope_pairs(scope));
        let (system, id) = (percent_encoded(&self.system), percent_encoded(&self.id));
        let path = format!("/api/farero/v1/systems/{system}/dashboards/{id}/panels/{number}");
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// The address of a panel alone.
    pub(super) fn alone_address(&self, number: usize, scope: &Scope) -> String {
        let number = number.to_string();
        let mut with = scope_pairs(scope);
        with.push(("panel", &number));
        self.address(&["kiosk", "row", "repeat"], &with)
    }

    /// All pairs that a form must keep besides those it sets itself.
    pub(super) fn kept(&self, without: &[&str]) -> Vec<(&str, &str)> {
        let is_kept = |n: &str| !without.contains(&n) && !["done", "panel", "row", "repeat"].contains(&n);
        self.pairs.iter().filter(|(n, v)| is_kept(n) && !v.is_empty()).map(|(n, v)| (n.as_str(), v.as_str())).collect()
    }
}

fn scope_pairs(scope: &Scope) -> Vec<(&str, &str)> {
    let row = scope.row.as_ref().map(|(_, value)| ("row", value.as_str()));
    let panel = scope.panel.as_ref().map(|(_, value)| ("repeat", value.as_str()));
    row.into_iter().chain(panel).collect()
}
