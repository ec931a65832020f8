//! Runs one child process: argument vector, clean environment, its own process group, bounded output. I/O.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use kernel::secret::Secret;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// Most bytes kept of each of the two outputs; what comes after is read and dropped, so that the child is not blocked.
pub(crate) const MOST_OUTPUT: usize = 64 << 10;

/// After the child has ended, how long its outputs may stay open (a grandchild in the background holds them).
const LONGEST_DRAIN: Duration = Duration::from_millis(250);

/// What every child gets of Farero's own environment; nothing else is passed on.
const PASSED_ON: [&str; 3] = ["PATH", "HOME", "LANG"];

/// A program with everything it is started with.
pub(crate) struct Invocation {
    pub(crate) program: Secret,
    pub(crate) arguments: Vec<Secret>,
    pub(crate) environment: Vec<(String, Secret)>,
    pub(crate) directory: Option<PathBuf>,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

/// What a child left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// There was more output than [`MOST_OUTPUT`].
    pub(crate) was_cut: bool,
}

/// Why a child could not be run. Holds neither program nor arguments: they may be secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the command is not there: is it installed, and is its path right?")]
    Missing,
    #[error("the command may not be started: it is not executable for the user that Farero runs as")]
    Forbidden,
    #[error("the command cannot be run: {0}")]
    Other(io::Error),
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            _ => Self::Other(error),
        }
    }
}

/// Kills a process group when it is dropped: the attempt timed out, or the child left someone behind.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may be gone already; then there is nothing to do.
            killpg(group, Signal::SIGKILL).ok();
        }
    }
}

/// Runs to the end. Dropped before, it kills the child and all that it started in its process group.
pub(crate) async fn run(invocation: &Invocation) -> Result<Finished, StartError> {
    let mut command = Command::new(invocation.program.expose());
    command.args(invocation.arguments.iter().map(Secret::expose));
    command.env_clear();
    command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(invocation.environment.iter().map(|(name, value)| (name, value.expose())));
    if let Some(directory) = &invocation.directory {
        command.current_dir(directory);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Output::default(), Output::default());
    let status = {
        let mut reading = std::pin::pin!(async { tokio::join!(out.read(stdout), err.read(stderr)) });
        let (status, is_read) = tokio::select! {
            status = child.wait() => (status?, false),
            _ = &mut reading => (child.wait().await?, true),
        };
        // Whoever still holds the outputs after the drain is in the group, and is killed with it.
        if is_read || tokio::time::timeout(LONGEST_DRAIN, &mut reading).await.is_ok() {
            group.0 = None;
        }
        status
    };
    let was_cut = out.was_cut || err.was_cut;
    Ok(Finished { status, stdout: out.bytes, stderr: err.bytes, was_cut })
}

/// The first bytes of an output.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    was_cut: bool,
}

impl Output {
    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = [0; 4 << 10];
        while let Ok(n) = pipe.read(&mut chunk).await {
            if n == 0 {
                return;
            }
            let keep = n.min(MOST_OUTPUT - self.bytes.len());
            self.bytes.extend_from_slice(&chunk[..keep]);
            self.was_cut |= keep < n;
        }
    }
}
