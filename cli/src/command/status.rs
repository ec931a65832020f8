//! `farero status`: how things stand, asked of a running Farero. I/O.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::arguments::Status;
use crate::local::Running;

pub(crate) fn run(arguments: &Status) -> Result<ExitCode> {
    let running = Running::of(&arguments.server)?;
    let value: Value = super::run::runtime()?.block_on(ask_all(&running))?;
    if arguments.json {
        crate::print::line(&serde_json::to_string_pretty(&value)?)?;
    } else {
        crate::print::text(&as_text(&value))?;
    }
    let down = list(&value, "systems").any(|s| s["state"] == "down");
    Ok(ExitCode::from(if down { crate::exit::NO } else { crate::exit::OK }))
}

/// Systems, checks and firing alerts in one document.
async fn ask_all(running: &Running) -> Result<Value> {
    let about = async |what: &str| running.ask(&format!("/api/farero/v1/{what}")).await;
    Ok(json!({
        "systems": about("systems").await?,
        "checks": about("checks").await?,
        "alerts": about("alerts?limit=1000").await?,
    }))
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

/// Each system with its checks and what fires.
fn as_text(value: &Value) -> String {
    let mut out = String::new();
    let text = |v: &Value| v.as_str().unwrap_or("?").to_owned();
    for system in list(value, "systems") {
        let name = text(&system["name"]);
        let _ = writeln!(out, "{name}  {}", text(&system["state"]));
        for check in list(value, "checks") {
            if let Some(id) = check["id"].as_str().and_then(|id| id.strip_prefix(&format!("{name}/"))) {
                let _ = writeln!(out, "  {:<8} {id}", text(&check["state"]));
            }
        }
        for alert in list(value, "alerts").map(|a| &a["alert"]).filter(|a| a["system"] == *name) {
            let summary = alert["annotations"]["summary"].as_str().or(alert["rule"].as_str()).unwrap_or("?");
            let _ = writeln!(out, "  alert    {summary}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_printed_with_their_own_checks_and_alerts() {
        let value = json!({
            "systems": [{ "name": "a", "state": "down" }, { "name": "ab", "state": "up" }],
            "checks": [{ "id": "a/web/check", "state": "down" }, { "id": "ab/web/check", "state": "up" }],
            "alerts": [
                { "alert": { "system": "a", "rule": "ServiceDown", "annotations": { "summary": "Web is down" } } },
                { "alert": { "system": "a", "rule": "Bare", "annotations": {} } },
            ],
        });
        let expect =
            "a  down\n  down     web/check\n  alert    Web is down\n  alert    Bare\nab  up\n  up       web/check\n";
        assert_eq!(as_text(&value), expect);
    }
}
