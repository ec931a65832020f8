//! The newer form: elements, and a layout that names them, brought into panels with places. Pure.

use serde_json::{Map, Value, json};

use crate::json;

/// Height of a row that the newer form leaves to Grafana.
const AUTO_HEIGHT: u64 = 8;

/// The same dashboard in the older form.
pub(crate) fn as_panels(root: &Value) -> Value {
    let mut panels = Vec::new();
    layout(root, &root["layout"], 0, &mut panels);
    let variables: Vec<Value> = json::list(root, "variables").iter().map(variable).collect();
    let time = json!({ "from": root.pointer("/timeSettings/from"), "to": root.pointer("/timeSettings/to") });
    json!({
        "title": root.get("title"),
        "description": root.get("description"),
        "time": time,
        "refresh": root.pointer("/timeSettings/autoRefresh"),
        "templating": { "list": variables },
        "annotations": { "list": json::list(root, "annotations").iter().map(|a| a["spec"].clone()).collect::<Vec<_>>() },
        "panels": panels,
    })
}

/// Panels of a layout from a row of the grid on; gives the row below them.
fn layout(root: &Value, layout: &Value, top: u64, out: &mut Vec<Value>) -> u64 {
    let spec = &layout["spec"];
    let mut below = top;
    match json::text(layout, "kind").unwrap_or_default() {
        "RowsLayout" | "TabsLayout" => {
            for row in json::list(spec, "rows").iter().chain(json::list(spec, "tabs")) {
                let inner = &row["spec"];
                let mut place = Map::new();
                place.insert("y".into(), below.into());
                out.push(json!({ "type": "row", "title": inner.get("title"), "collapsed": inner.get("collapse"), "gridPos": place }));
                // What a row holds stands flat behind it.
                if let Some(last) = out.last_mut().and_then(Value::as_object_mut) {
                    last.insert("panels".into(), Value::Array(Vec::new()));
                }
                below = self::layout(root, &inner["layout"], below + 1, out);
            }
        }
        _ => {
            let (mut x, mut flowing) = (0, top);
            for item in json::list(spec, "items") {
                let place = &item["spec"];
                let name = place.pointer("/element/name").and_then(Value::as_str).unwrap_or_default();
                let whole = |key: &str| place.get(key).and_then(Value::as_u64).filter(|v| *v < 100_000);
                let (w, h) = (whole("width").unwrap_or(12).clamp(1, 24), whole("height").unwrap_or(AUTO_HEIGHT));
                let at = match (whole("x"), whole("y")) {
                    (Some(x), Some(y)) => (x, top + y),
                    _ => {
                        if x + w > 24 {
                            (x, flowing) = (0, flowing + h);
                        }
                        let at = (x, flowing);
                        x += w;
                        at
                    }
                };
                below = below.max(at.1 + h);
                if let Some(found) = panel(&root["elements"][name]) {
                    let mut found = found;
                    found["gridPos"] = json!({ "x": at.0, "y": at.1, "w": w, "h": h });
                    out.push(found);
                }
            }
        }
    }
    below
}

fn panel(element: &Value) -> Option<Value> {
    let spec = element.get("spec")?;
    let viz = &spec["vizConfig"];
    let kind = json::text(viz, "group").or_else(|| json::text(viz, "kind")).unwrap_or_default();
    let queries = spec.pointer("/data/spec/queries").and_then(Value::as_array).cloned().unwrap_or_default();
    let targets: Vec<Value> = queries.iter().map(target).collect();
    let transformations =
        spec.pointer("/data/spec/transformations").and_then(Value::as_array).cloned().unwrap_or_default();
    let transformations: Vec<Value> = transformations
        .iter()
        .map(|t| {
            let id = json::text(t, "group").or_else(|| json::text(t, "kind"));
            json!({ "id": id, "options": t.pointer("/spec/options").or_else(|| t.pointer("/spec")) })
        })
        .collect();
    Some(json!({
        "id": spec.get("id"),
        "type": kind,
        "title": spec.get("title"),
        "description": spec.get("description"),
        "links": spec.get("links"),
        "targets": targets,
        "transformations": transformations,
        "fieldConfig": viz.pointer("/spec/fieldConfig"),
        "options": viz.pointer("/spec/options"),
    }))
}

fn target(query: &Value) -> Value {
    let spec = &query["spec"];
    let inner = &spec["query"];
    let mut out = inner.get("spec").cloned().unwrap_or_else(|| json!({}));
    let kind = json::text(inner, "group").or_else(|| json::text(inner, "kind")).unwrap_or_default();
    if let Some(object) = out.as_object_mut() {
        object.insert("hide".into(), spec.get("hidden").cloned().unwrap_or(Value::Bool(false)));
        object.insert("refId".into(), spec.get("refId").cloned().unwrap_or(Value::Null));
        if !kind.is_empty() && kind != "DataQuery" {
            object.insert("datasource".into(), json!({ "type": kind }));
        }
    }
    out
}

fn variable(of: &Value) -> Value {
    let mut out = of.get("spec").cloned().unwrap_or_else(|| json!({}));
    let kind = json::text(of, "kind").unwrap_or_default().trim_end_matches("Variable").to_lowercase();
    let kind = if kind == "text" { "textbox".to_owned() } else { kind };
    if let Some(object) = out.as_object_mut() {
        if let Some(query) = object.get("query").and_then(|q| q.get("spec")).cloned() {
            let text = json::text(&query, "query").map(str::to_owned);
            let source = object
                .get("query")
                .and_then(|q| json::text(q, "group").or_else(|| json::text(q, "kind")))
                .map(str::to_owned);
            object.insert("query".into(), text.map_or(query, Value::from));
            if let Some(source) = source.filter(|s| s != "DataQuery") {
                object.insert("datasource".into(), json!({ "type": source }));
            }
        }
        object.insert("type".into(), kind.into());
    }
    out
}
