//! Which form a body has, and which forms are asked for. Pure.

/// A form of an exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus's text form, 0.0.4 and 1.0.0.
    Text,
    /// OpenMetrics as text.
    OpenMetrics,
    /// `io.prometheus.client.MetricFamily`, each with its length before it.
    Protobuf,
}

/// A body's type is not known, and no fallback is set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormatError(String);

/// What may be asked for (`scrape_protocols`), by Prometheus's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Protocol {
    PrometheusProto,
    PrometheusText0_0_4,
    PrometheusText1_0_0,
    OpenMetricsText0_0_1,
    OpenMetricsText1_0_0,
}

impl Protocol {
    /// All of them, sorted by name.
    pub const ALL: [Self; 5] = [
        Self::OpenMetricsText0_0_1,
        Self::OpenMetricsText1_0_0,
        Self::PrometheusProto,
        Self::PrometheusText0_0_4,
        Self::PrometheusText1_0_0,
    ];

    /// What is asked for when nothing else is said.
    pub const USUAL: [Self; 4] =
        [Self::OpenMetricsText1_0_0, Self::OpenMetricsText0_0_1, Self::PrometheusText1_0_0, Self::PrometheusText0_0_4];

    /// What is asked for when native histograms are wanted.
    pub const PROTO_FIRST: [Self; 5] = [
        Self::PrometheusProto,
        Self::OpenMetricsText1_0_0,
        Self::OpenMetricsText0_0_1,
        Self::PrometheusText1_0_0,
        Self::PrometheusText0_0_4,
    ];

    /// Its name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrometheusProto => "PrometheusProto",
            Self::PrometheusText0_0_4 => "PrometheusText0.0.4",
            Self::PrometheusText1_0_0 => "PrometheusText1.0.0",
            Self::OpenMetricsText0_0_1 => "OpenMetricsText0.0.1",
            Self::OpenMetricsText1_0_0 => "OpenMetricsText1.0.0",
        }
    }

    /// The protocol of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::PrometheusProto => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
            Self::PrometheusText0_0_4 => "text/plain;version=0.0.4",
            Self::PrometheusText1_0_0 => "text/plain;version=1.0.0",
            Self::OpenMetricsText0_0_1 => "application/openmetrics-text;version=0.0.1",
            Self::OpenMetricsText1_0_0 => "application/openmetrics-text;version=1.0.0",
        }
    }

    /// The form it is read as.
    pub const fn format(self) -> Format {
        match self {
            Self::PrometheusProto => Format::Protobuf,
            Self::PrometheusText0_0_4 | Self::PrometheusText1_0_0 => Format::Text,
            Self::OpenMetricsText0_0_1 | Self::OpenMetricsText1_0_0 => Format::OpenMetrics,
        }
    }
}

/// How a target is to write names that are not `[a-zA-Z_:][a-zA-Z0-9_:]*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Escaping {
    /// As they are, in quotes.
    #[default]
    AllowUtf8,
    /// Other characters as underscores.
    Underscores,
    /// Dots as `_dot_`, underscores doubled.
    Dots,
    /// Reversibly, as `U__` and code points.
    Values,
}

impl Escaping {
    /// Its name in a configuration and in headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// The scheme of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values].into_iter().find(|e| e.name() == name)
    }
}

/// The `Accept` header: the first protocol is wanted most. Only the newer text forms know of escaping.
pub fn accept_header(protocols: &[Protocol], escaping: Escaping) -> String {
    let mut weight = Protocol::ALL.len() + 1;
    let mut out = String::new();
    for protocol in protocols {
        out.push_str(protocol.media_type());
        if matches!(protocol, Protocol::PrometheusText1_0_0 | Protocol::OpenMetricsText1_0_0) {
            out.push_str(";escaping=");
            out.push_str(escaping.name());
        }
        out.push_str(&format!(";q=0.{weight},"));
        weight -= 1;
    }
    out + &format!("*/*;q=0.{weight}")
}

impl Format {
    /// The form of a body by its `Content-Type`, else the fallback (`fallback_scrape_protocol`).
    ///
    /// # Errors
    /// Neither says anything that is known.
    pub fn of(content_type: Option<&str>, fallback: Option<Protocol>) -> Result<Self, FormatError> {
        let said = content_type.map(str::trim).unwrap_or_default();
        let media = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let known = match media.as_str() {
            "text/plain" => Some(Self::Text),
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            "application/vnd.google.protobuf" => Some(Self::Protobuf),
            _ => None,
        };
        known.or(fallback.map(Protocol::format)).ok_or_else(|| {
            FormatError(if said.is_empty() {
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for \
                 target"
                    .to_owned()
            } else {
                format!(
                    "received unsupported Content-Type {said:?} and no fallback_scrape_protocol specified for target"
                )
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_as_prometheus_does() {
        assert_eq!(
            accept_header(&Protocol::USUAL, Escaping::AllowUtf8),
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        );
        assert!(accept_header(&Protocol::PROTO_FIRST, Escaping::Dots).starts_with("application/vnd.google.protobuf;"));
    }

    #[test]
    fn types_and_fallback() {
        let of = |said: &str| Format::of(Some(said), None);
        assert_eq!(of("text/plain; version=0.0.4; charset=utf-8"), Ok(Format::Text));
        assert_eq!(of("Application/OpenMetrics-Text;version=1.0.0"), Ok(Format::OpenMetrics));
        assert!(of("text/html").unwrap_err().to_string().contains("unsupported"));
        assert!(Format::of(None, None).unwrap_err().to_string().contains("blank Content-Type"));
        assert_eq!(Format::of(Some("text/html"), Some(Protocol::PrometheusText0_0_4)), Ok(Format::Text));
    }
}
