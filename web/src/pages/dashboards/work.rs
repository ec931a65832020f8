//! The work of panels: few at once, each with a time of its own, none that holds the page. I/O: CPU pool, series.

use std::sync::Arc;

use decide_promql::{Control, Limits};
use futures_util::future::join_all;
use plan_model::dashboard::PanelKind;
use web_explore::chart::escape;

use super::look::{ALONE_ROWS, Sight};
use crate::app::App;
use crate::limits::{PAGE_WAITS, PANEL_POINTS, PANEL_SAMPLES, PANEL_SERIES, PANEL_TIME};
use crate::panel::{Answers, Asking, Canvas, ask};
use crate::text::text;

/// What a panel's query may cost.
const LIMITS: Limits = Limits {
    max_samples: PANEL_SAMPLES,
    max_series: PANEL_SERIES,
    max_steps: Limits::MAX_STEPS,
    max_points: PANEL_POINTS,
};

/// A panel's content; `None` when there is no such panel.
pub(super) async fn body(app: &App, sight: Arc<Sight>, number: usize, alone: bool) -> Option<String> {
    sight.dashboard().all_panels().nth(number)?;
    let language = sight.language;
    let drawn = app.gates.queries.timed(PANEL_TIME, move |control| draw(&sight, number, alone, control)).await;
    Some(drawn.flatten().unwrap_or_else(|| {
        let said = text(language).dashboards.timed_out;
        format!("<p class=\"notice down panel-error\" role=\"alert\">{}</p>", escape(said))
    }))
}

/// The contents of all panels, in order, as far as they are there in time.
pub(super) async fn bodies(app: &App, sight: &Sight, alone: Option<usize>) -> Vec<Option<String>> {
    let shared = Arc::new(sight.for_work());
    let mut number = 0;
    let mut all = Vec::new();
    for (_, row, panels) in sight.dashboard().groups() {
        for _ in panels {
            // Rows that are shut are asked for when they are opened.
            let wanted = alone.map_or(!row.is_some_and(|r| r.shut), |a| a == number);
            all.push((number, wanted));
            number += 1;
        }
    }
    let begun = all.into_iter().map(|(number, wanted)| {
        let (app, shared) = (app.clone(), shared.clone());
        async move {
            if !wanted {
                return None;
            }
            tokio::time::timeout(PAGE_WAITS, body(&app, shared, number, alone.is_some())).await.ok().flatten()
        }
    });
    join_all(begun).await
}

/// Asks and draws. Blocking.
fn draw(sight: &Sight, number: usize, alone: bool, control: &dyn Control) -> Option<String> {
    let (_, panel) = sight.dashboard().all_panels().nth(number)?;
    let columns = if alone { 24 } else { panel.columns_wide() };
    let moment = sight.moment(columns);
    let chosen = |name: &str| sight.chosen(name, moment);
    let answers = match panel.kind {
        PanelKind::Text => Answers::default(),
        _ => ask(panel, &Asking { reader: &*sight.reader, limits: &LIMITS, control, moment, chosen: &chosen }),
    };
    if !control.goes_on() {
        return None;
    }
    let canvas = Canvas {
        language: sight.language,
        zone: sight.zone.clone(),
        panel,
        title: sight.for_people(&panel.title),
        text: sight.for_people(panel.text.as_deref().unwrap_or_default()),
        span: (moment.start_ms, moment.end_ms, moment.step_ms),
        height: if alone { ALONE_ROWS * 34 } else { sight.height(panel, false) },
    };
    Some(canvas.render(&answers))
}
