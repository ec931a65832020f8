//! Against a server that speaks as the Kubernetes API does: pages, watches, changes, too old versions.

use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::Labels;
use tokio::sync::mpsc;

use super::*;
use crate::config::{Authorization, HttpConfig, KubernetesAttach, SecretValue, TargetGroup};
use crate::serve::{ok, serve};

fn config(role: KubernetesRole, server: String) -> KubernetesDiscovery {
    KubernetesDiscovery {
        api_server: Some(server),
        role,
        kubeconfig: None,
        namespaces: Vec::new(),
        own_namespace: false,
        selectors: Vec::new(),
        attach: KubernetesAttach { node: true, namespace: true, deployment: true, job: true, cronjob: true },
        http: HttpConfig {
            authorization: Some(Authorization {
                kind: "Bearer".to_owned(),
                credentials: Some(SecretValue::Inline(kernel::secret::Secret::new("t".to_owned()))),
            }),
            ..HttpConfig::default()
        },
    }
}

const NODES: &str = r#"[{"metadata":{"name":"n1","labels":{"zone.io/a":"z"},"annotations":{"note":"x"}},"spec":{"providerID":"aws:///i"},
    "status":{"conditions":[{"type":"Ready","status":"True"},{"type":"DiskPressure","status":"False"}],"addresses":[{"type":"Hostname","address":"n1.h"},{"type":"InternalIP","address":"10.1.0.1"}],
    "daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}},
    {"metadata":{"name":"n2"},"status":{"addresses":[{"type":"Hostname","address":"n2"},{"type":"ExternalDNS","address":"n2.example"}]}}]"#;
const NAMESPACES: &str = r#"[{"metadata":{"name":"ns","labels":{"team":"blue"}}}]"#;
const PODS: &str = r#"[{"metadata":{"name":"p1","namespace":"ns","uid":"u1","labels":{"app":"web"},"annotations":{"prometheus.io/scrape":"true"},
    "ownerReferences":[{"kind":"ReplicaSet","name":"rs","controller":true}]},
    "spec":{"nodeName":"n1","containers":[{"name":"c","image":"img:1","env":[],"ports":[{"name":"http","containerPort":8080,"protocol":"TCP"},{"name":"extra","containerPort":9000}]}],
    "initContainers":[{"name":"i","image":"img:2","ports":[{"name":"first","containerPort":7000}]}]},
    "status":{"phase":"Running","podIP":"10.2.0.1","hostIP":"10.1.0.1","conditions":[{"type":"Ready","status":"True"}],
    "containerStatuses":[{"name":"c","containerID":"docker://x"}]}},
    {"metadata":{"name":"p2","namespace":"ns"},"spec":{"containers":[{"name":"c"}]},"status":{"phase":"Pending"}},
    {"metadata":{"name":"p3","namespace":"ns","ownerReferences":[{"kind":"Job","name":"night-1","controller":true}]},
    "spec":{"nodeName":"n1","containers":[{"name":"c"}]},"status":{"podIP":"10.2.0.3"}},
    {"metadata":{"name":"p4","namespace":"ns"},"spec":{"nodeName":"left out","containers":[{"name":"c"}]},"status":{"podIP":"10.2.0.4"}}]"#;
const REPLICA_SETS: &str = r#"[{"metadata":{"name":"rs","namespace":"ns","ownerReferences":[{"kind":"Deployment","name":"shop","controller":true}]}}]"#;
const JOBS: &str = r#"[{"metadata":{"name":"night-1","namespace":"ns","ownerReferences":[{"kind":"CronJob","name":"night","controller":true}]}}]"#;
const SERVICES: &str = r#"[{"metadata":{"name":"web","namespace":"ns","labels":{"s":"v"}},"spec":{"type":"LoadBalancer","clusterIP":"10.9.0.1","loadBalancerIP":"1.2.3.4","ports":[{"name":"http","port":80,"protocol":"TCP"}],"ipFamilyPolicy":"PreferDualStack","ipFamilies":["IPv4","IPv6"]},
    "status":{"loadBalancer":{"ingress":[{"ip":"5.6.7.8"},{"hostname":"h"},{"ip":"5.6.7.9"}]}}},
    {"metadata":{"name":"out","namespace":"ns"},"spec":{"type":"ExternalName","externalName":"x.example","ports":[{"port":443}]}}]"#;
