//! Targets out of objects, role by role, with Prometheus's labels. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config>

use std::collections::BTreeMap;

use kernel::Labels;
use serde_json::Value;

use super::objects::{Kind, Object, World, list, text};
use crate::config::{KubernetesDiscovery, KubernetesRole, TargetGroup};
use crate::discovery::{host_port, sanitized};

const META: &str = "__meta_kubernetes_";
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Labels under construction.
#[derive(Clone, Debug, Default)]
struct Set(BTreeMap<String, String>);

impl Set {
    fn put(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(format!("{META}{name}"), value.into());
    }

    /// The same, if there is a value at all.
    fn put_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn address(mut self, address: String) -> Labels {
        self.0.insert("__address__".to_owned(), address);
        Labels::new(self.0)
    }

    fn join(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(n, v)| (n.clone(), v.clone())));
    }

    /// Name, labels and annotations of an object, under its kind's name.
    fn object(&mut self, role: &str, object: &Object) {
        self.put(&format!("{role}_name"), &object.metadata.name);
        self.marks(role, object);
    }

    fn marks(&mut self, role: &str, object: &Object) {
        for (kind, all) in [("label", &object.metadata.labels), ("annotation", &object.metadata.annotations)] {
            for (name, value) in all.iter().flatten() {
                let name = sanitized(name);
                self.put(&format!("{role}_{kind}_{name}"), value);
                self.put(&format!("{role}_{kind}present_{name}"), "true");
            }
        }
    }

    fn finish(self) -> Labels {
        Labels::new(self.0)
    }
}

/// All targets of a role.
pub(super) fn groups(world: &World, config: &KubernetesDiscovery) -> Vec<TargetGroup> {
    let objects = world.all(Kind::of(config.role));
    objects
        .into_iter()
        .filter_map(|object| {
            let mut shared = Set::default();
            if config.role != KubernetesRole::Node {
                shared.put("namespace", &object.metadata.namespace);
                if config.attach_namespace {
                    let namespace = world.get(Kind::Namespace, "", &object.metadata.namespace);
                    namespace.into_iter().for_each(|n| shared.marks("namespace", n));
                }
            }
            let targets = match config.role {
                KubernetesRole::Node => node(object, &mut shared)?,
                KubernetesRole::Pod => pod(object, world, config, &mut shared),
                KubernetesRole::Service => service(object, &mut shared),
                KubernetesRole::Endpoints => endpoints(object, world, config, &mut shared),
                KubernetesRole::EndpointSlice => slice(object, world, config, &mut shared),
                KubernetesRole::Ingress => ingress(object, &mut shared),
            };
            let source = format!("{}/{}/{}", config.role.name(), object.metadata.namespace, object.metadata.name);
            Some(TargetGroup { source, targets, labels: shared.finish() })
        })
        .collect()
}

fn node(object: &Object, shared: &mut Set) -> Option<Vec<Labels>> {
    shared.object("node", object);
    shared.put_some("node_provider_id", Some(object.text("spec", "providerID")));
    let status = object.part("status");
    let mut addresses: BTreeMap<&str, &str> = BTreeMap::new();
    for address in list(status, "addresses") {
        addresses.entry(text(address, "type")).or_insert(text(address, "address"));
    }
    let first = ["InternalIP", "ExternalIP", "LegacyHostIP", "Hostname"];
    let address = first.iter().find_map(|kind| addresses.get(kind))?;
    let port = status.pointer("/daemonEndpoints/kubeletEndpoint/Port").and_then(Value::as_u64).unwrap_or(0);
    let mut set = Set::default();
    for (kind, address) in &addresses {
        set.put(&format!("node_address_{}", sanitized(kind)), *address);
    }
    set.0.insert("instance".to_owned(), object.metadata.name.clone());
    Some(vec![set.address(host_port(address, port as u16))])
}

