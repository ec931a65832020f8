//! Checks: what is asked of a component, how often, and what counts as an answer (CHK). Pure.

use indexmap::IndexMap;
use kernel::Duration;
use kernel::secret::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod database;
pub mod local;
pub mod net;

pub use database::{KafkaCheck, MysqlCheck, OracleCheck, PostgresCheck, RedisCheck, SqlBound};
pub use local::{CommandCheck, CompositeCheck, DockerCheck, HeartbeatCheck, HostCheck, ProcessCheck, SystemdCheck};
pub use net::{
    DnsCheck, GrpcCheck, HttpCheck, IcmpCheck, NtpCheck, SmtpCheck, SshCheck, TcpCheck, TlsCheck, WebsocketCheck,
};

/// Shortest interval a check may have: Farero carries 10,000 checks at 10 s, and one check once a second.
pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// A check. Exactly one of the kinds is given; most take a plain text (a URL, an address) or a map with settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name in the team's own words.
    #[serde(default)]
    pub label: Option<String>,

    /// HTTP or HTTPS (CHK-01).
    #[serde(default)]
    pub http: Option<Short<HttpCheck>>,
    /// TCP connection, `host:port`.
    #[serde(default)]
    pub tcp: Option<Short<TcpCheck>>,
    /// TLS alone, `host:port` (CHK-09).
    #[serde(default)]
    pub tls: Option<Short<TlsCheck>>,
    /// A question to a DNS server.
    #[serde(default)]
    pub dns: Option<Short<DnsCheck>>,
    /// ICMP echo.
    #[serde(default)]
    pub icmp: Option<Short<IcmpCheck>>,
    /// PostgreSQL: connect, trivial query, connections (CHK-03).
    #[serde(default)]
    pub postgres: Option<Short<PostgresCheck>>,
    /// MySQL or MariaDB (CHK-03).
    #[serde(default)]
    pub mysql: Option<Short<MysqlCheck>>,
    /// Redis.
    #[serde(default)]
    pub redis: Option<Short<RedisCheck>>,
    /// Oracle: its listener, and an own command for the rest.
    #[serde(default)]
    pub oracle: Option<Short<OracleCheck>>,
    /// Kafka: brokers and consumer lag (CHK-08).
    #[serde(default)]
    pub kafka: Option<Short<KafkaCheck>>,
    /// SMTP greeting.
    #[serde(default)]
    pub smtp: Option<Short<SmtpCheck>>,
    /// SSH banner.
    #[serde(default)]
    pub ssh: Option<Short<SshCheck>>,
    /// gRPC health protocol.
    #[serde(default)]
    pub grpc: Option<Short<GrpcCheck>>,
    /// WebSocket handshake, and a message where wanted.
    #[serde(default)]
    pub websocket: Option<Short<WebsocketCheck>>,
    /// NTP server: reachable, offset.
    #[serde(default)]
    pub ntp: Option<Short<NtpCheck>>,
    /// Told from outside: something calls a URL of this Farero in time (CHK-10).
    #[serde(default)]
    pub heartbeat: Option<Box<HeartbeatCheck>>,
    /// Unit of systemd on this machine (CHK-04).
    #[serde(default)]
    pub systemd: Option<Short<SystemdCheck>>,
    /// Docker container (CHK-05).
    #[serde(default)]
    pub docker: Option<Short<DockerCheck>>,
    /// Process on this machine.
    #[serde(default)]
    pub process: Option<Short<ProcessCheck>>,
    /// Own command with the exit codes of Nagios plugins.
    #[serde(default)]
    pub command: Option<Box<CommandCheck>>,
    /// This machine: CPU, load, memory, disks, network (CHK-06, MET-05).
    #[serde(default)]
    pub host: Option<Box<HostCheck>>,
    /// Other checks together (CHK-11).
    #[serde(default)]
    pub composite: Option<Box<CompositeCheck>>,

    /// How often.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long one attempt may take.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// Attempts in total before the check counts as failed, 1 to 10; the first success ends them.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub attempts: Option<u32>,
    /// Pause between attempts; 1 s when left out.
    #[serde(default)]
    pub pause: Option<Duration>,
    /// Slower than this is `slow`, not down (CHK-14).
    #[serde(default)]
    pub slow: Option<Duration>,
    /// Interval while the system or component is watched intensively (CHK-16); a fifth of `every`, at least 1 s, when left out.
    #[serde(default)]
    pub intensive: Option<Duration>,
    /// Severity when it is down, instead of the system's.
    #[serde(default)]
    pub down: Option<String>,
    /// Severity when it is slow, instead of the system's.
    #[serde(default)]
    pub slow_severity: Option<String>,
    /// Runbook to open when it fails, a file under `runbooks/`.
    #[serde(default)]
    pub runbook: Option<String>,
    /// Further labels of its series and alerts.
    #[serde(default)]
    pub labels: IndexMap<String, String>,
    /// Environments it runs in; those of its component when empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether it counts yet: `now`, `optional`, `planned`, `future` (PLN-14).
    #[serde(default)]
    pub state: crate::Life,
    /// First day on which a planned item is active, `2026-03-01`.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub from: Option<String>,
}

