//! Prometheus's configuration file, as users write it for Prometheus 3.x. Pure but for [`Config::load`], which reads files.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/>. An unknown key is an error with its line and column;
//! what is known but not done here is a [`Note`], never skipped in silence.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kernel::Labels;

use crate::relabel::{NameScheme, Rule};

mod conceal;
mod fields;
mod global;
mod http;
mod job;
mod load;
mod others;
mod scalars;
mod sd;
mod web;
mod yaml;

pub use conceal::Concealed;
pub use http::{Authorization, BasicAuth, Header, HttpConfig, OAuth2, Proxy, SecretValue, TlsConfig, TlsVersion};
pub use job::{HistogramSettings, Job, Limits};
pub use others::{Alerting, Alertmanager, Otlp, Remote, Storage};
pub use scalars::{format_duration, parse_duration};
pub use sd::{
    Discovery, DnsDiscovery, DnsRecord, DockerDiscovery, FileDiscovery, HttpDiscovery, KubernetesAttach,
    KubernetesDiscovery, KubernetesRole, TargetGroup,
};
pub use web::{ClientCertificates, Pem, ServerTls, WebFile};

pub(crate) use load::matching;
pub(crate) use sd::static_group;
pub(crate) use yaml::{Node, Value, read_yaml};

/// What is wrong in a configuration file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, column {column}: {message}")]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Line, from 1 on.
    pub line: usize,
    /// Column, from 1 on.
    pub column: usize,
    /// What happened.
    pub message: String,
}

/// Something in a configuration file that is known, but not done here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub file: String,
    /// Line, from 1 on.
    pub line: usize,
    /// Column, from 1 on.
    pub column: usize,
    /// What is not done, and what follows from it.
    pub message: String,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}, column {}: {}", self.file, self.line, self.column, self.message)
    }
}

/// `global`
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    /// How often targets are scraped.
    pub scrape_interval: Duration,
    /// How long a scrape may take.
    pub scrape_timeout: Duration,
    /// How often rules are evaluated.
    pub evaluation_interval: Duration,
    /// How far in the past rules are evaluated.
    pub rule_query_offset: Duration,
    /// Labels for whoever gets series or alerts from here.
    pub external_labels: Labels,
    /// What jobs take unless they say otherwise.
    pub job: job::JobDefaults,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `global`
    pub global: Global,
    /// Rule files: patterns, made absolute by the file's folder.
    pub rule_files: Vec<PathBuf>,
    /// Further files with jobs: patterns.
    pub scrape_config_files: Vec<PathBuf>,
    /// `scrape_configs`, those of the further files behind the others.
    pub jobs: Vec<Arc<Job>>,
    /// `alerting`
    pub alerting: Alerting,
    /// `storage`
    pub storage: Storage,
    /// `otlp`
    pub otlp: Otlp,
    /// `remote_write`: kept, not used.
    pub remote_write: Vec<Remote>,
    /// `remote_read`: kept, not used.
    pub remote_read: Vec<Remote>,
    /// What is not done here.
    pub notes: Vec<Note>,
}

/// A file that is being read: what is wrong with it, and what is noted.
#[derive(Debug)]
pub(crate) struct Context {
    file: String,
    /// Relative paths are below it.
    dir: PathBuf,
    scheme: NameScheme,
    pub(crate) errors: Vec<ConfigError>,
    pub(crate) notes: Vec<Note>,
}

impl Context {
    pub(crate) fn new(file: &str, dir: PathBuf) -> Self {
        Self { file: file.to_owned(), dir, scheme: NameScheme::Utf8, errors: Vec::new(), notes: Vec::new() }
    }

    pub(crate) fn error(&mut self, node: &Node, message: impl Into<String>) {
        self.errors.push(ConfigError {
            file: self.file.clone(),
            line: node.line,
            column: node.column,
            message: message.into(),
        });
    }

    fn note(&mut self, node: &Node, message: impl Into<String>) {
        self.notes.push(Note {
            file: self.file.clone(),
            line: node.line,
            column: node.column,
            message: message.into(),
        });
    }

    fn path(&self, text: &str) -> PathBuf {
        if text.is_empty() { PathBuf::new() } else { self.dir.join(text) }
    }
}

/// Relabeling rules of a section, as they are kept.
pub type Rules = Arc<[Rule]>;

#[cfg(test)]
mod tests;