/// The labels of a node, where they are wanted beside others.
fn attach_node(set: &mut Set, world: &World, config: &KubernetesDiscovery, name: &str) {
    if config.attach_node
        && let Some(node) = world.get(Kind::Node, "", name)
    {
        set.put("node_name", name);
        for (name, value) in node.metadata.labels.iter().flatten() {
            let name = sanitized(name);
            set.put(&format!("node_label_{name}"), value);
            set.put(&format!("node_labelpresent_{name}"), "true");
        }
    }
}

fn pod_labels(object: &Object) -> Set {
    let mut set = Set::default();
    set.object("pod", object);
    set.put("pod_ip", object.text("status", "podIP"));
    let ready = list(object.part("status"), "conditions").iter().find(|c| text(c, "type") == "Ready");
    set.put("pod_ready", ready.map_or("unknown".to_owned(), |c| text(c, "status").to_lowercase()));
    set.put("pod_phase", object.text("status", "phase"));
    set.put("pod_node_name", object.text("spec", "nodeName"));
    set.put("pod_host_ip", object.text("status", "hostIP"));
    set.put("pod_uid", &object.metadata.uid);
    if let Some(owner) = object.metadata.owner_references.iter().find(|o| o.controller == Some(true)) {
        set.put("pod_controller_kind", &owner.kind);
        set.put("pod_controller_name", &owner.name);
    }
    set
}

fn number(value: &Value, key: &str) -> u16 {
    value.get(key).and_then(Value::as_u64).and_then(|n| u16::try_from(n).ok()).unwrap_or(0)
}

fn protocol(port: &Value) -> &str {
    // What the API fills in where nothing is said.
    Some(text(port, "protocol")).filter(|p| !p.is_empty()).unwrap_or("TCP")
}

fn container_port(set: &mut Set, port: &Value) {
    set.put("pod_container_port_name", text(port, "name"));
    set.put("pod_container_port_number", number(port, "containerPort").to_string());
    set.put("pod_container_port_protocol", protocol(port));
}

fn pod(object: &Object, world: &World, config: &KubernetesDiscovery, shared: &mut Set) -> Vec<Labels> {
    let ip = object.text("status", "podIP");
    if ip.is_empty() {
        // It starts, or was evicted.
        return Vec::new();
    }
    shared.join(&pod_labels(object));
    attach_node(shared, world, config, object.text("spec", "nodeName"));
    let mut out = Vec::new();
    for (key, statuses, init) in
        [("containers", "containerStatuses", false), ("initContainers", "initContainerStatuses", true)]
    {
        for container in list(object.part("spec"), key) {
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
    }
    out
}

fn service_labels(object: &Object) -> Set {
    let mut set = Set::default();
    set.put("namespace", &object.metadata.namespace);
    set.object("service", object);
    set
}

fn service(object: &Object, shared: &mut Set) -> Vec<Labels> {
    shared.join(&service_labels(object));
    let spec = object.part("spec");
    let kind = text(spec, "type");
    let host = format!("{}.{}.svc", object.metadata.name, object.metadata.namespace);
    let target = |port: &Value| {
        let mut set = Set::default();
        set.put("service_port_name", text(port, "name"));
        set.put("service_port_number", number(port, "port").to_string());
        set.put("service_port_protocol", protocol(port));
        set.put("service_type", kind);
        match kind {
            "ExternalName" => set.put("service_external_name", text(spec, "externalName")),
            _ => set.put("service_cluster_ip", text(spec, "clusterIP")),
        }
        if kind == "LoadBalancer" {
            set.put("service_loadbalancer_ip", text(spec, "loadBalancerIP"));
        }
        set.address(host_port(&host, number(port, "port")))
    };
    list(spec, "ports").iter().map(target).collect()
}

/// Pods behind endpoints, and which of their ports were covered.
type SeenPods<'w> = BTreeMap<(String, String), (&'w Object, Vec<u16>)>;

fn referred<'w>(reference: &Value, world: &'w World) -> Option<&'w Object> {
    (text(reference, "kind") == "Pod")
        .then(|| world.get(Kind::Pod, text(reference, "namespace"), text(reference, "name")))
        .flatten()
}

