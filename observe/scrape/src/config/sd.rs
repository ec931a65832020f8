//! Where targets come from: `static_configs` and the `…_sd_configs`. Pure.

use std::path::PathBuf;
use std::time::Duration;

use kernel::Labels;

use super::fields::Fields;
use super::http::http;
use super::{Context, HttpConfig, Node};

/// Targets that share labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetGroup {
    /// Where it comes from: unique within one discovery.
    pub source: String,
    /// The labels of each target, `__address__` among them.
    pub targets: Vec<Labels>,
    /// What all of them have, unless they say otherwise.
    pub labels: Labels,
}

/// `file_sd_configs`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiscovery {
    /// Patterns of files, `.json`, `.yml` or `.yaml`.
    pub files: Vec<PathBuf>,
    /// How often they are read anyway.
    pub refresh: Duration,
}

/// `http_sd_configs`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpDiscovery {
    /// Where the list is.
    pub url: String,
    /// How often it is asked for.
    pub refresh: Duration,
    /// How it is reached.
    pub http: HttpConfig,
}

/// Records that `dns_sd_configs` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DnsRecord {
    A,
    Aaaa,
    Srv,
    Mx,
    Ns,
}

/// `dns_sd_configs`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsDiscovery {
    /// Names.
    pub names: Vec<String>,
    /// `type`
    pub record: DnsRecord,
    /// `port`, which SRV records do not need.
    pub port: u16,
    /// How often they are asked for.
    pub refresh: Duration,
}

/// `docker_sd_configs`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerDiscovery {
    /// `unix://…`, `tcp://…` or `http://…`
    pub host: String,
    /// Port of containers that publish none.
    pub port: u16,
    /// `filters`
    pub filters: Vec<(String, Vec<String>)>,
    /// `host_networking_host`
    pub host_networking_host: String,
    /// `match_first_network`
    pub match_first_network: bool,
    /// How often it is asked.
    pub refresh: Duration,
    /// How it is reached.
    pub http: HttpConfig,
}

/// What `kubernetes_sd_configs` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum KubernetesRole {
    Node,
    Pod,
    Service,
    Endpoints,
    EndpointSlice,
    Ingress,
}

impl KubernetesRole {
    const ALL: [(&'static str, Self); 6] = [
        ("node", Self::Node),
        ("pod", Self::Pod),
        ("service", Self::Service),
        ("endpoints", Self::Endpoints),
        ("endpointslice", Self::EndpointSlice),
        ("ingress", Self::Ingress),
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, r)| *r == self).map_or("pod", |(name, _)| name)
    }
}

/// What targets are told of beside the objects that they are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KubernetesAttach {
    /// `node`: the name, labels and annotations of the node.
    pub node: bool,
    /// `namespace`: the labels and annotations of the namespace.
    pub namespace: bool,
    /// `deployment`: the name of the deployment behind a pod's set of replicas.
    pub deployment: bool,
    /// `job`: the name of the job that a pod belongs to.
    pub job: bool,
    /// `cronjob`: the name of what starts that job.
    pub cronjob: bool,
}

/// `kubernetes_sd_configs`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesDiscovery {
    /// `api_server`; none is the one of the cluster this runs in.
    pub api_server: Option<String>,
    /// `role`
    pub role: KubernetesRole,
    /// `kubeconfig_file`
    pub kubeconfig: Option<PathBuf>,
    /// `namespaces.names`
    pub namespaces: Vec<String>,
    /// `namespaces.own_namespace`
    pub own_namespace: bool,
    /// `selectors`: role, label and field selector.
    pub selectors: Vec<(KubernetesRole, String, String)>,
    /// `attach_metadata`
    pub attach: KubernetesAttach,
    /// How it is reached.
    pub http: HttpConfig,
}

