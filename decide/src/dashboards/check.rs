//! PromQL of dashboards, with the place of every mistake. Pure.
//!
//! Variables are replaced by values that could be chosen; a place in the text that was made leads back to the file.

use decide_promql::{ParseError, ValueType, parse};
use kernel::Timestamp;
use plan_model::dashboard::Dashboard;
use plan_model::dashboard::expand::{Chosen, Expanded, expand, mentions};
use plan_model::{Loaded, Plan};
use plan_syntax::{Diagnostic, within};

use super::Moment;

/// Values tried for a variable of which nothing is known yet: a word, a number, a length of time.
const TRIED: [&str; 3] = ["x", "1", "5m"];

/// What is wrong with the PromQL of a plan's dashboards.
pub fn check(plan: &Plan, loaded: &Loaded) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (name, dashboard) in &plan.dashboards {
        let path = format!("dashboards.{name}");
        for (variable, spec) in &dashboard.variables {
            if let Some(query) = &spec.query {
                let at = format!("{path}.variables.{variable}.query");
                out.extend(problem(query, dashboard, name).map(|p| p.told(loaded, &at)));
            }
        }
        for (index, one) in dashboard.annotations.iter().enumerate() {
            let at = format!("{path}.annotations[{index}].query");
            out.extend(problem(&one.query, dashboard, name).map(|p| p.told(loaded, &at)));
        }
        for (below, panel) in dashboard.all_panels() {
            for (number, query) in panel.all_queries().iter().enumerate() {
                let at = format!("{path}.{below}.{}", panel.query_path(number));
                out.extend(problem(&query.query, dashboard, name).map(|p| p.told(loaded, &at)));
            }
        }
    }
    out
}

/// What is wrong with one expression of a dashboard, in PromQL's words.
///
/// # Errors
/// It is no PromQL whatever is chosen, or gives what no panel can show.
pub fn check_expression(query: &str, dashboard: &Dashboard) -> Result<(), String> {
    problem(query, dashboard, "dashboard").map_or(Ok(()), |p| Err(p.message))
}

/// A mistake, and the bytes of the written text it is about.
struct Problem {
    message: String,
    range: std::ops::Range<usize>,
}

impl Problem {
    fn told(self, loaded: &Loaded, path: &str) -> Diagnostic {
        let place = match loaded.node_at(path) {
            Some(node) => loaded.sources.place(within(&loaded.sources, node, self.range.start, self.range.end)),
            None => loaded.locate(path).unwrap_or_default(),
        };
        Diagnostic::error("promql", place, self.message)
    }
}

fn problem(query: &str, dashboard: &Dashboard, name: &str) -> Option<Problem> {
    let mut first = None;
    let is_open =
        mentions(query).iter().any(|m| dashboard.variables.get(m.name).is_some_and(|v| v.values_of.is_some()));
    for tried in TRIED {
        match attempt(query, dashboard, name, tried) {
            Ok(()) => return None,
            Err(problem) => drop(first.get_or_insert(problem)),
        }
        if !is_open {
            break;
        }
    }
    first
}

fn attempt(query: &str, dashboard: &Dashboard, name: &str, tried: &str) -> Result<(), Problem> {
    let moment = Moment::new(Timestamp::from_secs(0), Timestamp::from_secs(3_600), 60, 1, 15_000);
    let made = expand(query, &|variable| {
        let own = dashboard.variables.get(variable).map(|v| {
            let sample = v.sample();
            Chosen::one(if v.values_of.is_some() && sample == "x" { tried.to_owned() } else { sample })
        });
        own.or_else(|| moment.built_in(variable, name))
    });
    let wrong = |made: &Expanded, error: ParseError| {
        let range = error.span.range();
        Problem {
            message: error.message,
            range: made.origin(range.start.min(made.text.len())..range.end.min(made.text.len())),
        }
    };
    let expr = parse(&made.text).map_err(|e| wrong(&made, e))?;
    match expr.value_type() {
        ValueType::Vector | ValueType::Scalar => Ok(()),
        other => {
            let message = format!("a panel needs an instant vector or a number, this is a {}", other.describe());
            Err(Problem { message, range: 0..query.len() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan_model::{LoadOptions, SourceFile, load};

    fn said(rest: &str) -> Vec<String> {
        let text = format!("system: x\ntimezone: UTC\n{rest}");
        let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
        let loaded = load(&[SourceFile::new("plan.yaml", text)], &options);
        let plan = loaded.plan.clone().unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        check(&plan, &loaded).iter().map(|d| format!("{}:{} {}", d.place.line - 2, d.place.column, d.message)).collect()
    }

    #[test]
    fn promql_is_checked_with_its_place_whatever_is_chosen() {
        let good = "dashboards:\n  d:\n    title: D\n    variables:\n      job: {values_of: job}\n      every: {interval: [5m, 1h]}\n      \
                    k: {list: ['5', '10']}\n      m: {values_of: __name__, query: '{job=\"$job\"}'}\n    panels:\n      \
                    - query: sum(rate(http_requests_total{job=~\"$job\"}[$__rate_interval]))\n      \
                    - query: topk($k, max_over_time($m[$every]))\n      - query: 'x > $job'\n      - query: 1\n";
        assert_eq!(said(good), Vec::<String>::new());
        let bad = "dashboards:\n  d:\n    title: D\n    panels:\n      - query: rate(x[$__rate_interval]) + )\n      \
                   - queries:\n          - query: up\n          - query: |\n              sum(\n                foo{a=}\n              )\n      \
                   - query: up[5m]\n";
        let said = said(bad);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("5:") && said[0].contains("unexpected"), "{said:?}");
        assert!(said[1].starts_with("10:"), "{said:?}");
        assert!(said[2].starts_with("12:") && said[2].contains("range vector"), "{said:?}");
    }
}
