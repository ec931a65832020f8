//! Grafana's dashboards into dashboards of a plan, with a report of what was taken, changed and not taken. Pure.
//!
//! Read are the JSON of `schemaVersion` 1 to 42, rows and all (`graph`, `singlestat`, `table-old` too), and the newer form of
//! elements and a layout, which is brought into the older one first. The result is deterministic, and loads: what a plan
//! would refuse is left out and said.

use kernel::Duration;
use plan_model::Dashboard;
use plan_model::dashboard::FASTEST_REFRESH;
use serde_json::Value;

mod annotation;
mod columns;
mod elements;
mod expression;
mod fields;
mod json;
mod layout;
mod legend;
mod old;
mod panel;
pub mod report;
mod unit;
mod variable;
mod yaml;

pub use report::{Fate, Note, Report};
pub use unit::unit;
pub use yaml::to_yaml;

/// Bytes of a file: the largest of real ones have 2 MB.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// Why nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is no JSON.
    #[error("this is no JSON: {0}")]
    Json(String),
    /// It is JSON, and no dashboard.
    #[error("this is no dashboard of Grafana: it has neither `panels`, nor `rows`, nor `elements`")]
    NoDashboard,
    /// It is too large.
    #[error("the file is larger than {LARGEST} bytes: take the dashboard's own JSON, without its data")]
    Large,
}

/// A dashboard that was read.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its name in the plan.
    pub id: String,
    /// The dashboard.
    pub dashboard: Dashboard,
    /// What became of its parts.
    pub report: Report,
}

/// Says what is wrong with an expression of a dashboard; the rooms that know PromQL do.
pub type Check<'a> = &'a dyn Fn(&str, &Dashboard) -> Result<(), String>;

/// Reads a dashboard of Grafana.
///
/// # Errors
/// It is no such thing at all. What of it cannot be taken stands in the report.
pub fn import(text: &str, check: Check<'_>) -> Result<Imported, ImportError> {
    if text.len() > LARGEST {
        return Err(ImportError::Large);
    }
    let root: Value = serde_json::from_str(text).map_err(|e| ImportError::Json(e.to_string()))?;
    let root = unwrapped(root);
    let root = if root.get("elements").is_some() { elements::as_panels(&root) } else { root };
    if root.get("panels").is_none() && root.get("rows").is_none() {
        return Err(ImportError::NoDashboard);
    }
    let title = json::text(&root, "title").filter(|t| !t.trim().is_empty()).unwrap_or("Grafana").to_owned();
    let mut taker = Taker { dashboard: Dashboard { title, ..Dashboard::default() }, ..Taker::new(check) };
    taker.head(&root);
    variable::take(&mut taker, &root);
    layout::take(&mut taker, &root);
    annotation::take(&mut taker, &root);
    let id = slug(&taker.dashboard.title);
    let report =
        Report { title: taker.dashboard.title.clone(), id: id.clone(), notes: taker.notes, taken: taker.taken };
    Ok(Imported { id, dashboard: taker.dashboard, report })
}

/// The dashboard itself, out of what APIs and Kubernetes put around it.
fn unwrapped(mut root: Value) -> Value {
    for key in ["dashboard", "spec"] {
        let inner = root.get(key).filter(|v| ["panels", "rows", "elements"].iter().any(|k| v.get(*k).is_some()));
        if let Some(inner) = inner.cloned() {
            root = inner;
        }
    }
    // Some files hold dashboards by their names.
    match root.as_object().filter(|o| o.len() == 1).and_then(|o| o.values().next()) {
        Some(inner) if inner.get("panels").is_some() || inner.get("rows").is_some() => inner.clone(),
        _ => root,
    }
}

/// A name for a plan: small letters, digits and hyphens.
fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'á' | 'à' | 'ä' | 'â' => 'a',
            'é' | 'è' | 'ë' | 'ê' => 'e',
            'í' | 'ì' | 'ï' | 'î' => 'i',
            'ó' | 'ò' | 'ö' | 'ô' => 'o',
            'ú' | 'ù' | 'ü' | 'û' => 'u',
            'ñ' => 'n',
            c => c,
        };
        if plain.is_ascii_alphanumeric() {
            out.push(plain);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(60);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "grafana".to_owned() } else { out.to_owned() }
}

