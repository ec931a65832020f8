//! How to reach something over HTTP: credentials, TLS, proxies, headers. Pure.

use std::path::PathBuf;

use kernel::secret::Secret;

use super::fields::Fields;
use super::{Context, Node, Value};

/// A secret as it is written, or the file that holds it and is read again each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretValue {
    /// In the configuration.
    Inline(Secret),
    /// In a file.
    File(PathBuf),
}

/// `basic_auth`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicAuth {
    /// `username`, `username_file`
    pub username: SecretValue,
    /// `password`, `password_file`; none is an empty one.
    pub password: Option<SecretValue>,
}

/// `authorization`, and the older `bearer_token`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// What stands before the credentials.
    pub kind: String,
    /// `credentials`, `credentials_file`
    pub credentials: Option<SecretValue>,
}

/// `oauth2`: the client-credentials grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    /// `client_id`
    pub client_id: String,
    /// `client_secret`, `client_secret_file`
    pub client_secret: Option<SecretValue>,
    /// `scopes`
    pub scopes: Vec<String>,
    /// `token_url`
    pub token_url: String,
    /// `endpoint_params`
    pub endpoint_params: Vec<(String, String)>,
    /// `tls_config`
    pub tls: TlsConfig,
    /// `proxy_url` and its like
    pub proxy: Proxy,
}

/// Versions of TLS that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

/// `tls_config`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// `ca`: PEM.
    pub ca: Option<String>,
    /// `ca_file`
    pub ca_file: Option<PathBuf>,
    /// `cert`: PEM.
    pub cert: Option<String>,
    /// `cert_file`
    pub cert_file: Option<PathBuf>,
    /// `key`, `key_file`
    pub key: Option<SecretValue>,
    /// `server_name`
    pub server_name: Option<String>,
    /// `insecure_skip_verify`
    pub insecure_skip_verify: bool,
    /// `min_version`
    pub min_version: Option<TlsVersion>,
    /// `max_version`
    pub max_version: Option<TlsVersion>,
}

/// `proxy_url`, `no_proxy`, `proxy_from_environment`, `proxy_connect_header`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `proxy_url`
    pub url: Option<String>,
    /// `no_proxy`: hosts that are reached directly.
    pub except: Vec<String>,
    /// `proxy_from_environment`
    pub from_environment: bool,
    /// `proxy_connect_header`
    pub connect_headers: Vec<(String, Vec<Secret>)>,
}

/// A header of `http_headers` and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its values: plain, secret, or in files.
    pub values: Vec<SecretValue>,
}

/// How to reach something over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// `basic_auth`
    pub basic_auth: Option<BasicAuth>,
    /// `authorization`
    pub authorization: Option<Authorization>,
    /// `oauth2`
    pub oauth2: Option<OAuth2>,
    /// `tls_config`
    pub tls: TlsConfig,
    /// `proxy_url` and its like
    pub proxy: Proxy,
    /// `follow_redirects`
    pub follow_redirects: bool,
    /// Redirects lead only to the host that was asked: whoever runs a target must not send Farero to other hosts of its network. The
    /// file has no key for it.
    pub same_host: bool,
    /// `enable_http2`
    pub enable_http2: bool,
    /// `http_headers`
    pub headers: Vec<Header>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            basic_auth: None,
            authorization: None,
            oauth2: None,
            tls: TlsConfig::default(),
            proxy: Proxy::default(),
            follow_redirects: true,
            same_host: false,
            enable_http2: true,
            headers: Vec::new(),
        }
    }
}

/// A secret, its file, or both: then it is an error.
fn secret(ctx: &mut Context, fields: &mut Fields<'_>, key: &str, section: &str) -> Option<SecretValue> {
    let (file_key, reference) = (format!("{key}_file"), format!("{key}_ref"));
    let inline = fields.secret(ctx, key);
    let file = fields.path(ctx, &file_key);
    if fields.has(&reference) {
        fields.get(&reference);
        let text = format!("{reference} needs a secret manager, which there is none of here: use {file_key}");
        ctx.error(fields.place(&reference), text);
    }
    match (inline, file) {
        (Some(_), Some(_)) => {
            let text = format!("at most one of {section} {key} & {file_key} must be configured");
            ctx.error(fields.place(key), text);
            None
        }
        (Some(inline), None) => Some(SecretValue::Inline(inline)),
        (None, file) => file.map(SecretValue::File),
    }
}

