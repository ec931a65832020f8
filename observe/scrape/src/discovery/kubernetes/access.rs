//! The way into a cluster: as configured, by a kubeconfig file, or from a pod inside it. I/O: reads files.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::secret::Secret;

use crate::config::{Authorization, BasicAuth, HttpConfig, KubernetesDiscovery, Node, SecretValue, Value, read_yaml};

/// Where a pod finds its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Where the API is, and how it is reached.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Access {
    pub(super) server: String,
    pub(super) http: HttpConfig,
    /// The namespace this runs in.
    pub(super) namespace: Option<String>,
}

impl Access {
    pub(super) fn find(config: &KubernetesDiscovery) -> Result<Self, String> {
        let namespace = std::fs::read_to_string(Path::new(ACCOUNT).join("namespace")).ok();
        let namespace = namespace.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
        if let Some(server) = &config.api_server {
            return Ok(Self { server: server.clone(), http: config.http.clone(), namespace });
        }
        if let Some(path) = &config.kubeconfig {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|e| format!("kubeconfig {}: {e}", path.display()))?;
            return Self::from_kubeconfig(&text, path).map_err(|e| format!("kubeconfig {}: {e}", path.display()));
        }
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let (Some(host), Some(port)) = (variable("KUBERNETES_SERVICE_HOST"), variable("KUBERNETES_SERVICE_PORT"))
        else {
            return Err(
                "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT \
                        must be defined; name api_server or kubeconfig_file when this runs elsewhere"
                    .to_owned(),
            );
        };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let mut http = HttpConfig::default();
        http.tls.ca_file = Some(Path::new(ACCOUNT).join("ca.crt"));
        http.authorization = Some(bearer(SecretValue::File(Path::new(ACCOUNT).join("token"))));
        Ok(Self { server: format!("https://{host}:{port}"), http, namespace })
    }

    fn from_kubeconfig(text: &str, path: &Path) -> Result<Self, String> {
        let root = read_yaml(text).map_err(|e| format!("line {}: {}", e.line, e.message))?;
        let root = root.ok_or("the file is empty")?;
        let current = at(&root, &["current-context"]).and_then(Node::text).unwrap_or_default().to_owned();
        let context = named(&root, "contexts", "context", &current)?;
        let name = |key: &str| at(context, &[key]).and_then(Node::text).unwrap_or_default().to_owned();
        let cluster = named(&root, "clusters", "cluster", &name("cluster"))?;
        let user = named(&root, "users", "user", &name("user"))?;
        let dir = path.parent().map(Path::to_owned).unwrap_or_default();
        let text = |node: &Node, key: &str| at(node, &[key]).and_then(Node::text).map(str::to_owned);
        let file = |node: &Node, key: &str| -> Option<PathBuf> { text(node, key).map(|p| dir.join(p)) };
        let data = |node: &Node, key: &str| -> Result<Option<String>, String> {
            let Some(encoded) = text(node, key) else { return Ok(None) };
            let bytes = STANDARD.decode(encoded.trim()).map_err(|e| format!("{key}: {e}"))?;
            String::from_utf8(bytes).map(Some).map_err(|_| format!("{key} is no PEM"))
        };
        let mut http = HttpConfig::default();
        http.tls.ca = data(cluster, "certificate-authority-data")?;
        http.tls.ca_file = file(cluster, "certificate-authority").filter(|_| http.tls.ca.is_none());
        http.tls.insecure_skip_verify = text(cluster, "insecure-skip-tls-verify").as_deref() == Some("true");
        http.tls.server_name = text(cluster, "tls-server-name");
        http.tls.cert = data(user, "client-certificate-data")?;
        http.tls.cert_file = file(user, "client-certificate").filter(|_| http.tls.cert.is_none());
        let key = data(user, "client-key-data")?.map(|pem| SecretValue::Inline(Secret::new(pem)));
        http.tls.key = key.or_else(|| file(user, "client-key").map(SecretValue::File));
        let token = text(user, "token").map(|t| SecretValue::Inline(Secret::new(t)));
        http.authorization = token.or_else(|| file(user, "tokenFile").map(SecretValue::File)).map(bearer);
        if let Some(name) = text(user, "username") {
            let inline = |text: String| SecretValue::Inline(Secret::new(text));
            let password = text(user, "password").map(inline);
            http.basic_auth = Some(BasicAuth { username: inline(name), password });
        }
        if at(user, &["exec"]).is_some() || at(user, &["auth-provider"]).is_some() {
            return Err("users that run a command or ask a provider for a token are not supported: use a token".into());
        }
        let server = text(cluster, "server").ok_or("the cluster names no server")?;
        Ok(Self { server, http, namespace: text(context, "namespace") })
    }
}

fn bearer(credentials: SecretValue) -> Authorization {
    Authorization { kind: "Bearer".to_owned(), credentials: Some(credentials) }
}

fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| match &node.value {
        Value::Map(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v),
        _ => None,
    })
}

/// The entry of a list of named things.
fn named<'n>(root: &'n Node, list: &str, what: &str, name: &str) -> Result<&'n Node, String> {
    let Some(Value::List(all)) = at(root, &[list]).map(|n| &n.value) else {
        return Err(format!("there are no {list}"));
    };
    let found = all.iter().find(|n| at(n, &["name"]).and_then(Node::text) == Some(name));
    found.and_then(|n| at(n, &[what])).ok_or_else(|| format!("there is no {what} {name:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_file() {
        let text = "current-context: c
contexts: [{name: c, context: {cluster: k, user: u, namespace: ns}}]
clusters: [{name: k, cluster: {server: 'https://k:6443', certificate-authority: ca.crt}}]
users: [{name: u, user: {client-certificate-data: UEVN, client-key: key.pem, token: t}}]
";
        let access = Access::from_kubeconfig(text, Path::new("/home/u/.kube/config")).unwrap();
        assert_eq!((access.server.as_str(), access.namespace.as_deref()), ("https://k:6443", Some("ns")));
        assert_eq!(access.http.tls.ca_file, Some("/home/u/.kube/ca.crt".into()));
        assert_eq!(access.http.tls.cert.as_deref(), Some("PEM"));
        assert_eq!(access.http.tls.key, Some(SecretValue::File("/home/u/.kube/key.pem".into())));
        assert!(access.http.authorization.is_some());
        let exec = text.replace("token: t", "exec: {command: aws}");
        assert!(Access::from_kubeconfig(&exec, Path::new("x")).unwrap_err().contains("not supported"));
        assert!(
            Access::from_kubeconfig("current-context: c", Path::new("x"))
                .unwrap_err()
                .contains("there are no contexts")
        );
    }
}
