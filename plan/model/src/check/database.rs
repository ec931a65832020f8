//! Checks that ask a database, a cache or a broker (CHK-03, CHK-08, CHK-12). Pure.

use indexmap::IndexMap;
use kernel::quantity::Percent;
use kernel::secret::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::net::{TlsSettings, from_text};

from_text!(PostgresCheck.url, MysqlCheck.url, RedisCheck.url, OracleCheck.address, KafkaCheck.brokers);

/// PostgreSQL: connect, `SELECT 1`, used and maximum connections, own queries.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresCheck {
    /// `postgres://user:password@host:port/database`, by reference.
    pub url: Text,
    /// TLS settings; TLS is used when the URL says `sslmode=require`.
    #[serde(default)]
    pub tls: TlsSettings,
    /// Slow (not down) when more than this share of the connections is in use.
    #[serde(default)]
    pub max_connections_used: Option<Percent>,
    /// Own queries with a bound, by name.
    #[serde(default)]
    pub queries: IndexMap<String, SqlBound>,
}

/// MySQL or MariaDB: connect, `SELECT 1`, used and maximum connections, own queries.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MysqlCheck {
    /// `mysql://user:password@host:port/database`, by reference.
    pub url: Text,
    /// TLS settings; TLS is used when the URL says `require_ssl=true`.
    #[serde(default)]
    pub tls: TlsSettings,
    /// Slow (not down) when more than this share of the connections is in use.
    #[serde(default)]
    pub max_connections_used: Option<Percent>,
    /// Own queries with a bound, by name.
    #[serde(default)]
    pub queries: IndexMap<String, SqlBound>,
}

/// A query that gives one number, and the bounds within which the check passes (CHK-12). The query runs in a read-only
/// transaction.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlBound {
    /// SQL whose first column of the first row is a number.
    pub sql: String,
    /// Fails below this.
    #[serde(default)]
    pub min: Option<f64>,
    /// Fails above this.
    #[serde(default)]
    pub max: Option<f64>,
}

/// Redis: connect, log in, `PING`, used and maximum clients.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisCheck {
    /// `redis://:password@host:port/0` or `rediss://…`, by reference.
    pub url: Text,
    /// TLS settings.
    #[serde(default)]
    pub tls: TlsSettings,
    /// Slow (not down) when more than this share of the clients is connected.
    #[serde(default)]
    pub max_connections_used: Option<Percent>,
}

/// Oracle: its TNS listener answers for a service; an own command asks the rest.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OracleCheck {
    /// `host` or `host:port` of the listener; port 1521 when left out.
    pub address: Text,
    /// Service name asked for; only that the listener answers when left out.
    #[serde(default)]
    pub service: Option<Text>,
    /// Own command (`sqlplus`, a script) with the exit codes of Nagios plugins; argument vector, no shell.
    #[serde(default)]
    pub command: Vec<Text>,
}

/// Kafka: brokers reachable, cluster up, consumer lag.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaCheck {
    /// Bootstrap brokers, `host:port`, separated by commas.
    pub brokers: Text,
    /// Fails when fewer brokers answer; all that the cluster names when left out.
    #[serde(default)]
    pub min_brokers: Option<u32>,
    /// Consumer groups whose lag is measured, with the topics they read.
    #[serde(default)]
    pub groups: IndexMap<String, KafkaGroup>,
}

/// A consumer group and how far behind it may be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaGroup {
    /// Topics; all the group has offsets for when empty.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Slow (not down) when the lag over all partitions is larger.
    #[serde(default)]
    pub max_lag: Option<u64>,
}
