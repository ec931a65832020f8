//! Targets out of objects, role by role (pods: `pods.rs`), with Prometheus's labels. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config>

use std::collections::BTreeMap;

use kernel::Labels;
use serde_json::Value;

use super::objects::{Kind, Object, World, list, text};
use super::pods::{SeenPods, pod};
use crate::config::{KubernetesDiscovery, KubernetesRole, TargetGroup};
use crate::discovery::{host_port, sanitized};

const META: &str = "__meta_kubernetes_";
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Labels under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Set(BTreeMap<String, String>);

impl Set {
    pub(super) fn put(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(format!("{META}{name}"), value.into());
    }

    /// The same, if there is a value at all.
    pub(super) fn put_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub(super) fn address(mut self, address: String) -> Labels {
        self.0.insert("__address__".to_owned(), address);
        Labels::new(self.0)
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(n, v)| (n.clone(), v.clone())));
    }

    /// Name, labels and annotations of an object, under its kind's name.
    pub(super) fn object(&mut self, role: &str, object: &Object) {
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
                if config.attach.namespace {
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
    let status = object.part("status");
    shared.put("node_provider_id", object.text("spec", "providerID"));
    for condition in list(status, "conditions") {
        let name = format!("node_condition_{}", sanitized(&text(condition, "type").to_lowercase()));
        shared.put(&name, text(condition, "status").to_lowercase());
    }
    shared.object("node", object);
    let mut addresses: BTreeMap<&str, &str> = BTreeMap::new();
    for address in list(status, "addresses") {
        addresses.entry(text(address, "type")).or_insert(text(address, "address"));
    }
    let first = ["InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname"];
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
pub(super) fn attach_node(set: &mut Set, world: &World, config: &KubernetesDiscovery, name: &str) {
    if config.attach.node
        && let Some(node) = world.get(Kind::Node, "", name)
    {
        set.object("node", node);
    }
}

pub(super) fn number(value: &Value, key: &str) -> u16 {
    value.get(key).and_then(Value::as_u64).and_then(|n| u16::try_from(n).ok()).unwrap_or(0)
}

fn protocol(port: &Value) -> &str {
    // What the API fills in where nothing is said.
    Some(text(port, "protocol")).filter(|p| !p.is_empty()).unwrap_or("TCP")
}

pub(super) fn container_port(set: &mut Set, port: &Value) {
    set.put("pod_container_port_name", text(port, "name"));
    set.put("pod_container_port_number", number(port, "containerPort").to_string());
    set.put("pod_container_port_protocol", protocol(port));
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
            set.put("service_loadbalancer_ip", load_balancer(object));
        }
        set.address(host_port(&host, number(port, "port")))
    };
    list(spec, "ports").iter().map(target).collect()
}

/// The addresses that a balancer has; before it has any, the one that was asked for.
fn load_balancer(service: &Object) -> String {
    let balancer = service.part("status").get("loadBalancer").unwrap_or(&Value::Null);
    let given: Vec<&str> =
        list(balancer, "ingress").iter().map(|i| text(i, "ip")).filter(|ip| !ip.is_empty()).collect();
    if given.is_empty() { service.text("spec", "loadBalancerIP").to_owned() } else { given.join(",") }
}

fn attach_service<'w>(shared: &mut Set, world: &'w World, namespace: &str, name: &str) -> Option<&'w Object> {
    let service = world.get(Kind::Service, namespace, name)?;
    shared.join(&service_labels(service));
    Some(service)
}

/// Whether a slice has the addresses of a service's second family, which are those of the first once more.
fn is_second_family(service: &Object, slice: &Object) -> bool {
    let policy = service.text("spec", "ipFamilyPolicy");
    let first = list(service.part("spec"), "ipFamilies").first().and_then(Value::as_str);
    matches!(policy, "PreferDualStack" | "RequireDualStack")
        && first.is_some_and(|first| slice.part("addressType").as_str() != Some(first))
}

fn endpoints(object: &Object, world: &World, config: &KubernetesDiscovery, shared: &mut Set) -> Vec<Labels> {
    attach_service(shared, world, &object.metadata.namespace, &object.metadata.name);
    shared.object("endpoints", object);
    let (mut out, mut seen) = (Vec::new(), SeenPods::default());
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
                    let reference = address.get("targetRef").unwrap_or(&Value::Null);
                    if !reference.is_null() {
                        set.put("endpoint_address_target_kind", text(reference, "kind"));
                        set.put("endpoint_address_target_name", text(reference, "name"));
                    }
                    attach_node(&mut set, world, config, node.or(referred_node(reference)).unwrap_or_default());
                    let covered = (number(port, "port"), Some(protocol(port)));
                    seen.attach(&mut set, reference, covered, (world, config));
                    out.push(set.address(host_port(text(address, "ip"), number(port, "port"))));
                }
            }
        }
    }
    seen.other_ports(world, config, &mut out);
    out
}

/// The node that an endpoint is, if it is one.
fn referred_node(reference: &Value) -> Option<&str> {
    (text(reference, "kind") == "Node").then(|| text(reference, "name"))
}

fn slice(object: &Object, world: &World, config: &KubernetesDiscovery, shared: &mut Set) -> Vec<Labels> {
    shared.put("endpointslice_address_type", object.part("addressType").as_str().unwrap_or_default());
    shared.object("endpointslice", object);
    let name = object.metadata.labels.as_ref().and_then(|l| l.get(SERVICE_NAME));
    let service = name.and_then(|name| attach_service(shared, world, &object.metadata.namespace, name));
    if service.is_some_and(|service| is_second_family(service, object)) {
        return Vec::new();
    }
    let (mut out, mut seen) = (Vec::new(), SeenPods::default());
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
                attach_node(&mut set, world, config, referred_node(reference).or(node).unwrap_or_default());
                seen.attach(&mut set, reference, (port, None), (world, config));
                out.push(set.address(if port == 0 { address.to_owned() } else { host_port(address, port) }));
            }
        }
    }
    seen.other_ports(world, config, &mut out);
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
        let paths: Vec<&str> = match rule.get("http").filter(|http| !http.is_null()) {
            Some(http) => list(http, "paths").iter().map(|p| text(p, "path")).collect(),
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
