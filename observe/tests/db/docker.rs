//! Docker Engine of Debian, with containers made from busybox. Needs root.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kernel::probe::{Outcome, ProbeResult};
use serde_json::json;

use crate::servers::until;
use crate::support::{ask, error, expect, fact, reading};

/// A Docker Engine of the test's own, without a network; stopped when dropped.
struct Engine {
    child: Child,
    folder: tempfile::TempDir,
}

impl Engine {
    /// Why it cannot be started is said, and the test is skipped.
    fn start() -> Result<Self, String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("dockerd needs root".to_owned());
        }
        let folder = tempfile::Builder::new().prefix("dk").tempdir_in("/tmp").map_err(|e| e.to_string())?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = std::fs::File::create(folder.path().join("log")).map_err(|e| e.to_string())?;
        let child = Command::new("dockerd")
            .args(["--data-root", &path("data"), "--exec-root", &path("exec"), "--pidfile", &path("pid")])
            .args(["--host", &format!("unix://{}", path("docker.sock")), "--storage-driver", "vfs"])
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("dockerd: {e}; install docker.io"))?;
        let mut engine = Self { child, folder };
        let began = Instant::now();
        while engine.docker(&["version"]).is_err() {
            let ended = engine.child.try_wait().ok().flatten().is_some();
            if ended || began.elapsed() > Duration::from_secs(30) {
                let log = std::fs::read_to_string(engine.folder.path().join("log")).unwrap_or_default();
                return Err(format!("dockerd does not start: {}", log.lines().last().unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(engine)
    }

    fn address(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }

    fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("docker").args(["--host", &self.address()]).args(arguments).output();
        let output = output.map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// An image made from Debian's static busybox: none can be pulled.
    fn import_busybox(&self) -> Result<(), String> {
        let root = self.folder.path().join("root");
        std::fs::create_dir_all(root.join("bin")).map_err(|e| e.to_string())?;
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|p| Path::new(p).exists());
        let busybox = busybox.ok_or("there is no busybox; install busybox-static")?;
        std::fs::copy(busybox, root.join("bin/busybox")).map_err(|e| e.to_string())?;
        for name in ["sh", "sleep", "cat", "true"] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).map_err(|e| e.to_string())?;
        }
        let tar = self.folder.path().join("root.tar");
        let made = Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&tar).arg(".").status();
        if !made.is_ok_and(|s| s.success()) {
            return Err("tar failed".to_owned());
        }
        self.docker(&["import", &tar.display().to_string(), "probe:1"]).map(drop)
    }

    fn run(&self, name: &str, options: &[&str], command: &[&str]) -> Result<String, String> {
        let fixed = ["run", "--detach", "--network", "none", "--name", name];
        self.docker(&[&fixed, options, &["probe:1"], command].concat())
    }

    async fn ask(&self, container: &str) -> ProbeResult {
        ask(json!({ "docker": { "container": container, "docker": self.address() } })).await
    }

    async fn ask_service(&self, service: &str) -> ProbeResult {
        let docker = json!({ "compose_service": service, "compose_project": "shop", "docker": self.address() });
        ask(json!({ "docker": docker })).await
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let ids = self.docker(&["ps", "--all", "--quiet"]).unwrap_or_default();
        for id in ids.split_whitespace() {
            let _ = self.docker(&["rm", "--force", id]);
        }
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
        }
        let _ = self.child.wait();
        // dockerd binds its data folder to itself; left mounted, the folder could not be taken away.
        let _ = Command::new("umount").arg(self.folder.path().join("data")).stderr(Stdio::null()).status();
    }
}

const COMPOSE: [&str; 4] = ["--label", "com.docker.compose.service=web", "--label", "com.docker.compose.project=shop"];

#[tokio::test]
async fn chk_05_containers_on_a_real_docker_engine() {
    let engine = match Engine::start().and_then(|e| e.import_busybox().map(|()| e)) {
        Ok(engine) => engine,
        Err(why) => return println!("skipped: no Docker Engine can be started here: {why}"),
    };
    engine.run("plain", &[], &["sleep", "600"]).unwrap();
    engine.run("finished", &[], &["sh", "-c", "exit 3"]).unwrap();
    let health = ["--health-cmd", "cat /state", "--health-interval", "1s", "--health-retries", "1"];
    engine.run("sick", &health, &["sleep", "600"]).unwrap();
    engine.run("restless", &["--restart", "always"], &["sh", "-c", "exit 1"]).unwrap();

    let plain = engine.ask("plain").await;
    expect(&plain, Outcome::Up, "");
    assert_eq!(plain.evidence.status.as_deref(), Some("running"));
    assert_eq!(reading(&plain, "farero_container_running"), 1.0);

    let is_down = |r: &ProbeResult, why: &str| r.outcome == Outcome::Down && error(r).contains(why);
    until(|| engine.ask("finished"), |r| is_down(r, "exited with code 3")).await;
    until(|| engine.ask("sick"), |r| is_down(r, "unhealthy: cat: can't open '/state'")).await;
    let restless = until(|| engine.ask("restless"), |r| is_down(r, "restarting with code 1")).await;
    assert!(reading(&restless, "farero_container_restarts_total") >= 1.0, "{restless:?}");
    expect(&engine.ask("nobody").await, Outcome::Down, "there is no container nobody");

    expect(&engine.ask_service("web").await, Outcome::Down, "Compose service web has no container");
    engine.run("web-1", &COMPOSE, &["sleep", "600"]).unwrap();
    assert_eq!(engine.ask_service("web").await.outcome, Outcome::Up);
    engine.run("web-2", &COMPOSE, &["sh", "-c", "exit 5"]).unwrap();
    engine.docker(&["wait", "web-2"]).unwrap();
    let half = engine.ask_service("web").await;
    assert_eq!(half.evidence.status.as_deref(), Some("1 of 2 containers work"));
    expect(&half, Outcome::Slow, "");
    assert_eq!(fact(&half, "slow"), "web-2: exited with code 5");
    engine.docker(&["pause", "web-1"]).unwrap();
    expect(&engine.ask_service("web").await, Outcome::Down, "web-1: paused");
}
