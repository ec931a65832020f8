//! `farero status`: how things stand, asked of a running Farero. I/O.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::arguments::Status;

/// How long the running Farero may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn run(arguments: &Status) -> Result<ExitCode> {
    let Some(token) = &arguments.server.token else {
        bail!("a token is needed: make one on the page \"Settings\" and set FARERO_TOKEN or --token");
    };
    let url = format!("{}/api/farero/v1/status", arguments.server.url.trim_end_matches('/'));
    let value: Value = super::run::runtime()?.block_on(ask(&url, token))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&value)?);
    } else {
        print(&value);
    }
    let down = value["systems"].as_array().into_iter().flatten().any(|s| s["state"] == "down");
    Ok(ExitCode::from(if down { crate::exit::NO } else { crate::exit::OK }))
}

async fn ask(url: &str, token: &str) -> Result<Value> {
    let client = run::http_client()?;
    let answer = client
        .get(url)
        .timeout(TIMEOUT)
        .bearer_auth(token)
        .send()
        .await
        .with_context(|| format!("{url} does not answer; is Farero running there?"))?;
    let status = answer.status();
    let body = answer.text().await?;
    if !status.is_success() {
        bail!("{url} answered {status}: {body}");
    }
    serde_json::from_str(&body).with_context(|| format!("{url} answered something else than JSON"))
}

fn print(value: &Value) {
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or("?").to_owned();
    for system in value["systems"].as_array().into_iter().flatten() {
        println!("{}  {}", text(system, "system"), text(system, "state"));
        for check in system["checks"].as_array().into_iter().flatten() {
            println!("  {:<8} {}", text(check, "outcome"), text(check, "check"));
        }
        for alert in system["alerts"].as_array().into_iter().flatten() {
            println!("  alert    {}", text(alert, "summary"));
        }
    }
}