/// One way to find targets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Discovery {
    Static(Vec<TargetGroup>),
    File(FileDiscovery),
    Http(Box<HttpDiscovery>),
    Dns(DnsDiscovery),
    Docker(Box<DockerDiscovery>),
    Kubernetes(Box<KubernetesDiscovery>),
}

/// Ways that Prometheus has and this does not.
const NOT_DONE: [&str; 28] = [
    "aws_sd_configs",
    "azure_sd_configs",
    "consul_sd_configs",
    "digitalocean_sd_configs",
    "dockerswarm_sd_configs",
    "ec2_sd_configs",
    "ecs_sd_configs",
    "eureka_sd_configs",
    "gce_sd_configs",
    "hetzner_sd_configs",
    "ionos_sd_configs",
    "kuma_sd_configs",
    "lightsail_sd_configs",
    "linode_sd_configs",
    "marathon_sd_configs",
    "msk_sd_configs",
    "nerve_sd_configs",
    "nomad_sd_configs",
    "openstack_sd_configs",
    "outscale_sd_configs",
    "ovhcloud_sd_configs",
    "puppetdb_sd_configs",
    "scaleway_sd_configs",
    "serverset_sd_configs",
    "stackit_sd_configs",
    "triton_sd_configs",
    "uyuni_sd_configs",
    "vultr_sd_configs",
];

/// Reads all ways that a section names.
pub(super) fn discoveries(ctx: &mut Context, fields: &mut Fields<'_>) -> Vec<Discovery> {
    let mut out = Vec::new();
    let mut groups = Vec::new();
    for (number, node) in fields.list(ctx, "static_configs").iter().enumerate() {
        groups.push(static_group(ctx, node, number.to_string()));
    }
    if !groups.is_empty() {
        out.push(Discovery::Static(groups));
    }
    for node in fields.list(ctx, "file_sd_configs") {
        out.extend(file(ctx, node).map(Discovery::File));
    }
    for node in fields.list(ctx, "http_sd_configs") {
        out.extend(http_sd(ctx, node).map(|d| Discovery::Http(Box::new(d))));
    }
    for node in fields.list(ctx, "dns_sd_configs") {
        out.extend(dns(ctx, node).map(Discovery::Dns));
    }
    for node in fields.list(ctx, "docker_sd_configs") {
        out.extend(docker(ctx, node).map(|d| Discovery::Docker(Box::new(d))));
    }
    for node in fields.list(ctx, "kubernetes_sd_configs") {
        out.extend(kubernetes(ctx, node).map(|d| Discovery::Kubernetes(Box::new(d))));
    }
    for key in NOT_DONE {
        if fields.get(key).is_some() {
            let text = format!(
                "{key} is not supported: its targets are not scraped; file_sd_configs or http_sd_configs can stand in"
            );
            ctx.note(fields.place(key), text);
        }
    }
    out
}

/// Targets are hosts and ports: an URL is a mistake that is often made.
pub(super) fn reject_urls(ctx: &mut Context, fields: &Fields<'_>, all: &[Discovery]) {
    for discovery in all {
        let Discovery::Static(groups) = discovery else { continue };
        for address in groups.iter().flat_map(|g| &g.targets).filter_map(|t| t.get("__address__")) {
            if address.contains('/') {
                ctx.error(fields.place("static_configs"), format!("{address:?} is not a valid hostname"));
            }
        }
    }
}

pub(crate) fn static_group(ctx: &mut Context, node: &Node, source: String) -> TargetGroup {
    let mut fields = Fields::open(ctx, node, "struct { Targets []string; Labels model.LabelSet }");
    let targets = fields.strings(ctx, "targets");
    let labels = fields.texts(ctx, "labels");
    for (name, _) in labels.iter().filter(|(name, _)| !ctx.scheme.allows_label(name)) {
        let text = format!("{name:?} is not a valid label name");
        ctx.errors.push(super::ConfigError {
            file: ctx.file.clone(),
            line: fields.place("labels").line,
            column: fields.place("labels").column,
            message: text,
        });
    }
    fields.finish(ctx);
    TargetGroup {
        source,
        targets: targets.into_iter().map(|t| Labels::new([("__address__", t)])).collect(),
        labels: Labels::new(labels),
    }
}