/// Adds the labels of the pod behind an address.
fn attach_pod<'w>(set: &mut Set, pod: &'w Object, port: u16, seen: &mut SeenPods<'w>) {
    set.join(&pod_labels(pod));
    'found: for container in list(pod.part("spec"), "containers") {
        for own in list(container, "ports") {
            if number(own, "containerPort") == port && port != 0 {
                set.put("pod_container_name", text(container, "name"));
                set.put("pod_container_image", text(container, "image"));
                container_port(set, own);
                break 'found;
            }
        }
    }
    let key = (pod.metadata.namespace.clone(), pod.metadata.name.clone());
    seen.entry(key).or_insert_with(|| (pod, Vec::new())).1.push(port);
}

/// Ports of the pods that no service covers are targets as well.
fn other_ports(seen: &SeenPods<'_>, world: &World, config: &KubernetesDiscovery, out: &mut Vec<Labels>) {
    for (pod, covered) in seen.values() {
        let ip = pod.text("status", "podIP");
        if ip.is_empty() {
            continue;
        }
        for container in list(pod.part("spec"), "containers") {
            for port in list(container, "ports").iter().filter(|p| !covered.contains(&number(p, "containerPort"))) {
                let mut set = pod_labels(pod);
                set.put("pod_container_name", text(container, "name"));
                set.put("pod_container_image", text(container, "image"));
                container_port(&mut set, port);
                attach_node(&mut set, world, config, pod.text("spec", "nodeName"));
                out.push(set.address(host_port(ip, number(port, "containerPort"))));
            }
        }
    }
}

fn attach_service(shared: &mut Set, world: &World, namespace: &str, name: &str) {
    if let Some(service) = world.get(Kind::Service, namespace, name) {
        shared.join(&service_labels(service));
    }
}

fn endpoints(object: &Object, world: &World, config: &KubernetesDiscovery, shared: &mut Set) -> Vec<Labels> {
    attach_service(shared, world, &object.metadata.namespace, &object.metadata.name);
    shared.object("endpoints", object);
    let (mut out, mut seen) = (Vec::new(), SeenPods::new());
    for subset in object.part("subsets").as_array().into_iter().flatten() {
        for port in list(subset, "ports") {
            for (key, ready) in [("addresses", "true"), ("notReadyAddresses", "false")] {
                for address in list(subset, key) {
                    let mut set = Set::default();
                    set.put("endpoint_port_name", text(port, "name"));
                    set.put("endpoint_port_protocol", protocol(port));
                    set.put("endpoint_ready", ready);
                    let node = address.get("nodeName").and_then(Value::as_str);
                    set.put_some("endpoint_node_name", node);
                    set.put_some("endpoint_hostname", address.get("hostname").and_then(Value::as_str));
                    if let Some(reference) = address.get("targetRef") {
                        set.put("endpoint_address_target_kind", text(reference, "kind"));
                        set.put("endpoint_address_target_name", text(reference, "name"));
                        attach_target_node(&mut set, world, config, reference, node);
                        if let Some(pod) = referred(reference, world) {
                            attach_pod(&mut set, pod, number(port, "port"), &mut seen);
                        }
                    } else {
                        attach_node(&mut set, world, config, node.unwrap_or_default());
                    }
                    out.push(set.address(host_port(text(address, "ip"), number(port, "port"))));
                }
            }
        }
    }
    other_ports(&seen, world, config, &mut out);
    out
}

fn attach_target_node(
    set: &mut Set,
    world: &World,
    config: &KubernetesDiscovery,
    reference: &Value,
    node: Option<&str>,
) {
    let name = if text(reference, "kind") == "Node" { Some(text(reference, "name")) } else { node };
    attach_node(set, world, config, name.unwrap_or_default());
}

