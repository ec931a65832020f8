//! Grafana's templating into variables. Pure.

use std::collections::BTreeSet;

use kernel::Duration;
use plan_model::dashboard::expand::mentions;
use plan_model::dashboard::variable::{Choice, Start, Variable};
use serde_json::Value;

use crate::{Fate, Taker, json};

/// Names that a plan reads as references.
const TAKEN: [&str; 6] = ["env", "file", "credential", "age", "vault", "param"];

/// Takes all variables, those that others need first.
pub(crate) fn take(taker: &mut Taker<'_>, root: &Value) {
    let all: Vec<&Value> = root.pointer("/templating/list").and_then(Value::as_array).into_iter().flatten().collect();
    for one in &all {
        let name = json::text(one, "name").unwrap_or_default();
        let kind = json::text(one, "type").unwrap_or("query");
        if kind == "datasource" {
            taker.sources.push(name.to_owned());
        }
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
        let must = TAKEN.contains(&name)
            || plain != name
            || name.starts_with(|c: char| c.is_ascii_digit())
            || name.starts_with("__");
        if must && !name.is_empty() {
            let new = format!("v_{}", plain.trim_start_matches('_'));
            taker.note(
                Fate::Changed,
                format!("templating.{name}"),
                format!("a plan has no variable of that name: it is `{new}` now"),
            );
            taker.renamed.push((name.to_owned(), new));
        }
    }
    let mut waiting: Vec<(String, Variable)> = Vec::new();
    for one in all {
        let name = json::text(one, "name").unwrap_or_default().to_owned();
        if name.is_empty() {
            continue;
        }
        if let Some(variable) = one_variable(taker, one, &name) {
            let own = taker.renamed.iter().find(|(old, _)| *old == name).map(|(_, new)| new.clone());
            waiting.push((own.unwrap_or(name), variable));
        }
    }
    in_order(taker, waiting);
}

/// Each after those that it names; those that name each other in a ring, or nothing that there is, are left out.
fn in_order(taker: &mut Taker<'_>, mut waiting: Vec<(String, Variable)>) {
    loop {
        let ready = waiting.iter().position(|(_, v)| v.query.as_deref().is_none_or(|q| taker.unknown(q).is_none()));
        let Some(at) = ready else { break };
        let (name, variable) = waiting.remove(at);
        let checked = variable.query.as_deref().map_or(Ok(()), |q| (taker.check)(q, &taker.dashboard));
        match checked {
            Ok(()) if taker.dashboard.variables.len() < plan_model::dashboard::MOST_VARIABLES => {
                taker.dashboard.variables.insert(name, variable);
            }
            Ok(()) => taker.note(Fate::NotTaken, format!("templating.{name}"), "there are too many variables"),
            Err(why) => taker.note(Fate::NotTaken, format!("templating.{name}"), format!("it is no PromQL: {why}")),
        }
    }
    for (name, variable) in waiting {
        let missing = variable.query.as_deref().and_then(|q| taker.unknown(q)).unwrap_or_default();
        taker.note(Fate::NotTaken, format!("templating.{name}"), format!("there is no variable `{missing}`"));
    }
}

fn one_variable(taker: &mut Taker<'_>, one: &Value, name: &str) -> Option<Variable> {
    let path = format!("templating.{name}");
    let kind = json::text(one, "type").unwrap_or("query");
    let label = json::text(one, "label").filter(|l| !l.is_empty()).map(str::to_owned);
    let hidden = one.get("hide").is_some_and(|h| h.as_i64() == Some(2) || h.as_str() == Some("hideVariable"));
    let all_value = json::text(one, "allValue").filter(|v| !v.is_empty()).map(str::to_owned);
    let base = Variable {
        label,
        hidden,
        several: json::is_set(one, "multi"),
        all: json::is_set(one, "includeAll"),
        all_value,
        ..Variable::default()
    };
    match kind {
        "query" => label_values(taker, one, base, &path),
        "custom" => {
            let list = choices(json::text(one, "query").unwrap_or_default());
            let start = current(one).filter(|s| s.values().iter().all(|v| list.iter().any(|c| c.value() == v)));
            (!list.is_empty()).then_some(Variable { list, start, ..base })
        }
        "interval" => {
            let written = json::text(one, "query").unwrap_or_default().split(',');
            let interval: Vec<Duration> = written.filter_map(|d| d.trim().parse().ok()).collect();
            let text = |d: &Duration| d.to_string();
            let now = current(one).and_then(|s| s.values().first()?.parse::<Duration>().ok());
            let start = now.filter(|d| interval.contains(d)).map(|d| Start::One(text(&d)));
            (!interval.is_empty()).then_some(Variable { interval, start, several: false, all: false, ..base })
        }
        "textbox" | "constant" => {
            let text = json::text(one, "query").unwrap_or_default().to_owned();
            let is_hidden = hidden || kind == "constant";
            Some(Variable { text: Some(text), several: false, all: false, hidden: is_hidden, ..base })
        }
        "datasource" => {
            taker.note(
                Fate::Changed,
                path,
                "a dashboard asks the series of its system: there is no data source to choose",
            );
            None
        }
        other => {
            taker.note(Fate::NotTaken, path, format!("variables of the kind `{other}` are not known"));
            None
        }
    }
}

