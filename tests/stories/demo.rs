//! A newcomer starts the demo, breaks something, sees the alert, mends it, sees the recovery.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tests::wait_for;

struct Demo {
    child: Child,
    inbox: String,
    client: reqwest::Client,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).unwrap();
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

impl Demo {
    async fn start() -> Self {
        let (farero, page) = (tests::farero::free_port(), tests::farero::free_port());
        let child = Command::new(tests::binary::path())
            .args(["demo", "--listen", &format!("127.0.0.1:{farero}"), "--port", &page.to_string()])
            .env("USER", format!("test-{page}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let client = tests::farero::client();
        let inbox = format!("http://127.0.0.1:{page}");
        let demo = Self { child, inbox, client };
        wait_for("the demo", || async { demo.messages().await }).await;
        demo
    }

    async fn messages(&self) -> Option<Vec<(String, String)>> {
        let text = self
            .client
            .get(format!("{}/state?after=0&language=es", self.inbox))
            .send()
            .await
            .ok()?
            .text()
            .await
            .ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        Some(value["messages"].as_array()?.iter().map(|m| (word(&m["channel"]), word(&m["subject"]))).collect())
    }

    async fn fault(&self, name: &str, action: &str) {
        let answer = self.client.post(format!("{}/faults/{name}/{action}", self.inbox)).send().await.unwrap();
        assert!(answer.status().is_success(), "{name}: {}", answer.text().await.unwrap());
    }

    async fn wait(&self, what: &str, has: impl Fn(&str, &str) -> bool) {
        wait_for(what, || async {
            let all = self.messages().await?;
            all.iter().any(|(channel, subject)| has(channel, subject)).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chn_02_the_demo_shows_failure_message_and_recovery() {
    let demo = Demo::start().await;
    demo.fault("frontend", "break").await;
    demo.wait("mail about the failure", |channel, subject| channel == "email" && subject.contains("Frontend")).await;
    demo.wait("Slack about the failure", |channel, subject| channel == "slack" && subject.contains("Frontend")).await;
    demo.wait("SMS about the failure", |channel, subject| channel == "sms" && subject.contains("Frontend")).await;
    let of_frontend = |(c, s): &&(String, String)| c == "email" && s.contains("Frontend");
    let before = demo.messages().await.unwrap().iter().filter(of_frontend).count();
    demo.fault("frontend", "mend").await;
    wait_for("mail about the recovery", || async {
        let mails = demo.messages().await?.iter().filter(of_frontend).count();
        (mails > before).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alr_13_a_full_disk_is_told() {
    let demo = Demo::start().await;
    demo.fault("disk", "break").await;
    demo.wait("mail about the disk", |channel, subject| channel == "email" && subject.to_lowercase().contains("disco"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_demo_stays_behind_when_it_is_killed() {
    let mut demo = Demo::start().await;
    let folder = std::env::temp_dir().join(format!("farero-demo-{}", demo.child.id()));
    let server = std::fs::read_to_string(folder.join("stand-in/postgres/postmaster.pid")).ok();
    demo.child.kill().unwrap();
    demo.child.wait().unwrap();
    tests::eventually("its folder is gone", || !folder.exists()).await;
    if let Some(pid) = server.as_deref().and_then(|text| text.lines().next()) {
        let path = std::path::Path::new("/proc").join(pid);
        tests::eventually("its PostgreSQL is gone", || !path.exists()).await;
    }
}
