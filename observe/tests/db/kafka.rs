//! A broker of Apache Kafka from its published jars, alone in KRaft mode.
//!
//! Maven fetches the jars once, into the target folder. Without Java or Maven the test says so and is skipped.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kernel::probe::{Outcome, ProbeResult};
use serde_json::json;

use crate::servers::{run, until};
use crate::support::{Server, ask, expect, fact, free_port, reading, reading_label, write};

const VERSION: &str = "3.9.1";

/// The jars, or why there are none.
fn jars() -> Result<PathBuf, String> {
    for program in ["java", "mvn"] {
        let found = Command::new(program).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !found.is_ok_and(|s| s.success()) {
            return Err(format!("{program} is missing (apt-get install openjdk-17-jre-headless maven)"));
        }
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kafka-{VERSION}"));
    if folder.join("complete").exists() {
        return Ok(folder.join("libs"));
    }
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let dependency = |name: &str| {
        format!(
            "<dependency><groupId>org.apache.kafka</groupId><artifactId>{name}</artifactId><version>{VERSION}</version></dependency>"
        )
    };
    let project = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion><groupId>farero</groupId>\
         <artifactId>test-broker</artifactId><version>1</version><dependencies>{}{}</dependencies></project>",
        dependency("kafka_2.13"),
        dependency("kafka-tools")
    );
    write(&folder, "pom.xml", &project);
    let fetched = Command::new("mvn")
        .args(["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs", "-DincludeScope=runtime"])
        .current_dir(&folder)
        .output()
        .map_err(|e| e.to_string())?;
    if !fetched.status.success() {
        return Err(format!("Maven cannot fetch Kafka's jars: {}", String::from_utf8_lossy(&fetched.stdout)));
    }
    write(&folder, "complete", "");
    Ok(folder.join("libs"))
}

struct Kafka {
    jars: PathBuf,
    port: u16,
    _server: Server,
    folder: tempfile::TempDir,
}

fn java(jars: &Path, main: &str) -> Command {
    let mut command = Command::new("java");
    command.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]);
    command.arg(jars.join("*")).arg(main);
    command
}

impl Kafka {
    fn start(jars: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, controller) = (free_port(), free_port());
        let settings = format!(
            "process.roles=broker,controller\nnode.id=7\ncontroller.quorum.voters=7@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\ncontroller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\nlog.dirs={}\nnum.partitions=1\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n",
            folder.path().join("data").display()
        );
        let settings = write(folder.path(), "server.properties", &settings);
        run(java(&jars, "kafka.tools.StorageTool").args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", &settings]));
        let server = Server::start("openjdk-17-jre-headless", java(&jars, "kafka.Kafka").arg(&settings)).wait_for(port);
        Self { jars, port, _server: server, folder }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn produce(&self, topic: &str, messages: usize) {
        let mut command = java(&self.jars, "kafka.tools.ConsoleProducer");
        command.args(["--bootstrap-server", &self.address(), "--topic", topic]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let lines: String = (0..messages).map(|n| format!("message {n}\n")).collect();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "the producer failed");
    }

    /// Lets a group stand at an offset, as if it had consumed up to there.
    fn commit(&self, group: &str, topic: &str, offset: u64) {
        run(java(&self.jars, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand")
            .args(["--bootstrap-server", &self.address(), "--group", group, "--topic", topic])
            .args(["--reset-offsets", "--to-offset", &offset.to_string(), "--execute"]));
    }

    async fn ask(&self, settings: serde_json::Value) -> ProbeResult {
        let mut kafka = json!({ "brokers": self.address() });
        kafka.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        ask(json!({ "kafka": kafka, "timeout": "10s" })).await
    }
}

#[tokio::test]
async fn chk_08_met_07_a_real_broker_and_the_lag_of_its_groups() {
    let jars = match jars() {
        Ok(jars) => jars,
        Err(why) => return println!("skipped: no Kafka broker can be started here: {why}"),
    };
    let kafka = Kafka::start(jars);
    let result = until(|| kafka.ask(json!({})), |r| r.outcome == Outcome::Up).await;
    assert_eq!(result.evidence.status.as_deref(), Some("1 of 1 brokers answer"));
    assert_eq!((reading(&result, "farero_kafka_brokers"), reading(&result, "kafka_brokers")), (1.0, 1.0));
    assert_eq!((fact(&result, "cluster"), fact(&result, "controller")), ("MkU3OEVBNTcwNTJENDM2Qg", "7"));

    kafka.produce("casos", 10);
    kafka.commit("derivacion-group", "casos", 4);
    let groups = |max: u64| json!({ "groups": { "derivacion-group": { "topics": ["casos"], "max_lag": max } } });
    let result = kafka.ask(groups(6)).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(reading(&result, "kafka_consumergroup_lag"), 6.0);
    assert_eq!(reading(&result, "kafka_consumergroup_lag_sum"), 6.0);
    assert_eq!(reading(&result, "kafka_consumergroup_current_offset"), 4.0);
    let label = |name| reading_label(&result, "kafka_consumergroup_lag", name);
    assert_eq!((label("consumergroup"), label("topic"), label("partition")), ("derivacion-group", "casos", "0"));
    let behind = kafka.ask(groups(5)).await;
    expect(&behind, Outcome::Slow, "");
    assert_eq!(fact(&behind, "slow"), "group derivacion-group lags 6 messages behind, more than 5");
    let all = kafka.ask(json!({ "groups": { "derivacion-group": {} } })).await;
    assert_eq!(reading(&all, "farero_kafka_group_lag"), 6.0);

    let nobody = kafka.ask(json!({ "groups": { "nobody": {} } })).await;
    assert!(fact(&nobody, "slow").contains("group nobody has no offsets"), "{nobody:?}");
    expect(&kafka.ask(json!({ "min_brokers": 3 })).await, Outcome::Down, "1 brokers answer, expected 3");
    let second = ask(json!({ "kafka": format!("127.0.0.1:{}, {}", free_port(), kafka.address()) })).await;
    expect(&second, Outcome::Up, "");

    let Kafka { port, _server, folder, .. } = kafka;
    drop(_server);
    let gone = ask(json!({ "kafka": format!("127.0.0.1:{port}") })).await;
    expect(&gone, Outcome::Down, "no broker answers");
    drop(folder);
}

#[tokio::test]
async fn chk_08_something_else_than_kafka() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        std::future::pending::<()>().await;
    });
    let result = ask(json!({ "kafka": format!("127.0.0.1:{port}") })).await;
    expect(&result, Outcome::Down, "something else than Kafka's protocol");
}
