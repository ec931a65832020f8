//! Targets out of pods, and out of the pods behind endpoints, with Prometheus's labels. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config>

use std::collections::BTreeMap;

use kernel::Labels;
use serde_json::Value;

use super::build::{Set, attach_node, container_port, number};
use super::objects::{Kind, Object, World, list, text};
use crate::config::KubernetesDiscovery;
use crate::discovery::host_port;

/// The labels of a pod, wherever it is found.
fn pod_labels(object: &Object, world: &World, config: &KubernetesDiscovery) -> Set {
    let mut set = Set::default();
    set.object("pod", object);
    set.put("pod_ip", object.text("status", "podIP"));
    let ready = list(object.part("status"), "conditions").iter().find(|c| text(c, "type") == "Ready");
    set.put("pod_ready", ready.map_or("unknown".to_owned(), |c| text(c, "status").to_lowercase()));
    set.put("pod_phase", object.text("status", "phase"));
    set.put("pod_node_name", object.text("spec", "nodeName"));
    set.put("pod_host_ip", object.text("status", "hostIP"));
    set.put("pod_uid", &object.metadata.uid);
    if let Some(owner) = object.metadata.controller() {
        set.put("pod_controller_kind", &owner.kind);
        set.put("pod_controller_name", &owner.name);
        // What stands behind the controller: found only where its kind is followed.
        let behind = |kind: Kind, wanted: &str| {
            let controller = world.get(kind, &object.metadata.namespace, &owner.name)?.metadata.controller()?;
            (controller.kind == wanted).then(|| controller.name.clone())
        };
        match owner.kind.as_str() {
            "ReplicaSet" if config.attach.deployment => {
                set.put_some("pod_deployment_name", behind(Kind::ReplicaSet, "Deployment").as_deref());
            }
            "Job" => {
                set.put_some("pod_job_name", config.attach.job.then_some(&*owner.name));
                let cron = if config.attach.cronjob { behind(Kind::Job, "CronJob") } else { None };
                set.put_some("pod_cronjob_name", cron.as_deref());
            }
            _ => {}
        }
    }
    set
}

/// The containers of a pod, those that start first behind the others, and whether they are such.
fn containers(pod: &Object) -> impl Iterator<Item = (&Value, bool)> {
    let all = |key, init| list(pod.part("spec"), key).iter().map(move |container| (container, init));
    all("containers", false).chain(all("initContainers", true))
}

pub(super) fn pod(object: &Object, world: &World, config: &KubernetesDiscovery, shared: &mut Set) -> Vec<Labels> {
    let (ip, node) = (object.text("status", "podIP"), object.text("spec", "nodeName"));
    // It starts, or was evicted; or a selector leaves out its node.
    if ip.is_empty() || (config.attach.node && world.get(Kind::Node, "", node).is_none()) {
        return Vec::new();
    }
    shared.join(&pod_labels(object, world, config));
    attach_node(shared, world, config, node);
    let mut out = Vec::new();
    for (container, init) in containers(object) {
        let statuses = if init { "initContainerStatuses" } else { "containerStatuses" };
        let mut set = Set::default();
        let name = text(container, "name");
        let status = list(object.part("status"), statuses).iter().find(|s| text(s, "name") == name);
        set.put("pod_container_name", name);
        set.put("pod_container_id", status.map_or("", |s| text(s, "containerID")));
        set.put("pod_container_image", text(container, "image"));
        set.put("pod_container_init", init.to_string());
        let ports = list(container, "ports");
        if ports.is_empty() {
            out.push(set.address(ip.to_owned()));
            continue;
        }
        for port in ports {
            let mut set = set.clone();
            container_port(&mut set, port);
            out.push(set.address(host_port(ip, number(port, "containerPort"))));
        }
    }
    out
}

/// Pods behind endpoints, and which of their ports were covered.
#[derive(Default)]
pub(super) struct SeenPods<'w>(BTreeMap<(&'w str, &'w str), (&'w Object, Vec<u16>)>);

impl<'w> SeenPods<'w> {
    /// Adds the labels of the pod that a reference of an endpoint names, and of those of its containers that have the endpoint's port.
    /// `protocol` goes before what the container says of it.
    pub(super) fn attach(
        &mut self,
        set: &mut Set,
        reference: &Value,
        (port, protocol): (u16, Option<&str>),
        (world, config): (&'w World, &KubernetesDiscovery),
    ) {
        if text(reference, "kind") != "Pod" {
            return;
        }
        let Some(pod) = world.get(Kind::Pod, text(reference, "namespace"), text(reference, "name")) else { return };
        set.join(&pod_labels(pod, world, config));
        for (container, init) in containers(pod) {
            let own = list(container, "ports").iter().find(|p| port != 0 && number(p, "containerPort") == port);
            if let Some(own) = own {
                container_of_port(set, container, init, own);
                set.put_some("pod_container_port_protocol", protocol);
            }
        }
        let key = (&*pod.metadata.namespace, &*pod.metadata.name);
        self.0.entry(key).or_insert_with(|| (pod, Vec::new())).1.push(port);
    }

    /// Ports of the pods that no endpoint covers are targets as well.
    pub(super) fn other_ports(&self, world: &World, config: &KubernetesDiscovery, out: &mut Vec<Labels>) {
        for (pod, covered) in self.0.values() {
            let ip = pod.text("status", "podIP");
            if ip.is_empty() {
                continue;
            }
            for (container, init) in containers(pod) {
                for port in list(container, "ports").iter().filter(|p| !covered.contains(&number(p, "containerPort"))) {
                    let mut set = pod_labels(pod, world, config);
                    container_of_port(&mut set, container, init, port);
                    out.push(set.address(host_port(ip, number(port, "containerPort"))));
                }
            }
        }
    }
}

fn container_of_port(set: &mut Set, container: &Value, init: bool, port: &Value) {
    set.put("pod_container_name", text(container, "name"));
    set.put("pod_container_image", text(container, "image"));
    set.put("pod_container_init", init.to_string());
    container_port(set, port);
}
