//! What Redis says of itself: `INFO`. Pure.

use std::collections::HashMap;

/// Fields that become readings, with redis_exporter's names.
pub(super) const METRICS: [(&str, &str); 8] = [
    ("connected_clients", "redis_connected_clients"),
    ("maxclients", "redis_config_maxclients"),
    ("used_memory", "redis_memory_used_bytes"),
    ("maxmemory", "redis_memory_max_bytes"),
    ("connected_slaves", "redis_connected_slaves"),
    ("rejected_connections", "redis_rejected_connections_total"),
    ("evicted_keys", "redis_evicted_keys_total"),
    ("uptime_in_seconds", "redis_uptime_in_seconds"),
];

/// Fields by name.
#[derive(Debug)]
pub(super) struct Info(HashMap<String, String>);

impl Info {
    /// Lines `name:value`; headings begin with `#`.
    pub(super) fn parse(text: &str) -> Self {
        let fields = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.trim_end().split_once(':'));
        Self(fields.map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.parse().ok()
    }
}
