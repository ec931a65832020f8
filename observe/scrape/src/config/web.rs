//! Prometheus's file for its own address (`--web.config.file`): TLS, users, headers. Pure but for [`WebFile::load`], which reads it.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/https/>

use std::path::{Path, PathBuf};

use kernel::secret::Secret;

use super::fields::Fields;
use super::{ConfigError, Context, Node, TlsVersion, read_yaml};

/// PEM as it is written, or the file that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pem {
    /// In the configuration.
    Inline(Secret),
    /// In a file.
    File(PathBuf),
}

/// Whether clients have to show a certificate (`client_auth_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// `NoClientCert`: nobody is asked.
    #[default]
    None,
    /// `VerifyClientCertIfGiven`: who shows one shows a good one.
    IfGiven,
    /// `RequireAndVerifyClientCert`: nobody comes in without.
    Required,
}

/// `tls_server_config`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// `cert_file`, `cert`
    pub certificate: Pem,
    /// `key_file`, `key`
    pub key: Pem,
    /// `client_auth_type`
    pub clients: ClientCertificates,
    /// `client_ca_file`, `client_ca`
    pub client_ca: Option<Pem>,
    /// `min_version`
    pub min_version: TlsVersion,
    /// `max_version`
    pub max_version: TlsVersion,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebFile {
    /// `tls_server_config`; plain HTTP without.
    pub tls: Option<ServerTls>,
    /// `basic_auth_users`: names, and hashes by bcrypt. Without one nobody is asked.
    pub users: Vec<(String, Secret)>,
    /// `http_server_config.headers`
    pub headers: Vec<(String, String)>,
    /// What is known but not done.
    pub notes: Vec<String>,
}