fn file(ctx: &mut Context, node: &Node) -> Option<FileDiscovery> {
    let mut fields = Fields::open(ctx, node, "file.SDConfig");
    let files = fields.strings(ctx, "files");
    if files.is_empty() {
        ctx.error(node, "file service discovery config must contain at least one path name");
    }
    for name in &files {
        let stem = name.strip_suffix(".json").or(name.strip_suffix(".yml")).or(name.strip_suffix(".yaml"));
        if !stem.is_some_and(|s| !s.is_empty() && s.find('*').is_none_or(|at| !s[at..].contains('/'))) {
            ctx.error(node, format!("path name {name:?} is not valid for file discovery"));
        }
    }
    let refresh = fields.duration(ctx, "refresh_interval").unwrap_or(Duration::from_secs(300));
    fields.finish(ctx);
    Some(FileDiscovery { files: files.iter().map(|f| ctx.path(f)).collect(), refresh })
}

fn http_sd(ctx: &mut Context, node: &Node) -> Option<HttpDiscovery> {
    let mut fields = Fields::open(ctx, node, "http.SDConfig");
    let url = fields.string(ctx, "url").unwrap_or_default();
    match url::Url::parse(&url) {
        _ if url.is_empty() => ctx.error(node, "URL is missing"),
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {}
        Ok(_) => ctx.error(fields.place("url"), "URL scheme must be 'http' or 'https'"),
        Err(e) => ctx.error(fields.place("url"), format!("the URL cannot be used: {e}")),
    }
    let refresh = fields.duration(ctx, "refresh_interval").unwrap_or(Duration::from_secs(60));
    let http = http(ctx, &mut fields);
    fields.finish(ctx);
    Some(HttpDiscovery { url, refresh, http })
}

fn dns(ctx: &mut Context, node: &Node) -> Option<DnsDiscovery> {
    let mut fields = Fields::open(ctx, node, "dns.SDConfig");
    let names = fields.strings(ctx, "names");
    if names.is_empty() {
        ctx.error(node, "DNS-SD config must contain at least one SRV record name");
    }
    let kind = fields.string(ctx, "type").unwrap_or_else(|| "SRV".to_owned());
    let record = match kind.to_uppercase().as_str() {
        "SRV" => DnsRecord::Srv,
        "A" => DnsRecord::A,
        "AAAA" => DnsRecord::Aaaa,
        "MX" => DnsRecord::Mx,
        "NS" => DnsRecord::Ns,
        _ => {
            ctx.error(fields.place("type"), format!("invalid DNS-SD records type {kind}"));
            DnsRecord::Srv
        }
    };
    let port = port(ctx, &mut fields, 0);
    if port == 0 && record != DnsRecord::Srv {
        ctx.error(node, "a port is required in DNS-SD configs for all record types except SRV");
    }
    let refresh = fields.duration(ctx, "refresh_interval").unwrap_or(Duration::from_secs(30));
    fields.finish(ctx);
    Some(DnsDiscovery { names, record, port, refresh })
}

fn port(ctx: &mut Context, fields: &mut Fields<'_>, usual: u16) -> u16 {
    let Some(port) = fields.uint(ctx, "port") else { return usual };
    u16::try_from(port).unwrap_or_else(|_| {
        ctx.error(fields.place("port"), format!("{port} is no port"));
        usual
    })
}

