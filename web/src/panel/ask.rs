//! Asks what a panel's queries give. Blocking: run it off the async threads. I/O: the series store.

use decide::dashboards::Moment;
use decide_promql::{Control, Expr, Limits, MatrixSeries, Query, Value, evaluate_cancellable, parse};
use kernel::series::SeriesReader;
use plan_model::dashboard::expand::{Chosen, expand, expand_for_people};
use plan_model::dashboard::panel::Reduce;
use plan_model::dashboard::{Panel, PanelKind};

use super::{Answers, Part};

/// What a panel is asked with.
pub struct Asking<'a> {
    /// The series, as whoever asks sees them.
    pub reader: &'a dyn SeriesReader,
    /// What each query may cost.
    pub limits: &'a Limits,
    /// Becomes true when nobody waits any more.
    pub control: &'a dyn Control,
    /// What is shown.
    pub moment: Moment,
    /// What was chosen of variables, built-in ones too.
    pub chosen: &'a dyn Fn(&str) -> Option<Chosen>,
}

/// Asks all queries of a panel that are not hidden; one that fails does not keep the others.
pub fn ask(panel: &Panel, asking: &Asking<'_>) -> Answers {
    let mut answers = Answers::default();
    for query in panel.all_queries().iter().filter(|q| !q.hidden) {
        let made = expand(&query.query, asking.chosen).text;
        let moment = match query.interval {
            Some(least) => wider(asking.moment, i64::try_from(least.as_millis()).unwrap_or(i64::MAX)),
            None => asking.moment,
        };
        let how = match (panel.is_instant(query), shows_now(panel)) {
            (true, _) => How::Once,
            (false, true) => How::UntilNow,
            (false, false) => How::Steps,
        };
        match one(&made, how, moment, asking) {
            Ok((value, remarks)) => {
                let legend = query.legend.as_ref().map(|l| expand_for_people(l, asking.chosen));
                answers.parts.push(Part { legend, expression: made, value, at_ms: moment.to_ms });
                answers.remarks.extend(remarks);
            }
            Err(error) => answers.errors.push(error),
        }
    }
    answers.remarks.dedup();
    answers
}

fn wider(moment: Moment, least_ms: i64) -> Moment {
    Moment { step_ms: moment.step_ms.max(least_ms.max(1)), ..moment }
}

/// Whether what a panel says first is how it is at the end of its range. Points stand at whole steps, half an hour apart
/// for a week: the last of them would be as old as that.
pub(crate) fn shows_now(panel: &Panel) -> bool {
    match panel.kind {
        PanelKind::Stat | PanelKind::Gauge | PanelKind::Bar => matches!(panel.reduce, None | Some(Reduce::Last)),
        PanelKind::State => true,
        _ => false,
    }
}

/// When a query is asked.
enum How {
    /// At the end of the range.
    Once,
    /// At each step.
    Steps,
    /// At each step, and at the end of the range.
    UntilNow,
}

type Answered = (Value, Vec<String>);

fn one(text: &str, how: How, moment: Moment, asking: &Asking<'_>) -> Result<Answered, String> {
    let expr = parse(text).map_err(|e| e.to_string())?;
    let query = match how {
        How::Once => Query::instant(&expr, moment.to_ms),
        _ => Query::range(&expr, moment.start_ms, moment.end_ms, moment.step_ms),
    };
    let found = evaluate_cancellable(&query, asking.reader, asking.limits, asking.control);
    let mut found = found.map_err(|e| e.to_string())?;
    if let (How::UntilNow, Value::Matrix(all), true) = (how, &mut found.value, moment.to_ms > moment.end_ms) {
        go_on(all, &expr, moment, asking)?;
    }
    Ok((found.value, found.annotations.iter().map(ToString::to_string).collect()))
}

/// Adds the point at the end of the range to each series.
fn go_on(all: &mut Vec<MatrixSeries>, expr: &Expr, moment: Moment, asking: &Asking<'_>) -> Result<(), String> {
    let query = Query::range(expr, moment.to_ms, moment.to_ms, moment.step_ms);
    let last = evaluate_cancellable(&query, asking.reader, asking.limits, asking.control).map_err(|e| e.to_string())?;
    let Value::Matrix(last) = last.value else { return Ok(()) };
    for series in last {
        match all.binary_search_by(|known| known.labels.cmp(&series.labels)) {
            Ok(i) => {
                all[i].samples.extend(series.samples);
                all[i].histograms.extend(series.histograms);
            }
            Err(i) => all.insert(i, series),
        }
    }
    Ok(())
}
