//! `dns_sd_configs`: addresses behind names. I/O.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use kernel::Labels;

use super::{Refresh, host_port};
use crate::config::{DnsDiscovery, DnsRecord, TargetGroup};

/// The names of one section.
pub(super) struct Names {
    config: DnsDiscovery,
    resolver: Option<TokioResolver>,
}

impl Names {
    pub(super) const fn new(config: DnsDiscovery) -> Self {
        Self { config, resolver: None }
    }

    #[cfg(test)]
    pub(super) const fn asking(config: DnsDiscovery, resolver: TokioResolver) -> Self {
        Self { config, resolver: Some(resolver) }
    }

    /// The system's resolver, without a cache: the interval says how old an answer may be.
    fn resolver(&mut self) -> Result<TokioResolver, String> {
        if self.resolver.is_none() {
            let build = || {
                let mut builder = TokioResolver::builder_tokio()?;
                builder.options_mut().cache_size = 0;
                builder.build()
            };
            self.resolver = Some(build().map_err(|e| format!("DNS cannot be asked: {e}"))?);
        }
        self.resolver.clone().ok_or_else(|| "DNS cannot be asked".to_owned())
    }

    async fn ask(&self, resolver: &TokioResolver, name: &str) -> Result<TargetGroup, String> {
        let kind = match self.config.record {
            DnsRecord::A => RecordType::A,
            DnsRecord::Aaaa => RecordType::AAAA,
            DnsRecord::Srv => RecordType::SRV,
            DnsRecord::Mx => RecordType::MX,
            DnsRecord::Ns => RecordType::NS,
        };
        let mut targets = Vec::new();
        match resolver.lookup(name, kind).await {
            Ok(found) => targets.extend(found.answers().iter().filter_map(|r| self.target(name, &r.data))),
            // A name that is not there has no targets; that is an answer.
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => {}
            Err(error) => return Err(format!("could not resolve {name:?}: {error}")),
        }
        targets.sort();
        Ok(TargetGroup { source: name.to_owned(), targets, labels: Labels::default() })
    }

    fn target(&self, name: &str, data: &RData) -> Option<Labels> {
        let port = self.config.port;
        let trimmed = |host: &str, port| host_port(host.trim_end_matches('.'), port);
        let mut labels = vec![("__meta_dns_name", name.to_owned())];
        let address = match data {
            RData::A(a) => host_port(&a.0.to_string(), port),
            RData::AAAA(a) => host_port(&a.0.to_string(), port),
            RData::SRV(srv) => {
                let target = srv.target.to_string();
                labels.push(("__meta_dns_srv_record_port", srv.port.to_string()));
                let address = trimmed(&target, srv.port);
                labels.push(("__meta_dns_srv_record_target", target));
                address
            }
            RData::MX(mx) => {
                let target = mx.exchange.to_string();
                let address = trimmed(&target, port);
                labels.push(("__meta_dns_mx_record_target", target));
                address
            }
            RData::NS(ns) => {
                let target = ns.0.to_string();
                let address = trimmed(&target, port);
                labels.push(("__meta_dns_ns_record_target", target));
                address
            }
            _ => return None,
        };
        labels.push(("__address__", address));
        Some(Labels::new(labels))
    }
}

impl Refresh for Names {
    fn interval(&self) -> Duration {
        self.config.refresh
    }

    async fn refresh(&mut self) -> Result<Option<Vec<TargetGroup>>, String> {
        let resolver = self.resolver()?;
        let mut out = Vec::new();
        for name in &self.config.names {
            out.push(self.ask(&resolver, name).await?);
        }
        Ok(Some(out))
    }
}
