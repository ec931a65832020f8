//! Rules with their PromQL, how their last evaluation went, and why their alerts fire. I/O: HTTP, series.

use askama::Template;
use axum::extract::State;

use web_explore::rules::{Reasons, pretty};
use web_prometheus::views;

use super::frame::{Frame, Nav};
use super::metrics::site;
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, page};
use crate::api::prometheus::{group, seen_by};
use crate::app::App;
use crate::live::{RuleGroupState, RuleState, RuleVerdict};
use crate::text::text;

/// A group with what is shown of each of its rules.
type Group = (RuleGroupState, Vec<Shown>);

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    f: Frame,
    systems: Vec<(String, String, Vec<Group>)>,
}

/// A rule as it is shown.
struct Shown {
    rule: RuleState,
    expression: String,
    link: String,
    /// Its alerts, safe HTML.
    alerts: String,
}

impl RulesPage {
    fn verdict(&self, rule: &RuleState) -> StateView {
        let t = &self.f.t.manage;
        match rule.verdict {
            RuleVerdict::Ok => StateView { class: "up", word: t.evaluated_ok },
            RuleVerdict::Failed => StateView { class: "down", word: t.evaluated_failed },
            RuleVerdict::Unknown => StateView { class: "blind", word: t.evaluated_unknown },
        }
    }

    fn took(&self, rule: &RuleState) -> String {
        crate::format::millis(self.f.language, rule.took_s * 1_000.0)
    }
}

/// `GET /rules`
pub(crate) async fn rules(State(app): State<App>, visit: Visit) -> Answer {
    let told = visit.seen(&app).systems(|s| {
        let groups: Vec<_> = s.rules.iter().map(|g| (g.clone(), group(g, &s.alerts))).collect();
        (s.name().to_owned(), s.label().to_owned(), groups)
    });
    let api = seen_by(&app, &visit.access);
    let all = told.iter().flat_map(|(_, _, groups)| groups).flat_map(|(_, view)| &view.rules);
    let reasons = Reasons::of(&api, all).await;
    let f = Frame::new(&app, &visit, Nav::Rules, text(visit.language).manage.rules_title).live("view=rules");
    let site = site(&f);
    let shown = |(rule, view): (&RuleState, &views::Rule)| Shown {
        rule: rule.clone(),
        expression: pretty(&rule.expression),
        link: web_explore::explore_link(&rule.expression),
        alerts: reasons.alerts(&site, view),
    };
    let of_group = |(g, view): (RuleGroupState, views::RuleGroup)| {
        let rules = g.rules.iter().zip(&view.rules).map(shown).collect();
        (g, rules)
    };
    let of_system = |(name, label, groups): (String, String, Vec<_>)| {
        (name, label, groups.into_iter().map(of_group).collect::<Vec<_>>())
    };
    let systems = told.into_iter().map(of_system).collect();
    Ok(page(&RulesPage { f, systems }))
}
