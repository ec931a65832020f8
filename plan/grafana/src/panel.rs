//! One panel. Pure.

use plan_model::dashboard::panel::{Link, Panel, PanelKind, Reduce};
use serde_json::Value;

use crate::{Fate, Taker, columns, fields, json, legend, old};

/// What kinds of panels become.
fn kind_of(panel: &Value) -> Result<PanelKind, String> {
    let word = json::text(panel, "type").unwrap_or_default();
    Ok(match word {
        "timeseries" | "graph" | "trend" | "candlestick" | "histogram" => PanelKind::TimeSeries,
        "stat" => PanelKind::Stat,
        "singlestat" if json::is_set(&panel["gauge"], "show") => PanelKind::Gauge,
        "singlestat" | "grafana-singlestat-panel" => PanelKind::Stat,
        "gauge" => PanelKind::Gauge,
        "bargauge" | "piechart" | "grafana-piechart-panel" => PanelKind::Bar,
        "barchart" => match json::list(panel, "targets").iter().any(|t| json::is_set(t, "instant")) {
            true => PanelKind::Bar,
            false => PanelKind::TimeSeries,
        },
        "table" | "table-old" => PanelKind::Table,
        "heatmap" | "heatmap-new" => PanelKind::Heatmap,
        "state-timeline" | "status-history" | "natel-discrete-panel" | "flant-statusmap-panel" => PanelKind::State,
        "text" => PanelKind::Text,
        "" => return Err("it has no kind of its own: panels of a library are not in the file".to_owned()),
        other => return Err(format!("panels of the kind `{other}` are not known")),
    })
}

/// Reads a panel; `None` when nothing of it can be shown.
pub(crate) fn read(taker: &mut Taker<'_>, json: &Value) -> Option<Panel> {
    let kind = match kind_of(json) {
        Ok(kind) => kind,
        Err(why) => {
            taker.note(Fate::NotTaken, "type", why);
            return None;
        }
    };
    let title = taker.for_people(json::text(json, "title").unwrap_or_default().trim(), "title");
    let description = json::text(json, "description").filter(|d| !d.trim().is_empty()).map(str::to_owned);
    let mut panel = Panel { title, description, kind, ..Panel::default() };
    links(taker, json, &mut panel);
    if kind == PanelKind::Text {
        return text(taker, json, panel);
    }
    let queries = taker.queries(json);
    if queries.iter().all(|q| q.hidden) {
        taker.note(Fate::NotTaken, "targets", "none of its queries can be asked");
        return None;
    }
    put(&mut panel, queries);
    let word = json::text(json, "type").unwrap_or_default().to_owned();
    if ["piechart", "grafana-piechart-panel", "candlestick", "histogram", "trend"].contains(&word.as_str()) {
        taker.note(Fate::Changed, "type", format!("`{word}` is shown as `{}`", kind.as_str()));
    }
    fields::take(taker, json, &mut panel);
    match word.as_str() {
        "graph" => old::graph(taker, json, &mut panel),
        "singlestat" | "grafana-singlestat-panel" => old::singlestat(taker, json, &mut panel),
        _ => {}
    }
    options(json, &mut panel);
    legend::new(taker, json, &mut panel);
    if kind == PanelKind::Table {
        columns::take(taker, json, &mut panel);
    } else {
        other_transformations(taker, json);
    }
    fields::fit(&mut panel);
    Some(panel)
}

/// One query is written short.
fn put(panel: &mut Panel, queries: Vec<plan_model::dashboard::PanelQuery>) {
    match queries.as_slice() {
        [one] if one.instant.is_none() && !one.hidden && one.interval.is_none() => {
            panel.query = Some(one.query.clone());
            panel.legend.clone_from(&one.legend);
        }
        _ => panel.queries = queries,
    }
}

fn text(taker: &mut Taker<'_>, json: &Value, mut panel: Panel) -> Option<Panel> {
    let options = &json["options"];
    let content = json::text(options, "content").or_else(|| json::text(json, "content")).unwrap_or_default();
    let mode = json::text(options, "mode").or_else(|| json::text(json, "mode")).unwrap_or("markdown");
    let content = match mode == "html" || content.trim_start().starts_with('<') {
        true => {
            taker.note(Fate::Changed, "options.content", "it is HTML: its text is taken, its tags are not");
            without_tags(content)
        }
        false => content.to_owned(),
    };
    if content.trim().is_empty() {
        taker.note(Fate::NotTaken, "options.content", "there is no text in it");
        return None;
    }
    panel.text = Some(taker.for_people(&content, "options.content"));
    Some(panel)
}

fn without_tags(html: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0_u32);
    for c in html.chars() {
        match c {
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    let text = out.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Options of newer panels.
fn options(json: &Value, panel: &mut Panel) {
    let options = &json["options"];
    let calculated = options.pointer("/reduceOptions/calcs/0").and_then(Value::as_str);
    if matches!(panel.kind, PanelKind::Stat | PanelKind::Gauge | PanelKind::Bar) {
        panel.reduce = panel.reduce.or_else(|| calculated.and_then(reduce)).filter(|r| *r != Reduce::Last);
    }
    if panel.kind == PanelKind::Stat && json::text(options, "graphMode") == Some("none") {
        panel.sparkline = Some(false);
    }
}

/// Grafana's words for one number of a series.
pub(crate) fn reduce(word: &str) -> Option<Reduce> {
    Some(match word {
        "last" | "lastNotNull" | "current" => Reduce::Last,
        "first" | "firstNotNull" => Reduce::First,
        "mean" | "avg" => Reduce::Mean,
        "min" | "minAboveZero" | "logmin" => Reduce::Min,
        "max" => Reduce::Max,
        "sum" | "total" => Reduce::Sum,
        "count" => Reduce::Count,
        "range" => Reduce::Range,
        "diff" | "delta" | "difference" => Reduce::Difference,
        _ => return None,
    })
}

fn links(taker: &mut Taker<'_>, json: &Value, panel: &mut Panel) {
    for (index, link) in json::list(json, "links").iter().enumerate() {
        let path = format!("links[{index}]");
        let url = taker.rewritten(json::text(link, "url").unwrap_or_default());
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        if !is_web || taker.unknown(&url).is_some() || url.contains(char::is_control) {
            taker.note(Fate::NotTaken, path, format!("`{url}` leads into Grafana, or nowhere"));
            continue;
        }
        let title = json::text(link, "title").filter(|t| !t.is_empty()).unwrap_or("→").to_owned();
        let title = taker.for_people(&title, &path);
        panel.links.push(Link { title, url });
    }
}

fn other_transformations(taker: &mut Taker<'_>, json: &Value) {
    for (index, one) in json::list(json, "transformations").iter().enumerate() {
        let id = json::text(one, "id").unwrap_or_default();
        taker.note(Fate::NotTaken, format!("transformations[{index}]"), format!("`{id}` is known for tables only"));
    }
}
