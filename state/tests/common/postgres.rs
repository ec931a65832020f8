//! A PostgreSQL server of Debian's package for one test binary, with a database for each test. I/O.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::unistd::{User, chown, geteuid};

/// A server. It ends, and its folder goes, when the process ends that started it, however that ends.
pub struct Server {
    folder: PathBuf,
    options: String,
    /// Its end of input is what the keeper waits for.
    _keeper: Child,
}

static SHARED: OnceLock<Server> = OnceLock::new();
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// The URL of a new, empty database on the server that all tests of this binary share.
pub fn new_database() -> String {
    SHARED.get_or_init(Server::start).new_database()
}

fn program(name: &str) -> String {
    let mut releases: Vec<_> = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
    releases.sort_by_key(|release| release.file_name());
    let found = releases.iter().rev().map(|r| r.path().join("bin").join(name)).find(|p| p.exists());
    found.unwrap_or_else(|| panic!("these tests need the Debian package postgresql")).display().to_string()
}

fn user() -> Option<User> {
    geteuid().is_root().then(|| User::from_name("postgres").unwrap().unwrap())
}

fn as_postgres(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some(user) = user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

impl Server {
    /// A new cluster on a Unix socket, which anybody here may use as `farero`.
    pub fn start() -> Self {
        Self::start_with(|_| String::new())
    }

    /// As [`Server::start`], with options that may name files in its folder.
    pub fn start_with(options: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::Builder::new().prefix("farero-pg").tempdir().unwrap().keep();
        if let Some(user) = user() {
            chown(&folder, Some(user.uid), Some(user.gid)).unwrap();
        }
        let data = folder.join("data").display().to_string();
        let made = as_postgres(program("initdb"))
            .args(["--username=farero", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8", "-D", &data])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let script =
            format!("cat >/dev/null; {} -D {data} -m immediate stop; rm -rf {}", program("pg_ctl"), folder.display());
        let mut keeper = as_postgres("/bin/sh");
        // In a group of its own: Ctrl-C in the terminal ends the tests and not the keeper.
        let keeper = keeper.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let keeper = keeper.process_group(0).spawn().unwrap();
        let options = format!(
            "-k {} -c listen_addresses= -c fsync=off -c max_connections=200 {}",
            folder.display(),
            options(&folder)
        );
        let server = Self { folder, options, _keeper: keeper };
        server.resume();
        server
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let (data, log) = (self.folder.join("data"), self.folder.join("log"));
        let mut command = as_postgres(program("pg_ctl"));
        command.arg("-D").arg(data).arg("-w").arg("-l").arg(log).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Ends the server at once, as a crash would.
    pub fn crash(&self) {
        assert!(self.control(&["-m", "immediate", "stop"]), "{}", self.log());
    }

    /// Ends the server in good order.
    pub fn stop(&self) {
        assert!(self.control(&["-m", "fast", "stop"]), "{}", self.log());
    }

    /// Starts it again.
    pub fn resume(&self) {
        assert!(self.control(&["-o", &self.options, "start"]), "PostgreSQL does not start: {}", self.log());
    }

    pub fn new_database(&self) -> String {
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        assert!(self.psql(&format!("CREATE DATABASE {name}")), "{}", self.log());
        self.url(&name)
    }

    pub fn url(&self, database: &str) -> String {
        let host = self.folder.display().to_string().replace('/', "%2F");
        let port = self.options.split(" -p ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("5432");
        format!("postgres://farero@{host}:{port}/{database}")
    }

    /// Writes a file that only the server may read, as it wants its keys.
    pub fn give(path: &Path, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some(user) = user() {
            chown(path, Some(user.uid), Some(user.gid)).unwrap();
        }
    }

    /// Runs a statement on the cluster's own database.
    pub fn psql(&self, sql: &str) -> bool {
        psql(&self.url("postgres"), sql).is_some()
    }

    fn log(&self) -> String {
        let mut text = String::new();
        let read = std::fs::File::open(self.folder.join("log")).and_then(|mut f| f.read_to_string(&mut text));
        read.map_or_else(|e| e.to_string(), |_| text)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What a statement answers, without decoration; `None` when it fails.
pub fn psql(url: &str, sql: &str) -> Option<String> {
    let output = Command::new(program("psql")).args(["-X", "-q", "-A", "-t", "-d", url, "-c", sql]).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
