//! `docker_sd_configs`: the containers of a Docker daemon. I/O.
//!
//! Docker Engine API: `GET /containers/json`, `GET /networks`
//! (<https://docs.docker.com/reference/api/engine/version/v1.41/>).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use kernel::Labels;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Refresh, host_port, sanitized};
use crate::client::{HttpClient, Request};
use crate::config::{DockerDiscovery, TargetGroup};

/// Containers that share networks are followed at most so far.
const MOST_SHARED: usize = 32;

/// A daemon has so long to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One daemon.
pub(super) struct Docker {
    config: DockerDiscovery,
    client: HttpClient,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
    #[serde(default)]
    image: String,
    #[serde(rename = "ImageID", default)]
    image_id: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    host_config: HostConfig,
    #[serde(default)]
    network_settings: NetworkSettings,
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    #[serde(default)]
    network_mode: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(default)]
    networks: BTreeMap<String, Option<Endpoint>>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "NetworkID", default)]
    network_id: String,
    #[serde(rename = "IPAddress", default)]
    ip_address: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    ipv6_address: String,
}

impl Endpoint {
    /// Where it is reached: by IPv6 in a network that has nothing else.
    fn ip(&self) -> &str {
        if self.ip_address.is_empty() { &self.ipv6_address } else { &self.ip_address }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Port {
    #[serde(rename = "IP", default)]
    ip: String,
    private_port: u16,
    #[serde(default)]
    public_port: u16,
    r#type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    name: String,
    id: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    ingress: bool,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

impl Docker {
    pub(super) fn new(config: &DockerDiscovery) -> Self {
        Self { client: HttpClient::new(&config.http), config: config.clone() }
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let host = self.config.host.as_str();
        let request = match host.split_once("://") {
            Some(("unix", socket)) => {
                Request::get(&format!("http://docker{path}"), &[]).map(|r| r.over_unix(Path::new(socket)))
            }
            Some(("tcp", rest)) => Request::get(&format!("http://{rest}{path}"), &[]),
            _ => Request::get(&format!("{}{path}", host.trim_end_matches('/')), &[]),
        };
        let request = request.map_err(|e| format!("docker {host}: {e}"))?;
        let (_, body) = self.client.get(&request, TIMEOUT).await.map_err(|e| format!("docker {host}: {e}"))?;
        serde_json::from_slice(&body).map_err(|e| format!("docker {host}: the answer cannot be read: {e}"))
    }

    fn filters(&self) -> String {
        if self.config.filters.is_empty() {
            return String::new();
        }
        let mut filters = BTreeMap::<&str, BTreeMap<&str, bool>>::new();
        for (name, values) in &self.config.filters {
            filters.entry(name).or_default().extend(values.iter().map(|v| (v.as_str(), true)));
        }
        let json = serde_json::json!(filters).to_string();
        let encoded: String = url::form_urlencoded::byte_serialize(json.as_bytes()).collect();
        format!("?filters={encoded}")
    }

    fn targets(&self, containers: &[Container], networks: &[Network]) -> Vec<Labels> {
        let by_id: HashMap<&str, &Container> = containers.iter().map(|c| (c.id.as_str(), c)).collect();
        let networks: HashMap<&str, Vec<(String, String)>> =
            networks.iter().map(|n| (n.id.as_str(), network_labels(n))).collect();
        let mut out = Vec::new();
        for container in containers {
            let Some(name) = container.names.first() else { continue };
            let mut common = vec![
                ("__meta_docker_container_id".to_owned(), container.id.clone()),
                ("__meta_docker_container_name".to_owned(), name.clone()),
                ("__meta_docker_container_network_mode".to_owned(), container.host_config.network_mode.clone()),
            ];
            for (name, value) in [("image", &container.image), ("image_id", &container.image_id)] {
                if !value.is_empty() {
                    common.push((format!("__meta_docker_container_{name}"), value.clone()));
                }
            }
            for (name, value) in container.labels.iter().flatten() {
                common.push((format!("__meta_docker_container_label_{}", sanitized(name)), value.clone()));
            }
            for endpoint in self.endpoints(container, &by_id) {
                let of_network = networks.get(endpoint.network_id.as_str()).into_iter().flatten().cloned();
                let mut labels: Vec<(String, String)> = common.iter().cloned().chain(of_network).collect();
                labels.push(("__meta_docker_network_ip".to_owned(), endpoint.ip().to_owned()));
                self.ports(container, endpoint, &labels, &mut out);
            }
        }
        out
    }

    /// The networks a container is reached in: its own, or those of the container whose network it uses.
    fn endpoints<'c>(&self, container: &'c Container, by_id: &HashMap<&str, &'c Container>) -> Vec<&'c Endpoint> {
        let mut of = container;
        for _ in 0..MOST_SHARED {
            let other = of.host_config.network_mode.strip_prefix("container:").and_then(|id| by_id.get(id));
            match other {
                Some(other) if of.network_settings.networks.is_empty() => of = other,
                _ => break,
            }
        }
        let all = of.network_settings.networks.values().flatten();
        if self.config.match_first_network { all.take(1).collect() } else { all.collect() }
    }

    fn ports(&self, container: &Container, endpoint: &Endpoint, labels: &[(String, String)], out: &mut Vec<Labels>) {
        let before = out.len();
        let target = |address: String, more: &[(&str, String)]| {
            let more = more.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
            Labels::new(labels.iter().cloned().chain(more).chain([("__address__".to_owned(), address)]))
        };
        for port in container.ports.iter().filter(|p| p.r#type == "tcp") {
            let mut more = vec![("__meta_docker_port_private", port.private_port.to_string())];
            if port.public_port > 0 {
                more.push(("__meta_docker_port_public", port.public_port.to_string()));
                more.push(("__meta_docker_port_public_ip", port.ip.clone()));
            }
            out.push(target(host_port(endpoint.ip(), port.private_port), &more));
        }
        if out.len() == before {
            let address = match container.host_config.network_mode.as_str() {
                "host" => self.config.host_networking_host.clone(),
                _ => host_port(endpoint.ip(), self.config.port),
            };
            out.push(target(address, &[]));
        }
    }
}

fn network_labels(network: &Network) -> Vec<(String, String)> {
    let own = [
        ("id", network.id.clone()),
        ("name", network.name.clone()),
        ("scope", network.scope.clone()),
        ("internal", network.internal.to_string()),
        ("ingress", network.ingress.to_string()),
    ];
    let mut out: Vec<_> = own.into_iter().map(|(n, v)| (format!("__meta_docker_network_{n}"), v)).collect();
    for (name, value) in network.labels.iter().flatten() {
        out.push((format!("__meta_docker_network_label_{}", sanitized(name)), value.clone()));
    }
    out
}

impl Refresh for Docker {
    fn interval(&self) -> Duration {
        self.config.refresh
    }

    async fn refresh(&mut self) -> Result<Option<Vec<TargetGroup>>, String> {
        let containers: Vec<Container> = self.ask(&format!("/containers/json{}", self.filters())).await?;
        let networks: Vec<Network> = self.ask("/networks").await?;
        let targets = self.targets(&containers, &networks);
        Ok(Some(vec![TargetGroup { source: "Docker".to_owned(), targets, labels: Labels::default() }]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HttpConfig;

    fn config(host: &str) -> DockerDiscovery {
        DockerDiscovery {
            host: host.to_owned(),
            port: 80,
            filters: vec![("label".to_owned(), vec!["a=b".to_owned()])],
            host_networking_host: "localhost".to_owned(),
            match_first_network: true,
            refresh: Duration::from_secs(1),
            http: HttpConfig::default(),
        }
    }

    /// In the form in which a daemon of version 20.10 answers.
    const CONTAINERS: &str = r#"[
        {"Id":"c1","Image":"web:1","ImageID":"sha256:f","Names":["/web"],"Labels":{"com.x/y":"z"},"HostConfig":{"NetworkMode":"app"},
         "Ports":[{"IP":"0.0.0.0","PrivatePort":8080,"PublicPort":80,"Type":"tcp"},{"PrivatePort":53,"Type":"udp"},{"PrivatePort":9100,"Type":"tcp"}],
         "NetworkSettings":{"Networks":{"b":{"NetworkID":"n2","IPAddress":"10.0.1.2"},"a":{"NetworkID":"n1","IPAddress":"10.0.0.2"}}}},
        {"Id":"c2","Names":["/side"],"Labels":null,"HostConfig":{"NetworkMode":"container:c1"},"Ports":[],"NetworkSettings":{"Networks":{}}},
        {"Id":"c3","Names":["/host"],"HostConfig":{"NetworkMode":"host"},"Ports":[],
         "NetworkSettings":{"Networks":{"host":{"NetworkID":"n3","IPAddress":""}}}},
        {"Id":"c4","Names":[],"HostConfig":{}},
        {"Id":"c5","Names":["/six"],"HostConfig":{"NetworkMode":"v6"},
         "NetworkSettings":{"Networks":{"v6":{"NetworkID":"n6","IPAddress":"","GlobalIPv6Address":"fd00::2"}}}}]"#;
    const NETWORKS: &str =
        r#"[{"Name":"app","Id":"n1","Scope":"local","Internal":true,"Ingress":false,"Labels":{"k-1":"v"}}]"#;

    #[test]
    fn labels_of_containers_and_networks() {
        let (containers, networks) =
            (serde_json::from_str::<Vec<_>>(CONTAINERS).unwrap(), serde_json::from_str::<Vec<_>>(NETWORKS).unwrap());
        let targets = Docker::new(&config("unix:///x")).targets(&containers, &networks);
        let addresses: Vec<_> = targets.iter().map(|t| t.get("__address__").unwrap()).collect();
        assert_eq!(addresses, ["10.0.0.2:8080", "10.0.0.2:9100", "10.0.0.2:80", "localhost", "[fd00::2]:80"]);
        let whole = Labels::new([
            ("__address__", "10.0.0.2:8080"),
            ("__meta_docker_container_id", "c1"),
            ("__meta_docker_container_image", "web:1"),
            ("__meta_docker_container_image_id", "sha256:f"),
            ("__meta_docker_container_name", "/web"),
            ("__meta_docker_container_network_mode", "app"),
            ("__meta_docker_container_label_com_x_y", "z"),
            ("__meta_docker_network_id", "n1"),
            ("__meta_docker_network_name", "app"),
            ("__meta_docker_network_scope", "local"),
            ("__meta_docker_network_internal", "true"),
            ("__meta_docker_network_ingress", "false"),
            ("__meta_docker_network_label_k_1", "v"),
            ("__meta_docker_network_ip", "10.0.0.2"),
            ("__meta_docker_port_private", "8080"),
            ("__meta_docker_port_public", "80"),
            ("__meta_docker_port_public_ip", "0.0.0.0"),
        ]);
        assert_eq!(targets[0], whole);
        assert_eq!(targets[2].get("__meta_docker_container_name"), Some("/side"), "it shares the network of /web");
        let all = DockerDiscovery { match_first_network: false, ..config("unix:///x") };
        // Each of two networks has two ports of /web and one of /side; two containers have one network each.
        assert_eq!(Docker::new(&all).targets(&containers, &networks).len(), 2 * 3 + 2);
        assert_eq!(Docker::new(&all).filters(), "?filters=%7B%22label%22%3A%7B%22a%3Db%22%3Atrue%7D%7D");
    }

    /// A daemon of our own, where one can be started.
    #[tokio::test]
    async fn a_real_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let socket = path("s");
        let daemon = std::process::Command::new("/usr/sbin/dockerd")
            .args(["--data-root", &path("d"), "--exec-root", &path("e"), "-p", &path("p")])
            .args(["-H", &format!("unix://{socket}"), "--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(["--storage-driver=vfs"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn();
        let Ok(mut daemon) = daemon else {
            crate::serve::skipped("there is no dockerd");
            return;
        };
        let mut docker = Docker::new(&config(&format!("unix://{socket}")));
        let mut found = Err(String::new());
        for _ in 0..150 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            found = docker.refresh().await;
            if found.is_ok() || daemon.try_wait().unwrap().is_some() {
                break;
            }
        }
        if daemon.try_wait().unwrap().is_some() {
            crate::serve::skipped("dockerd cannot be started here");
            return;
        }
        let shell = |script: &str| {
            let script = format!("export DOCKER_HOST=unix://{socket}; {script}");
            std::process::Command::new("sh").args(["-c", &script]).output().unwrap().status.success()
        };
        let image = "tar c -C / usr/bin/busybox | docker import - t";
        let run = "docker run -d --name web --network host -l a=b -l my.label=x t /usr/bin/busybox sleep 60";
        let runs = shell(&format!("{image} && {run}"));
        let with_container = docker.refresh().await;
        shell("docker rm -f web");
        shell(&format!("kill {}", daemon.id()));
        daemon.wait().unwrap();
        assert_eq!(found.unwrap().unwrap()[0].targets, []);
        if !runs {
            crate::serve::skipped("no container can be run here");
            return;
        }
        let groups = with_container.unwrap().unwrap();
        let target = &groups[0].targets[0];
        let is = |name: &str| target.get(name).unwrap_or_default();
        assert_eq!((is("__address__"), is("__meta_docker_container_name")), ("localhost", "/web"));
        assert_eq!((is("__meta_docker_container_label_my_label"), is("__meta_docker_network_name")), ("x", "host"));
    }
}
