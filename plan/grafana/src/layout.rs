//! Rows and places of panels. Pure.

use plan_model::dashboard::layout::own_place;
use plan_model::dashboard::{GRID_COLUMNS, MOST_PANELS, Panel, Row, TALLEST};
use serde_json::Value;

use crate::{Fate, Taker, json};

/// Height of a row of the grid in pixels, with its gap: older dashboards counted in pixels.
const ROW_PX: f64 = 38.0;

/// Takes all panels with their rows.
pub(crate) fn take(taker: &mut Taker<'_>, root: &Value) {
    for row in json::list(root, "rows") {
        old_row(taker, row);
    }
    let mut panels: Vec<&Value> = json::list(root, "panels").iter().collect();
    let at = |p: &Value| (json::whole(&p["gridPos"], "y").unwrap_or(0), json::whole(&p["gridPos"], "x").unwrap_or(0));
    if panels.iter().all(|p| p.get("gridPos").is_some()) {
        panels.sort_by_key(|p| at(p));
    }
    let mut group: Option<Row> = None;
    for panel in panels {
        if json::text(panel, "type") == Some("row") {
            close(taker, group.take());
            let title = taker.for_people(json::text(panel, "title").unwrap_or_default(), "title");
            let repeat = repeat(taker, panel);
            let mut row = Row { title, shut: json::is_set(panel, "collapsed"), repeat, panels: Vec::new() };
            for inner in json::list(panel, "panels") {
                add(taker, &mut row.panels, inner);
            }
            group = Some(row);
            continue;
        }
        match &mut group {
            Some(row) => {
                let mut own = std::mem::take(&mut row.panels);
                add(taker, &mut own, panel);
                row.panels = own;
            }
            None => {
                let mut own = std::mem::take(&mut taker.dashboard.panels);
                add(taker, &mut own, panel);
                taker.dashboard.panels = own;
            }
        }
    }
    close(taker, group.take());
    let mut own = std::mem::take(&mut taker.dashboard.panels);
    settle(taker, &mut own);
    taker.dashboard.panels = own;
}

fn close(taker: &mut Taker<'_>, row: Option<Row>) {
    let Some(mut row) = row else { return };
    settle(taker, &mut row.panels);
    if row.panels.is_empty() {
        return;
    }
    if row.title.trim().is_empty() {
        row.title = "…".to_owned();
    }
    taker.dashboard.rows.push(row);
}

fn old_row(taker: &mut Taker<'_>, row: &Value) {
    let title = taker.for_people(json::text(row, "title").unwrap_or_default(), "rows.title");
    let height = row.get("height").and_then(pixels);
    let repeat = repeat(taker, row);
    let mut out = Row { title, shut: json::is_set(row, "collapse"), repeat, panels: Vec::new() };
    for panel in json::list(row, "panels") {
        let before = out.panels.len();
        add(taker, &mut out.panels, panel);
        if let Some(added) = out.panels.get_mut(before) {
            let span = json::number(panel, "span").unwrap_or(12.0);
            added.width = Some(((span * 2.0).round() as u32).clamp(1, GRID_COLUMNS));
            let own = panel.get("height").and_then(pixels).or(height);
            added.height = Some(own.map_or(7, |px| ((px / ROW_PX).round() as u32).clamp(2, TALLEST)));
            (added.x, added.y) = (None, None);
        }
    }
    close(taker, Some(out));
}

fn pixels(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim_end_matches("px").trim().parse().ok().filter(|v: &f64| v.is_finite()),
        other => json::as_number(other),
    }
}

/// The variable that something is repeated for; one that is not there, or has no values to choose from, is said.
fn repeat(taker: &mut Taker<'_>, of: &Value) -> Option<String> {
    let name = json::text(of, "repeat").filter(|r| !r.is_empty())?;
    let own = taker.renamed.iter().find(|(old, _)| old == name).map_or(name, |(_, new)| new).to_owned();
    match taker.dashboard.variables.get(&own) {
        Some(variable) if variable.text.is_none() => Some(own),
        _ => {
            let why = format!("nothing can be repeated for `{name}`: it has no values to choose from");
            taker.note(Fate::NotTaken, "repeat", why);
            None
        }
    }
}

/// Reads one panel and puts it where it was.
fn add(taker: &mut Taker<'_>, into: &mut Vec<Panel>, panel: &Value) {
    // Grafana saves what it had repeated; it comes back from the one that repeats.
    if panel.get("repeatPanelId").is_some_and(|v| !v.is_null()) {
        return;
    }
    let id = panel.get("id").and_then(Value::as_i64).unwrap_or(0);
    taker.about = Some((id, json::text(panel, "title").unwrap_or_default().to_owned()));
    let read = crate::panel::read(taker, panel);
    if let Some(mut read) = read {
        read.repeat = repeat(taker, panel);
        if read.repeat.is_some() {
            read.repeat_down = json::text(panel, "repeatDirection") == Some("v");
            let most = json::whole(panel, "maxPerRow").or_else(|| {
                // Older ones said how narrow a copy may be.
                json::whole(panel, "minSpan").filter(|s| *s > 0).map(|s| GRID_COLUMNS / s.min(GRID_COLUMNS))
            });
            read.repeat_most = most.filter(|m| (1..=GRID_COLUMNS).contains(m) && !read.repeat_down);
        }
        let place = &panel["gridPos"];
        if place.is_object() {
            let width = json::whole(place, "w").unwrap_or(12).clamp(1, GRID_COLUMNS);
            read.width = Some(width);
            read.height = Some(json::whole(place, "h").unwrap_or(8).clamp(1, TALLEST));
            read.x = Some(json::whole(place, "x").unwrap_or(0).min(GRID_COLUMNS - width));
            read.y = Some(json::whole(place, "y").unwrap_or(0).min(10_000));
        }
        let all: usize = taker.dashboard.all_panels().count() + into.len();
        if all < MOST_PANELS {
            into.push(read);
            taker.taken += 1;
        } else {
            taker.note(Fate::NotTaken, "panels", format!("a dashboard has {MOST_PANELS} panels at most"));
        }
    }
    taker.about = None;
}

/// Rows of the grid are counted from the top of the group; what lies upon something else flows.
fn settle(taker: &mut Taker<'_>, panels: &mut [Panel]) {
    let top = panels.iter().filter_map(|p| p.y).min().unwrap_or(0);
    for panel in panels.iter_mut() {
        panel.y = panel.y.map(|y| y - top);
    }
    let cells: Vec<_> = panels.iter().filter_map(own_place).collect();
    let overlap = cells.iter().enumerate().any(|(i, a)| cells[i + 1..].iter().any(|b| a.overlaps(b)));
    if overlap {
        for panel in panels.iter_mut() {
            (panel.x, panel.y) = (None, None);
        }
        taker.note(Fate::Changed, "gridPos", "panels lay upon one another: they take the next free places");
    }
}
