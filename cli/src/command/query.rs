//! `farero query`: a question in PromQL, asked of who runs or of a folder. I/O.

mod show;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use kernel::{Clock as _, Duration, Timestamp};
use run::SystemClock;
use serde_json::Value;

use crate::arguments::query::{Format, Query, Whom};
use crate::local::{Answered, Running};

/// Where `farero metrics` listens unless told otherwise.
const USUAL: &str = "http://127.0.0.1:9090";

pub(crate) fn run(arguments: &Query) -> Result<ExitCode> {
    let path = path(arguments, SystemClock.now())?;
    let answered = super::run::runtime()?.block_on(ask(&arguments.whom, &path))?;
    let value: Option<Value> = serde_json::from_str(&answered.body).ok();
    let Some(value) = value.filter(|v| v["status"].is_string()) else {
        bail!("{} answered {} and no answer to a query: {}", answered.by, answered.status, answered.body.trim());
    };
    if value["status"] != "success" {
        eprintln!("farero: {}", value["error"].as_str().unwrap_or("the question was refused"));
        return Ok(ExitCode::from(crate::exit::NO));
    }
    for (kind, word) in [("warnings", "warning"), ("infos", "info")] {
        for text in value[kind].as_array().into_iter().flatten().filter_map(Value::as_str) {
            eprintln!("farero: {word}: {text}");
        }
    }
    print(&value, arguments)?;
    Ok(ExitCode::from(crate::exit::OK))
}

fn print(value: &Value, arguments: &Query) -> Result<()> {
    let data = &value["data"];
    let tree = data.get("explain").map(show::tree);
    match arguments.format {
        // What the parts cost stands in the document.
        Format::Json => return crate::print::line(&serde_json::to_string_pretty(value)?),
        Format::Table => crate::print::text(&show::table(data))?,
        Format::Csv => crate::print::text(&show::csv(data))?,
    }
    match tree {
        Some(tree) if arguments.format == Format::Table => crate::print::text(&format!("\n{tree}")),
        Some(tree) => {
            eprint!("{tree}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// The request.
fn path(arguments: &Query, now: Timestamp) -> Result<String> {
    let encoded = |text: &str| show::percent_encoded(text);
    let mut path = if arguments.start.is_some() { "/api/v1/query_range?" } else { "/api/v1/query?" }.to_owned();
    path.push_str(&format!("query={}", encoded(&arguments.expr)));
    let mut add = |name: &str, value: &str| path.push_str(&format!("&{name}={}", encoded(value)));
    match &arguments.start {
        Some(start) => {
            add("start", &time(start, now)?);
            add("end", &time(arguments.end.as_deref().unwrap_or("-0s"), now)?);
            add("step", &arguments.step);
        }
        None => add("time", &time(arguments.time.as_deref().unwrap_or("-0s"), now)?),
    }
    if arguments.explain {
        add("explain", "true");
    }
    if let Some(timeout) = &arguments.timeout {
        add("timeout", timeout);
    }
    Ok(path)
}

/// A time as the API reads it; `-1h` is an hour before now.
fn time(text: &str, now: Timestamp) -> Result<String> {
    let Some(ago) = text.strip_prefix('-').filter(|t| t.ends_with(|c: char| c.is_ascii_alphabetic())) else {
        return Ok(text.to_owned());
    };
    let ago = if ago == "0s" { Ok(std::time::Duration::ZERO) } else { ago.parse::<Duration>().map(Duration::std) };
    let ago =
        ago.with_context(|| format!("`{text}` is no time: write one such as -1h, 2026-11-26T08:00:00Z or 1795694400"))?;
    let ms = (now - ago).as_millis();
    Ok(format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000)))
}

async fn ask(whom: &Whom, path: &str) -> Result<Answered> {
    // An empty variable is none, as in unit files that leave it so.
    let given = |value: &Option<String>| value.clone().filter(|v| !v.is_empty());
    let token = given(&whom.token);
    if let Some(data) = &whom.data {
        let running = Running::Socket(data.join("farero.sock"));
        return match running.get(path).await {
            Ok(answered) => Ok(answered),
            Err(_) => ask_folder(data, path).await,
        };
    }
    if let Some(socket) = &whom.socket {
        return Running::Socket(socket.clone()).get(path).await;
    }
    let url = given(&whom.url).unwrap_or_else(|| USUAL.to_owned());
    Running::Address { url: url.trim_end_matches('/').to_owned(), token }.get(path).await
}

async fn ask_folder(data: &Path, path: &str) -> Result<Answered> {
    let found = run::metrics::ask_folder(data, path, std::sync::Arc::new(SystemClock)).await?;
    for damage in &found.damage {
        eprintln!("farero: warning: what is damaged is missing from the answer: {damage}");
    }
    Ok(Answered { by: data.display().to_string(), status: found.status.to_string(), body: found.body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_now_are_told_in_seconds() {
        let now = Timestamp::from_millis(7_200_500);
        let check = |text: &str, expect: &str| assert_eq!(time(text, now).unwrap(), expect);
        check("-1h", "3600.500");
        check("-0s", "7200.500");
        check("-5", "-5");
        check("2026-11-26T08:00:00Z", "2026-11-26T08:00:00Z");
        assert!(time("-1x", now).is_err());
    }
}
