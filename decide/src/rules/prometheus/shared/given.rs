//! Expressions that were evaluated already, as series under names that no metric has. Pure.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Column, MatchOp, Point, Rolled, RolledUp, Select, Series, SeriesError, SeriesReader};

use crate::rules::query::Answer;

/// Stands before the number of an expression; no exposition format can write it.
const PREFIX: &str = "\u{0}shared/";

/// Answers with more samples than this are not kept for others.
const MAX_KEPT: usize = 100_000;

pub(super) fn name_of(number: usize) -> String {
    format!("{PREFIX}{number}")
}

/// What an expression gave.
pub(in crate::rules) type Outcome = Rc<Result<Answer, String>>;

/// The answers of one evaluation, by the numbers of their expressions.
#[derive(Default)]
pub(in crate::rules) struct Known {
    answers: RefCell<Vec<Option<Outcome>>>,
    reused: RefCell<u64>,
}

impl Known {
    /// The answer to an expression, asked once.
    pub(in crate::rules) fn answer(&self, number: usize, ask: impl FnOnce() -> Result<Answer, String>) -> Outcome {
        if let Some(Some(known)) = self.answers.borrow().get(number) {
            *self.reused.borrow_mut() += 1;
            return known.clone();
        }
        let answer = Rc::new(ask());
        if answer.as_ref().as_ref().map_or(0, |a| a.samples.len()) <= MAX_KEPT {
            let mut all = self.answers.borrow_mut();
            if all.len() <= number {
                all.resize_with(number + 1, || None);
            }
            all[number] = Some(answer.clone());
        }
        answer
    }

    /// How many answers were given again.
    pub(in crate::rules) fn reused(&self) -> u64 {
        *self.reused.borrow()
    }
}

/// The answers that one rule's expression stands on, above a reader. Made before the rule is asked, so that it can be read from
/// anywhere.
pub(in crate::rules) struct Given<'a> {
    pub(in crate::rules) series: Vec<(usize, Vec<(Labels, Point)>)>,
    pub(in crate::rules) t_ms: i64,
    pub(in crate::rules) under: &'a dyn SeriesReader,
}

/// The number in a selection of an expression's answer.
pub(in crate::rules) fn number_in(select: &[kernel::series::Matcher]) -> Option<usize> {
    let [only] = select else { return None };
    if &*only.name != kernel::labels::METRIC_NAME || only.op != MatchOp::Equal {
        return None;
    }
    only.value.strip_prefix(PREFIX)?.parse().ok()
}

impl SeriesReader for Given<'_> {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let Some(number) = number_in(&select.matchers) else { return self.under.select(select) };
        let Some((_, samples)) = self.series.iter().find(|(n, _)| *n == number) else { return Ok(Vec::new()) };
        let times: Arc<[i64]> = Arc::from([self.t_ms]);
        let series = |(labels, value): &(Labels, Point)| match value {
            Point::Float(v) => Series::floats(labels.clone(), times.clone(), vec![*v]),
            point => Series {
                labels: labels.clone(),
                timestamps: times.clone(),
                values: Column::Mixed(vec![point.clone()]),
                starts: None,
            },
        };
        Ok(samples.iter().map(series).collect())
    }

    fn visit(&self, select: &Select, visit: kernel::series::Visit<'_>) -> Result<(), SeriesError> {
        if number_in(&select.matchers).is_none() {
            return self.under.visit(select, visit);
        }
        for series in self.select(select)? {
            if visit(series).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn rolled_up(&self) -> Vec<RolledUp> {
        self.under.rolled_up()
    }

    /// What is given is never asked for over a range, and never this old.
    fn visit_rolled(
        &self,
        select: &Select,
        figure: Rolled,
        visit: kernel::series::Visit<'_>,
    ) -> Result<(), SeriesError> {
        self.under.visit_rolled(select, figure, visit)
    }

    fn visit_newest(&self, select: &Select, visit: kernel::series::Visit<'_>) -> Result<(), SeriesError> {
        if number_in(&select.matchers).is_none() {
            return self.under.visit_newest(select, visit);
        }
        self.visit(select, visit)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.under.label_names(select)
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.under.label_values(name, select)
    }
}
