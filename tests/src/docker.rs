//! A Docker Engine of the tests' own, with networks and an image of busybox. I/O. Needs root and Debian's `docker.io`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The image, and a command that goes on until the container is ended.
pub const SLEEPING: &[&str] = &["probe:1", "/busybox", "sleep", "3600"];

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running engine; it ends with all its containers when dropped.
pub struct Engine {
    child: Child,
    folder: TempDir,
}

impl Engine {
    /// Starts it, and makes the image.
    ///
    /// # Errors
    /// Why it cannot be started here, for a test that is left out then.
    pub fn start() -> Result<Self, String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("dockerd needs root".to_owned());
        }
        // A short path: the name of a socket may have 107 bytes.
        let folder = tempfile::Builder::new().prefix("dk").tempdir_in("/tmp").map_err(|e| e.to_string())?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = std::fs::File::create(folder.path().join("log")).map_err(|e| e.to_string())?;
        let child = Command::new("/usr/sbin/dockerd")
            .args(["--data-root", &path("data"), "--exec-root", &path("exec"), "--pidfile", &path("pid")])
            .args(["--host", &format!("unix://{}", path("s")), "--storage-driver", "vfs"])
            .args(["--iptables=false", "--ip6tables=false"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("dockerd: {e}; install docker.io"))?;
        let mut engine = Self { child, folder };
        let began = Instant::now();
        while engine.docker(&["version"]).is_err() {
            let ended = engine.child.try_wait().ok().flatten().is_some();
            if ended || began.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(engine.folder.path().join("log")).unwrap_or_default();
                return Err(format!("dockerd does not start: {}", log.lines().last().unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        engine.make_image()?;
        Ok(engine)
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("unix://{}/s", self.folder.path().display())
    }

    /// Runs its client; what that printed.
    ///
    /// # Errors
    /// What the client said when it failed.
    pub fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("docker").args(["--host", &self.address()]).args(arguments).output();
        let output = output.map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Debian's static busybox and nothing else: no image can be pulled.
    fn make_image(&self) -> Result<(), String> {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|p| Path::new(p).exists());
        let busybox = busybox.ok_or("there is no busybox; install busybox-static")?;
        let root = self.folder.path().join("root");
        std::fs::create_dir_all(&root).map_err(|e| e.to_string())?;
        std::fs::copy(busybox, root.join("busybox")).map_err(|e| e.to_string())?;
        let tar = self.folder.path().join("root.tar");
        let made = Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&tar).arg(".").status();
        if !made.is_ok_and(|s| s.success()) {
            return Err("tar failed".to_owned());
        }
        self.docker(&["import", &tar.display().to_string(), "probe:1"]).map(drop)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let ids = self.docker(&["ps", "--all", "--quiet"]).unwrap_or_default();
        for id in ids.split_whitespace() {
            let _ = self.docker(&["rm", "--force", id]);
        }
        // Networks are the machine's: left over, their bridges would stay.
        let _ = self.docker(&["network", "prune", "--force"]);
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
        }
        let _ = self.child.wait();
        // dockerd binds its data folder to itself; left mounted, the folder could not be taken away.
        let _ = Command::new("umount").arg(self.folder.path().join("data")).stderr(Stdio::null()).status();
    }
}