/// The keys that many sections have.
pub(super) fn http(ctx: &mut Context, fields: &mut Fields<'_>) -> HttpConfig {
    let mut out = HttpConfig {
        basic_auth: fields.get("basic_auth").map(|node| basic_auth(ctx, node)),
        authorization: fields.get("authorization").map(|node| authorization(ctx, node)),
        oauth2: fields.get("oauth2").and_then(|node| oauth2(ctx, node)),
        tls: fields.get("tls_config").map(|node| tls(ctx, node)).unwrap_or_default(),
        proxy: proxy(ctx, fields),
        follow_redirects: fields.bool(ctx, "follow_redirects").unwrap_or(true),
        same_host: false,
        enable_http2: fields.bool(ctx, "enable_http2").unwrap_or(true),
        headers: fields.get("http_headers").map(|node| headers(ctx, node)).unwrap_or_default(),
    };
    let bearer = fields.secret(ctx, "bearer_token").map(SecretValue::Inline);
    let file = fields.path(ctx, "bearer_token_file").map(SecretValue::File);
    if bearer.is_some() && file.is_some() {
        let text = "at most one of bearer_token & bearer_token_file must be configured";
        ctx.error(fields.place("bearer_token"), text);
    }
    let token = bearer.or(file);
    let ways = [out.basic_auth.is_some(), out.oauth2.is_some(), out.authorization.is_some(), token.is_some()];
    if ways.iter().filter(|used| **used).count() > 1 {
        let text =
            "at most one of basic_auth, oauth2, authorization, bearer_token & bearer_token_file must be configured";
        ctx.error(fields.node, text);
    }
    if let Some(token) = token {
        out.authorization = Some(Authorization { kind: "Bearer".to_owned(), credentials: Some(token) });
    }
    out
}

fn basic_auth(ctx: &mut Context, node: &Node) -> BasicAuth {
    let mut fields = Fields::open(ctx, node, "config.BasicAuth");
    let username = secret(ctx, &mut fields, "username", "basic_auth");
    let password = secret(ctx, &mut fields, "password", "basic_auth");
    fields.finish(ctx);
    BasicAuth { username: username.unwrap_or(SecretValue::Inline(Secret::default())), password }
}

fn authorization(ctx: &mut Context, node: &Node) -> Authorization {
    let mut fields = Fields::open(ctx, node, "config.Authorization");
    let kind = fields.string(ctx, "type").map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    let kind = kind.unwrap_or_else(|| "Bearer".to_owned());
    if kind.eq_ignore_ascii_case("basic") {
        ctx.error(node, r#"authorization type cannot be set to "basic", use "basic_auth" instead"#);
    }
    let credentials = secret(ctx, &mut fields, "credentials", "authorization");
    fields.finish(ctx);
    Authorization { kind, credentials }
}

fn oauth2(ctx: &mut Context, node: &Node) -> Option<OAuth2> {
    let mut fields = Fields::open(ctx, node, "config.OAuth2");
    let out = OAuth2 {
        client_id: fields.string(ctx, "client_id").unwrap_or_default(),
        client_secret: secret(ctx, &mut fields, "client_secret", "oauth2"),
        scopes: fields.strings(ctx, "scopes"),
        token_url: fields.string(ctx, "token_url").unwrap_or_default(),
        endpoint_params: fields.texts(ctx, "endpoint_params"),
        tls: fields.get("tls_config").map(|node| tls(ctx, node)).unwrap_or_default(),
        proxy: proxy(ctx, &mut fields),
    };
    fields.finish(ctx);
    for (name, value) in [("client_id", &out.client_id), ("token_url", &out.token_url)] {
        if value.is_empty() {
            ctx.error(node, format!("oauth2 {name} must be configured"));
            return None;
        }
    }
    Some(out)
}

pub(super) fn tls(ctx: &mut Context, node: &Node) -> TlsConfig {
    let mut fields = Fields::open(ctx, node, "config.TLSConfig");
    let version = |ctx: &mut Context, fields: &mut Fields<'_>, key: &str| {
        let text = fields.string(ctx, key)?;
        match text.as_str() {
            "TLS12" => Some(TlsVersion::Tls12),
            "TLS13" => Some(TlsVersion::Tls13),
            "TLS10" | "TLS11" => {
                ctx.note(fields.place(key), format!("{text} is not spoken here: TLS12 is the oldest version used"));
                Some(TlsVersion::Tls12)
            }
            _ => {
                ctx.error(fields.place(key), format!("unknown TLS version: {text}"));
                None
            }
        }
    };
    let out = TlsConfig {
        ca: fields.string(ctx, "ca").filter(|s| !s.is_empty()),
        ca_file: fields.path(ctx, "ca_file"),
        cert: fields.string(ctx, "cert").filter(|s| !s.is_empty()),
        cert_file: fields.path(ctx, "cert_file"),
        key: secret(ctx, &mut fields, "key", "tls_config"),
        server_name: fields.string(ctx, "server_name").filter(|s| !s.is_empty()),
        insecure_skip_verify: fields.bool(ctx, "insecure_skip_verify").unwrap_or(false),
        min_version: version(ctx, &mut fields, "min_version"),
        max_version: version(ctx, &mut fields, "max_version"),
    };
    for (inline, file, name) in [(&out.ca, &out.ca_file, "ca"), (&out.cert, &out.cert_file, "cert")] {
        if inline.is_some() && file.is_some() {
            ctx.error(node, format!("at most one of {name} and {name}_file must be configured"));
        }
    }
    let has_cert = out.cert.is_some() || out.cert_file.is_some();
    if has_cert != out.key.is_some() {
        let (there, missing) = if has_cert { ("cert", "key") } else { ("key", "cert") };
        let text = format!("exactly one of {missing} or {missing}_file must be configured when a client {there} is");
        ctx.error(node, text);
    }
    fields.finish(ctx);
    out
}

