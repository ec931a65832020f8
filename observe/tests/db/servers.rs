//! What the tests of databases share: system users, folders of theirs, waiting. I/O.

use std::future::Future;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kernel::probe::ProbeResult;
use nix::unistd::{User, chown, geteuid};

/// How long something may take to become true.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that runs as this system user when the tests run as root: PostgreSQL and MariaDB refuse root.
pub(crate) fn command_as(user: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some(user) = other_user(user) {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

fn other_user(name: &str) -> Option<User> {
    geteuid().is_root().then(|| User::from_name(name).expect("the list of users").expect("the package's user"))
}

/// A temporary folder that belongs to this system user.
pub(crate) fn folder_of(user: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(user) = other_user(user) {
        chown(folder.path(), Some(user.uid), Some(user.gid)).expect("chown");
    }
    folder
}

/// Gives a file to this system user, readable by it alone, as servers want their keys.
pub(crate) fn give_key(path: &str, user: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    if let Some(user) = other_user(user) {
        chown(Path::new(path), Some(user.uid), Some(user.gid)).expect("chown");
    }
}

/// Runs a program to its end; panics with what it said when it fails.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{:?} cannot be started: {e}", command.get_program()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Asks until the result is as wanted.
pub(crate) async fn until<F>(mut ask: impl FnMut() -> F, is_wanted: impl Fn(&ProbeResult) -> bool) -> ProbeResult
where
    F: Future<Output = ProbeResult>,
{
    let end = Instant::now() + PATIENCE;
    loop {
        let result = ask().await;
        if is_wanted(&result) {
            return result;
        }
        assert!(Instant::now() < end, "it never became as wanted: {result:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