fn docker(ctx: &mut Context, node: &Node) -> Option<DockerDiscovery> {
    let mut fields = Fields::open(ctx, node, "moby.DockerSDConfig");
    let host = fields.string(ctx, "host").unwrap_or_default();
    if host.is_empty() {
        ctx.error(node, "host missing");
    } else if !host.contains("://") {
        ctx.error(fields.place("host"), format!("unable to parse docker host `{host}`"));
    }
    let mut filters = Vec::new();
    for node in fields.list(ctx, "filters") {
        let mut filter = Fields::open(ctx, node, "moby.Filter");
        let name = filter.string(ctx, "name").unwrap_or_default();
        filters.push((name, filter.strings(ctx, "values")));
        filter.finish(ctx);
    }
    let out = DockerDiscovery {
        host,
        port: port(ctx, &mut fields, 80),
        filters,
        host_networking_host: fields.string(ctx, "host_networking_host").unwrap_or_else(|| "localhost".to_owned()),
        match_first_network: fields.bool(ctx, "match_first_network").unwrap_or(true),
        refresh: fields.duration(ctx, "refresh_interval").unwrap_or(Duration::from_secs(60)),
        http: http(ctx, &mut fields),
    };
    fields.finish(ctx);
    Some(out)
}

fn role(ctx: &mut Context, fields: &mut Fields<'_>) -> Option<KubernetesRole> {
    let Some(text) = fields.string(ctx, "role") else {
        ctx.error(fields.node, "role missing (one of: pod, service, endpoints, endpointslice, node, ingress)");
        return None;
    };
    let found = KubernetesRole::ALL.into_iter().find(|(name, _)| *name == text.to_lowercase()).map(|(_, role)| role);
    if found.is_none() {
        ctx.error(fields.place("role"), format!("unknown Kubernetes SD role {text:?}"));
    }
    found
}

fn kubernetes(ctx: &mut Context, node: &Node) -> Option<KubernetesDiscovery> {
    let mut fields = Fields::open(ctx, node, "kubernetes.SDConfig");
    let main = role(ctx, &mut fields);
    let mut out = KubernetesDiscovery {
        api_server: fields.string(ctx, "api_server").filter(|s| !s.is_empty()),
        role: main.unwrap_or(KubernetesRole::Pod),
        kubeconfig: fields.path(ctx, "kubeconfig_file"),
        namespaces: Vec::new(),
        own_namespace: false,
        selectors: Vec::new(),
        attach: KubernetesAttach::default(),
        http: http(ctx, &mut fields),
    };
    if let Some(node) = fields.get("namespaces") {
        let mut section = Fields::open(ctx, node, "kubernetes.NamespaceDiscovery");
        out.own_namespace = section.bool(ctx, "own_namespace").unwrap_or(false);
        out.namespaces = section.strings(ctx, "names");
        section.finish(ctx);
    }
    if let Some(node) = fields.get("attach_metadata") {
        let mut section = Fields::open(ctx, node, "kubernetes.AttachMetadataConfig");
        let mut read = |name| section.bool(ctx, name).unwrap_or(false);
        out.attach = KubernetesAttach {
            node: read("node"),
            namespace: read("namespace"),
            deployment: read("deployment"),
            job: read("job"),
            cronjob: read("cronjob"),
        };
        section.finish(ctx);
    }
    for node in fields.list(ctx, "selectors") {
        let mut section = Fields::open(ctx, node, "kubernetes.SelectorConfig");
        let role = role(ctx, &mut section);
        let label = section.string(ctx, "label").unwrap_or_default();
        let field = section.string(ctx, "field").unwrap_or_default();
        section.finish(ctx);
        out.selectors.extend(role.map(|role| (role, label, field)));
    }
    if out.api_server.is_some() && out.kubeconfig.is_some() {
        ctx.error(node, "cannot use 'kubeconfig_file' and 'api_server' simultaneously");
    }
    if out.api_server.is_none() && out.kubeconfig.is_none() && out.http != HttpConfig::default() {
        ctx.error(node, "to use custom HTTP client configuration please provide the 'api_server' URL explicitly");
    }
    fields.finish(ctx);
    Some(out)
}
