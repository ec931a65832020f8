//! Panels of Grafana before version 8: `graph` and `singlestat`. Pure.

use plan_model::dashboard::panel::{Colour, Draw, Panel, PanelKind, ThresholdStep, ValueText};
use serde_json::Value;

use crate::{Fate, Taker, fields, json, panel};

pub(crate) fn graph(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    let axis = json::list(json, "yaxes").first().cloned().unwrap_or(Value::Null);
    if let Some(word) = json::text(&axis, "format").or_else(|| json.pointer("/y_formats/0").and_then(Value::as_str)) {
        panel.unit = fields::unit_of(taker, word, "yaxes[0].format");
    }
    panel.min = json::number(&axis, "min");
    panel.max = json::number(&axis, "max");
    panel.decimals = json::whole(json, "decimals").filter(|d| *d <= 10);
    let filled = json::number(json, "fill").unwrap_or(0.0) >= 1.0;
    panel.draw = match (json::is_set(json, "bars"), json::is_set(json, "stack"), filled) {
        (true, _, _) => Some(Draw::Bars),
        (_, true, _) => Some(Draw::Stacked),
        (_, _, true) => Some(Draw::Area),
        _ => None,
    };
    if json::is_set(json, "percentage") {
        taker.note(Fate::Changed, "percentage", "shares of a whole are drawn as sums");
    }
    let above = json::list(json, "thresholds").iter().filter(|t| json::text(t, "op") != Some("lt"));
    let mut steps: Vec<(Option<f64>, Colour)> = above
        .filter_map(|t| {
            let colour = match json::text(t, "colorMode") {
                Some("warning") => Colour::Orange,
                Some("ok") => Colour::Green,
                _ => Colour::Red,
            };
            Some((Some(json::number(t, "value")?), colour))
        })
        .collect();
    steps.sort_by(|a, b| a.0.unwrap_or(0.0).total_cmp(&b.0.unwrap_or(0.0)));
    panel.thresholds = fields::steps(steps);
    for (index, one) in json::list(json, "seriesOverrides").iter().enumerate() {
        let path = format!("seriesOverrides[{index}]");
        let name = json::text(one, "alias").unwrap_or_default().to_owned();
        let colour = json::text(one, "color").and_then(fields::colour);
        let is_pattern = name.starts_with('/') && name.ends_with('/') && name.len() > 2;
        let is_good = !is_pattern || regex::Regex::new(&name[1..name.len() - 1]).is_ok();
        match colour {
            Some(colour) if is_good && !name.is_empty() => {
                let setting = plan_model::dashboard::SeriesSetting { name, colour: Some(colour), ..Default::default() };
                panel.series.push(setting);
            }
            _ => taker.note(
                Fate::NotTaken,
                path,
                format!("how `{name}` is drawn cannot be set alone, but for its colour"),
            ),
        }
    }
    if json::list(json, "yaxes").get(1).is_some_and(|a| json::is_set(a, "show"))
        && json.get("seriesOverrides").is_some_and(|s| s.to_string().contains("\"yaxis\":2"))
    {
        taker.note(Fate::Changed, "yaxes[1]", "there is one axis: what had the second is drawn on the first");
    }
}

pub(crate) fn singlestat(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    if let Some(word) = json::text(json, "format") {
        panel.unit = fields::unit_of(taker, word, "format");
    }
    let around = |key: &str| json::text(json, key).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    if panel.unit.is_none() || panel.unit == Some(plan_model::dashboard::Unit::NONE) {
        use plan_model::dashboard::Unit;
        panel.unit =
            around("postfix").map(Unit::Suffix).or_else(|| around("prefix").map(Unit::Prefix)).or(panel.unit.take());
    }
    panel.decimals = json::whole(json, "decimals").filter(|d| *d <= 10);
    let value = json::text(json, "valueName").unwrap_or("avg");
    panel.reduce = panel::reduce(value).filter(|r| *r != plan_model::dashboard::Reduce::Last);
    if panel.reduce.is_none() && !["current", "avg"].contains(&value) {
        taker.note(Fate::Changed, "valueName", format!("`{value}` is not known: the newest value is shown"));
    }
    if json::is_set(json, "colorValue") || json::is_set(json, "colorBackground") || panel.kind == PanelKind::Gauge {
        let bounds: Vec<f64> = json::text(json, "thresholds")
            .unwrap_or_default()
            .split(',')
            .filter_map(|t| t.trim().parse().ok())
            .filter(|v: &f64| v.is_finite())
            .collect();
        let colours: Vec<Colour> =
            json::list(json, "colors").iter().filter_map(|c| fields::colour(c.as_str()?)).collect();
        if !bounds.is_empty() && colours.len() > bounds.len() {
            let from = std::iter::once(None).chain(bounds.into_iter().map(Some));
            panel.thresholds = fields::steps(from.zip(colours));
        }
    }
    if panel.kind == PanelKind::Gauge {
        panel.min = json::number(&json["gauge"], "minValue");
        panel.max = json::number(&json["gauge"], "maxValue");
    } else if !json::is_set(&json["sparkline"], "show") {
        panel.sparkline = Some(false);
    }
    for map in json::list(json, "valueMaps") {
        let is = json::text(map, "value").map(|v| if v == "null" { "none" } else { v }.to_owned());
        let text = json::text(map, "text").map(str::to_owned);
        if is.is_some() && text.is_some() {
            panel.values.push(ValueText { is, text, ..ValueText::default() });
        }
    }
    panel.thresholds.dedup_by(|a: &mut ThresholdStep, b: &mut ThresholdStep| a.from == b.from);
}
