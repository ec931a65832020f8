//! The work of panels: few at once, each with a time of its own, none that holds the page. I/O: CPU pool, series.

use std::sync::Arc;

use decide::dashboards::Moment;
use decide_promql::{Control, Limits};
use futures_util::future::join_all;
use kernel::html::escape;
use plan_model::dashboard::PanelKind;

use super::look::{ALONE_ROWS, Sight};
use super::shown::Shown;
use crate::app::App;
use crate::limits::{PAGE_WAITS, PANEL_POINTS, PANEL_SAMPLES, PANEL_SERIES, PANEL_TIME};
use crate::panel::{Answers, Asking, Canvas, ask, shows_now};
use crate::text::text;

/// What a panel's query may cost.
pub(super) const LIMITS: Limits = Limits {
    max_samples: PANEL_SAMPLES,
    max_series: PANEL_SERIES,
    max_steps: Limits::MAX_STEPS,
    max_points: PANEL_POINTS,
};

/// A panel's content; `None` when there is no such panel.
pub(super) async fn body(app: &App, sight: Arc<Sight>, number: usize, alone: bool) -> Option<String> {
    sight.dashboard().all_panels().nth(number)?;
    let language = sight.language;
    let work = move |control: &dyn Control| {
        let (answers, moment) = asked(&sight, number, alone, control)?;
        Some(canvas(&sight, number, moment, alone)?.render(&answers))
    };
    let drawn = app.gates.queries.timed(PANEL_TIME, work).await;
    Some(drawn.flatten().unwrap_or_else(|| {
        let said = text(language).dashboards.timed_out;
        format!("<p class=\"notice down panel-error\" role=\"alert\">{}</p>", escape(said))
    }))
}

/// The contents of panels, in order, as far as they are there in time; those in shut rows are asked for when they are opened.
pub(super) async fn bodies(app: &App, sight: &Sight, shown: &[Shown], alone: bool) -> Vec<Option<String>> {
    let begun = shown.iter().map(|panel| {
        let (app, number) = (app.clone(), panel.number);
        let scoped = (alone || !panel.shut).then(|| Arc::new(sight.scoped(&panel.scope)));
        async move {
            let work = body(&app, scoped?, number, alone);
            tokio::time::timeout(PAGE_WAITS, work).await.ok().flatten()
        }
    });
    join_all(begun).await
}

/// Asks a panel's queries. Blocking; `None` when there is no such panel, or nobody waits any more.
pub(crate) fn asked(sight: &Sight, number: usize, alone: bool, control: &dyn Control) -> Option<(Answers, Moment)> {
    let (_, panel) = sight.dashboard().all_panels().nth(number)?;
    let columns = if alone { 24 } else { panel.columns_wide() };
    let moment = sight.moment(columns);
    let chosen = |name: &str| sight.chosen(name, moment);
    let answers = match panel.kind {
        PanelKind::Text => Answers::default(),
        _ => ask(panel, &Asking { reader: &*sight.reader, limits: &LIMITS, control, moment, chosen: &chosen }),
    };
    control.goes_on().then_some((answers, moment))
}

/// What a panel is drawn with.
pub(crate) fn canvas(sight: &Sight, number: usize, moment: Moment, alone: bool) -> Option<Canvas<'_>> {
    let (_, panel) = sight.dashboard().all_panels().nth(number)?;
    Some(Canvas {
        language: sight.language,
        zone: sight.zone.clone(),
        panel,
        title: sight.for_people(&panel.title),
        text: sight.for_people(panel.text.as_deref().unwrap_or_default()),
        span: (moment.start_ms, if shows_now(panel) { moment.to_ms } else { moment.end_ms }, moment.step_ms),
        marks: &sight.marks.all,
        height: if alone { ALONE_ROWS * 34 } else { sight.height(number, panel) },
        alone,
    })
}
