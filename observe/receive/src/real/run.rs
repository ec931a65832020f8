//! Starts the real programs.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::http::ask;

/// Whether a program is installed; says so when it is not.
#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
pub(crate) fn is_here(program: &str) -> bool {
    let here = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !here {
        eprintln!("{program} is not installed: this test was left out");
    }
    here
}

/// A running Prometheus; it ends with the test.
pub(crate) struct Prometheus {
    child: Child,
    pub(crate) address: String,
}

impl Prometheus {
    pub(crate) fn start(folder: &Path, config: &str, data: &Path, more: &[&str]) -> Self {
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .args(more)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("prometheus.log")).unwrap())
            .spawn()
            .unwrap();
        let started = Self { child, address };
        started.wait(|p| ask(&p.address, "GET", "/-/ready").is_some_and(|(status, _)| status == 200));
        started
    }

    /// Waits until something is so, 30 seconds at most.
    pub(crate) fn wait(&self, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            assert!(Instant::now() < until, "waited for too long");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The result of an instant query.
    pub(crate) fn query(&self, expr: &str, time_ms: i64) -> serde_json::Value {
        let path = format!("/api/v1/query?query={}&time={}", super::http::encode(expr), time_ms as f64 / 1e3);
        let (_, body) = ask(&self.address, "GET", &path).unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The real time, which real senders send.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}