/// What every check of the system has unless it says otherwise.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckDefaults {
    /// How often; 60 s when left out.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long one attempt may take; 10 s when left out.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// Attempts in total; 3 when left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub attempts: Option<u32>,
    /// Slower than this is `slow`; no such bound when left out.
    #[serde(default)]
    pub slow: Option<Duration>,
    /// How often hosts are sampled; 15 s when left out (MET-05).
    #[serde(default)]
    pub host_every: Option<Duration>,
    /// How often metrics endpoints are scraped; 15 s when left out.
    #[serde(default)]
    pub scrape_every: Option<Duration>,
    /// How often rules are evaluated; 15 s when left out.
    #[serde(default)]
    pub evaluate_every: Option<Duration>,
}

/// A check's settings, or the one text that says it all.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Short<T> {
    /// The text alone: a URL, an address, a name.
    Text(Text),
    /// All settings.
    Full(Box<T>),
}

impl<T: From<Text> + Clone> Short<T> {
    /// The settings, made from the text where only that is given.
    pub fn full(&self) -> T {
        match self {
            Self::Text(t) => T::from(t.clone()),
            Self::Full(f) => (**f).clone(),
        }
    }
}

/// The kind of a check with its settings.
#[derive(Clone, Debug)]
#[allow(
    missing_docs,
    clippy::large_enum_variant,
    reason = "the fields of Check say what each kind is; one is made per check, at start"
)]
pub enum CheckKind {
    Http(HttpCheck),
    Tcp(TcpCheck),
    Tls(TlsCheck),
    Dns(DnsCheck),
    Icmp(IcmpCheck),
    Postgres(PostgresCheck),
    Mysql(MysqlCheck),
    Redis(RedisCheck),
    Oracle(OracleCheck),
    Kafka(KafkaCheck),
    Smtp(SmtpCheck),
    Ssh(SshCheck),
    Grpc(GrpcCheck),
    Websocket(WebsocketCheck),
    Ntp(NtpCheck),
    Heartbeat(HeartbeatCheck),
    Systemd(SystemdCheck),
    Docker(DockerCheck),
    Process(ProcessCheck),
    Command(CommandCheck),
    Host(HostCheck),
    Composite(CompositeCheck),
}

impl CheckKind {
    /// The key in the plan; also the label `kind` of its series.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Tls(_) => "tls",
            Self::Dns(_) => "dns",
            Self::Icmp(_) => "icmp",
            Self::Postgres(_) => "postgres",
            Self::Mysql(_) => "mysql",
            Self::Redis(_) => "redis",
            Self::Oracle(_) => "oracle",
            Self::Kafka(_) => "kafka",
            Self::Smtp(_) => "smtp",
            Self::Ssh(_) => "ssh",
            Self::Grpc(_) => "grpc",
            Self::Websocket(_) => "websocket",
            Self::Ntp(_) => "ntp",
            Self::Heartbeat(_) => "heartbeat",
            Self::Systemd(_) => "systemd",
            Self::Docker(_) => "docker",
            Self::Process(_) => "process",
            Self::Command(_) => "command",
            Self::Host(_) => "host",
            Self::Composite(_) => "composite",
        }
    }

    /// Whether it asks a database, whose failure is a database down (ALR-07).
    pub const fn is_database(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::Mysql(_) | Self::Oracle(_))
    }
}

impl Check {
    /// The kinds that are given; a checked plan has exactly one.
    pub fn kinds(&self) -> Vec<CheckKind> {
        let mut all = Vec::new();
        all.extend(self.http.as_ref().map(|c| CheckKind::Http(c.full())));
        all.extend(self.tcp.as_ref().map(|c| CheckKind::Tcp(c.full())));
        all.extend(self.tls.as_ref().map(|c| CheckKind::Tls(c.full())));
        all.extend(self.dns.as_ref().map(|c| CheckKind::Dns(c.full())));
        all.extend(self.icmp.as_ref().map(|c| CheckKind::Icmp(c.full())));
        all.extend(self.postgres.as_ref().map(|c| CheckKind::Postgres(c.full())));
        all.extend(self.mysql.as_ref().map(|c| CheckKind::Mysql(c.full())));
        all.extend(self.redis.as_ref().map(|c| CheckKind::Redis(c.full())));
        all.extend(self.oracle.as_ref().map(|c| CheckKind::Oracle(c.full())));
        all.extend(self.kafka.as_ref().map(|c| CheckKind::Kafka(c.full())));
        all.extend(self.smtp.as_ref().map(|c| CheckKind::Smtp(c.full())));
        all.extend(self.ssh.as_ref().map(|c| CheckKind::Ssh(c.full())));
        all.extend(self.grpc.as_ref().map(|c| CheckKind::Grpc(c.full())));
        all.extend(self.websocket.as_ref().map(|c| CheckKind::Websocket(c.full())));
        all.extend(self.ntp.as_ref().map(|c| CheckKind::Ntp(c.full())));
        all.extend(self.heartbeat.as_deref().cloned().map(CheckKind::Heartbeat));
        all.extend(self.systemd.as_ref().map(|c| CheckKind::Systemd(c.full())));
        all.extend(self.docker.as_ref().map(|c| CheckKind::Docker(c.full())));
        all.extend(self.process.as_ref().map(|c| CheckKind::Process(c.full())));
        all.extend(self.command.as_deref().cloned().map(CheckKind::Command));
        all.extend(self.host.as_deref().cloned().map(CheckKind::Host));
        all.extend(self.composite.as_deref().cloned().map(CheckKind::Composite));
        all
    }
}