fn proxy(ctx: &mut Context, fields: &mut Fields<'_>) -> Proxy {
    let mut out = Proxy {
        url: fields.string(ctx, "proxy_url").filter(|s| !s.is_empty()),
        from_environment: fields.bool(ctx, "proxy_from_environment").unwrap_or(false),
        ..Proxy::default()
    };
    let except = fields.string(ctx, "no_proxy").unwrap_or_default();
    out.except = except.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect();
    if let Some(Value::Map(headers)) = fields.get("proxy_connect_header").map(|node| &node.value) {
        for (name, values) in headers {
            let Value::List(values) = &values.value else {
                ctx.error(values, "proxy_connect_header must name lists of values");
                continue;
            };
            let values = values.iter().filter_map(Node::text).map(|v| Secret::new(v.to_owned())).collect();
            out.connect_headers.push((name.text().unwrap_or_default().to_owned(), values));
        }
    }
    if out.from_environment && (out.url.is_some() || !out.except.is_empty()) {
        let text = "if proxy_from_environment is configured, proxy_url and no_proxy must not be configured";
        ctx.error(fields.place("proxy_from_environment"), text);
    } else if out.url.is_none() && !out.except.is_empty() {
        ctx.error(fields.place("no_proxy"), "if no_proxy is configured, proxy_url must also be configured");
    } else if !out.connect_headers.is_empty() && out.url.is_none() && !out.from_environment {
        let text = "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured";
        ctx.error(fields.place("proxy_connect_header"), text);
    }
    if let Some(url) = &out.url
        && !url.starts_with("http://")
    {
        ctx.error(fields.place("proxy_url"), "only proxies that are reached by http:// are spoken to");
    }
    out
}

/// Headers that scraping sets itself.
const RESERVED: [&str; 10] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "accept-encoding",
    "x-prometheus-scrape-timeout-seconds",
];

fn headers(ctx: &mut Context, node: &Node) -> Vec<Header> {
    let Value::Map(entries) = &node.value else {
        ctx.error(node, "http_headers must be a section");
        return Vec::new();
    };
    let mut out = Vec::new();
    for (key, node) in entries {
        let name = key.text().unwrap_or_default();
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            ctx.error(key, format!("setting header {name:?} is not allowed"));
        }
        let mut fields = Fields::open(ctx, node, "config.Header");
        let mut values = Vec::new();
        for key in ["values", "secrets"] {
            values.extend(fields.strings(ctx, key).into_iter().map(|v| SecretValue::Inline(Secret::new(v))));
        }
        for file in fields.strings(ctx, "files") {
            values.push(SecretValue::File(ctx.path(&file)));
        }
        fields.finish(ctx);
        out.push(Header { name: name.to_owned(), values });
    }
    out
}
