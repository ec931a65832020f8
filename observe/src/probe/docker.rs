//! Docker containers and Compose services: running, healthy, restarts, out of memory (CHK-05). I/O.
//!
//! Docker's API is asked over its socket with hyper: two GET requests, read-only. Where there never was a Docker the
//! result is blind; where it answered once and is gone, the containers are down with it.

use std::sync::atomic::{AtomicBool, Ordering};

use kernel::probe::{Phase, Reading};
use plan_model::check::DockerCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

mod api;
mod container;

use api::{ApiError, Docker};
use container::{Container, Health};

/// Where Docker listens unless the plan says otherwise.
const USUAL_SOCKET: &str = "unix:///var/run/docker.sock";

/// Most containers of one Compose service that are looked at.
const MOST_CONTAINERS: usize = 50;

/// A Docker check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedDocker {
    docker: Docker,
    wanted: Wanted,
    /// Docker answered at least once since the check was prepared.
    answered: AtomicBool,
}

#[derive(Debug)]
enum Wanted {
    Container(String),
    Service { service: String, project: Option<String> },
}

/// Makes the check ready.
pub(crate) fn prepare_docker(check: &DockerCheck, with: &Preparing<'_>) -> Result<PreparedDocker, PrepareError> {
    let text = |t| Ok::<_, PrepareError>(with.resolve(t)?.expose().trim().to_owned());
    let address = check.docker.as_ref().map(text).transpose()?;
    let docker = Docker::parse(address.as_deref().unwrap_or(USUAL_SOCKET))?;
    let container = text(&check.container)?;
    let wanted = match &check.compose_service {
        Some(_) if !container.is_empty() => {
            return Err(PrepareError::unusable("docker", "give `container` or `compose_service`, not both"));
        }
        Some(service) => {
            Wanted::Service { service: text(service)?, project: check.compose_project.as_ref().map(text).transpose()? }
        }
        None if container.is_empty() => {
            return Err(PrepareError::unusable("docker", "give the name of a `container`, or a `compose_service`"));
        }
        None => Wanted::Container(container),
    };
    Ok(PreparedDocker { docker, wanted, answered: AtomicBool::new(false) })
}

/// Asks once.
pub(crate) async fn probe_docker(docker: &PreparedDocker, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Processing);
    attempt.doing("asking Docker");
    let asked = match &docker.wanted {
        Wanted::Container(name) => docker.docker.container(name).await.map(|c| vec![c]),
        Wanted::Service { service, project } => find_service(&docker.docker, service, project.as_deref()).await,
    };
    let containers = match asked {
        Ok(containers) => containers,
        Err(e) => return judge_error(&e, docker),
    };
    docker.answered.store(true, Ordering::Relaxed);
    containers.iter().for_each(|c| record(c, attempt));
    match &docker.wanted {
        Wanted::Container(_) => containers.first().map_or_else(|| Probed::down("no container"), judge_container),
        Wanted::Service { service, .. } => judge_service(service, &containers, attempt),
    }
}

async fn find_service(docker: &Docker, service: &str, project: Option<&str>) -> Result<Vec<Container>, ApiError> {
    let mut containers = Vec::new();
    for id in docker.service(service, project).await?.into_iter().take(MOST_CONTAINERS) {
        match docker.container(&id).await {
            Ok(container) => containers.push(container),
            // Taken away between the two questions.
            Err(ApiError::NoContainer(_)) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(containers)
}

/// Without Docker nothing is known, unless it was there before.
fn judge_error(error: &ApiError, docker: &PreparedDocker) -> Probed {
    match error {
        ApiError::NoContainer(_) => {
            docker.answered.store(true, Ordering::Relaxed);
            Probed::down(error.to_string())
        }
        ApiError::Absent(_) if docker.answered.load(Ordering::Relaxed) => {
            Probed::down(format!("Docker answered before and is gone: {error}"))
        }
        ApiError::Absent(_) | ApiError::Forbidden(_) => Probed::blind(error.to_string()),
        ApiError::Failed(_) => Probed::down(error.to_string()),
    }
}

/// Further labels: the container's name, and where it is Compose's, service and project.
fn record(container: &Container, attempt: &Attempt) {
    let read = |metric: &str, value: f64| {
        let mut reading = Reading::new(metric, value).label("name", container.name.as_str());
        if let Some(service) = &container.compose_service {
            reading = reading.label("compose_service", service.as_str());
        }
        if let Some(project) = &container.compose_project {
            reading = reading.label("compose_project", project.as_str());
        }
        attempt.read(reading);
    };
    let flag = |on: bool| f64::from(u8::from(on));
    read("farero_container_running", flag(container.is_running()));
    read("farero_container_restarts_total", container.restarts);
    read("farero_container_oom_killed", flag(container.oom_killed));
    match container.health {
        Health::None => {}
        Health::Starting | Health::Unhealthy => read("farero_container_healthy", 0.0),
        Health::Healthy => read("farero_container_healthy", 1.0),
    }
    if let Some(started) = container.started_seconds {
        // cAdvisor's name.
        read("container_start_time_seconds", started);
    }
    attempt.fact("image", container.image.as_str());
}

fn judge_container(container: &Container) -> Probed {
    let status = container.to_string();
    match container.why_not_working() {
        Some(why) => Probed::down(format!("{}: {why}", container.name)).with_status(status),
        None => Probed::up().with_status(status),
    }
}

/// At least one container must work; where others of the service do not, it is slow.
fn judge_service(service: &str, containers: &[Container], attempt: &Attempt) -> Probed {
    let broken: Vec<String> =
        containers.iter().filter_map(|c| Some(format!("{}: {}", c.name, c.why_not_working()?))).collect();
    let working = containers.len() - broken.len();
    let status = format!("{working} of {} containers work", containers.len());
    if containers.is_empty() {
        let why = format!("Compose service {service} has no container: see `docker compose ps -a`");
        return Probed::down(why).with_status(status);
    }
    if broken.is_empty() {
        return Probed::up().with_status(status);
    }
    let broken = broken.join("; ");
    if working == 0 {
        return Probed::down(broken).with_status(status);
    }
    attempt.fact("slow", broken);
    Probed::slow().with_status(status)
}

#[cfg(test)]
mod tests;
