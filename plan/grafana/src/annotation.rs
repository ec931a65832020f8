//! Grafana's annotations into those of a dashboard. Pure.

use plan_model::dashboard::{Annotation, MOST_ANNOTATIONS};
use serde_json::Value;

use crate::{Fate, Taker, fields, json};

/// Takes those that ask PromQL. Grafana's own list of notes and alerts has no query, and is left out silently: every file has it.
pub(crate) fn take(taker: &mut Taker<'_>, root: &Value) {
    let own = |a: &Value| a.get("builtIn").is_some_and(|b| b.as_i64() == Some(1) || b.as_bool() == Some(true));
    let lists = root.pointer("/annotations/list").and_then(Value::as_array);
    for (index, one) in lists.into_iter().flatten().enumerate().filter(|(_, a)| !own(a)) {
        let path = format!("annotations.list[{index}]");
        if let Some(found) = read(taker, one, &path) {
            if taker.dashboard.annotations.len() < MOST_ANNOTATIONS {
                taker.dashboard.annotations.push(found);
            } else {
                taker.note(Fate::NotTaken, path, format!("a dashboard has {MOST_ANNOTATIONS} annotations at most"));
            }
        }
    }
}

fn read(taker: &mut Taker<'_>, one: &Value, path: &str) -> Option<Annotation> {
    let name = json::text(one, "name").unwrap_or_default().to_owned();
    let target = &one["target"];
    let text = |key: &str| json::text(one, key).or_else(|| json::text(target, key)).map(str::trim);
    let Some(expr) = text("expr").filter(|e| !e.is_empty()) else {
        taker.note(Fate::NotTaken, path, format!("the annotation `{name}` asks no PromQL"));
        return None;
    };
    if !taker.is_promql(one, one, path) {
        return None;
    }
    let query = taker.rewritten(expr);
    if let Some(missing) = taker.unknown(&query) {
        taker.note(Fate::NotTaken, format!("{path}.expr"), format!("there is no variable `{missing}`"));
        return None;
    }
    if let Err(why) = (taker.check)(&query, &taker.dashboard) {
        taker.note(Fate::NotTaken, format!("{path}.expr"), format!("it is no PromQL: {why}"));
        return None;
    }
    if one.get("enable").and_then(Value::as_bool) == Some(false) {
        taker.note(Fate::Changed, format!("{path}.enable"), format!("the annotation `{name}` was off and is on now"));
    }
    let title = text("titleFormat").filter(|t| !t.is_empty()).map(str::to_owned).unwrap_or(name);
    let text = text("textFormat").filter(|t| !t.is_empty()).map(str::to_owned);
    Some(Annotation {
        title: taker.for_people(&title, path),
        query,
        text: text.map(|t| taker.for_people(&t, path)),
        colour: json::text(one, "iconColor").and_then(fields::colour),
        value_is_time: ["useValueForTime", "useValueAsTime"]
            .iter()
            .any(|key| one.get(*key).is_some_and(|v| v.as_bool() == Some(true) || v.as_str() == Some("on"))),
    })
}
