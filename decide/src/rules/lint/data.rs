//! Rules and the data below them: how often they come, and whether anything produces them. Pure.

use decide_promql::ExprKind;
use decide_promql::ast::Selector;
use kernel::Duration;
use plan_model::CheckKind;
use plan_syntax::Level;

use super::Lint;
use crate::rules::RuleKind;
use crate::rules::evaluate::{ALERTS, ALERTS_FOR_STATE};

pub(super) fn lint(one: &mut Lint<'_>) {
    let rule = one.rule;
    let mut selectors: Vec<(&Selector, decide_promql::Span)> = Vec::new();
    rule.query.expr().walk(&mut |e| match &e.kind {
        ExprKind::Selector(s) => selectors.push((s, e.span)),
        ExprKind::Range(r) => selectors.push((&r.selector, e.span)),
        _ => {}
    });
    hold_below_interval(one, &selectors);
    for (selector, span) in &selectors {
        no_such_metric(one, selector, *span);
    }
}

fn hold_below_interval(one: &mut Lint<'_>, selectors: &[(&Selector, decide_promql::Span)]) {
    let RuleKind::Alert { hold, .. } = one.rule.kind else { return };
    let Some(span) = one.nodes.hold.filter(|_| hold > Duration::ZERO) else { return };
    let data = selectors.iter().filter_map(|(s, _)| interval_of(one, s)).max();
    let (every, es_of, en_of) = match data {
        Some(every) if every > hold => (every, "los datos llegan cada", "the data come every"),
        _ if one.group.interval > hold => {
            (one.group.interval, "el grupo se evalúa cada", "the group is evaluated every")
        }
        _ => return,
    };
    let en = format!("`for: {hold}` has passed at the next look, since {en_of} {every}: it holds nothing back");
    let es = format!("`for: {hold}` ya ha pasado a la siguiente mirada, pues {es_of} {every}: no retiene nada");
    let said = one.say(Level::Warning, "hold-below-interval", span, en, es);
    said.help = Some(format!("write `for: {}` so that at least two values must agree, or leave it out", twice(every)));
}

fn twice(d: Duration) -> Duration {
    Duration::from_millis(2 * d.as_millis())
}

/// How often the series of a selector get a sample, where the plan tells.
fn interval_of(one: &Lint<'_>, selector: &Selector) -> Option<Duration> {
    let plan = one.plan;
    let name = selector.name.as_deref()?;
    let wanted =
        |label: &str, value: &str| selector.matchers.iter().filter(|m| &*m.name == label).all(|m| m.matches(value));
    if name.starts_with("probe_") || name.starts_with("node_") {
        let hosts = name.starts_with("node_");
        let checks = plan.checks().filter(|(component, check, spec)| {
            let is_host = spec.kinds().iter().any(|k| matches!(k, CheckKind::Host(_)));
            is_host == hosts && wanted("service", component) && wanted("check", check)
        });
        return checks.filter_map(|(component, check, _)| plan.effective(component, check)).map(|s| s.every).max();
    }
    let endpoints = plan.components().filter_map(|(name, c)| Some((name, c.metrics.as_ref()?.scrape())));
    let chosen =
        endpoints.filter(|(name, s)| wanted("job", s.job.as_deref().unwrap_or(name)) && wanted("service", name));
    chosen.map(|(_, s)| plan.scrape_settings(&s).0).max()
}

fn no_such_metric(one: &mut Lint<'_>, selector: &Selector, span: decide_promql::Span) {
    let Some(name) = selector.name.clone() else { return };
    let plan = one.plan;
    let recorded = one.all.iter().flat_map(|g| &g.rules).any(|r| r.kind == RuleKind::Record && r.name == name);
    if recorded || name == ALERTS || name == ALERTS_FOR_STATE || name.starts_with("farero_") {
        return;
    }
    let has_checks =
        |host: bool| plan.checks().any(|(_, _, c)| c.kinds().iter().any(|k| matches!(k, CheckKind::Host(_)) == host));
    let endpoints: Vec<String> = plan
        .components()
        .filter_map(|(name, c)| Some(c.metrics.as_ref()?.scrape().job.unwrap_or_else(|| name.to_owned())))
        .collect();
    let jobs: Vec<_> = selector.matchers.iter().filter(|m| &*m.name == "job").collect();
    let own = (name.starts_with("probe_") && has_checks(false)) || (name.starts_with("node_") && has_checks(true));
    let (en, es) = if own || one.missing.contains(&name) {
        return;
    } else if name.starts_with("probe_") {
        (
            format!("nothing in this plan produces `{name}`: none of its checks is active"),
            format!("nada en este plan produce `{name}`: ninguna de sus comprobaciones está activa"),
        )
    } else if endpoints.is_empty() {
        (
            format!("nothing in this plan produces `{name}`: no service has a metrics endpoint that is active"),
            format!("nada en este plan produce `{name}`: ningún servicio tiene un origen de métricas activo"),
        )
    } else if !jobs.is_empty() && !endpoints.iter().any(|job| jobs.iter().all(|m| m.matches(job))) {
        let asked = jobs.iter().map(|m| m.value.to_string()).collect::<Vec<_>>().join(", ");
        (
            format!("nothing in this plan produces `{name}` of job `{asked}`: no metrics endpoint has that job"),
            format!("nada en este plan produce `{name}` del trabajo `{asked}`: ningún origen de métricas se llama así"),
        )
    } else {
        return;
    };
    let place = one.in_expr(span);
    one.missing.insert(name);
    let said = one.say(Level::Finding, "no-such-metric", place, en, es);
    said.help = Some("give the service that publishes it `metrics: URL`, or send it here by another way".to_owned());
}