impl WebFile {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read; everything that is wrong in it.
    pub fn load(path: &Path) -> Result<Self, Vec<ConfigError>> {
        let name = path.display().to_string();
        let fail = |message: String| vec![ConfigError { file: name.clone(), line: 1, column: 1, message }];
        let text = std::fs::read_to_string(path).map_err(|e| fail(format!("the file cannot be read: {e}")))?;
        Self::parse(&name, &text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads it from a text; relative paths are below `dir`.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(file: &str, text: &str, dir: &Path) -> Result<Self, Vec<ConfigError>> {
        let mut ctx = Context::new(file, dir.to_owned());
        let root = read_yaml(text).map_err(|e| {
            vec![ConfigError { file: file.to_owned(), line: e.line, column: e.column, message: e.message }]
        })?;
        let mut out = root.as_ref().map(|root| whole(&mut ctx, root)).unwrap_or_default();
        out.notes = ctx.notes.iter().map(ToString::to_string).collect();
        ctx.errors.sort_by_key(|e| (e.line, e.column));
        if ctx.errors.is_empty() { Ok(out) } else { Err(ctx.errors) }
    }
}

fn whole(ctx: &mut Context, root: &Node) -> WebFile {
    let mut out = WebFile::default();
    let mut fields = Fields::open(ctx, root, "web.Config");
    out.tls = fields.get("tls_server_config").and_then(|node| tls(ctx, node));
    for (name, hash) in fields.texts(ctx, "basic_auth_users") {
        out.users.push((name, Secret::new(hash)));
    }
    if let Some(node) = fields.get("http_server_config") {
        let mut http = Fields::open(ctx, node, "web.HTTPConfig");
        if http.bool(ctx, "http2") == Some(false) {
            ctx.note(http.place("http2"), "HTTP/2 is answered to who speaks it: http2 has no effect");
        }
        out.headers = http.texts(ctx, "headers");
        http.finish(ctx);
    }
    if fields.get("rate_limit").is_some() {
        ctx.note(
            fields.place("rate_limit"),
            "requests are limited by how many go on at once: rate_limit has no effect",
        );
    }
    fields.finish(ctx);
    out
}

fn pem(ctx: &mut Context, fields: &mut Fields<'_>, inline: &str, file: &str) -> Option<Pem> {
    let written = fields.secret(ctx, inline).filter(|s| !s.expose().is_empty());
    let path = fields.path(ctx, file).filter(|p| !p.as_os_str().is_empty());
    match (written, path) {
        (Some(_), Some(_)) => {
            ctx.error(fields.place(file), format!("at most one of {inline} & {file} must be configured"));
            None
        }
        (Some(text), None) => Some(Pem::Inline(text)),
        (None, Some(path)) => Some(Pem::File(path)),
        (None, None) => None,
    }
}

fn version(ctx: &mut Context, fields: &mut Fields<'_>, key: &str) -> Option<TlsVersion> {
    match fields.string(ctx, key)?.as_str() {
        "TLS12" => Some(TlsVersion::Tls12),
        "TLS13" => Some(TlsVersion::Tls13),
        other => {
            ctx.error(fields.place(key), format!("unknown TLS version {other:?}: TLS12 and TLS13 are known"));
            None
        }
    }
}

fn tls(ctx: &mut Context, node: &Node) -> Option<ServerTls> {
    let mut fields = Fields::open(ctx, node, "web.TLSConfig");
    let certificate = pem(ctx, &mut fields, "cert", "cert_file");
    let key = pem(ctx, &mut fields, "key", "key_file");
    let client_ca = pem(ctx, &mut fields, "client_ca", "client_ca_file");
    let clients = match fields.string(ctx, "client_auth_type").as_deref() {
        None | Some("" | "NoClientCert") => ClientCertificates::None,
        Some("VerifyClientCertIfGiven") => ClientCertificates::IfGiven,
        Some("RequireAndVerifyClientCert") => ClientCertificates::Required,
        Some(other @ ("RequestClientCert" | "RequireClientCert" | "RequireAnyClientCert")) => {
            let text = format!("{other} lets in whoever shows any certificate: use RequireAndVerifyClientCert");
            ctx.error(fields.place("client_auth_type"), text);
            ClientCertificates::Required
        }
        Some(other) => {
            ctx.error(fields.place("client_auth_type"), format!("invalid ClientAuth: {other}"));
            ClientCertificates::None
        }
    };
    match (clients, &client_ca) {
        (ClientCertificates::None, Some(_)) => {
            ctx.error(node, "Client CA's have been configured without a Client Auth Policy");
        }
        (ClientCertificates::IfGiven | ClientCertificates::Required, None) => {
            ctx.error(node, "a client_auth_type that verifies needs client_ca_file");
        }
        _ => {}
    }
    if fields.get("client_allowed_sans").is_some() {
        ctx.error(fields.place("client_allowed_sans"), "names of clients are not compared here: leave it out");
    }
    for key in ["cipher_suites", "prefer_server_cipher_suites", "curve_preferences"] {
        if fields.get(key).is_some() {
            ctx.note(fields.place(key), format!("only modern suites and curves are spoken: {key} has no effect"));
        }
    }
    let min_version = version(ctx, &mut fields, "min_version").unwrap_or(TlsVersion::Tls12);
    let max_version = version(ctx, &mut fields, "max_version").unwrap_or(TlsVersion::Tls13);
    if (min_version, max_version) == (TlsVersion::Tls13, TlsVersion::Tls12) {
        ctx.error(node, "min_version is above max_version");
    }
    fields.finish(ctx);
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(ServerTls { certificate, key, clients, client_ca, min_version, max_version })
        }
        (None, None) if node.is_null() => None,
        _ => {
            ctx.error(node, "missing one of cert or cert_file, or one of key or key_file");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        let read = WebFile::parse("web.yml", text, Path::new("/etc"));
        read.map_or_else(|all| all.iter().map(|e| format!("{e}\n")).collect(), |file| format!("{file:?}"))
    }

    #[test]
    fn the_file_is_read_as_prometheus_reads_it() {
        let text = "tls_server_config:\n  cert_file: a.pem\n  key_file: /k.pem\n  client_auth_type: RequireAndVerifyClientCert\n  \
                    client_ca_file: ca.pem\n  min_version: TLS13\nhttp_server_config:\n  http2: false\n  headers:\n    \
                    X-Frame-Options: deny\nbasic_auth_users:\n  alice: $2y$10$abc\n";
        let file = WebFile::parse("web.yml", text, Path::new("/etc")).unwrap();
        let tls = file.tls.unwrap();
        assert_eq!(tls.certificate, Pem::File("/etc/a.pem".into()));
        assert_eq!((tls.key, tls.clients), (Pem::File("/k.pem".into()), ClientCertificates::Required));
        assert_eq!((tls.min_version, tls.max_version), (TlsVersion::Tls13, TlsVersion::Tls13));
        assert_eq!(file.headers, [("X-Frame-Options".to_owned(), "deny".to_owned())]);
        assert_eq!(file.users, [("alice".to_owned(), Secret::new("$2y$10$abc".to_owned()))]);
        assert_eq!(file.notes.len(), 1);
        assert_eq!(WebFile::parse("web.yml", "", Path::new("")), Ok(WebFile::default()));
        assert!(
            errors("tls_server_config: {cert_file: a}").contains("missing one of"),
            "{}",
            errors("tls_server_config: {cert_file: a}")
        );
        assert!(errors("nonsense: 1").contains("field nonsense not found"));
        let open = "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAnyClientCert}";
        assert!(errors(open).contains("use RequireAndVerifyClientCert"));
    }
}
