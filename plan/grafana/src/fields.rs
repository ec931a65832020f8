//! Units, scales, thresholds, texts of values, settings of single series (`fieldConfig`). Pure.

use plan_model::dashboard::panel::{
    Colour, Column, Draw, Panel, PanelKind, RightAxis, SeriesSetting, Side, ThresholdLook, ThresholdStep, ThresholdsIn,
    ValueText,
};
use serde_json::Value;

use crate::{Fate, Taker, json, unit};

pub(crate) fn take(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    let defaults = &json["fieldConfig"]["defaults"];
    if let Some(word) = json::text(defaults, "unit") {
        panel.unit = unit_of(taker, word, "fieldConfig.defaults.unit");
    }
    panel.decimals = json::whole(defaults, "decimals").filter(|d| *d <= 10);
    panel.min = json::number(defaults, "min");
    panel.max = json::number(defaults, "max");
    panel.values = mappings(taker, defaults);
    thresholds(defaults, panel);
    drawing(taker, &defaults["custom"], panel);
    overrides(taker, json, panel);
}

pub(crate) fn unit_of(taker: &mut Taker<'_>, word: &str, path: &str) -> Option<plan_model::dashboard::Unit> {
    if word.is_empty() {
        return None;
    }
    let found = unit(word);
    if found.is_none() {
        taker.note(Fate::Changed, path, format!("the unit `{word}` is not known: plain numbers are shown"));
    }
    found
}

/// The nearest colour that there is.
pub(crate) fn colour(word: &str) -> Option<Colour> {
    let word = word.to_lowercase();
    for (part, colour) in [
        ("green", Colour::Green),
        ("yellow", Colour::Yellow),
        ("orange", Colour::Orange),
        ("red", Colour::Red),
        ("blue", Colour::Blue),
        ("purple", Colour::Purple),
        ("gray", Colour::Grey),
        ("grey", Colour::Grey),
        ("text", Colour::Grey),
        ("transparent", Colour::Grey),
        ("white", Colour::Grey),
        ("black", Colour::Grey),
    ] {
        if word.contains(part) {
            return Some(colour);
        }
    }
    let (r, g, b) = parts(&word)?;
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most - least < 0.12 {
        return Some(Colour::Grey);
    }
    let hue = match most {
        m if m == r => 60.0 * ((g - b) / (most - least)),
        m if m == g => 60.0 * ((b - r) / (most - least) + 2.0),
        _ => 60.0 * ((r - g) / (most - least) + 4.0),
    };
    Some(match hue.rem_euclid(360.0) {
        h if !(17.0..335.0).contains(&h) => Colour::Red,
        h if h < 44.0 => Colour::Orange,
        h if h < 68.0 => Colour::Yellow,
        h if h < 170.0 => Colour::Green,
        h if h < 255.0 => Colour::Blue,
        _ => Colour::Purple,
    })
}

/// Red, green and blue, 0 to 1, of `#rrggbb`, `#rgb` or `rgb(…)`.
fn parts(word: &str) -> Option<(f64, f64, f64)> {
    let hex = |text: &str| u8::from_str_radix(text, 16).ok().map(|v| f64::from(v) / 255.0);
    if let Some(digits) = word.strip_prefix('#').filter(|d| d.is_ascii()) {
        return match digits.len() {
            3 => {
                let one = |i: usize| hex(&digits[i..=i].repeat(2));
                Some((one(0)?, one(1)?, one(2)?))
            }
            6 | 8 => Some((hex(&digits[..2])?, hex(&digits[2..4])?, hex(&digits[4..6])?)),
            _ => None,
        };
    }
    let inner = word.strip_prefix("rgba(").or_else(|| word.strip_prefix("rgb("))?;
    let mut numbers = inner.trim_end_matches(')').split(',').map(|n| n.trim().parse::<f64>().ok());
    let mut next = || numbers.next().flatten().map(|v| (v / 255.0).clamp(0.0, 1.0));
    Some((next()?, next()?, next()?))
}

/// Steps in rising order; one that repeats the one before is left out.
pub(crate) fn steps(all: impl IntoIterator<Item = (Option<f64>, Colour)>) -> Vec<ThresholdStep> {
    let mut out: Vec<ThresholdStep> = Vec::new();
    for (from, colour) in all {
        let rises = match (out.last().map(|s| s.from), from) {
            (None, _) => true,
            (Some(None), Some(_)) => true,
            (Some(Some(before)), Some(now)) => now > before,
            _ => false,
        };
        if rises {
            out.push(ThresholdStep { from, colour });
        }
    }
    out
}