const ENDPOINTS: &str = r#"[{"metadata":{"name":"web","namespace":"ns"},"subsets":[{"ports":[{"name":"http","port":8080,"protocol":"TCP"}],
    "addresses":[{"ip":"10.2.0.1","nodeName":"n1","hostname":"h","targetRef":{"kind":"Pod","namespace":"ns","name":"p1"}}],"notReadyAddresses":[{"ip":"10.2.0.9"}]}]}]"#;
const SLICES: &str = r#"[{"metadata":{"name":"web-x","namespace":"ns","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4",
    "ports":[{"name":"http","port":8080,"protocol":"TCP","appProtocol":"h2c"}],
    "endpoints":[{"addresses":["10.2.0.1"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"n1","zone":"z1","targetRef":{"kind":"Pod","namespace":"ns","name":"p1"}}]},
    {"metadata":{"name":"web-y","namespace":"ns","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv6","ports":[{"port":8080}],"endpoints":[{"addresses":["fd00::1"]}]}]"#;
const INGRESSES: &str = r#"[{"metadata":{"name":"in","namespace":"ns"},"spec":{"ingressClassName":"nginx","tls":[{"hosts":["*.example.org"]}],
    "rules":[{"host":"a.example.org","http":{"paths":[{"path":"/x"},{}]}},{"host":"b.example.com"},{"host":"c.example.com","http":{"paths":[]}}]}}]"#;

fn items(path: &str) -> &'static str {
    let plural = path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    match plural {
        "nodes" => NODES,
        "namespaces" => NAMESPACES,
        "pods" => PODS,
        "services" => SERVICES,
        "endpoints" => ENDPOINTS,
        "endpointslices" => SLICES,
        "ingresses" => INGRESSES,
        "replicasets" => REPLICA_SETS,
        "jobs" => JOBS,
        other => panic!("nobody asked for {other}"),
    }
}

/// A stream that sends some events, in chunks, and stays open for a while.
fn events(lines: &[String]) -> Vec<u8> {
    let mut out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for line in lines {
        out.extend_from_slice(format!("{:x}\r\n{line}\n\r\n", line.len() + 1).as_bytes());
    }
    out
}

async fn server() -> String {
    let (address, _) = serve(|head| {
        let path = head.split(' ').nth(1).unwrap();
        assert!(head.contains("Authorization: Bearer t\r\n"));
        if path.contains("watch=1") {
            return Some(events(&[]));
        }
        let list = format!(r#"{{"kind":"List","metadata":{{"resourceVersion":"5"}},"items":{}}}"#, items(path));
        Some(ok("Content-Type: application/json\r\n", list.as_bytes()))
    })
    .await;
    format!("http://{address}")
}

fn running(config: KubernetesDiscovery) -> mpsc::UnboundedReceiver<Found> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let way: Box<dyn Discoverer> = Box::new(Kubernetes::new(config));
    tokio::spawn(way.run(Updates::new(move |found| drop(sender.send(found)))));
    receiver
}

async fn next(receiver: &mut mpsc::UnboundedReceiver<Found>) -> Vec<TargetGroup> {
    loop {
        match tokio::time::timeout(Duration::from_secs(10), receiver.recv()).await.unwrap().unwrap() {
            Found::Groups(groups) => return groups,
            // A watch that the server closed: it goes on by itself.
            Found::Failed(_) => {}
        }
    }
}

async fn found(role: KubernetesRole) -> Vec<TargetGroup> {
    next(&mut running(config(role, server().await))).await
}

fn has(labels: &Labels, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        let full = if name.starts_with("__") || *name == "instance" {
            (*name).to_owned()
        } else {
            format!("__meta_kubernetes_{name}")
        };
        assert_eq!(labels.get(&full), Some(*value), "{name} in {labels}");
    }
}

