//! Checks that speak a network protocol. Pure.

use indexmap::IndexMap;
use kernel::Duration;
use kernel::secret::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! from_text {
    ($($name:ident . $field:ident),* $(,)?) => {
        $(impl From<Text> for $name {
            fn from($field: Text) -> Self {
                Self { $field, ..Self::default() }
            }
        })*
    };
}
pub(crate) use from_text;

from_text!(
    HttpCheck.url,
    TcpCheck.address,
    TlsCheck.address,
    DnsCheck.name,
    IcmpCheck.host,
    SmtpCheck.address,
    SshCheck.address,
    GrpcCheck.address,
    WebsocketCheck.url,
    NtpCheck.server
);

/// HTTP or HTTPS request and what its answer must be (CHK-01).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpCheck {
    /// URL.
    pub url: Text,
    /// `GET` when left out.
    #[serde(default)]
    pub method: Option<String>,
    /// Request headers.
    #[serde(default)]
    pub headers: IndexMap<String, Text>,
    /// Request body.
    #[serde(default)]
    pub body: Option<Text>,
    /// Log-in.
    #[serde(default)]
    pub auth: Option<HttpAuth>,
    /// Follow redirects, at most 10; yes when left out.
    #[serde(default)]
    pub follow_redirects: Option<bool>,
    /// What the answer must be.
    #[serde(default)]
    pub expect: HttpExpect,
    /// TLS settings.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// HTTP log-in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpAuth {
    /// User name for HTTP Basic.
    #[serde(default)]
    pub user: Option<Text>,
    /// Password for HTTP Basic, by reference.
    #[serde(default)]
    pub password: Option<Text>,
    /// Bearer token, by reference.
    #[serde(default)]
    pub bearer: Option<Text>,
}

/// What an HTTP answer must be. Left out: a status below 400.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpExpect {
    /// Accepted statuses: numbers (`204`) or classes (`2xx`).
    #[serde(default)]
    pub status: Vec<StatusRange>,
    /// The body holds this text.
    #[serde(default)]
    pub contains: Option<String>,
    /// The body does not hold this text.
    #[serde(default)]
    pub not_contains: Option<String>,
    /// The body matches this regular expression somewhere.
    #[serde(default)]
    #[schemars(extend("format" = "regex"))]
    pub regex: Option<String>,
    /// JSON paths (RFC 9535) and the values they must have.
    #[serde(default)]
    pub json: IndexMap<String, serde_json::Value>,
    /// Response headers and the regular expressions they match.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
}

/// A status or a class of statuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StatusRange {
    /// One status.
    Code(u16),
    /// A class: `2xx`, `3xx`, …
    Class(#[schemars(regex(pattern = r"^[1-5](xx|[0-9][0-9])$"))] String),
}

impl StatusRange {
    /// Whether a status is accepted.
    pub fn accepts(&self, status: u16) -> bool {
        match self {
            Self::Code(code) => *code == status,
            Self::Class(class) => match class.strip_suffix("xx") {
                Some(digit) => digit.parse() == Ok(status / 100),
                None => class.parse() == Ok(status),
            },
        }
    }
}

/// TLS settings of a check.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// Certificate authority, a PEM file, where it is not a public one.
    #[serde(default)]
    pub ca_file: Option<Text>,
    /// Name expected in the certificate; the host's when left out.
    #[serde(default)]
    pub server_name: Option<Text>,
    /// Accept any certificate (a finding says so); expiry is still measured.
    #[serde(default)]
    pub insecure: bool,
    /// Oldest accepted protocol: `1.2` or `1.3`.
    #[serde(default)]
    pub min_version: Option<String>,
}

/// TCP connection, and what is said over it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TcpCheck {
    /// `host:port`.
    pub address: Text,
    /// Sent after connecting.
    #[serde(default)]
    pub send: Option<Text>,
    /// What comes back holds this text.
    #[serde(default)]
    pub expect: Option<String>,
}

/// TLS handshake alone: expiry, chain, protocol (CHK-09, SEC-10).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsCheck {
    /// `host:port`.
    pub address: Text,
    /// TLS settings.
    #[serde(default)]
    pub tls: TlsSettings,
    /// Fails when the certificate ends within this time; alerts ahead of it are the plan's `alerts.certificate`.
    #[serde(default)]
    pub valid_for: Option<Duration>,
}

/// A question to a DNS server.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsCheck {
    /// Name asked for.
    pub name: Text,
    /// `host` or `host:port` of the server; this machine's resolver when left out.
    #[serde(default)]
    pub server: Option<Text>,
    /// Record type: `A` (default), `AAAA`, `CNAME`, `MX`, `NS`, `TXT`, `SOA`, `SRV`, `PTR`, `CAA`.
    #[serde(default)]
    pub record: Option<String>,
    /// Values that must be among the answers, as printed in zone files.
    #[serde(default)]
    pub expect: Vec<String>,
    /// Ask over TCP instead of UDP.
    #[serde(default)]
    pub tcp: bool,
}

/// ICMP echo.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IcmpCheck {
    /// Host name or address.
    pub host: Text,
    /// Packets; 3 when left out, at most 20.
    #[serde(default)]
    pub packets: Option<u16>,
    /// Fails when more than this share is lost; 100% lost always fails.
    #[serde(default)]
    pub max_loss: Option<kernel::quantity::Percent>,
}

/// SMTP greeting and EHLO, with STARTTLS where wanted; sends no mail.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpCheck {
    /// `host` or `host:port`; port 25 when left out.
    pub address: Text,
    /// Ask for STARTTLS and check the certificate.
    #[serde(default)]
    pub starttls: bool,
    /// TLS settings.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// SSH banner.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SshCheck {
    /// `host` or `host:port`; port 22 when left out.
    pub address: Text,
    /// The banner holds this text.
    #[serde(default)]
    pub expect: Option<String>,
}

/// gRPC health protocol (`grpc.health.v1.Health/Check`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrpcCheck {
    /// `host:port`.
    pub address: Text,
    /// Service asked about; the whole server when left out.
    #[serde(default)]
    pub service: Option<String>,
    /// Use TLS.
    #[serde(default)]
    pub use_tls: bool,
    /// TLS settings.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// WebSocket handshake, and one message each way where wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebsocketCheck {
    /// `ws://` or `wss://` URL.
    pub url: Text,
    /// Request headers.
    #[serde(default)]
    pub headers: IndexMap<String, Text>,
    /// Text message to send.
    #[serde(default)]
    pub send: Option<Text>,
    /// A message that comes back holds this text.
    #[serde(default)]
    pub expect: Option<String>,
    /// TLS settings.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// NTP server: answers, is synchronised, and how far this machine's clock is off.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NtpCheck {
    /// `host` or `host:port`; port 123 when left out.
    pub server: Text,
    /// Fails when the offset is larger.
    #[serde(default)]
    pub max_offset: Option<Duration>,
    /// Fails when the server's stratum is higher; 15 when left out.
    #[serde(default)]
    pub max_stratum: Option<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_classes() {
        assert!(StatusRange::Code(204).accepts(204));
        assert!(StatusRange::Class("2xx".into()).accepts(299));
        assert!(!StatusRange::Class("2xx".into()).accepts(301));
        assert!(StatusRange::Class("404".into()).accepts(404));
        assert!(!StatusRange::Class("oops".into()).accepts(404));
    }
}