fn thresholds(defaults: &Value, panel: &mut Panel) {
    let all = &defaults["thresholds"];
    let found = json::list(all, "steps");
    if found.is_empty() {
        return;
    }
    // A time series shows thresholds only when it is told to.
    if panel.kind == PanelKind::TimeSeries {
        let style = defaults.pointer("/custom/thresholdsStyle/mode").and_then(Value::as_str).unwrap_or("off");
        match style {
            "off" => return,
            style if style.contains("area") => panel.thresholds_as = ThresholdLook::Bands,
            _ => {}
        }
    }
    if json::text(all, "mode") == Some("percentage") {
        panel.thresholds_in = ThresholdsIn::Percent;
    }
    panel.thresholds = steps(
        found.iter().filter_map(|s| Some((s.get("value").and_then(json::as_number), colour(json::text(s, "color")?)?))),
    );
    // One colour for everything says nothing.
    if panel.thresholds.len() == 1 && panel.kind != PanelKind::Stat {
        panel.thresholds.clear();
    }
    if panel.thresholds.is_empty() {
        (panel.thresholds_in, panel.thresholds_as) = (ThresholdsIn::Values, ThresholdLook::Lines);
    }
}

fn drawing(taker: &mut Taker<'_>, custom: &Value, panel: &mut Panel) {
    if panel.kind != PanelKind::TimeSeries {
        return;
    }
    let stacking = custom.pointer("/stacking/mode").and_then(Value::as_str).unwrap_or("none");
    let filled = json::number(custom, "fillOpacity").unwrap_or(0.0) >= 10.0;
    panel.draw = match json::text(custom, "drawStyle") {
        Some("bars") => Some(Draw::Bars),
        _ if stacking != "none" => Some(Draw::Stacked),
        _ if filled => Some(Draw::Area),
        _ => None,
    };
    if stacking == "percent" {
        taker.note(Fate::Changed, "fieldConfig.defaults.custom.stacking", "shares of a whole are drawn as sums");
    }
}

/// Texts of values, new and old.
pub(crate) fn mappings(taker: &mut Taker<'_>, of: &Value) -> Vec<ValueText> {
    let mut out = Vec::new();
    let shown = |v: &Value| {
        (json::text(v, "text").filter(|t| !t.is_empty()).map(str::to_owned), json::text(v, "color").and_then(colour))
    };
    for (index, one) in json::list(of, "mappings").iter().enumerate() {
        let options = &one["options"];
        match (json::text(one, "type"), one.get("type").and_then(Value::as_i64)) {
            (Some("value"), _) => {
                for (is, what) in options.as_object().into_iter().flatten() {
                    let (text, colour) = shown(what);
                    let is = if is == "null" { "none" } else { is }.to_owned();
                    out.push(ValueText { is: Some(is), text, colour, ..ValueText::default() });
                }
            }
            (Some("range"), _) => {
                let (text, colour) = shown(&options["result"]);
                let (from, to) = (json::number(options, "from"), json::number(options, "to"));
                out.push(ValueText { from, to, text, colour, is: None });
            }
            (Some("special"), _) => {
                let (text, colour) = shown(&options["result"]);
                let is = match json::text(options, "match").unwrap_or_default() {
                    "null" | "null+nan" | "empty" => "none",
                    "nan" => "NaN",
                    "true" => "1",
                    "false" => "0",
                    _ => continue,
                };
                out.push(ValueText { is: Some(is.to_owned()), text, colour, ..ValueText::default() });
            }
            (None, Some(2)) => {
                let text = json::text(one, "text").map(str::to_owned);
                let (from, to) = (json::number(one, "from"), json::number(one, "to"));
                out.push(ValueText { from, to, text, ..ValueText::default() });
            }
            (None, _) => {
                let is = json::text(one, "value").map(|v| if v == "null" { "none" } else { v }.to_owned());
                out.push(ValueText { is, text: json::text(one, "text").map(str::to_owned), ..ValueText::default() });
            }
            (Some(kind), _) => {
                taker.note(
                    Fate::NotTaken,
                    format!("mappings[{index}]"),
                    format!("mappings of the kind `{kind}` are not known"),
                );
            }
        }
    }
    out.retain(|m| (m.is.is_some() || m.from.is_some() || m.to.is_some()) && (m.text.is_some() || m.colour.is_some()));
    out
}

