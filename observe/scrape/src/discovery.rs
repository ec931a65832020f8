//! Finds targets: files, lists over HTTP, DNS, Docker, Kubernetes. I/O.
//!
//! Each way is a task that gives its whole list whenever it changes. A failure keeps the last list and is told.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Discovery, TargetGroup};

mod dns;
mod docker;
mod file;
mod http;
mod kubernetes;
mod list;

/// What a way to find targets brings.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// All targets there are.
    Groups(Vec<TargetGroup>),
    /// Why they could not be found; the last ones stay.
    Failed(String),
}

/// Where to tell what was found.
#[derive(Clone)]
pub struct Updates(Arc<dyn Fn(Found) + Send + Sync>);

impl Updates {
    /// Told to a function.
    pub fn new(tell: impl Fn(Found) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    fn tell(&self, found: Found) {
        (self.0)(found);
    }
}

impl std::fmt::Debug for Updates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Updates")
    }
}

/// A task; it ends when it is dropped, or when there will be no more news.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One way to find targets.
pub trait Discoverer: Send {
    /// Finds targets, and tells whenever they change.
    fn run(self: Box<Self>, updates: Updates) -> Running;
}

/// The way that a configuration names.
pub fn discoverer(config: &Discovery) -> Box<dyn Discoverer> {
    match config {
        Discovery::Static(groups) => Box::new(Static(groups.clone())),
        Discovery::File(config) => Box::new(Refreshing(file::Files::new(config.clone()))),
        Discovery::Http(config) => Box::new(Refreshing(http::HttpList::new(config))),
        Discovery::Dns(config) => Box::new(Refreshing(dns::Names::new(config.clone()))),
        Discovery::Docker(config) => Box::new(Refreshing(docker::Docker::new(config))),
        Discovery::Kubernetes(config) => Box::new(kubernetes::Kubernetes::new(config.as_ref().clone())),
    }
}

/// `static_configs`
struct Static(Vec<TargetGroup>);

impl Discoverer for Static {
    fn run(self: Box<Self>, updates: Updates) -> Running {
        Box::pin(async move { updates.tell(Found::Groups(self.0)) })
    }
}

/// What is asked again and again.
trait Refresh: Send + 'static {
    /// How long between two questions.
    fn interval(&self) -> Duration;

    /// The targets there are now; `None` when nothing can have changed.
    fn refresh(&mut self) -> impl Future<Output = Result<Option<Vec<TargetGroup>>, String>> + Send;
}

struct Refreshing<R>(R);

impl<R: Refresh> Discoverer for Refreshing<R> {
    fn run(mut self: Box<Self>, updates: Updates) -> Running {
        Box::pin(async move {
            let mut last = None;
            loop {
                match self.0.refresh().await {
                    Ok(None) => {}
                    Ok(groups) if groups == last => {}
                    Ok(groups) => {
                        updates.tell(Found::Groups(groups.clone().unwrap_or_default()));
                        last = groups;
                    }
                    Err(reason) => updates.tell(Found::Failed(reason)),
                }
                tokio::time::sleep(self.0.interval()).await;
            }
        })
    }
}

/// A label's name out of any text: what is not allowed becomes `_`.
fn sanitized(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Host and port as an address; IPv6 in brackets.
fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests;
