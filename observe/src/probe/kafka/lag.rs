//! How far consumer groups are behind: the end of each partition less the offset that the group committed. I/O.

use std::collections::{BTreeMap, HashMap};

use super::messages::{Broker, Cluster, Offset, fetch_offsets, find_coordinator, list_ends};
use super::wire::Connection;

/// Most partitions asked for in one message.
const PARTITIONS_AT_ONCE: usize = 1_000;

/// A group's lag.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GroupLag {
    pub(super) partitions: Vec<PartitionLag>,
}

/// One partition's lag.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PartitionLag {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) committed: i64,
    pub(super) end: i64,
}

impl PartitionLag {
    /// Messages not yet consumed. After a topic was made anew an old offset may be past its end: that is no lag.
    pub(super) fn lag(&self) -> i64 {
        (self.end - self.committed).max(0)
    }
}

impl GroupLag {
    pub(super) fn total(&self) -> i64 {
        self.partitions.iter().map(PartitionLag::lag).sum()
    }

    pub(super) fn sums(&self) -> BTreeMap<&str, i64> {
        let mut sums = BTreeMap::new();
        for one in &self.partitions {
            *sums.entry(one.topic.as_str()).or_default() += one.lag();
        }
        sums
    }
}

/// Reads a group's lag in the wanted topics; in all that it has offsets for when none is named.
pub(super) async fn read_lag(
    connection: &mut Connection,
    cluster: &Cluster,
    group: &str,
    topics: &[String],
) -> Result<GroupLag, String> {
    let (host, port) = find_coordinator(connection, group).await.map_err(|e| format!("its coordinator: {e}"))?;
    let at = |e| format!("its coordinator {host}:{port}: {e}");
    let mut coordinator = Connection::open(&host, port).await.map_err(at)?;
    let mut committed = fetch_offsets(&mut coordinator, group).await.map_err(at)?;
    committed.retain(|(topic, ..)| topics.is_empty() || topics.contains(topic));
    let mut ends: HashMap<(String, i32), i64> = HashMap::new();
    for (leader, partitions) in by_leader(cluster, &committed) {
        let at = |e| format!("broker {} ({}:{}): {e}", leader.id, leader.host, leader.port);
        let mut connection = Connection::open(&leader.host, leader.port).await.map_err(at)?;
        for some in partitions.chunks(PARTITIONS_AT_ONCE) {
            let found = list_ends(&mut connection, some).await.map_err(at)?;
            ends.extend(found.into_iter().map(|(topic, partition, end)| ((topic, partition), end)));
        }
    }
    Ok(join(committed, &ends))
}

/// Which leader has to be asked for which partitions.
fn by_leader<'a>(cluster: &'a Cluster, committed: &'a [Offset]) -> Vec<(&'a Broker, Vec<(&'a str, i32)>)> {
    let mut out: Vec<(&Broker, Vec<(&str, i32)>)> = Vec::new();
    for (topic, partition, _) in committed {
        // Deleted topics keep their offsets for a while, and have no leader.
        let Some(leader) = cluster.leader_of(topic, *partition) else { continue };
        match out.iter_mut().find(|(b, _)| b.id == leader.id) {
            Some((_, partitions)) => partitions.push((topic, *partition)),
            None => out.push((leader, vec![(topic, *partition)])),
        }
    }
    out
}

fn join(committed: Vec<Offset>, ends: &HashMap<(String, i32), i64>) -> GroupLag {
    let partitions = committed.into_iter().filter_map(|(topic, partition, committed)| {
        let end = *ends.get(&(topic.clone(), partition))?;
        Some(PartitionLag { topic, partition, committed, end })
    });
    GroupLag { partitions: partitions.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_07_lag_per_group_and_topic() {
        let at = |topic: &str, partition, offset| (topic.to_owned(), partition, offset);
        let committed = vec![at("casos", 0, 90), at("casos", 1, 50), at("avisos", 0, 7), at("gone", 0, 1)];
        let ends = [at("casos", 0, 100), at("casos", 1, 40), at("avisos", 0, 7)];
        let ends = ends.into_iter().map(|(t, p, e)| ((t, p), e)).collect();
        let lag = join(committed, &ends);
        assert_eq!(lag.partitions.len(), 3, "a deleted topic has no lag");
        assert_eq!(lag.sums(), BTreeMap::from([("avisos", 0), ("casos", 10)]));
        assert_eq!(lag.total(), 10);
    }
}
