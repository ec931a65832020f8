//! Rules with their PromQL and how their last evaluation went. I/O: HTTP.

use askama::Template;
use axum::extract::State;

use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, page};
use crate::app::App;
use crate::live::{RuleGroupState, RuleState, RuleVerdict};
use crate::text::text;

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    f: Frame,
    systems: Vec<(String, String, Vec<RuleGroupState>)>,
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
    let systems = visit.seen(&app).systems(|s| (s.name().to_owned(), s.label().to_owned(), s.rules.clone()));
    let f = Frame::new(&app, &visit, Nav::Rules, text(visit.language).manage.rules_title).live("view=rules");
    Ok(page(&RulesPage { f, systems }))
}