#[tokio::test]
async fn nodes_and_pods() {
    let nodes = found(KubernetesRole::Node).await;
    has(
        &nodes[0].labels,
        &[
            ("node_name", "n1"),
            ("node_provider_id", "aws:///i"),
            ("node_label_zone_io_a", "z"),
            ("node_labelpresent_zone_io_a", "true"),
            ("node_annotation_note", "x"),
            ("node_condition_ready", "true"),
            ("node_condition_diskpressure", "false"),
        ],
    );
    has(&nodes[1].targets[0], &[("__address__", "n2.example:0"), ("node_address_Hostname", "n2")]);
    has(
        &nodes[0].targets[0],
        &[
            ("__address__", "10.1.0.1:10250"),
            ("instance", "n1"),
            ("node_address_Hostname", "n1.h"),
            ("node_address_InternalIP", "10.1.0.1"),
        ],
    );
    let pods = found(KubernetesRole::Pod).await;
    let shared = [
        ("namespace", "ns"),
        ("namespace_label_team", "blue"),
        ("pod_name", "p1"),
        ("pod_ip", "10.2.0.1"),
        ("pod_ready", "true"),
        ("pod_phase", "Running"),
        ("pod_node_name", "n1"),
        ("pod_host_ip", "10.1.0.1"),
        ("pod_uid", "u1"),
        ("pod_label_app", "web"),
        ("pod_annotation_prometheus_io_scrape", "true"),
        ("pod_annotationpresent_prometheus_io_scrape", "true"),
        ("pod_controller_kind", "ReplicaSet"),
        ("pod_controller_name", "rs"),
        ("pod_deployment_name", "shop"),
        ("node_label_zone_io_a", "z"),
        ("node_annotation_note", "x"),
    ];
    has(&pods[0].labels, &shared);
    let [http, extra, init] = pods[0].targets.as_slice() else { panic!("three targets") };
    has(
        http,
        &[
            ("__address__", "10.2.0.1:8080"),
            ("pod_container_name", "c"),
            ("pod_container_image", "img:1"),
            ("pod_container_id", "docker://x"),
            ("pod_container_init", "false"),
            ("pod_container_port_name", "http"),
            ("pod_container_port_number", "8080"),
            ("pod_container_port_protocol", "TCP"),
        ],
    );
    has(extra, &[("__address__", "10.2.0.1:9000")]);
    has(init, &[("__address__", "10.2.0.1:7000"), ("pod_container_init", "true")]);
    assert!(pods[1].targets.is_empty(), "a pod without an address is no target");
    has(&pods[2].labels, &[("pod_job_name", "night-1"), ("pod_cronjob_name", "night"), ("pod_ready", "unknown")]);
    has(&pods[2].targets[0], &[("__address__", "10.2.0.3")]);
    assert!(pods[3].targets.is_empty(), "nor one on a node that is not followed");
}

#[tokio::test]
async fn services_and_ingresses() {
    let services = found(KubernetesRole::Service).await;
    has(
        &services[0].targets[0],
        &[("__address__", "out.ns.svc:443"), ("service_external_name", "x.example"), ("service_type", "ExternalName")],
    );
    has(
        &services[1].targets[0],
        &[
            ("__address__", "web.ns.svc:80"),
            ("service_cluster_ip", "10.9.0.1"),
            ("service_loadbalancer_ip", "5.6.7.8,5.6.7.9"),
            ("service_port_name", "http"),
            ("service_port_number", "80"),
            ("service_port_protocol", "TCP"),
        ],
    );
    has(&services[1].labels, &[("service_name", "web"), ("service_label_s", "v")]);
    let ingresses = found(KubernetesRole::Ingress).await;
    has(&ingresses[0].labels, &[("ingress_name", "in"), ("ingress_class_name", "nginx"), ("namespace", "ns")]);
    let shown: Vec<String> = ingresses[0]
        .targets
        .iter()
        .map(|t| {
            let get = |n: &str| t.get(&format!("__meta_kubernetes_ingress_{n}")).unwrap_or_default();
            format!("{}://{}{}", get("scheme"), get("host"), get("path"))
        })
        .collect();
    assert_eq!(shown, ["https://a.example.org/x", "https://a.example.org/", "http://b.example.com/"]);
}

