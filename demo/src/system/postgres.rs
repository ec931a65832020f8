//! A real PostgreSQL in the demo's folder, where one is installed. I/O.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// How long the server may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Postgres {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Postgres {
    /// Makes a database cluster (unless the folder holds one) and starts it.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let programs = programs().context("none is installed (Debian: apt-get install postgresql)")?;
        std::fs::create_dir_all(folder)?;
        if as_other_user() {
            let owner = run(Command::new("chown").arg("postgres").arg(folder)).await;
            owner.context("it does not run as root, and the user `postgres` is missing")?;
        }
        if !folder.join("PG_VERSION").exists() {
            let mut init = command(&programs.join("initdb"));
            init.arg("-D").arg(folder).args([
                "-U",
                "postgres",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ]);
            run(&mut init).await.context("its data folder cannot be made")?;
        }
        let port = free_port()?;
        let postgres =
            Self { program: programs.join("postgres"), folder: folder.to_owned(), port, child: Mutex::new(None) };
        postgres.run().await?;
        Ok(postgres)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server and waits until it answers.
    pub(crate) async fn run(&self) -> Result<()> {
        let mut child = self.child.lock().await;
        if child.is_some() {
            return Ok(());
        }
        let mut server = command(&self.program);
        server.arg("-D").arg(&self.folder).args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-k", ""]);
        server.args(["-c", "fsync=off", "-c", "max_connections=100", "-c", "shared_buffers=16MB"]);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        *child = Some(server.spawn().context("it cannot be started")?);
        let deadline = tokio::time::Instant::now() + START_LIMIT;
        while tokio_postgres::connect(&self.url(), tokio_postgres::NoTls).await.is_err() {
            if tokio::time::Instant::now() > deadline {
                bail!("it did not answer within {} s", START_LIMIT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Stops the server at once.
    pub(crate) async fn stop(&self) -> Result<()> {
        let Some(mut child) = self.child.lock().await.take() else { return Ok(()) };
        self.signal("QUIT").await;
        if tokio::time::timeout(Duration::from_secs(5), child.wait()).await.is_err() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Signals the server itself, whose process id it keeps in its folder (`runuser` may stand between us and it).
    async fn signal(&self, name: &str) {
        let Ok(text) = std::fs::read_to_string(self.folder.join("postmaster.pid")) else { return };
        let Some(pid) = text.lines().next() else { return };
        let _ = run(Command::new("kill").args(["-s", name, pid])).await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Ok(text) = std::fs::read_to_string(self.folder.join("postmaster.pid"))
            && let Some(pid) = text.lines().next()
        {
            let _ = std::process::Command::new("kill").args(["-s", "QUIT", pid]).status();
        }
    }
}

/// PostgreSQL refuses to run as root.
fn as_other_user() -> bool {
    std::env::var("USER").is_ok_and(|u| u == "root") || std::fs::metadata("/proc/self").is_ok_and(|m| owner(&m) == 0)
}

fn owner(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(metadata)
}

fn command(program: &Path) -> Command {
    if as_other_user() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command.current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().await?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no reason given"));
    }
    Ok(())
}

/// The folder of the newest PostgreSQL's programs: Debian's place first, then PATH.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    let mut found: Vec<PathBuf> = debian.filter(|p| p.join("initdb").exists() && p.join("postgres").exists()).collect();
    found.sort();
    found.pop().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|p| p.join("initdb").exists() && p.join("postgres").exists())
    })
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
