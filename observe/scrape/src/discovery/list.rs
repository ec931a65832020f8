//! Lists of targets as files and servers write them: `[{"targets": […], "labels": {…}}]`. Pure.

use std::collections::BTreeMap;

use kernel::Labels;
use serde::Deserialize;

use crate::config::{Context, TargetGroup, Value, read_yaml, static_group};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// Reads JSON; sources are `SOURCE:0`, `SOURCE:1`, …; `extra` labels every group.
pub(super) fn from_json(text: &[u8], source: &str, extra: (&str, &str)) -> Result<Vec<TargetGroup>, String> {
    let groups: Vec<Option<Group>> = serde_json::from_slice(text).map_err(|e| format!("{source}: {e}"))?;
    let mut out = Vec::new();
    for (number, group) in groups.into_iter().enumerate() {
        let Some(group) = group else { return Err(format!("{source}: nil target group item found (index {number})")) };
        out.push(TargetGroup {
            source: format!("{source}:{number}"),
            targets: group.targets.into_iter().map(|t| Labels::new([("__address__", t)])).collect(),
            labels: Labels::new(group.labels).with(extra.0, extra.1),
        });
    }
    Ok(out)
}

/// The same from YAML.
pub(super) fn from_yaml(text: &str, source: &str, extra: (&str, &str)) -> Result<Vec<TargetGroup>, String> {
    let root = read_yaml(text).map_err(|e| format!("{source}, line {}, column {}: {}", e.line, e.column, e.message))?;
    let Some(root) = root else { return Ok(Vec::new()) };
    let mut ctx = Context::new(source, std::path::PathBuf::new());
    let mut out = Vec::new();
    match &root.value {
        Value::Null => {}
        Value::List(all) => {
            for (number, node) in all.iter().enumerate() {
                let mut group = static_group(&mut ctx, node, format!("{source}:{number}"));
                group.labels = group.labels.with(extra.0, extra.1);
                out.push(group);
            }
        }
        Value::Text(..) | Value::Map(_) => ctx.error(&root, "a list of target groups is expected here"),
    }
    match ctx.errors.first() {
        Some(error) => Err(error.to_string()),
        None => Ok(out),
    }
}
