//! Verdicts of a Kafka check. Pure.

use kernel::probe::Outcome;

use super::lag::PartitionLag;
use super::messages::{Broker, Partition, Topic};
use super::*;

fn cluster(brokers: i32, leader: i32) -> Cluster {
    let broker = |id| Broker { id, host: "127.0.0.1".into(), port: 9092 };
    let partition = Partition { index: 0, leader, replicas: 2, in_sync: 1 };
    Cluster {
        id: Some("x".into()),
        controller: 1,
        brokers: (1..=brokers).map(broker).collect(),
        topics: vec![Topic { name: "casos".into(), partitions: vec![partition] }],
    }
}

fn check(min: Option<u32>, silent: &[&str], leader: i32, groups: &[Measured<'_>], outcome: Outcome, why: &str) {
    let attempt = Attempt::for_test();
    let kafka = PreparedKafka { bootstrap: Vec::new(), min_brokers: min, groups: Vec::new() };
    let silent: Vec<String> = silent.iter().map(|s| (*s).to_owned()).collect();
    let probed = judge(&kafka, &cluster(3, leader), &silent, groups, &attempt);
    let (_, _, facts) = attempt.into_parts();
    let said = format!("{} {facts:?}", probed.error.clone().unwrap_or_default());
    assert_eq!(probed.outcome, outcome, "{said}");
    assert!(said.contains(why), "`{why}` is not in `{said}`");
}

fn lag(end: i64) -> Result<GroupLag, String> {
    Ok(GroupLag { partitions: vec![PartitionLag { topic: "casos".into(), partition: 0, committed: 0, end }] })
}

#[test]
fn chk_08_brokers_leaders_and_lag() {
    check(None, &[], 1, &[], Outcome::Up, "");
    check(None, &["broker 2: no answer"], 1, &[], Outcome::Down, "2 brokers answer, expected 3: broker 2: no answer");
    check(Some(2), &["broker 2: no answer"], 1, &[], Outcome::Slow, "broker 2: no answer");
    check(Some(4), &[], 1, &[], Outcome::Down, "3 brokers answer, expected 4");
    check(None, &[], -1, &[], Outcome::Down, "1 partitions have no leader: casos/0");
    let group = "derivacion-group";
    check(None, &[], 1, &[(group, Some(100), lag(100))], Outcome::Up, "");
    check(None, &[], 1, &[(group, Some(100), lag(101))], Outcome::Slow, "lags 101 messages behind, more than 100");
    check(None, &[], 1, &[(group, None, lag(1_000_000))], Outcome::Up, "");
    check(None, &[], 1, &[(group, None, Ok(GroupLag::default()))], Outcome::Slow, "has no offsets");
    check(None, &[], 1, &[(group, None, Err("gone".into()))], Outcome::Down, "group derivacion-group: gone");
}
