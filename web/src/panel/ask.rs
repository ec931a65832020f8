//! Asks what a panel's queries give. Blocking: run it off the async threads. I/O: the series store.

use decide::dashboards::Moment;
use decide_promql::{Control, Limits, Query, evaluate_cancellable, parse};
use kernel::series::SeriesReader;
use plan_model::dashboard::Panel;
use plan_model::dashboard::expand::{Chosen, expand, expand_for_people};

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
        match one(&made, panel.is_instant(query), moment, asking) {
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

type Answered = (decide_promql::Value, Vec<String>);

fn one(text: &str, instant: bool, moment: Moment, asking: &Asking<'_>) -> Result<Answered, String> {
    let expr = parse(text).map_err(|e| e.to_string())?;
    let query = match instant {
        true => Query::instant(&expr, moment.to_ms),
        false => Query::range(&expr, moment.start_ms, moment.end_ms, moment.step_ms),
    };
    let found = evaluate_cancellable(&query, asking.reader, asking.limits, asking.control);
    let found = found.map_err(|e| e.to_string())?;
    Ok((found.value, found.annotations.iter().map(ToString::to_string).collect()))
}
