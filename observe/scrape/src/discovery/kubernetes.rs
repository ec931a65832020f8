//! `kubernetes_sd_configs`: what runs in a cluster, followed by list and watch. I/O.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>. Plain HTTP and JSON: only
//! a few fields of nine kinds of objects are of interest.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{Discoverer, Found, Running, Updates};
use crate::client::HttpClient;
use crate::config::{KubernetesDiscovery, KubernetesRole};

mod access;
mod build;
mod objects;
mod pods;
mod watch;

use access::Access;
use objects::{Kind, World};
use watch::Watch;

/// Changes that come within this time are told together: a rollout changes many objects at once.
const TOGETHER: Duration = Duration::from_millis(500);

/// Without a way in (no token yet, no file) it is tried again after this.
const RETRY: Duration = Duration::from_secs(10);

/// One cluster, one role.
pub(super) struct Kubernetes(KubernetesDiscovery);

/// What the watches fill.
struct Shared {
    world: Mutex<World>,
    changed: Notify,
}

impl Kubernetes {
    pub(super) const fn new(config: KubernetesDiscovery) -> Self {
        Self(config)
    }

    /// The kinds of objects that are followed.
    fn kinds(&self) -> Vec<Kind> {
        let mut out = match self.0.role {
            KubernetesRole::Node => vec![Kind::Node],
            KubernetesRole::Pod => vec![Kind::Pod],
            KubernetesRole::Service => vec![Kind::Service],
            KubernetesRole::Endpoints => vec![Kind::Endpoints, Kind::Service, Kind::Pod],
            KubernetesRole::EndpointSlice => vec![Kind::EndpointSlice, Kind::Service, Kind::Pod],
            KubernetesRole::Ingress => vec![Kind::Ingress],
        };
        let attach = self.0.attach;
        let has_pods = out.contains(&Kind::Pod);
        for (kind, wanted) in [
            (Kind::Node, attach.node && self.0.role != KubernetesRole::Node),
            (Kind::Namespace, attach.namespace && self.0.role != KubernetesRole::Node),
            (Kind::ReplicaSet, attach.deployment && has_pods),
            (Kind::Job, attach.cronjob && has_pods),
        ] {
            out.extend(wanted.then_some(kind));
        }
        out
    }

    fn selectors(&self, kind: Kind) -> (String, String) {
        let of_kind = self.0.selectors.iter().find(|(role, ..)| Kind::of(*role) == kind);
        of_kind.map(|(_, label, field)| (label.clone(), field.clone())).unwrap_or_default()
    }

    async fn follow(&self, access: Access, updates: &Updates) {
        let client = Arc::new(HttpClient::new(&access.http));
        let shared = Arc::new(Shared { world: Mutex::default(), changed: Notify::new() });
        let mut namespaces: Vec<Option<String>> = self.0.namespaces.iter().cloned().map(Some).collect();
        if self.0.own_namespace {
            namespaces.push(access.namespace.clone());
        }
        if namespaces.is_empty() {
            namespaces.push(None);
        }
        let mut watches = JoinSet::new();
        for kind in self.kinds() {
            let everywhere = [None];
            let places = if kind.is_namespaced() { &namespaces[..] } else { &everywhere[..] };
            for namespace in places {
                let (label, field) = self.selectors(kind);
                let watch = Watch::new(kind, &access.server, namespace.as_deref(), &label, &field);
                shared.world.lock().expect(watch.key());
                watches.spawn(watch.run(Arc::clone(&client), Arc::clone(&shared), updates.clone()));
            }
        }
        let mut last = None;
        loop {
            shared.changed.notified().await;
            tokio::time::sleep(TOGETHER).await;
            let groups = {
                let world = shared.world.lock();
                if !world.is_complete() {
                    continue;
                }
                build::groups(&world, &self.0)
            };
            if last.as_ref() != Some(&groups) {
                updates.tell(Found::Groups(groups.clone()));
                last = Some(groups);
            }
        }
    }
}

impl Discoverer for Kubernetes {
    fn run(self: Box<Self>, updates: Updates) -> Running {
        Box::pin(async move {
            loop {
                match Access::find(&self.0) {
                    Ok(access) => self.follow(access, &updates).await,
                    Err(reason) => updates.tell(Found::Failed(reason)),
                }
                tokio::time::sleep(RETRY).await;
            }
        })
    }
}

#[cfg(test)]
mod tests;
