//! Kafka: brokers that answer, partitions with a leader, lag of consumer groups (CHK-08, MET-07). I/O.
//!
//! Spoken by hand (five small messages, [`messages`]): client libraries leave out the offsets of consumer groups or
//! bring a whole C library. Works with Kafka 0.11 to 4.x on plain connections; TLS and SASL are not spoken.
//!
//! Down: fewer brokers answer than expected, a partition has no leader, a group's coordinator does not answer. Slow: a
//! group lags behind more than it may, or has no offsets at all. Metric names are kafka_exporter's where it has one.

use std::time::Duration;

use kernel::probe::{Phase, Reading};
use plan_model::check::KafkaCheck;
use plan_model::check::database::KafkaGroup;
use tokio::time::Instant;

use super::dial::Target;
use super::{Attempt, PrepareError, Preparing, Probed};

mod lag;
mod messages;
mod wire;

use lag::{GroupLag, read_lag};
use messages::{Cluster, read_api_versions, read_metadata};
use wire::{Connection, WireError};

/// Port of a broker unless the plan says otherwise.
const USUAL_PORT: u16 = 9092;

/// Most brokers asked one by one.
const MOST_BROKERS: usize = 200;

/// Most partitions of a group that become series of their own; sums count all of them.
const MOST_PARTITION_SERIES: usize = 2_000;

/// A Kafka check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedKafka {
    bootstrap: Vec<Target>,
    min_brokers: Option<u32>,
    groups: Vec<(String, KafkaGroup)>,
}

/// Makes the check ready.
pub(crate) fn prepare_kafka(check: &KafkaCheck, with: &Preparing<'_>) -> Result<PreparedKafka, PrepareError> {
    let brokers = with.resolve(&check.brokers)?;
    let parts = brokers.expose().split(',').map(str::trim).filter(|b| !b.is_empty());
    let bootstrap =
        parts.map(|b| Target::parse("brokers", b, Some(USUAL_PORT))).collect::<Result<Vec<_>, PrepareError>>()?;
    if bootstrap.is_empty() {
        return Err(PrepareError::unusable("brokers", "it is empty: write host:port, separated by commas"));
    }
    let groups = check.groups.iter().map(|(name, group)| (name.clone(), group.clone())).collect();
    Ok(PreparedKafka { bootstrap, min_brokers: check.min_brokers, groups })
}

/// Asks once.
pub(crate) async fn probe_kafka(kafka: &PreparedKafka, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Connect);
    let (mut connection, cluster) = match bootstrap(&kafka.bootstrap, attempt).await {
        Ok(found) => found,
        Err(errors) => return Probed::down(format!("no broker answers: {}", errors.join("; "))),
    };
    attempt.begin(Phase::Processing);
    record_cluster(&cluster, attempt);
    attempt.doing("asking each broker");
    let silent = find_silent(&cluster, attempt).await;
    let answering = cluster.brokers.len() - silent.len();
    attempt.read(Reading::new("farero_kafka_brokers", answering as f64));
    attempt.doing("reading the lag of consumer groups");
    let mut groups = Vec::with_capacity(kafka.groups.len());
    for (name, wanted) in &kafka.groups {
        let lag = read_lag(&mut connection, &cluster, name, &wanted.topics).await;
        if let Ok(lag) = &lag {
            record_lag(name, lag, attempt);
        }
        groups.push((name.as_str(), wanted.max_lag, lag));
    }
    let status = format!("{answering} of {} brokers answer", cluster.brokers.len());
    judge(kafka, &cluster, &silent, &groups, attempt).with_status(status)
}

/// The first bootstrap broker that answers, with what it says of the cluster; each has an equal share of the time left.
async fn bootstrap(targets: &[Target], attempt: &Attempt) -> Result<(Connection, Cluster), Vec<String>> {
    let mut errors = Vec::new();
    for (i, target) in targets.iter().enumerate() {
        let left = attempt.deadline().saturating_duration_since(Instant::now());
        let share = left / u32::try_from(targets.len() - i).unwrap_or(1);
        let asking = async {
            let mut connection = Connection::open(&target.host.to_string(), target.port).await?;
            let cluster = read_metadata(&mut connection).await?;
            Ok::<_, WireError>((connection, cluster))
        };
        match tokio::time::timeout(share, asking).await {
            Ok(Ok(found)) => {
                attempt.fact("bootstrap", target.to_string());
                return Ok(found);
            }
            Ok(Err(e)) => errors.push(format!("{target}: {e}")),
            Err(_) => errors.push(format!("{target}: no answer within {:.1} s", share.as_secs_f64())),
        }
    }
    Err(errors)
}

