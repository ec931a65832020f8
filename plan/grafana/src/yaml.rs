//! A dashboard as a file of a plan. Pure.

use plan_model::Dashboard;
use serde_json::Value;

/// The text of a file that holds this dashboard.
pub fn to_yaml(id: &str, dashboard: &Dashboard) -> String {
    let mut out = String::from("dashboards:\n");
    out.push_str(&format!("  {id}:\n"));
    // Every part of a dashboard is a text, a number, a list or a map.
    let value = serde_json::to_value(dashboard).unwrap_or(Value::Null);
    if let Value::Object(map) = value {
        for (key, value) in map {
            entry(&mut out, &key, &value, 4);
        }
    }
    out
}

fn entry(out: &mut String, key: &str, value: &Value, depth: usize) {
    out.push_str(&" ".repeat(depth));
    out.push_str(&scalar_text(key));
    out.push(':');
    below(out, value, depth);
}

fn below(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str(" {}\n"),
        Value::Array(all) if all.is_empty() => out.push_str(" []\n"),
        Value::Object(map) => {
            out.push('\n');
            for (key, value) in map {
                entry(out, key, value, depth + 2);
            }
        }
        Value::Array(all) => {
            out.push('\n');
            for one in all {
                item(out, one, depth + 2);
            }
        }
        scalar => {
            out.push(' ');
            out.push_str(&scalar_of(scalar));
            out.push('\n');
        }
    }
}

fn item(out: &mut String, value: &Value, depth: usize) {
    out.push_str(&" ".repeat(depth));
    out.push('-');
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (i, (key, value)) in map.iter().enumerate() {
                if i == 0 {
                    out.push(' ');
                    out.push_str(&scalar_text(key));
                    out.push(':');
                    below(out, value, depth + 2);
                } else {
                    entry(out, key, value, depth + 2);
                }
            }
        }
        other => below(out, other, depth),
    }
}

fn scalar_of(value: &Value) -> String {
    match value {
        Value::String(text) => scalar_text(text),
        Value::Number(n) => match n.as_f64() {
            Some(v) if v.fract() == 0.0 && v.abs() < 1e15 => format!("{v:.0}"),
            _ => n.to_string(),
        },
        other => other.to_string(),
    }
}

/// A text plain where nothing else could be meant, else between quotes: JSON's escapes are YAML's.
fn scalar_text(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || "_-./ ()+²°".contains(c))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str())
        && text.parse::<f64>().is_err();
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}