/// What is being read.
pub(crate) struct Taker<'a> {
    pub(crate) dashboard: Dashboard,
    pub(crate) notes: Vec<Note>,
    pub(crate) taken: usize,
    pub(crate) check: Check<'a>,
    /// Names of variables that a plan does not allow, and what they became.
    pub(crate) renamed: Vec<(String, String)>,
    /// Variables that chose a data source.
    pub(crate) sources: Vec<String>,
    /// The panel being read: its id and title.
    pub(crate) about: Option<(i64, String)>,
}

impl<'a> Taker<'a> {
    fn new(check: Check<'a>) -> Self {
        Self {
            dashboard: Dashboard::default(),
            notes: Vec::new(),
            taken: 0,
            check,
            renamed: Vec::new(),
            sources: Vec::new(),
            about: None,
        }
    }

    pub(crate) fn note(&mut self, fate: Fate, path: impl Into<String>, why: impl Into<String>) {
        let (panel, title) = self.about.clone().map_or((None, String::new()), |(id, title)| (Some(id), title));
        let note = Note { fate, panel, title, path: path.into(), why: why.into() };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn head(&mut self, root: &Value) {
        self.dashboard.description = json::text(root, "description").filter(|d| !d.is_empty()).map(str::to_owned);
        let from = root.pointer("/time/from").and_then(Value::as_str).unwrap_or_default();
        if let Some(range) = from.strip_prefix("now-") {
            let length = range.split('/').next().unwrap_or_default();
            match length.parse::<Duration>() {
                Ok(range) if range > Duration::ZERO => self.dashboard.range = Some(range),
                _ => self.note(
                    Fate::Changed,
                    "time.from",
                    format!("`{from}` is no length of time: the usual range is shown"),
                ),
            }
        }
        match root.get("refresh") {
            Some(Value::String(every)) if !every.is_empty() => match every.parse::<Duration>() {
                Ok(every) => self.dashboard.refresh = Some(every.max(FASTEST_REFRESH)),
                Err(_) => self.note(Fate::Changed, "refresh", "this is no length of time: the usual refresh is used"),
            },
            Some(Value::Bool(false) | Value::String(_)) => self.dashboard.refresh = Some(Duration::ZERO),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_for_plans() {
        assert_eq!(slug("Node Exporter / USE Method / Node"), "node-exporter-use-method-node");
        assert_eq!(slug("Resumen — Señales"), "resumen-senales");
        assert_eq!(slug("///"), "grafana");
    }

    #[test]
    fn what_is_no_dashboard_is_said() {
        assert!(matches!(import("{", &|_, _| Ok(())), Err(ImportError::Json(_))));
        assert!(matches!(import("[1]", &|_, _| Ok(())), Err(ImportError::NoDashboard)));
        assert!(matches!(import("{\"a\":1}", &|_, _| Ok(())), Err(ImportError::NoDashboard)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let words = prop_oneof![
            Just("graph"),
            Just("row"),
            Just("now-"),
            Just("80,x"),
            Just("$a"),
            Just("label_values("),
            Just("/(/"),
            Just("query")
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            words.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 60, 6, |inner| {
            let keys = prop::sample::select(vec![
                "panels",
                "rows",
                "type",
                "targets",
                "expr",
                "gridPos",
                "x",
                "y",
                "w",
                "h",
                "fieldConfig",
                "defaults",
                "thresholds",
                "steps",
                "mappings",
                "options",
                "templating",
                "list",
                "name",
                "query",
                "current",
                "value",
                "overrides",
                "matcher",
                "properties",
                "id",
                "transformations",
                "title",
                "format",
                "yaxes",
                "styles",
                "span",
                "height",
                "elements",
                "layout",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((keys, inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { max_shrink_iters: 100, ..ProptestConfig::default() })]

        #[test]
        fn any_json_is_read(json in any_json()) {
            if let Ok(found) = import(&json.to_string(), &|_, _| Ok(())) {
                let _ = to_yaml(&found.id, &found.dashboard);
            }
        }
    }
}