/// What was chosen when the dashboard was saved.
fn current(one: &Value) -> Option<Start> {
    let value = one.pointer("/current/value")?;
    let all: Vec<String> = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return None,
    };
    match all.as_slice() {
        [] => None,
        [one] => Some(Start::One(one.clone())),
        _ if json::is_set(one, "multi") => Some(Start::Several(all)),
        _ => None,
    }
}

/// `a, b : c` are the value `a`, and `c` under the name `b`.
fn choices(text: &str) -> Vec<Choice> {
    let mut seen = BTreeSet::new();
    let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    let one = |part: &str| match part.split_once(" : ") {
        Some((label, value)) => Choice::Named { value: value.trim().to_owned(), label: label.trim().to_owned() },
        None => Choice::Value(part.to_owned()),
    };
    parts.map(one).filter(|c| seen.insert(c.value().to_owned())).collect()
}

fn label_values(taker: &mut Taker<'_>, one: &Value, base: Variable, path: &str) -> Option<Variable> {
    let kind = one.pointer("/datasource/type").and_then(Value::as_str).unwrap_or("prometheus");
    if !kind.contains("prometheus") && kind != "datasource" && !kind.contains("victoriametrics") {
        taker.note(Fate::NotTaken, path, format!("its data source is `{kind}`: dashboards ask PromQL only"));
        return None;
    }
    let text = match one.get("query") {
        Some(Value::String(text)) => text.clone(),
        Some(object) => json::text(object, "query").unwrap_or_default().to_owned(),
        None => json::text(one, "definition").unwrap_or_default().to_owned(),
    };
    let text = taker.rewritten(text.trim());
    let regex = regex_of(taker, json::text(one, "regex").unwrap_or_default(), path);
    let call = |name: &str| text.strip_prefix(name)?.trim().strip_prefix('(')?.strip_suffix(')').map(str::trim);
    let base = Variable { regex, ..base };
    if let Some(inner) = call("label_values") {
        let (query, label) = match split_last(inner) {
            Some((query, label)) => (Some(query.trim().to_owned()), label.trim()),
            None => (None, inner),
        };
        let label = label.trim_matches(['"', '\'']);
        let is_label = !label.is_empty() && mentions(label).is_empty();
        if !is_label {
            taker.note(Fate::NotTaken, path, format!("`{label}` is no label whose values can be asked for"));
            return None;
        }
        return Some(Variable { values_of: Some(label.to_owned()), query: query.filter(|q| !q.is_empty()), ..base });
    }
    if let Some(inner) = call("metrics") {
        let inner = inner.trim_matches(['"', '\'']).replace('"', "\\\"");
        return Some(Variable {
            values_of: Some(kernel::labels::METRIC_NAME.to_owned()),
            query: Some(format!("{{__name__=~\"{inner}\"}}")),
            ..base
        });
    }
    if let Some(inner) = call("query_result") {
        let written = json::text(one, "regex").unwrap_or_default();
        let label = regex::Regex::new("([A-Za-z_][A-Za-z0-9_]*)=\\\\?\"\\(")
            .ok()
            .and_then(|r| Some(r.captures(written)?.get(1)?.as_str().to_owned()));
        if let Some(label) = label {
            taker.note(
                Fate::Changed,
                path,
                format!("the values of the label `{label}` are taken, without the regular expression"),
            );
            return Some(Variable { values_of: Some(label), query: Some(inner.to_owned()), regex: None, ..base });
        }
    }
    taker.note(Fate::NotTaken, path, format!("`{text}` is no question for the values of a label"));
    None
}

/// At the last comma that is outside of braces, brackets and quotes.
fn split_last(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut quote, mut found) = (0_i32, None, None);
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '{' | '(' | '[') => depth += 1,
            (None, '}' | ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => found = Some(at),
            _ => {}
        }
    }
    found.map(|at| (&text[..at], &text[at + 1..]))
}

fn regex_of(taker: &mut Taker<'_>, text: &str, path: &str) -> Option<String> {
    if text.is_empty() || text.contains('$') && !mentions(text).is_empty() {
        return None;
    }
    let inner = match text.strip_prefix('/') {
        Some(rest) => rest.rsplit_once('/').map_or(rest, |(inner, _)| inner),
        None => text,
    };
    let inner = inner.replace("\\/", "/");
    match regex::Regex::new(&inner) {
        Ok(_) => Some(inner),
        Err(_) => {
            taker.note(
                Fate::Changed,
                format!("{path}.regex"),
                format!("`{text}` is no regular expression here: all values are offered"),
            );
            None
        }
    }
}
