//! The five questions asked of brokers, in versions that Kafka 0.11 to 4.x answer. I/O around pure coding.
//!
//! Source: Kafka protocol guide, messages `ApiVersions` v0, `Metadata` v4, `FindCoordinator` v1, `OffsetFetch` v3,
//! `ListOffsets` v1.

use super::wire::{Connection, Decoder, Encoder, Refusal, WireError};

const LIST_OFFSETS: (i16, i16) = (2, 1);
const METADATA: (i16, i16) = (3, 4);
const OFFSET_FETCH: (i16, i16) = (9, 3);
const FIND_COORDINATOR: (i16, i16) = (10, 1);
const API_VERSIONS: (i16, i16) = (18, 0);

/// Asks for the end of a partition instead of an offset by time.
const LATEST: i64 = -1;

/// A cluster as one broker sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cluster {
    pub(super) id: Option<String>,
    pub(super) controller: i32,
    pub(super) brokers: Vec<Broker>,
    pub(super) topics: Vec<Topic>,
}

/// A broker and the address at which clients have to find it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Broker {
    pub(super) id: i32,
    pub(super) host: String,
    pub(super) port: u16,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) partitions: Vec<Partition>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Partition {
    pub(super) index: i32,
    /// -1 when it has none.
    pub(super) leader: i32,
    pub(super) replicas: usize,
    pub(super) in_sync: usize,
}

impl Cluster {
    pub(super) fn partitions(&self) -> impl Iterator<Item = (&str, &Partition)> {
        self.topics.iter().flat_map(|t| t.partitions.iter().map(|p| (t.name.as_str(), p)))
    }

    /// Partitions that can be neither read nor written.
    pub(super) fn leaderless(&self) -> impl Iterator<Item = (&str, i32)> {
        self.partitions().filter(|(_, p)| p.leader < 0).map(|(topic, p)| (topic, p.index))
    }

    pub(super) fn under_replicated(&self) -> impl Iterator<Item = (&str, i32)> {
        self.partitions().filter(|(_, p)| p.in_sync < p.replicas).map(|(topic, p)| (topic, p.index))
    }

    pub(super) fn leader_of(&self, topic: &str, partition: i32) -> Option<&Broker> {
        let topic = self.topics.iter().find(|t| t.name == topic)?;
        let leader = topic.partitions.iter().find(|p| p.index == partition)?.leader;
        self.brokers.iter().find(|b| b.id == leader)
    }
}

/// Whether a broker answers at all.
pub(super) async fn read_api_versions(connection: &mut Connection) -> Result<(), WireError> {
    let (api, version) = API_VERSIONS;
    let answer = connection.ask(api, version, Encoder::default()).await?;
    Refusal::check(Decoder(&answer).i16()?)
}

/// Brokers and all topics. Creates none: automatic creation is switched off in the question.
pub(super) async fn read_metadata(connection: &mut Connection) -> Result<Cluster, WireError> {
    let (api, version) = METADATA;
    let answer = connection.ask(api, version, Encoder::default().no_list().i8(0)).await?;
    decode_metadata(&answer)
}

pub(super) fn decode_metadata(answer: &[u8]) -> Result<Cluster, WireError> {
    let mut from = Decoder(answer);
    let _throttle = from.i32()?;
    let brokers = from.list(|from| {
        let (id, host, port) = (from.i32()?, from.text()?, from.i32()?);
        let _rack = from.maybe_text()?;
        let port = u16::try_from(port).map_err(|_| WireError::Garbled("a port is out of range"))?;
        Ok(Broker { id, host, port })
    })?;
    let (id, controller) = (from.maybe_text()?, from.i32()?);
    let topics = from.list(|from| {
        let _error = from.i16()?;
        let name = from.text()?;
        let _internal = from.bool()?;
        Ok(Topic { name, partitions: from.list(decode_partition)? })
    })?;
    Ok(Cluster { id, controller, brokers, topics })
}

fn decode_partition(from: &mut Decoder<'_>) -> Result<Partition, WireError> {
    let _error = from.i16()?;
    let (index, leader) = (from.i32()?, from.i32()?);
    let replicas = from.list(Decoder::i32)?.len();
    let in_sync = from.list(Decoder::i32)?.len();
    Ok(Partition { index, leader, replicas, in_sync })
}

/// The broker that keeps a group's offsets.
pub(super) async fn find_coordinator(connection: &mut Connection, group: &str) -> Result<(String, u16), WireError> {
    let (api, version) = FIND_COORDINATOR;
    let answer = connection.ask(api, version, Encoder::default().text(group).i8(0)).await?;
    let mut from = Decoder(&answer);
    let _throttle = from.i32()?;
    Refusal::check(from.i16()?)?;
    let (_message, _node) = (from.maybe_text()?, from.i32()?);
    let (host, port) = (from.text()?, from.i32()?);
    Ok((host, u16::try_from(port).map_err(|_| WireError::Garbled("a port is out of range"))?))
}

/// Topic, partition, offset.
pub(super) type Offset = (String, i32, i64);

/// Where a group stands, in every partition that it has an offset for.
pub(super) async fn fetch_offsets(connection: &mut Connection, group: &str) -> Result<Vec<Offset>, WireError> {
    let (api, version) = OFFSET_FETCH;
    let answer = connection.ask(api, version, Encoder::default().text(group).no_list()).await?;
    decode_offsets(&answer)
}

pub(super) fn decode_offsets(answer: &[u8]) -> Result<Vec<Offset>, WireError> {
    let mut from = Decoder(answer);
    let _throttle = from.i32()?;
    let topics = from.list(|from| {
        let name = from.text()?;
        let partitions = from.list(|from| {
            let (index, offset) = (from.i32()?, from.i64()?);
            let (_metadata, error) = (from.maybe_text()?, from.i16()?);
            Ok((error == 0 && offset >= 0).then_some((index, offset)))
        })?;
        Ok((name, partitions))
    })?;
    Refusal::check(from.i16()?)?;
    let flat = topics.into_iter().flat_map(|(name, partitions)| {
        partitions.into_iter().flatten().map(move |(index, offset)| (name.clone(), index, offset))
    });
    Ok(flat.collect())
}

/// Where partitions end, asked of their leader. A partition that has another leader by now is left out.
pub(super) async fn list_ends(
    connection: &mut Connection,
    partitions: &[(&str, i32)],
) -> Result<Vec<Offset>, WireError> {
    let (api, version) = LIST_OFFSETS;
    let body = Encoder::default().i32(-1).list(partitions.iter(), |to, (topic, partition)| {
        to.text(topic).list([*partition].into_iter(), |to, partition| to.i32(partition).i64(LATEST))
    });
    let answer = connection.ask(api, version, body).await?;
    let topics = Decoder(&answer).list(|from| {
        let name = from.text()?;
        let ends = from.list(|from| {
            let (index, error) = (from.i32()?, from.i16()?);
            let (_time, offset) = (from.i64()?, from.i64()?);
            Ok((error == 0).then_some((index, offset)))
        })?;
        Ok((name, ends))
    })?;
    let flat = topics
        .into_iter()
        .flat_map(|(name, ends)| ends.into_iter().flatten().map(move |(index, end)| (name.clone(), index, end)));
    Ok(flat.collect())
}