#[tokio::test]
async fn endpoints_and_slices_know_their_pods() {
    let endpoints = found(KubernetesRole::Endpoints).await;
    has(
        &endpoints[0].labels,
        &[("endpoints_name", "web"), ("service_name", "web"), ("service_label_s", "v"), ("namespace", "ns")],
    );
    let [covered, waiting, other, first] = endpoints[0].targets.as_slice() else { panic!("four targets") };
    has(
        covered,
        &[
            ("__address__", "10.2.0.1:8080"),
            ("endpoint_ready", "true"),
            ("endpoint_port_name", "http"),
            ("endpoint_port_protocol", "TCP"),
            ("endpoint_node_name", "n1"),
            ("endpoint_hostname", "h"),
            ("endpoint_address_target_kind", "Pod"),
            ("endpoint_address_target_name", "p1"),
            ("pod_name", "p1"),
            ("pod_container_port_number", "8080"),
            ("pod_container_init", "false"),
            ("node_name", "n1"),
        ],
    );
    has(waiting, &[("__address__", "10.2.0.9:8080"), ("endpoint_ready", "false")]);
    has(other, &[("__address__", "10.2.0.1:9000"), ("pod_container_port_name", "extra")]);
    assert_eq!(other.get("__meta_kubernetes_node_name"), None, "as in Prometheus");
    has(first, &[("__address__", "10.2.0.1:7000"), ("pod_container_init", "true")]);
    let slices = found(KubernetesRole::EndpointSlice).await;
    has(
        &slices[0].labels,
        &[("endpointslice_name", "web-x"), ("endpointslice_address_type", "IPv4"), ("service_name", "web")],
    );
    has(
        &slices[0].targets[0],
        &[
            ("__address__", "10.2.0.1:8080"),
            ("endpointslice_port", "8080"),
            ("endpointslice_port_name", "http"),
            ("endpointslice_port_app_protocol", "h2c"),
            ("endpointslice_endpoint_conditions_ready", "true"),
            ("endpointslice_endpoint_conditions_terminating", "false"),
            ("endpointslice_endpoint_node_name", "n1"),
            ("endpointslice_endpoint_zone", "z1"),
            ("endpointslice_address_target_kind", "Pod"),
            ("pod_name", "p1"),
        ],
    );
    assert_eq!(slices[0].targets.len(), 3);
    has(&slices[1].labels, &[("endpointslice_name", "web-y"), ("service_name", "web")]);
    assert!(slices[1].targets.is_empty(), "the second family of a service has the same pods");
}

#[tokio::test]
async fn lists_come_in_pages_and_change() {
    let lists = AtomicUsize::new(0);
    let pod = |name: &str, ip: &str, version: u32| {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"ns","resourceVersion":"{version}"}},"spec":{{"containers":[{{"name":"c"}}]}},"status":{{"podIP":"{ip}"}}}}"#
        )
    };
    let (address, seen) = serve(move |head| {
        let path = head.split(' ').nth(1).unwrap();
        let list = |items: String, more: &str| {
            ok(
                "",
                format!(r#"{{"metadata":{{"resourceVersion":"5","continue":"{more}"}},"items":[{items}]}}"#).as_bytes(),
            )
        };
        Some(if path.contains("watch=1") && path.contains("resourceVersion=5") {
            events(
                &[
                    format!(r#"{{"type":"ADDED","object":{}}}"#, pod("c", "3", 6)),
                    format!(r#"{{"type":"MODIFIED","object":{}}}"#, pod("a", "11", 7)),
                    format!(r#"{{"type":"DELETED","object":{}}}"#, pod("b", "2", 8)),
                    r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#.to_owned(),
                    // Cut off: it goes on from 9.
                ]
                .into_iter()
                .chain(std::iter::once(String::new()))
                .collect::<Vec<_>>(),
            )
            .into_iter()
            .chain(*b"0\r\n\r\n")
            .collect()
        } else if path.contains("watch=1") && path.contains("resourceVersion=9") {
            [&events(&[r#"{"type":"ERROR","object":{"code":410,"message":"too old"}}"#.to_owned()])[..], b"0\r\n\r\n"]
                .concat()
        } else if path.contains("watch=1") {
            events(&[])
        } else if path.contains("continue=x%3D") {
            list(pod("b", "2", 2), "")
        } else if lists.fetch_add(1, Ordering::Relaxed) == 0 {
            list(pod("a", "1", 1), "x=")
        } else {
            ok("", format!(r#"{{"metadata":{{"resourceVersion":"77"}},"items":[{}]}}"#, pod("z", "26", 70)).as_bytes())
        })
    })
    .await;
    let mut config = config(KubernetesRole::Pod, format!("http://{address}"));
    config.attach = KubernetesAttach::default();
    config.namespaces = vec!["ns".to_owned()];
    config.selectors = vec![(KubernetesRole::Pod, "app=web".to_owned(), String::new())];
    let mut news = running(config);
    let addresses = |groups: &[TargetGroup]| -> Vec<String> {
        groups.iter().flat_map(|g| &g.targets).map(|t| t.get("__address__").unwrap().to_owned()).collect()
    };
    let mut all = Vec::new();
    for _ in 0..3 {
        let groups = next(&mut news).await;
        all.push(addresses(&groups));
        if all.last().unwrap() == &["26"] {
            break;
        }
    }
    assert_eq!(all.last().unwrap(), &["26"], "after a version that is too old everything is listed again: {all:?}");
    let requests = seen.requests.lock();
    assert!(
        requests[0].starts_with("GET /api/v1/namespaces/ns/pods?limit=500&labelSelector=app%3Dweb HTTP/1.1"),
        "{}",
        requests[0]
    );
}
