//! What Docker says of a container. Pure.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;

/// A container's state, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: String,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub(super) status: String,
    pub(super) exit_code: i64,
    pub(super) error: String,
    pub(super) oom_killed: bool,
    pub(super) restarts: f64,
    pub(super) health: Health,
    /// What the last failed health check printed.
    pub(super) health_output: Option<String>,
    pub(super) started_seconds: Option<f64>,
    pub(super) compose_service: Option<String>,
    pub(super) compose_project: Option<String>,
}

/// The verdict of the container's own health check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Health {
    Starting,
    Healthy,
    Unhealthy,
    /// It has no health check.
    #[default]
    #[serde(other)]
    None,
}

impl Container {
    /// From the answer to `GET /containers/{id}/json`.
    pub(super) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<Inspected>(json).map(Self::from)
    }

    pub(super) fn is_running(&self) -> bool {
        self.status == "running"
    }

    /// Why it does not do its job; `None` when it does. While its health check is still starting, it does.
    pub(super) fn why_not_working(&self) -> Option<String> {
        if !self.is_running() {
            let memory = if self.oom_killed { ", out of memory" } else { "" };
            let error = if self.error.is_empty() { String::new() } else { format!(": {}", self.error) };
            return Some(match self.status.as_str() {
                "exited" | "dead" | "restarting" => {
                    format!("{} with code {}{memory}{error}", self.status, self.exit_code)
                }
                status => format!("{status}{error}"),
            });
        }
        (self.health == Health::Unhealthy).then(|| match &self.health_output {
            Some(output) => format!("unhealthy: {output}"),
            None => "unhealthy".to_owned(),
        })
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status)?;
        match self.health {
            Health::None => Ok(()),
            Health::Starting => f.write_str(" (health: starting)"),
            Health::Healthy => f.write_str(" (healthy)"),
            Health::Unhealthy => f.write_str(" (unhealthy)"),
        }
    }
}

/// Labels that Compose gives its containers.
pub(super) const COMPOSE_SERVICE: &str = "com.docker.compose.service";
pub(super) const COMPOSE_PROJECT: &str = "com.docker.compose.project";
/// `True` for those of `docker compose run`, which are no part of the service.
pub(super) const COMPOSE_ONE_OFF: &str = "com.docker.compose.oneoff";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    name: String,
    state: State,
    #[serde(default)]
    restart_count: f64,
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(default, rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    exit_code: i64,
    #[serde(default)]
    error: String,
    #[serde(default)]
    started_at: String,
    #[serde(default)]
    health: Option<HealthState>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthState {
    status: Health,
    #[serde(default)]
    log: Option<Vec<HealthLog>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthLog {
    #[serde(default)]
    exit_code: i64,
    #[serde(default)]
    output: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(default)]
    image: String,
    #[serde(default)]
    labels: Option<HashMap<String, String>>,
}

impl From<Inspected> for Container {
    fn from(from: Inspected) -> Self {
        let mut labels = from.config.labels.unwrap_or_default();
        let health = from.state.health;
        let failed = health.as_ref().and_then(|h| h.log.as_ref()?.iter().rev().find(|l| l.exit_code != 0));
        let health_output =
            failed.map(|l| l.output.trim().chars().take(200).collect()).filter(|o: &String| !o.is_empty());
        // A container that was never started says year 1.
        let started = kernel::Timestamp::parse(&from.state.started_at).ok().map(|t| t.as_secs_f64());
        Self {
            name: from.name.trim_start_matches('/').to_owned(),
            image: from.config.image,
            status: from.state.status,
            exit_code: from.state.exit_code,
            error: from.state.error,
            oom_killed: from.state.oom_killed,
            restarts: from.restart_count,
            health: health.map(|h| h.status).unwrap_or_default(),
            health_output,
            started_seconds: started.filter(|s| *s > 0.0),
            compose_service: labels.remove(COMPOSE_SERVICE),
            compose_project: labels.remove(COMPOSE_PROJECT),
        }
    }
}

/// One line of the answer to `GET /containers/json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    labels: Option<HashMap<String, String>>,
}

/// The ids of a service's containers, without those of `docker compose run`.
pub(super) fn parse_list(json: &[u8]) -> Result<Vec<String>, serde_json::Error> {
    let listed: Vec<Listed> = serde_json::from_slice(json)?;
    let is_one_off = |c: &Listed| {
        c.labels.as_ref().and_then(|l| l.get(COMPOSE_ONE_OFF)).is_some_and(|v| v.eq_ignore_ascii_case("true"))
    };
    Ok(listed.into_iter().filter(|c| !is_one_off(c)).map(|c| c.id).collect())
}
