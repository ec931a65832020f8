//! Marks on the time axis: annotations of the plan, asked as queries, and Farero's own events. I/O: state, series.

use decide::access::Standing;
use decide::dashboards::{MOST_MARKS, Mark, marks};
use decide_promql::{Control, Query, evaluate_cancellable, parse};
use plan_model::ApprovalOf;
use plan_model::dashboard::expand::{expand, expand_for_people};
use plan_model::dashboard::{Annotation, Colour, EventKind};
use state::AlertFilter;

use super::look::Sight;
use super::work::LIMITS;
use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::{approvals, lists};

/// The marks of a dashboard, and why others are not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) all: Vec<Mark>,
    pub(crate) errors: Vec<String>,
}

impl Sight {
    /// Asks the annotations. Blocking.
    pub(super) fn annotations(&self, control: &dyn Control) -> Marks {
        let mut out = Marks::default();
        for one in &self.dashboard().annotations {
            match self.annotation(one, control) {
                Ok(found) => out.all.extend(found),
                Err(why) => out.errors.push(format!("{}: {why}", one.title)),
            }
        }
        out
    }

    fn annotation(&self, one: &Annotation, control: &dyn Control) -> Result<Vec<Mark>, String> {
        let moment = self.moment(24);
        let chosen = |name: &str| self.chosen(name, moment);
        let expr = parse(&expand(&one.query, &chosen).text).map_err(|e| e.to_string())?;
        let query = Query::range(&expr, moment.start_ms, moment.end_ms, moment.step_ms);
        let found = evaluate_cancellable(&query, &*self.reader, &LIMITS, control).map_err(|e| e.to_string())?;
        let told = Annotation {
            title: expand_for_people(&one.title, &chosen),
            text: one.text.as_ref().map(|t| expand_for_people(t, &chosen)),
            ..one.clone()
        };
        Ok(marks(&told, &found.value, moment.step_ms, (moment.start_ms, moment.to_ms)))
    }
}

/// Farero's own events of a dashboard's system, as whoever asks sees them.
pub(super) async fn events(app: &App, access: &Access, sight: &Sight) -> Result<Vec<Mark>, Failure> {
    let mut out = Vec::new();
    for kind in &sight.dashboard().events {
        out.extend(match kind {
            EventKind::Alerts => alerts(app, access, sight).await?,
            EventKind::Deployments => deployments(app, access, sight).await?,
        });
    }
    let (from, to) = (sight.from.as_millis(), sight.to.as_millis());
    out.retain(|m| m.to_ms >= from && m.from_ms <= to);
    Ok(out)
}

async fn alerts(app: &App, access: &Access, sight: &Sight) -> Result<Vec<Mark>, Failure> {
    let before = Some(sight.to + std::time::Duration::from_millis(1));
    let filter =
        AlertFilter { system: Some(sight.system.clone()), before, limit: MOST_MARKS, ..AlertFilter::default() };
    let found = lists::alerts(app, access, filter).await?;
    let one = |record: state::AlertRecord| {
        let alert = record.alert;
        let from = alert.fired_at.unwrap_or(alert.active_at);
        let summary = alert.annotations.get("summary").unwrap_or_default().to_owned();
        let ranked = sight.plan.severities.get(alert.severity()).map(|s| s.rank);
        let colour = match ranked {
            Some(kernel::Rank::Info | kernel::Rank::Low) => Colour::Blue,
            Some(kernel::Rank::Warning) => Colour::Orange,
            _ => Colour::Red,
        };
        Mark {
            from_ms: from.as_millis(),
            to_ms: alert.resolved_at.unwrap_or(sight.to.max(from)).as_millis(),
            title: alert.rule,
            text: summary,
            colour,
        }
    };
    Ok(found.into_iter().map(one).collect())
}

async fn deployments(app: &App, access: &Access, sight: &Sight) -> Result<Vec<Mark>, Failure> {
    let all = approvals::list(app, access, false, crate::api::MOST_ROWS).await?;
    let one = |read: approvals::Read| {
        let is_ours = read.asked.what == ApprovalOf::Deployment.as_str() && read.asked.system == sight.system;
        let at = read.decided_at.filter(|_| is_ours && read.standing == Standing::Approved)?.as_millis();
        let place = Some(read.asked.environment).filter(|e| !e.is_empty());
        Some(Mark {
            from_ms: at,
            to_ms: at,
            title: read.asked.subject,
            text: place.unwrap_or_default(),
            colour: Colour::Purple,
        })
    };
    Ok(all.into_iter().filter_map(one).collect())
}
