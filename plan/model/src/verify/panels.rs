//! Panels of dashboards: they ask something, their settings fit their kind, none lies upon another. Pure.

use super::Verifier;
use crate::dashboard::layout::own_place;
use crate::dashboard::{GRID_COLUMNS, Panel, PanelKind, RightAxis, ThresholdLook, ThresholdStep, ValueText};

impl Verifier<'_> {
    pub(super) fn panel(&mut self, panel: &Panel, path: &str, known: &[&str]) {
        self.mentioned(&panel.title, &format!("{path}.title"), known);
        if let Some(text) = &panel.text {
            self.mentioned(text, &format!("{path}.text"), known);
        }
        self.dashboard_links(&panel.links, path, known);
        self.panel_queries(panel, path, known);
        self.fits_its_kind(panel, path);
        self.thresholds_rise(&panel.thresholds, &format!("{path}.thresholds"));
        for (label, column) in &panel.columns {
            self.thresholds_rise(&column.thresholds, &format!("{path}.columns.{label}.thresholds"));
        }
        for (index, value) in panel.values.iter().enumerate() {
            self.value_text(value, &format!("{path}.values[{index}]"));
        }
        for (index, setting) in panel.series.iter().enumerate() {
            self.pattern(&setting.name, &format!("{path}.series[{index}].name"));
        }
        self.scale(panel.min, panel.max, path);
        if let Some(RightAxis { min, max, .. }) = panel.right {
            self.scale(min, max, &format!("{path}.right"));
        }
    }

    fn scale(&mut self, min: Option<f64>, max: Option<f64>, path: &str) {
        if let (Some(min), Some(max)) = (min, max)
            && min >= max
        {
            let message = format!("the scale ends at {max}, which is not above its start {min}");
            self.error("bad-scale", format_args!("{path}.max"), message);
        }
    }

    fn panel_queries(&mut self, panel: &Panel, path: &str, known: &[&str]) {
        if panel.query.is_some() && !panel.queries.is_empty() {
            let message = "`query` and `queries` together: one of them is not asked".to_owned();
            self.error("several-kinds", format_args!("{path}.queries"), message).help =
                Some("move `query` into the list".into());
        }
        if panel.legend.is_some() && panel.query.is_none() {
            let message = "`legend` belongs to `query`".to_owned();
            self.error("no-effect", format_args!("{path}.legend"), message).help =
                Some("write it beside the `query` that it names".into());
        }
        let queries = panel.all_queries();
        let is_text = panel.kind == PanelKind::Text;
        match (is_text, queries.is_empty()) {
            (true, false) => {
                let key = if panel.query.is_some() { "query" } else { "queries" };
                let message = "a panel of text asks nothing".to_owned();
                self.error("no-effect", format_args!("{path}.{key}"), message);
            }
            (false, true) => {
                let message = format!("this {} panel asks nothing", panel.kind.as_str());
                self.error("no-query", format_args!("{path}"), message).help =
                    Some("write PromQL under `query:`".into());
            }
            _ => {}
        }
        self.queries_fit(queries.len(), path);
        for (number, query) in queries.iter().enumerate() {
            self.mentioned(&query.query, &format!("{path}.{}", panel.query_path(number)), known);
        }
    }

    /// Settings that have no effect on a kind of panel are most likely meant for another.
    fn fits_its_kind(&mut self, panel: &Panel, path: &str) {
        use PanelKind::{Bar, Gauge, Stat, Table, Text, TimeSeries};
        let settings: [(&str, bool, &[PanelKind]); 10] = [
            ("draw", panel.draw.is_some(), &[TimeSeries]),
            ("right", panel.right.is_some(), &[TimeSeries]),
            ("legend_values", !panel.legend_values.is_empty(), &[TimeSeries]),
            ("legend_hidden", panel.legend_hidden, &[TimeSeries]),
            ("thresholds_as", panel.thresholds_as != ThresholdLook::Lines, &[TimeSeries]),
            ("sparkline", panel.sparkline.is_some(), &[Stat]),
            ("reduce", panel.reduce.is_some(), &[Stat, Gauge, Bar]),
            ("columns", !panel.columns.is_empty(), &[Table]),
            ("sort", panel.sort.is_some(), &[Table, Bar]),
            ("text", panel.text.is_some(), &[Text]),
        ];
        for (key, is_set, kinds) in settings {
            if is_set && !kinds.contains(&panel.kind) {
                let message = format!("`{key}` has no effect on a {} panel", panel.kind.as_str());
                let words: Vec<&str> = kinds.iter().map(|k| k.as_str()).collect();
                self.error("no-effect", format_args!("{path}.{key}"), message).expected =
                    Some(plan_syntax::suggest::listing(words, 4, "or"));
            }
        }
        for (key, is_set) in [("repeat_down", panel.repeat_down), ("repeat_most", panel.repeat_most.is_some())] {
            if is_set && panel.repeat.is_none() {
                let message = format!("`{key}` has no effect without `repeat`");
                self.error("no-effect", format_args!("{path}.{key}"), message);
            }
        }
        if panel.kind == Text && panel.text.is_none() {
            let message = "a panel of text needs a `text`".to_owned();
            self.error("missing-key", format_args!("{path}"), message).expected = Some("the key `text`".into());
        }
    }

    fn thresholds_rise(&mut self, steps: &[ThresholdStep], path: &str) {
        for (index, pair) in steps.windows(2).enumerate() {
            let rises = match (pair[0].from, pair[1].from) {
                (None, Some(_)) => true,
                (Some(before), Some(after)) => before < after,
                _ => false,
            };
            if !rises {
                let at = format!("{path}[{}]", index + 1);
                let message = "this threshold does not lie above the one before".to_owned();
                self.error("bad-order", format_args!("{at}"), message).help =
                    Some("write them from the least to the greatest; only the first may have no `from`".into());
            }
        }
    }

    fn value_text(&mut self, value: &ValueText, path: &str) {
        let says_which = value.is.is_some() || value.from.is_some() || value.to.is_some();
        if !says_which {
            self.error("missing-key", format_args!("{path}"), "this does not say for which value".to_owned())
                .expected = Some("`is`, or `from` and `to`".into());
        }
        if value.is.is_some() && (value.from.is_some() || value.to.is_some()) {
            let message = "`is` names one value, `from` and `to` a range".to_owned();
            self.error("several-kinds", format_args!("{path}"), message);
        }
        if value.text.is_none() && value.colour.is_none() {
            self.error("missing-key", format_args!("{path}"), "this changes nothing".to_owned()).expected =
                Some("`text` or `colour`".into());
        }
    }

    /// A name between `/` is a regular expression.
    fn pattern(&mut self, name: &str, path: &str) {
        let Some(inner) = name.strip_prefix('/').and_then(|n| n.strip_suffix('/')).filter(|n| !n.is_empty()) else {
            return;
        };
        if let Err(problem) = (crate::schema::formats()["regex"])(inner) {
            self.error("bad-value", format_args!("{path}"), problem);
        }
    }

    /// Panels with a place of their own must lie on the grid, and not upon one another.
    pub(super) fn layout(&mut self, panels: &[Panel], path: &str) {
        let mut placed = Vec::new();
        for (index, panel) in panels.iter().enumerate() {
            let at = format!("{path}[{index}]");
            match (panel.x, panel.y) {
                (Some(x), Some(_)) if x + panel.columns_wide() > GRID_COLUMNS => {
                    let message = format!("a panel {} wide does not fit from column {x} on", panel.columns_wide());
                    self.error("off-the-grid", format_args!("{at}.x"), message).expected =
                        Some(format!("`x` and `width` together at most {GRID_COLUMNS}"));
                }
                (Some(_), None) | (None, Some(_)) => {
                    let (has, lacks) = if panel.x.is_some() { ("x", "y") } else { ("y", "x") };
                    let message = format!("a place needs `x` and `y`, and `{lacks}` is missing");
                    self.error("half-a-place", format_args!("{at}.{has}"), message);
                }
                _ => {}
            }
            let Some(cell) = own_place(panel) else { continue };
            if let Some((first, _)) = placed.iter().find(|(_, other)| cell.overlaps(other)) {
                let place = self.place(&format!("{path}[{first}]"));
                let error = self.error("overlap", format_args!("{at}"), "this panel lies upon another".to_owned());
                error.help =
                    Some("move one of them, or leave `x` and `y` out: then each takes the next free place".into());
                error.related.push(plan_syntax::diagnostic::Related { place, message: "the other one is here".into() });
            }
            placed.push((index, cell));
        }
    }
}
