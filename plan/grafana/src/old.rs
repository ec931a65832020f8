//! Panels of Grafana before version 8: `graph` and `singlestat`. Pure.

use plan_model::dashboard::panel::{
    Colour, Draw, Panel, PanelKind, RightAxis, SeriesSetting, Side, ThresholdStep, ValueText,
};
use serde_json::Value;

use crate::{Fate, Taker, fields, json, legend, panel};

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
    overrides(taker, json, panel);
    legend::old(json, panel);
}

/// What is said of single series: their colour, their axis, whether they go down instead of up.
fn overrides(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    for (index, one) in json::list(json, "seriesOverrides").iter().enumerate() {
        let path = format!("seriesOverrides[{index}]");
        let name = json::text(one, "alias").unwrap_or_default().to_owned();
        // Grafana saves an empty one for whoever once opened the list.
        if name.is_empty() && one.as_object().is_some_and(|o| o.len() <= 1) {
            continue;
        }
        let is_pattern = name.starts_with('/') && name.ends_with('/') && name.len() > 2;
        if name.is_empty() || (is_pattern && regex::Regex::new(&name[1..name.len() - 1]).is_err()) {
            taker.note(Fate::NotTaken, path, format!("`{name}` is no regular expression here"));
            continue;
        }
        let is_right = json::number(one, "yaxis") == Some(2.0);
        let setting = SeriesSetting {
            name: name.clone(),
            colour: json::text(one, "color").and_then(fields::colour),
            axis: is_right.then_some(Side::Right),
            negative: json::text(one, "transform") == Some("negative-Y"),
            ..SeriesSetting::default()
        };
        if is_right {
            second_axis(taker, json, panel);
        }
        // How thick and how full a line is, is only how it looks.
        let told = ["stack", "bars", "lines", "hideTooltip", "legend", "fillBelowTo"];
        let lost: Vec<&str> = told.into_iter().filter(|key| one.get(*key).is_some_and(|v| !v.is_null())).collect();
        if !lost.is_empty() {
            let lost = lost.join("`, `");
            taker.note(Fate::NotTaken, path, format!("`{lost}` of `{name}` cannot be set alone"));
        }
        if setting.colour.is_some() || setting.axis.is_some() || setting.negative {
            panel.series.push(setting);
        }
    }
}

fn second_axis(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    let axis = json::list(json, "yaxes").get(1).cloned().unwrap_or(Value::Null);
    let unit = json::text(&axis, "format").or_else(|| json.pointer("/y_formats/1").and_then(Value::as_str));
    let unit = unit.and_then(|word| fields::unit_of(taker, word, "yaxes[1].format"));
    let said = RightAxis { unit, min: json::number(&axis, "min"), max: json::number(&axis, "max") };
    fields::right_axis(panel, said);
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
