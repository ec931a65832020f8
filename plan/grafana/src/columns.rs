//! Columns of tables: transformations, and the styles of older ones. Pure.

use plan_model::dashboard::panel::{Column, Panel, Sort};
use serde_json::Value;

use crate::{Fate, Taker, fields, json};

/// The name that a column has here: `Value #A` is `Value A`, and `Value` where there is one query only.
pub(crate) fn name(grafana: &str, panel: &Panel) -> String {
    let letter = grafana.strip_prefix("Value #");
    match letter {
        Some(letter) if panel.all_queries().iter().filter(|q| !q.hidden).count() > 1 => format!("Value {letter}"),
        Some(_) => "Value".to_owned(),
        None => grafana.to_owned(),
    }
}

pub(crate) fn take(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    for (index, one) in json::list(json, "transformations").iter().enumerate() {
        let options = &one["options"];
        let path = format!("transformations[{index}]");
        match json::text(one, "id").unwrap_or_default() {
            "organize" => organize(panel, options),
            // Answers are joined by their labels anyway.
            "merge" | "seriesToColumns" | "joinByField" | "labelsToFields" | "seriesToRows" => {}
            "sortBy" => {
                if let Some(sort) = json::list(options, "sort").first() {
                    sort_by(panel, json::text(sort, "field").unwrap_or_default(), json::is_set(sort, "desc"));
                }
            }
            "filterFieldsByName" => {
                for hidden in json::list(&options["exclude"], "names").iter().filter_map(Value::as_str) {
                    let name = name(hidden, panel);
                    panel.columns.entry(name).or_default().hidden = true;
                }
                if !json::list(&options["include"], "names").is_empty() {
                    taker.note(
                        Fate::NotTaken,
                        path,
                        "columns can be hidden, not chosen: hide the others under `columns`",
                    );
                }
            }
            other => taker.note(Fate::NotTaken, path, format!("the transformation `{other}` is not known")),
        }
    }
    for (index, style) in json::list(json, "styles").iter().enumerate() {
        old_style(taker, style, index, panel);
    }
    let sorted = json::list(&json["options"], "sortBy").first();
    if let (Some(sort), None) = (sorted, &panel.sort) {
        sort_by(panel, json::text(sort, "displayName").unwrap_or_default(), json::is_set(sort, "desc"));
    }
    panel.columns.shift_remove("Time");
    panel.columns.retain(|name, c| {
        !name.is_empty()
            && (c.hidden || c.label.is_some() || c.unit.is_some() || c.decimals.is_some() || !c.thresholds.is_empty())
    });
}

fn sort_by(panel: &mut Panel, field: &str, descending: bool) {
    if !field.is_empty() {
        panel.sort = Some(Sort { by: name(field, panel), descending });
    }
}

fn organize(panel: &mut Panel, options: &Value) {
    let object = |key: &str| options.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut order: Vec<(i64, String)> =
        object("indexByName").iter().map(|(n, i)| (i.as_i64().unwrap_or(i64::MAX), n.clone())).collect();
    order.sort();
    let mut sorted: indexmap::IndexMap<String, Column> = indexmap::IndexMap::new();
    for (_, field) in order {
        let name = name(&field, panel);
        let column = panel.columns.get(&name).cloned().unwrap_or_default();
        sorted.insert(name, column);
    }
    for (name, column) in std::mem::take(&mut panel.columns) {
        sorted.entry(name).or_insert(column);
    }
    panel.columns = sorted;
    for (field, hidden) in object("excludeByName") {
        if hidden.as_bool() == Some(true) {
            let name = name(&field, panel);
            panel.columns.entry(name).or_default().hidden = true;
        }
    }
    for (field, label) in object("renameByName") {
        if let Some(label) = label.as_str().filter(|l| !l.is_empty()) {
            let name = name(&field, panel);
            panel.columns.entry(name).or_default().label = Some(label.to_owned());
        }
    }
}

fn old_style(taker: &mut Taker<'_>, style: &Value, index: usize, panel: &mut Panel) {
    let path = format!("styles[{index}]");
    let pattern = json::text(style, "pattern").unwrap_or_default();
    if pattern.is_empty() || pattern == "Time" || pattern == "/.*/" {
        return;
    }
    if pattern.starts_with('/') {
        taker.note(Fate::NotTaken, path, "columns by a regular expression are not known");
        return;
    }
    let name = name(pattern, panel);
    let unit = json::text(style, "unit").and_then(|u| fields::unit_of(taker, u, &path));
    let column = panel.columns.entry(name).or_default();
    column.label = json::text(style, "alias").filter(|a| !a.is_empty()).map(str::to_owned);
    column.hidden = json::text(style, "type") == Some("hidden");
    if json::text(style, "type") == Some("number") {
        column.unit = unit;
        column.decimals = json::whole(style, "decimals").filter(|d| *d <= 10);
    }
}
