//! What stands below a time series: names, numbers, nothing. Pure.

use plan_model::dashboard::panel::{Panel, PanelKind, Reduce};
use serde_json::Value;

use crate::{Fate, Taker, json, panel};

/// Of panels of today: `options.legend`.
pub(crate) fn new(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    let legend = &json["options"]["legend"];
    if panel.kind != PanelKind::TimeSeries || !legend.is_object() {
        return;
    }
    let mode = json::text(legend, "displayMode");
    panel.legend_hidden =
        legend.get("showLegend").and_then(Value::as_bool) == Some(false) || matches!(mode, Some("hidden"));
    for word in json::list(legend, "calcs").iter().filter_map(Value::as_str) {
        match panel::reduce(word) {
            Some(found) => add(panel, found),
            None => {
                let why = format!("`{word}` is not known: the other numbers of the legend are there");
                taker.note(Fate::NotTaken, "options.legend.calcs", why);
            }
        }
    }
}

/// Of `graph`: `legend`.
pub(crate) fn old(json: &Value, panel: &mut Panel) {
    let legend = &json["legend"];
    panel.legend_hidden = legend.get("show").and_then(Value::as_bool) == Some(false);
    if !json::is_set(legend, "values") {
        return;
    }
    for (key, found) in [
        ("current", Reduce::Last),
        ("min", Reduce::Min),
        ("max", Reduce::Max),
        ("avg", Reduce::Mean),
        ("total", Reduce::Sum),
    ] {
        if json::is_set(legend, key) {
            add(panel, found);
        }
    }
}

fn add(panel: &mut Panel, found: Reduce) {
    if !panel.legend_values.contains(&found) {
        panel.legend_values.push(found);
    }
}