fn overrides(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    for (index, one) in json::list(&json["fieldConfig"], "overrides").iter().enumerate() {
        let path = format!("fieldConfig.overrides[{index}]");
        let matcher = &one["matcher"];
        let wanted = json::text(matcher, "options").unwrap_or_default().to_owned();
        let name = match json::text(matcher, "id") {
            Some("byName") => wanted,
            Some("byRegexp") => {
                let inner = wanted.trim_start_matches('/').trim_end_matches('/');
                if inner.is_empty() || regex::Regex::new(inner).is_err() {
                    taker.note(Fate::NotTaken, path, format!("`{wanted}` is no regular expression here"));
                    continue;
                }
                format!("/{inner}/")
            }
            Some("byFrameRefID") if panel.kind == PanelKind::Table => format!("Value #{wanted}"),
            other => {
                taker.note(Fate::NotTaken, path, format!("settings by `{}` are not known", other.unwrap_or_default()));
                continue;
            }
        };
        if name.is_empty() {
            continue;
        }
        let mut setting = SeriesSetting { name: name.clone(), ..SeriesSetting::default() };
        let mut column = Column::default();
        let mut right = RightAxis::default();
        for property in json::list(one, "properties") {
            one_property(
                taker,
                property,
                &path,
                &mut Into { setting: &mut setting, column: &mut column, right: &mut right },
            );
        }
        if setting.axis == Some(Side::Right) && panel.kind == PanelKind::TimeSeries {
            right.unit.clone_from(&setting.unit);
            right_axis(panel, right);
        } else if (right.min, right.max) != (None, None) && panel.kind != PanelKind::Table {
            taker.note(Fate::NotTaken, path.clone(), "the ends of the scale cannot be set for one series alone");
        }
        if panel.kind == PanelKind::Table {
            let name = crate::columns::name(&name, panel);
            if !name.starts_with('/') && name != "Time" {
                panel.columns.insert(name, column);
            }
        } else if setting.label.is_some()
            || setting.colour.is_some()
            || setting.unit.is_some()
            || setting.decimals.is_some()
            || setting.hidden
            || setting.negative
            || setting.axis.is_some()
        {
            panel.series.push(setting);
        }
    }
}

/// The axis at the right is one: the first that says something decides.
pub(crate) fn right_axis(panel: &mut Panel, said: RightAxis) {
    let axis = panel.right.get_or_insert_default();
    axis.unit = axis.unit.take().or(said.unit);
    (axis.min, axis.max) = (axis.min.or(said.min), axis.max.or(said.max));
    if let (Some(min), Some(max)) = (axis.min, axis.max)
        && min >= max
    {
        axis.max = None;
    }
}

/// Where the properties of an override go.
struct Into<'a> {
    setting: &'a mut SeriesSetting,
    column: &'a mut Column,
    right: &'a mut RightAxis,
}

fn one_property(taker: &mut Taker<'_>, property: &Value, path: &str, into: &mut Into<'_>) {
    let Into { setting, column, right } = into;
    let value = &property["value"];
    let id = json::text(property, "id").unwrap_or_default();
    match id {
        "unit" => {
            let found = value.as_str().and_then(|w| unit_of(taker, w, path));
            (setting.unit, column.unit) = (found.clone(), found);
        }
        "decimals" => {
            let found = json::as_number(value).filter(|d| (0.0..=10.0).contains(d)).map(|d| d as u32);
            (setting.decimals, column.decimals) = (found, found);
        }
        "displayName" => {
            let found = value.as_str().filter(|v| !v.is_empty()).map(|v| taker.for_people(v, path));
            (setting.label, column.label) = (found.clone(), found);
        }
        "color" => setting.colour = json::text(value, "fixedColor").and_then(colour),
        "custom.hideFrom" => setting.hidden |= json::is_set(value, "viz"),
        "custom.axisPlacement" if value.as_str() == Some("right") => setting.axis = Some(Side::Right),
        "custom.transform" if value.as_str() == Some("negative-Y") => setting.negative = true,
        "min" => right.min = json::as_number(value),
        "max" => right.max = json::as_number(value),
        "custom.hidden" => column.hidden |= value.as_bool().unwrap_or(false),
        "thresholds" => {
            let all = json::list(value, "steps").iter();
            column.thresholds =
                steps(all.filter_map(|s| {
                    Some((s.get("value").and_then(json::as_number), colour(json::text(s, "color")?)?))
                }));
        }
        // How it looks, not what it says.
        "custom.width"
        | "custom.align"
        | "custom.cellOptions"
        | "custom.displayMode"
        | "custom.lineWidth"
        | "custom.fillOpacity"
        | "custom.fillBelowTo"
        | "custom.lineStyle"
        | "custom.axisPlacement"
        | "custom.axisLabel"
        | "custom.axisColorMode"
        | "custom.axisGridShow"
        | "custom.axisSoftMin"
        | "custom.axisSoftMax"
        | "custom.barAlignment"
        | "custom.lineInterpolation"
        | "custom.showPoints"
        | "custom.pointSize"
        | "custom.spanNulls"
        | "custom.insertNulls"
        | "custom.inspect"
        | "custom.filterable"
        | "custom.gradientMode" => {}
        other => taker.note(Fate::NotTaken, path, format!("the setting `{other}` is not known")),
    }
}

/// Takes out what a plan would refuse on this kind of panel.
pub(crate) fn fit(panel: &mut Panel) {
    if let (Some(min), Some(max)) = (panel.min, panel.max)
        && min >= max
    {
        panel.max = None;
    }
    if panel.kind != PanelKind::TimeSeries {
        (panel.draw, panel.right) = (None, None);
        panel.thresholds_as = ThresholdLook::Lines;
    }
    if panel.kind != PanelKind::Stat {
        panel.sparkline = None;
    }
    if !matches!(panel.kind, PanelKind::Stat | PanelKind::Gauge | PanelKind::Bar) {
        panel.reduce = None;
    }
    if panel.kind != PanelKind::Table {
        panel.columns.clear();
    }
}