fn slice(object: &Object, world: &World, config: &KubernetesDiscovery, shared: &mut Set) -> Vec<Labels> {
    if let Some(service) = object.metadata.labels.as_ref().and_then(|l| l.get(SERVICE_NAME)) {
        attach_service(shared, world, &object.metadata.namespace, service);
    }
    shared.put("endpointslice_address_type", object.part("addressType").as_str().unwrap_or_default());
    shared.object("endpointslice", object);
    let (mut out, mut seen) = (Vec::new(), SeenPods::new());
    let ports = object.part("ports").as_array().map_or(&[][..], Vec::as_slice);
    for endpoint in object.part("endpoints").as_array().into_iter().flatten() {
        for port in ports {
            let mut set = Set::default();
            slice_port(&mut set, port);
            slice_endpoint(&mut set, endpoint);
            let node = endpoint.get("nodeName").and_then(Value::as_str);
            let port = number(port, "port");
            for address in list(endpoint, "addresses").iter().filter_map(Value::as_str) {
                let mut set = set.clone();
                let reference = endpoint.get("targetRef").unwrap_or(&Value::Null);
                attach_target_node(&mut set, world, config, reference, node);
                if let Some(pod) = referred(reference, world) {
                    attach_pod(&mut set, pod, port, &mut seen);
                }
                out.push(set.address(if port == 0 { address.to_owned() } else { host_port(address, port) }));
            }
        }
    }
    other_ports(&seen, world, config, &mut out);
    out
}

fn slice_port(set: &mut Set, port: &Value) {
    set.put_some("endpointslice_port_name", port.get("name").and_then(Value::as_str));
    set.put_some("endpointslice_port_protocol", port.get("protocol").and_then(Value::as_str));
    set.put_some("endpointslice_port_app_protocol", port.get("appProtocol").and_then(Value::as_str));
    let number = number(port, "port");
    if number != 0 {
        set.put("endpointslice_port", number.to_string());
    }
}

fn slice_endpoint(set: &mut Set, endpoint: &Value) {
    for condition in ["ready", "serving", "terminating"] {
        if let Some(is) = endpoint.pointer(&format!("/conditions/{condition}")).and_then(Value::as_bool) {
            set.put(&format!("endpointslice_endpoint_conditions_{condition}"), is.to_string());
        }
    }
    for (key, label) in [("hostname", "hostname"), ("nodeName", "node_name"), ("zone", "zone")] {
        set.put_some(&format!("endpointslice_endpoint_{label}"), endpoint.get(key).and_then(Value::as_str));
    }
    if let Some(reference) = endpoint.get("targetRef") {
        set.put("endpointslice_address_target_kind", text(reference, "kind"));
        set.put("endpointslice_address_target_name", text(reference, "name"));
    }
    for (name, value) in endpoint.get("deprecatedTopology").and_then(Value::as_object).into_iter().flatten() {
        let name = sanitized(name);
        set.put(&format!("endpointslice_endpoint_topology_{name}"), value.as_str().unwrap_or_default());
        set.put(&format!("endpointslice_endpoint_topology_present_{name}"), "true");
    }
}

fn ingress(object: &Object, shared: &mut Set) -> Vec<Labels> {
    shared.object("ingress", object);
    let spec = object.part("spec");
    shared.put_some("ingress_class_name", spec.get("ingressClassName").and_then(Value::as_str));
    let secured: Vec<&str> =
        list(spec, "tls").iter().flat_map(|t| list(t, "hosts")).filter_map(Value::as_str).collect();
    let mut out = Vec::new();
    for rule in list(spec, "rules") {
        let host = text(rule, "host");
        let scheme = if secured.iter().any(|pattern| matches_host(pattern, host)) { "https" } else { "http" };
        let paths: Vec<&str> = match rule.pointer("/http/paths").and_then(Value::as_array) {
            Some(paths) => paths.iter().map(|p| text(p, "path")).collect(),
            None => vec!["/"],
        };
        for path in paths {
            let mut set = Set::default();
            set.put("ingress_scheme", scheme);
            set.put("ingress_host", host);
            set.put("ingress_path", if path.is_empty() { "/" } else { path });
            out.push(set.address(host.to_owned()));
        }
    }
    out
}

/// Whether a host is the pattern, or fits its first part `*`.
fn matches_host(pattern: &str, host: &str) -> bool {
    let rest = pattern.strip_prefix("*.");
    pattern == host || rest.is_some_and(|rest| host.split_once('.').is_some_and(|(_, behind)| behind == rest))
}