/// Asks every broker that the cluster names at its own address, all at once; those that do not answer come back.
async fn find_silent(cluster: &Cluster, attempt: &Attempt) -> Vec<String> {
    let left = attempt.deadline().saturating_duration_since(Instant::now());
    let wait = left.mul_f64(0.5).max(Duration::from_millis(1));
    let asked = cluster.brokers.iter().take(MOST_BROKERS).map(|broker| async move {
        let asking = async {
            let mut connection = Connection::open(&broker.host, broker.port).await?;
            read_api_versions(&mut connection).await
        };
        let why = match tokio::time::timeout(wait, asking).await {
            Ok(Ok(())) => return None,
            Ok(Err(e)) => e.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        Some(format!("broker {} ({}:{}): {why}", broker.id, broker.host, broker.port))
    });
    futures_util::future::join_all(asked).await.into_iter().flatten().collect()
}

fn record_cluster(cluster: &Cluster, attempt: &Attempt) {
    attempt.read(Reading::new("kafka_brokers", cluster.brokers.len() as f64));
    attempt.read(Reading::new("farero_kafka_partitions", cluster.partitions().count() as f64));
    let (leaderless, under) = (cluster.leaderless().count(), cluster.under_replicated().count());
    attempt.read(Reading::new("farero_kafka_partitions_without_leader", leaderless as f64));
    attempt.read(Reading::new("farero_kafka_partitions_under_replicated", under as f64));
    if let Some(id) = &cluster.id {
        attempt.fact("cluster", id.as_str());
    }
    attempt.fact("controller", cluster.controller.to_string());
}

fn record_lag(group: &str, lag: &GroupLag, attempt: &Attempt) {
    let label = |metric: &str, value: i64, topic: &str| {
        Reading::new(metric, value as f64).label("consumergroup", group).label("topic", topic)
    };
    for one in lag.partitions.iter().take(MOST_PARTITION_SERIES) {
        let partition = one.partition.to_string();
        let lag = label("kafka_consumergroup_lag", one.lag(), &one.topic);
        attempt.read(lag.label("partition", partition.as_str()));
        let offset = label("kafka_consumergroup_current_offset", one.committed, &one.topic);
        attempt.read(offset.label("partition", partition));
    }
    for (topic, sum) in lag.sums() {
        attempt.read(label("kafka_consumergroup_lag_sum", sum, topic));
    }
    attempt.read(Reading::new("farero_kafka_group_lag", lag.total() as f64).label("consumergroup", group));
}

/// A group, the lag it may have, and the one it has.
type Measured<'a> = (&'a str, Option<u64>, Result<GroupLag, String>);

fn judge(
    kafka: &PreparedKafka,
    cluster: &Cluster,
    silent: &[String],
    groups: &[Measured<'_>],
    attempt: &Attempt,
) -> Probed {
    let answering = cluster.brokers.len() - silent.len();
    let expected = kafka.min_brokers.map_or(cluster.brokers.len(), |min| min as usize);
    if answering < expected || answering == 0 {
        let silent = if silent.is_empty() { String::new() } else { format!(": {}", silent.join("; ")) };
        return Probed::down(format!("{answering} brokers answer, expected {expected}{silent}"));
    }
    let leaderless: Vec<String> = cluster.leaderless().take(5).map(|(t, p)| format!("{t}/{p}")).collect();
    if !leaderless.is_empty() {
        let count = cluster.leaderless().count();
        return Probed::down(format!("{count} partitions have no leader: {}", leaderless.join(", ")));
    }
    let broken: Vec<String> =
        groups.iter().filter_map(|(name, _, lag)| Some(format!("group {name}: {}", lag.as_ref().err()?))).collect();
    if !broken.is_empty() {
        return Probed::down(broken.join("; "));
    }
    let mut behind: Vec<String> = groups.iter().filter_map(why_behind).collect();
    behind.extend(silent.iter().cloned());
    if behind.is_empty() {
        return Probed::up();
    }
    attempt.fact("slow", behind.join("; "));
    Probed::slow()
}

fn why_behind((name, max, lag): &Measured<'_>) -> Option<String> {
    let lag = lag.as_ref().ok()?;
    if lag.partitions.is_empty() {
        return Some(format!("group {name} has no offsets: is its name right, and did it ever consume?"));
    }
    let max = (*max)?;
    let total = lag.total();
    (u64::try_from(total).unwrap_or(0) > max)
        .then(|| format!("group {name} lags {total} messages behind, more than {max}"))
}

#[cfg(test)]
mod tests;
